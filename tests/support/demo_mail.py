"""The demo's mail as readers and staff received it, for tests that look at the bytes."""

from __future__ import annotations

import email
import email.policy
import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path

from digest.demo import job

THURSDAY = datetime(2026, 11, 26, 22, 0, tzinfo=UTC)
READERS = 10
_HIDDEN = frozenset({"style", "title", "head", "script"})


class Reading(HTMLParser):
    """What a mail's HTML holds: elements with their attributes, links with their words, headings, and what is
    read."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.links: list[tuple[str, str]] = []
        self.headings: list[str] = []
        self.words: list[str] = []
        self._open: list[tuple[str, int]] = []
        self._silent = 0
        self._alt = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.elements.append((tag, values))
        if tag == "img" and self._open:
            self._alt = values.get("alt", "")
        if self._silent or tag in _HIDDEN or "display:none" in values.get("style", ""):
            self._silent += tag not in ("img", "br", "meta")
        elif tag in ("a", "h1", "h2", "h3"):
            self._open.append((values.get("href", ""), len(self.words)))

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            self._silent -= 1
        elif tag in ("a", "h1", "h2", "h3"):
            href, start = self._open.pop()
            text = " ".join("".join(self.words[start:]).split())
            if tag == "a":
                self.links.append((href, text or self._alt))
            else:
                self.headings.append(text)
        elif tag in ("p", "td", "div", "span", "b"):
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)

    @property
    def images(self) -> list[dict[str, str]]:
        return [values for tag, values in self.elements if tag == "img"]

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


@dataclass(frozen=True)
class Mail:
    """One file of the inbox."""

    name: str
    raw: bytes

    @cached_property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    @cached_property
    def html(self) -> str:
        return self._part("html")

    @cached_property
    def text(self) -> str:
        return self._part("plain")

    @cached_property
    def reading(self) -> Reading:
        return Reading(self.html)

    @property
    def headers(self) -> str:
        """The header section as it travelled, its folded lines joined."""
        section = self.raw.partition(b"\r\n\r\n")[0].decode("ascii")
        return re.sub(r"\r\n[ \t]", " ", section).replace("\r\n", "\n")

    @property
    def preheader(self) -> str:
        found = re.search(r'<div style="[^"]*display:none[^"]*">([^<]*)', self.html)
        assert found is not None
        return re.sub("[\u2007\ufeff\u034f\\s]+", " ", html.unescape(found[1])).strip()

    def _part(self, kind: str) -> str:
        body = self.message.get_body((kind,))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")


@dataclass(frozen=True)
class Received:
    """All of a demo's mail."""

    readers: tuple[Mail, ...]
    staff: tuple[Mail, ...]

    @property
    def everything(self) -> Mail:
        """The digest of a reader who chose no region, and so gets all."""
        return next(mail for mail in self.readers if "all regions" in mail.text)

    def staff_mail(self, subject: str) -> Mail:
        """The last word to staff whose subject begins so."""
        return [mail for mail in self.staff if str(mail.message["Subject"]).startswith(subject)][-1]


def receive(folder: Path) -> Received:
    """Run the demo into `folder` and open its mail."""
    job.run(folder, READERS, say=lambda _: None, now=THURSDAY)

    def opened(part: str) -> tuple[Mail, ...]:
        return tuple(Mail(path.name, path.read_bytes()) for path in sorted((folder / part).glob("*.eml")))

    return Received(opened("inbox"), opened("staff"))
