"""The stylesheet, and whether we are well."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from digest.web.routing import at
from digest.web.site import Site


def routes(site: Site) -> Sequence[BaseRoute]:
    def stylesheet(_: Request) -> Response:
        return site.pages.stylesheet()

    def health(_: Request) -> Response:
        well = site.services.healthy()
        return PlainTextResponse("ok\n" if well else "the database does not answer\n", 200 if well else 503)

    return [at("/style.css", get=stylesheet), at("/health", get=health)]
