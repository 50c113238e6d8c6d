"""Media RSS as feedparser should read it.

feedparser lets `media:description` and `media:title` of a picture stand as the entry's own text, and does not
tell which picture a credit belongs to. These handlers, put before its own, keep them with their picture."""

from __future__ import annotations

from typing import Any

import feedparser.api


class _MediaHandlers:
    """Handlers that feedparser finds by their names. A picture may hold its text or stand beside it."""

    _picture: dict[str, Any] | None = None

    def _start_media_content(self, attrs: dict[str, Any]) -> None:
        context = self._get_context()  # type: ignore[attr-defined]
        context.setdefault("media_content", []).append(attrs)
        self._picture = attrs

    def _end_media_content(self) -> None:
        self._picture = None

    def _start_media_description(self, attrs: dict[str, Any]) -> None:  # noqa: ARG002 - found by name
        self.push("media_caption", 1)  # type: ignore[attr-defined]

    def _end_media_description(self) -> None:
        self._keep("media_caption", "caption")

    def _start_media_title(self, attrs: dict[str, Any]) -> None:  # noqa: ARG002 - found by name
        self.push("media_headline", 1)  # type: ignore[attr-defined]

    def _end_media_title(self) -> None:
        self._keep("media_headline", "headline")

    def _start_media_text(self, attrs: dict[str, Any]) -> None:  # noqa: ARG002 - found by name
        self.push("media_transcript", 1)  # type: ignore[attr-defined]

    def _end_media_text(self) -> None:
        self._keep("media_transcript", "transcript")

    def _start_media_credit(self, attrs: dict[str, Any]) -> None:
        self._get_context().setdefault("media_credit", []).append(attrs)  # type: ignore[attr-defined]
        self.push("credit", 1)  # type: ignore[attr-defined]

    def _end_media_credit(self) -> None:
        value = self._keep("credit", "credit")
        given = self._get_context().get("media_credit")  # type: ignore[attr-defined]
        if value and given:
            given[-1]["content"] = value

    def _keep(self, element: str, name: str) -> str:
        value = str(self.pop(element) or "").strip()  # type: ignore[attr-defined]
        if value and self._picture is not None:
            self._picture.setdefault(name, value)
        return value


def install() -> None:
    """Put the handlers before feedparser's, once in a process."""
    for name in ("StrictFeedParser", "LooseFeedParser"):
        parser = getattr(feedparser.api, name)
        if not issubclass(parser, _MediaHandlers):
            setattr(feedparser.api, name, type(name, (_MediaHandlers, parser), {}))
