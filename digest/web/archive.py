"""What anybody may read: the home page, the archive, and each past edition with no trace of any reader in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from digest.web.guard import EDITION_POLICY
from digest.web.routing import at
from digest.web.site import Site

RECENT = 5
"""Editions that the home page lists."""


def routes(site: Site) -> Sequence[BaseRoute]:
    pages = _Archive(site)
    return [at("/", get=pages.home), at("/archive", get=pages.archive), at("/e/{edition}", get=pages.edition)]


@dataclass(frozen=True, slots=True)
class _Archive:
    site: Site

    def home(self, request: Request) -> Response:
        found = self.site.services.archive()[:RECENT]
        return self.site.page(request, "home", editions=self.site.pages.editions(found))

    def archive(self, request: Request) -> Response:
        found = self.site.services.archive()
        return self.site.page(request, "archive", editions=self.site.pages.editions(found))

    def edition(self, request: Request) -> Response:
        """`?regions=a,b` narrows it as a reader's choice does; what is no region is not there."""
        names = self.site.services.publication.region_names
        wanted = request.query_params.get("regions", "")[:2_000].split(",")
        chosen = tuple(sorted({slug for slug in wanted if slug in names}))
        page = self.site.services.edition_page(request.path_params["edition"], chosen)
        if page is None:
            raise HTTPException(404)
        headers = {"Content-Security-Policy": EDITION_POLICY, "Cache-Control": "public, max-age=300"}
        return HTMLResponse(page, headers=headers)
