"""The web application: every subject's routes, the guard around them, and what is said when something goes wrong.

A GET, HEAD or OPTIONS changes nothing, ever: mail programs and link scanners follow links, and run scripts on them."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from digest.errors import DigestError
from digest.web import archive, operations, preferences, reader
from digest.web.guard import ALWAYS, Guard
from digest.web.services import WebServices
from digest.web.site import Part, Site

log = structlog.get_logger("digest.web")

PARTS: tuple[Part, ...] = (archive.routes, reader.routes, preferences.routes, operations.routes)


def create_app(services: WebServices, *more: Part) -> Starlette:
    """The ASGI application over these services; `more` come first: the parts that need services of their own."""
    site = Site(services)

    def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        response = site.message(request, error.status_code)
        response.headers.update(error.headers or {})
        return response

    app = Starlette(
        routes=[route for part in (*more, *PARTS) for route in part(site)],
        middleware=[Middleware(Guard, public_url=lambda: services.publication.public_url)],
        exception_handlers={HTTPException: refused, DigestError: _unavailable, Exception: _failed},
    )
    app.router.redirect_slashes = False  # such a redirect would go wherever the Host header says
    return app


def _unavailable(_: Request, error: Exception) -> Response:
    """Our trouble, and one that passes: a mail provider that posts one-click tries again after a 503."""
    log.error("unavailable", reason=str(error))
    return _plainly(503, {"Retry-After": "60"})


def _failed(_: Request, __: Exception) -> Response:
    """Answered outside the guard, which is why its headers are named here; the traceback goes to the log."""
    return _plainly(500, ALWAYS)


def _plainly(status: int, headers: Mapping[str, str]) -> Response:
    """Without a template: it may be the template, or its configuration, that failed."""
    return PlainTextResponse("This does not work just now. Please try again in a minute.\n", status, headers)
