"""What anybody may read: the archive, its feed, and each past edition with no trace of any reader in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from digest.web.atom import feed
from digest.web.guard import EDITION_POLICY
from digest.web.phrases import phrases
from digest.web.routing import at
from digest.web.site import Site

IN_FEED = 20
_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_HEAD = re.compile(r"</head>", re.IGNORECASE)


def routes(site: Site) -> Sequence[BaseRoute]:
    pages = _Archive(site)
    return [
        at("/archive", get=pages.archive),
        at("/feed.atom", get=pages.feed),
        at("/e/{edition}", get=pages.edition),
    ]


@dataclass(frozen=True, slots=True)
class _Archive:
    site: Site

    def archive(self, request: Request) -> Response:
        found = self.site.services.archive()
        return self.site.page(request, "archive", editions=self.site.pages.editions(found))

    def feed(self, request: Request) -> Response:
        """Asked for every hour by many programs: it says when nothing has changed."""
        services = self.site.services
        publication = services.publication
        title = f"{publication.name}: {phrases(publication.language).gettext('Past editions')}"
        found = [(edition, services.contents(edition.slug)) for edition in services.archive()[:IN_FEED]]
        document = feed(publication, title, found)
        headers = {"Cache-Control": "public, max-age=300", "ETag": f'"{sha256(document).hexdigest()[:32]}"'}
        if headers["ETag"] in request.headers.get("if-none-match", "").replace("W/", "").split(", "):
            return Response(status_code=304, headers=headers)
        return Response(document, media_type="application/atom+xml", headers=headers)

    def edition(self, request: Request) -> Response:
        """`?regions=a,b` narrows it as a reader's choice does; what is no region is not there."""
        names = self.site.services.publication.region_names
        wanted = request.query_params.get("regions", "")[:2_000].split(",")
        chosen = tuple(sorted({slug for slug in wanted if slug in names}))
        slug = request.path_params["edition"]
        page = self.site.services.edition_page(slug, chosen)
        if page is None:
            raise HTTPException(404)
        headers = {
            "Content-Security-Policy": EDITION_POLICY,
            "Cache-Control": "public, max-age=300",
            "Vary": "Accept-Language",
        }
        return HTMLResponse(self._around(request, page, slug, chosen), headers=headers)

    def _around(self, request: Request, page: str, slug: str, chosen: tuple[str, ...]) -> str:
        """The mail's document with what a page has and a mail has not: a bar with the way back and the regions."""
        names = self.site.services.publication.region_names
        asked = request.query_params.get("lang", "")
        choices = [
            {"name": name, "chosen": one in chosen, "link": self._link(slug, _toggled(chosen, one), asked)}
            for one, name in names.items()
        ]
        parts = {"slug": slug, "choices": choices, "narrowed": bool(chosen), "whole": self._link(slug, (), asked)}
        language = self.site.language(request)
        bar = self.site.pages.fragment("edition_bar", language=language, **parts)
        head = self.site.pages.fragment("edition_head", language=language, slug=slug)
        page = _HEAD.sub(lambda found: head + found[0], page, count=1)
        return _BODY.sub(lambda found: found[0] + bar, page, count=1)

    def _link(self, slug: str, regions: tuple[str, ...], language: str) -> str:
        query = urlencode({k: v for k, v in (("regions", ",".join(regions)), ("lang", language)) if v}, safe=",")
        return f"{self.site.base}/e/{slug}{'?' if query else ''}{query}"


def _toggled(chosen: tuple[str, ...], slug: str) -> tuple[str, ...]:
    return tuple(sorted(set(chosen) ^ {slug}))
