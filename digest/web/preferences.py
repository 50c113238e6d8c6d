"""A reader's pause, their own data, and their move to another address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from digest.errors import UsageError
from digest.web.body import drain, form
from digest.web.routing import at
from digest.web.services import Move
from digest.web.site import Site

WEEKS = (2, 4, 8, 12)
"""The pauses that are offered, besides one until they resume."""
_LONGEST = 320


def routes(site: Site) -> Sequence[BaseRoute]:
    pages = _Preferences(site)
    confirming, stopping = _Moving(site, "address"), _Moving(site, "address-stop")
    return [
        at("/p/{token}/pause", get=pages.pause_form, post=pages.pause),
        at("/p/{token}/resume", post=pages.resume),
        at("/p/{token}/data", post=pages.data),
        at("/p/{token}/address", get=pages.address_form, post=pages.address),
        at("/p/{token}/stay", post=pages.stay),
        at("/a/{token}", get=confirming.look, post=confirming.press),
        at("/s/{token}", get=stopping.look, post=stopping.press),
    ]


@dataclass(frozen=True, slots=True)
class _Preferences:
    site: Site

    def pause_form(self, request: Request) -> Response:
        view = self.site.reader(request, "preferences")
        return self.site.reader_page(request, "pause", view, weeks=WEEKS, wrong=False)

    async def pause(self, request: Request) -> Response:
        self.site.refuse_elsewhere(request)
        fields = dict(await form(request))
        return await run_in_threadpool(self._pause, request, fields.get("weeks", ""))

    def _pause(self, request: Request, wanted: str) -> Response:
        view = self.site.reader(request, "preferences")
        offered: dict[str, int | None] = {**{str(weeks): weeks for weeks in WEEKS}, "resume": None}
        if wanted not in offered:
            return self.site.reader_page(request, "pause", view, 422, weeks=WEEKS, wrong=True)
        if not self.site.services.pause(request.path_params["token"], offered[wanted]):
            raise HTTPException(404)
        return self._back(request, "/pause")

    async def resume(self, request: Request) -> Response:
        self.site.refuse_elsewhere(request)
        response = await run_in_threadpool(self._resume, request)
        await drain(request)
        return response

    def _resume(self, request: Request) -> Response:
        if not self.site.services.resume(request.path_params["token"]):
            raise HTTPException(404)
        return self._back(request, "?saved")

    async def data(self, request: Request) -> Response:
        """By a button, so that nothing that follows links carries it away."""
        self.site.refuse_elsewhere(request)
        response = await run_in_threadpool(self._data, request)
        await drain(request)
        return response

    def _data(self, request: Request) -> Response:
        found = self.site.services.own_data(request.path_params["token"])
        if found is None:
            raise HTTPException(404)
        headers = {"Content-Disposition": 'attachment; filename="my-subscription.json"'}
        return Response(found, media_type="application/json", headers=headers)

    def address_form(self, request: Request) -> Response:
        return self._address_page(request)

    def _address_page(self, request: Request, status: int = 200, wrong: Literal["", "none", "often"] = "") -> Response:
        view = self.site.reader(request, "preferences")
        asked = "asked" in request.query_params and not wrong
        return self.site.reader_page(request, "address", view, status, asked=asked, wrong=wrong)

    async def address(self, request: Request) -> Response:
        self.site.refuse_elsewhere(request)
        fields = dict(await form(request))
        return await run_in_threadpool(self._address, request, fields.get("address", "")[:_LONGEST])

    def _address(self, request: Request, wanted: str) -> Response:
        """One answer, whether the new address is unknown, a reader's, or suppressed; the rest comes by mail."""
        self.site.reader(request, "preferences")
        try:
            asked = self.site.services.ask_to_move(request.path_params["token"], wanted)
        except UsageError:
            return self._address_page(request, 422, "none")
        return self._back(request, "/address?asked") if asked else self._address_page(request, 429, "often")

    async def stay(self, request: Request) -> Response:
        self.site.refuse_elsewhere(request)
        response = await run_in_threadpool(self._stay, request)
        await drain(request)
        return response

    def _stay(self, request: Request) -> Response:
        if not self.site.services.stay(request.path_params["token"]):
            raise HTTPException(404)
        return self._back(request, "/address")

    def _back(self, request: Request, to: str) -> Response:
        return RedirectResponse(f"{self.site.base}/p/{request.path_params['token']}{to}", 303)


@dataclass(frozen=True, slots=True)
class _Moving:
    """The page of a mail about a change of address: a button, and what it did."""

    site: Site
    purpose: Move

    def look(self, request: Request) -> Response:
        return self._page(request, press=False)

    async def press(self, request: Request) -> Response:
        self.site.refuse_elsewhere(request)
        response = await run_in_threadpool(self._press, request)
        await drain(request)
        return response

    def _press(self, request: Request) -> Response:
        return self._page(request, press=True)

    def _page(self, request: Request, *, press: bool) -> Response:
        """One 404 for a forged token, one that was used and one that is too old."""
        token = request.path_params["token"]
        view = self.site.services.move(self.purpose, token, press=press)
        if view is None:
            raise HTTPException(404)
        name = "move" if self.purpose == "address" else "stop"
        path = f"{self.site.base}/{'a' if self.purpose == 'address' else 's'}/{token}"
        return self.site.page(request, name, language=view.language, move=view, done=press, path=path)
