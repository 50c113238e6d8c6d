"""The page that a confirmation mail leads to. Its button subscribes; opening it, as link scanners do, does nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from digest.web.body import drain
from digest.web.consent import confirming, evidence
from digest.web.routing import at
from digest.web.signup_services import SignUpServices, SignUpView
from digest.web.site import Site


def routes(site: Site, *, services: SignUpServices) -> Sequence[BaseRoute]:
    pages = _Confirm(site, services)
    return [at("/confirm/{token}", get=pages.look, post=pages.confirm)]


@dataclass(frozen=True, slots=True)
class _Confirm:
    site: Site
    services: SignUpServices

    def look(self, request: Request) -> Response:
        token = request.path_params["token"]
        view = self.services.look(token)
        if view is None or view.subscribed:
            return self._done(request, view)
        language = self._language(request, view)
        wording, button = confirming(self.site, language)
        names = self.site.services.publication.region_names
        regions = [names[slug] for slug in view.regions if slug in names]
        return self.site.page(
            request, "confirm", language=language, token=token, wording=wording, button=button, regions=regions
        )

    async def confirm(self, request: Request) -> Response:
        self.site.refuse_elsewhere(request)
        response = await run_in_threadpool(self._confirm, request)
        await drain(request)
        return response

    def _confirm(self, request: Request) -> Response:
        token = request.path_params["token"]
        view = self.services.look(token)
        if view is not None and not view.subscribed:
            wording = confirming(self.site, self._language(request, view))
            view = self.services.confirm(token, evidence(request, self.services, wording))
        return self._done(request, view)

    def _language(self, request: Request, view: SignUpView) -> str:
        """That of the form they sent, unless they have pressed another one since."""
        return self.site.language(request, "" if "lang" in request.query_params else view.language)

    def _done(self, request: Request, view: SignUpView | None) -> Response:
        """Subscribed; or the same for a token that is forged, cut off, used or too old: which, is nobody's business."""
        if view is None:
            return self.site.page(request, "gone", 404)
        return self.site.page(request, "confirmed", language=view.language, view=view)
