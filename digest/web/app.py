"""The readers' pages: leave, come back, choose regions, the edition in the browser, the archive.

A GET, HEAD or OPTIONS changes nothing, ever: mail programs and link scanners follow links, and run scripts on them."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from digest.errors import DigestError
from digest.web.body import drain, form
from digest.web.guard import ALWAYS, EDITION_POLICY, Guard, from_elsewhere
from digest.web.pages import Pages
from digest.web.sentences import SENTENCES
from digest.web.services import Purpose, ReaderView, WebServices

log = structlog.get_logger("digest.web")


def create_app(services: WebServices) -> Starlette:
    """The ASGI application over these services. It keeps nothing between requests but compiled templates."""
    site = _Site(services)
    routes = [
        Route("/", site.home),
        Route("/archive", site.archive),
        Route("/e/{edition}", site.edition),
        Route("/u/{token}", site.leave_form),
        Route("/u/{token}", site.leave, methods=["POST"]),
        Route("/p/{token}", site.choice_form),
        Route("/p/{token}", site.choose, methods=["POST"]),
        Route("/p/{token}/leave", site.leave_from_choice, methods=["POST"]),
        Route("/c/{token}", site.return_form),
        Route("/c/{token}", site.come_back, methods=["POST"]),
        Route("/style.css", site.stylesheet),
        Route("/health", site.health),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, public_url=lambda: services.publication.public_url)],
        exception_handlers={
            HTTPException: site.refused,
            DigestError: site.unavailable,
            Exception: site.failed,
        },
    )
    app.router.redirect_slashes = False  # such a redirect would go wherever the Host header says
    return app


class _Site:
    """One method a route. Sync ones run in threads; whatever touches the database does."""

    def __init__(self, services: WebServices) -> None:
        self.services = services
        self.pages = Pages(services)

    def home(self, _: Request) -> Response:
        return self.pages.html("home", editions=self.pages.editions(self.services.archive()[:5]))

    def archive(self, _: Request) -> Response:
        return self.pages.html("archive", editions=self.pages.editions(self.services.archive()))

    def edition(self, request: Request) -> Response:
        """`?regions=a,b` narrows it as a reader's choice does; what is no region is not there."""
        names = self.services.publication.region_names
        wanted = request.query_params.get("regions", "")[:2_000].split(",")
        chosen = tuple(sorted({slug for slug in wanted if slug in names}))
        page = self.services.edition_page(request.path_params["edition"], chosen)
        if page is None:
            raise HTTPException(404)
        headers = {"Content-Security-Policy": EDITION_POLICY, "Cache-Control": "public, max-age=300"}
        return HTMLResponse(page, headers=headers)

    def stylesheet(self, _: Request) -> Response:
        return self.pages.stylesheet()

    def health(self, _: Request) -> Response:
        well = self.services.healthy()
        return PlainTextResponse("ok\n" if well else "the database does not answer\n", 200 if well else 503)

    def leave_form(self, request: Request) -> Response:
        """A form with a button, and no script that presses it."""
        view = self._reader(request, "unsubscribe")
        return self.pages.reader("leave" if view.subscribed else "left", view, again=True)

    async def leave(self, request: Request) -> Response:
        """One-click (RFC 8058, 3.2): whatever is posted, from wherever, the reader leaves, and that before it is read.

        No redirect, no cookie, no question; twice is the same as once."""
        response = await run_in_threadpool(self._leave, request)
        await drain(request)
        return response

    def _leave(self, request: Request) -> Response:
        if not self.services.leave(request.path_params["token"]):
            raise HTTPException(404)
        return self.pages.reader("left", self._reader(request, "unsubscribe"), again=False)

    def choice_form(self, request: Request) -> Response:
        view = self._reader(request, "preferences")
        return self.pages.reader("choose", view, saved="saved" in request.query_params, empty=False)

    async def choose(self, request: Request) -> Response:
        self._same_origin(request)
        fields = await form(request)
        return await run_in_threadpool(self._choose, request, [slug for name, slug in fields if name == "region"])

    def _choose(self, request: Request, ticked: list[str]) -> Response:
        view = self._reader(request, "preferences")
        names = self.services.publication.region_names
        chosen = tuple(slug for slug in names if slug in ticked)
        if not chosen:  # it would mean all of them, which is not what an empty form says
            return self.pages.reader("choose", view, 422, saved=False, empty=True)
        if not self.services.choose(request.path_params["token"], () if len(chosen) == len(names) else chosen):
            raise HTTPException(404)
        return RedirectResponse(f"{self.pages.base}/p/{request.path_params['token']}?saved", 303)

    async def leave_from_choice(self, request: Request) -> Response:
        self._same_origin(request)
        response = await run_in_threadpool(self._leave_from_choice, request)
        await drain(request)
        return response

    def _leave_from_choice(self, request: Request) -> Response:
        view = self._reader(request, "preferences")
        if not self.services.leave(view.unsubscribe):
            raise HTTPException(404)
        return self.pages.reader("left", self._reader(request, "preferences"), again=False)

    def return_form(self, request: Request) -> Response:
        view = self._reader(request, "preferences")
        return self.pages.reader("back" if view.subscribed else "left", view, again=True)

    async def come_back(self, request: Request) -> Response:
        self._same_origin(request)
        response = await run_in_threadpool(self._come_back, request)
        await drain(request)
        return response

    def _come_back(self, request: Request) -> Response:
        view = self._reader(request, "preferences")
        if not self.services.come_back(request.path_params["token"]):
            return self.pages.reader("left", view, 409, again=True)
        return self.pages.reader("back", self._reader(request, "preferences"))

    def _reader(self, request: Request, purpose: Purpose) -> ReaderView:
        """One 404 for a forged token, a malformed one, one of another purpose, and a reader who was erased."""
        view = self.services.reader(request.path_params["token"], purpose)
        if view is None:
            raise HTTPException(404)
        return view

    def _same_origin(self, request: Request) -> None:
        headers = request.headers
        public_url = self.services.publication.public_url
        if from_elsewhere(headers.get("origin"), headers.get("sec-fetch-site"), public_url):
            raise HTTPException(403)

    def refused(self, _: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        title, text = SENTENCES.get(error.status_code, SENTENCES[400])
        response = self.pages.message(error.status_code, title, text)
        response.headers.update(error.headers or {})
        return response

    def unavailable(self, _: Request, error: Exception) -> Response:
        """Our trouble, and one that passes: a mail provider that posts one-click tries again after a 503."""
        log.error("unavailable", reason=str(error))
        return self._plainly(503, {"Retry-After": "60"})

    def failed(self, _: Request, __: Exception) -> Response:
        """Answered outside the guard, which is why its headers are named here; the traceback goes to the log."""
        return self._plainly(500, ALWAYS)

    def _plainly(self, status: int, headers: Mapping[str, str]) -> Response:
        """Without a template: it may be the template, or its configuration, that failed."""
        return PlainTextResponse("This does not work just now. Please try again in a minute.\n", status, headers)
