"""Filling the pages' templates: the publication's language, name and colours around what a page says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from digest.rendering.environment import fill, plain
from digest.rendering.i18n import direction
from digest.rendering.palette import palette
from digest.web.guard import prefix_of
from digest.web.languages import offered
from digest.web.phrases import page_environment, phrases
from digest.web.services import ArchivedEdition, ReaderView, WebServices


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages over one application. Links are paths below `public_url`: the Host header decides nothing."""

    services: WebServices

    @property
    def base(self) -> str:
        return prefix_of(self.services.publication.public_url)

    def html(self, name: str, status: int = 200, *, language: str, **context: Any) -> Response:
        """The page `web/<name>.html`. Raises TemplateError where the operator's template is wrong."""
        page = self.fragment(name, language=language, **context)
        return HTMLResponse(page, status, headers={"Content-Language": language, "Vary": "Accept-Language"})

    def fragment(self, name: str, *, language: str, **context: Any) -> str:
        """`web/<name>.html`, filled.

        `own` are the attributes of what stands in the publication's language on a page that speaks another one."""
        publication, design = self.services.publication, self.services.design
        stylesheet = sha256(self._css().encode()).hexdigest()[:12]
        own = publication.language
        return fill(
            self._environment(language),
            f"web/{name}.html",
            {
                "publication": plain(publication),
                "design": plain(design),
                "language": language,
                "direction": direction(language),
                "languages": offered(own),
                "own": Markup("" if own == language else f' lang="{escape(own)}" dir="{direction(own)}"'),  # noqa: S704
                "base": self.base,
                "palette": plain(palette(design, tuple(publication.region_names))),
                "tongue": "",
                "stylesheet": f"{self.base}/style.css?{stylesheet}",
                **{key: plain(value) for key, value in context.items()},
            },
        )

    def reader(self, name: str, view: ReaderView, status: int = 200, *, language: str, **context: Any) -> Response:
        """A page about one reader: their region choice as `regions`, a list of slug, name and whether it is chosen."""
        names = self.services.publication.region_names
        regions = [
            {"slug": slug, "name": label, "chosen": not view.regions or slug in view.regions}
            for slug, label in names.items()
        ]
        return self.html(name, status, language=language, reader=view, regions=regions, **context)

    def message(self, status: int, title: str, text: str, *, language: str) -> Response:
        """A page that only says something; both sentences are message ids."""
        say = phrases(language).gettext
        return self.html("message", status, language=language, title=say(title), text=say(text))

    def editions(self, found: Sequence[ArchivedEdition]) -> list[dict[str, Any]]:
        """For a template: slug, title and the day that the slug is, or None for a slug that is none."""
        return [
            {"slug": edition.slug, "title": edition.title, "day": _day(edition.slug), "year": edition.slug[:4]}
            for edition in found
        ]

    def stylesheet(self) -> Response:
        cached = {"Cache-Control": "public, max-age=86400"}  # its address changes with its bytes
        return Response(self._css(), media_type="text/css", headers=cached)

    def _css(self) -> str:
        regions = tuple(self.services.publication.region_names)
        known = {"palette": plain(palette(self.services.design, regions))}
        return fill(self._environment(self.services.publication.language), "web/style.css", known)

    def _environment(self, language: str) -> Any:
        return page_environment(self.services.templates, language, self.services.publication.timezone)


def _day(slug: str) -> date | None:
    try:
        return date.fromisoformat(slug)
    except ValueError:
        return None
