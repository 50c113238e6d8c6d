"""A reader's own pages: leave, choose regions, come back. Each is opened by a token that only their mail holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from digest.web.body import drain, form
from digest.web.routing import at
from digest.web.site import Site


def routes(site: Site) -> Sequence[BaseRoute]:
    pages = _Reader(site)
    return [
        at("/u/{token}", get=pages.leave_form, post=pages.leave),
        at("/p/{token}", get=pages.choice_form, post=pages.choose),
        at("/p/{token}/leave", post=pages.leave_from_choice),
        at("/c/{token}", get=pages.return_form, post=pages.come_back),
    ]


@dataclass(frozen=True, slots=True)
class _Reader:
    """One method a page and method."""

    site: Site

    def leave_form(self, request: Request) -> Response:
        """A form with a button, and no script that presses it."""
        view = self.site.reader(request, "unsubscribe")
        return self.site.reader_page(request, "leave" if view.subscribed else "left", view, again=True)

    async def leave(self, request: Request) -> Response:
        """One-click (RFC 8058, 3.2): whatever is posted, from wherever, the reader leaves, and that before it is read.

        No redirect, no cookie, no question; twice is the same as once."""
        response = await run_in_threadpool(self._leave, request)
        await drain(request)
        return response

    def _leave(self, request: Request) -> Response:
        if not self.site.services.leave(request.path_params["token"]):
            raise HTTPException(404)
        return self.site.reader_page(request, "left", self.site.reader(request, "unsubscribe"), again=False)

    def choice_form(self, request: Request) -> Response:
        view = self.site.reader(request, "preferences")
        return self.site.reader_page(request, "choose", view, saved="saved" in request.query_params, empty=False)

    async def choose(self, request: Request) -> Response:
        self.site.refuse_elsewhere(request)
        fields = await form(request)
        return await run_in_threadpool(self._choose, request, fields)

    def _choose(self, request: Request, fields: list[tuple[str, str]]) -> Response:
        view = self.site.reader(request, "preferences")
        names = self.site.services.publication.region_names
        ticked = {slug for name, slug in fields if name == "region"}
        chosen = tuple(slug for slug in names if slug in ticked)
        if not chosen:  # it would mean all of them, which is not what an empty form says
            return self.site.reader_page(request, "choose", view, 422, saved=False, empty=True)
        token = request.path_params["token"]
        if not self.site.services.choose(token, () if len(chosen) == len(names) else chosen):
            raise HTTPException(404)
        for language in (value for name, value in fields if name == "language"):
            self.site.services.speak(token, language)
        return RedirectResponse(f"{self.site.base}/p/{token}?saved", 303)

    async def leave_from_choice(self, request: Request) -> Response:
        self.site.refuse_elsewhere(request)
        response = await run_in_threadpool(self._leave_from_choice, request)
        await drain(request)
        return response

    def _leave_from_choice(self, request: Request) -> Response:
        view = self.site.reader(request, "preferences")
        if not self.site.services.leave(view.unsubscribe):
            raise HTTPException(404)
        return self.site.reader_page(request, "left", self.site.reader(request, "preferences"), again=False)

    def return_form(self, request: Request) -> Response:
        view = self.site.reader(request, "preferences")
        return self.site.reader_page(request, "back" if view.subscribed else "left", view, again=True)

    async def come_back(self, request: Request) -> Response:
        self.site.refuse_elsewhere(request)
        response = await run_in_threadpool(self._come_back, request)
        await drain(request)
        return response

    def _come_back(self, request: Request) -> Response:
        view = self.site.reader(request, "preferences")
        if not self.site.services.come_back(request.path_params["token"]):
            return self.site.reader_page(request, "left", view, 409, again=True)
        return self.site.reader_page(request, "back", self.site.reader(request, "preferences"))
