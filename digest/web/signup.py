"""Signing up: the form, and the one answer that it has.

Whether an address is known is never looked at here: a wish is written down, and whatever comes of it comes by mail. So
the answers for a new, a known, a suppressed and an impossible address are the same, and take as long."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from digest.web.body import form
from digest.web.consent import asking, evidence
from digest.web.guard import PAGE_POLICY, from_elsewhere
from digest.web.limits import Limits, limited
from digest.web.routing import at
from digest.web.sentences import SIGNUP
from digest.web.signup_services import SignUp, SignUpServices
from digest.web.site import Site

OFTEN = "10/minute;40/hour;100/day"
"""Sign-ups from one address: enough for a classroom behind one router."""
LEAST, MOST = timedelta(seconds=3), timedelta(hours=2)
"""How long ago the form may have been shown: nobody fills it more quickly, and later it has been lying about."""
ONE_PRESS = timedelta(seconds=2)
"""The head start of a form that was filled already, and wants one more press."""
FORMS = ("page", "embed", "site")
"""Where the form stood: on our page, in our frame on another site, on a page of another site."""
RECENT = 5
"""Editions listed below the form."""
_LONGEST = 320


def routes(site: Site, *, services: SignUpServices) -> Sequence[BaseRoute]:
    pages = _SignUp(site, services)
    return [
        at("/", get=pages.home, post=pages.ask),
        at("/subscribe", get=pages.to_home, post=pages.ask),
        at("/embed", get=pages.embed, post=pages.ask),
    ]


@dataclass(frozen=True, slots=True)
class _Sent:
    """What was in the form; `trap` is the field that people do not see."""

    email: str = ""
    regions: tuple[str, ...] = ()
    language: str = ""
    form: str = ""
    stamp: str = ""
    trap: str = ""


def _sent(fields: Sequence[tuple[str, str]], names: Sequence[str]) -> _Sent:
    first: dict[str, str] = {}
    for name, value in fields:
        first.setdefault(name, value)
    ticked = {value for name, value in fields if name == "region"}
    chosen = tuple(slug for slug in names if slug in ticked)
    return _Sent(
        email=first.get("email", "").strip()[:_LONGEST],
        regions=() if len(chosen) == len(names) else chosen,
        language=first.get("lang", ""),
        form=first.get("form", ""),
        stamp=first.get("stamp", ""),
        trap=first.get("message", ""),
    )


@dataclass(frozen=True, slots=True)
class _SignUp:
    site: Site
    services: SignUpServices
    limits: Limits = field(default_factory=lambda: Limits(OFTEN))
    answers: dict[tuple[object, ...], bytes] = field(default_factory=dict)

    def home(self, request: Request) -> Response:
        found = self.site.services.archive()[:RECENT]
        return self._form(request, "home", editions=self.site.pages.editions(found))

    def to_home(self, _: Request) -> Response:
        return RedirectResponse(f"{self.site.base}/", 303)

    def embed(self, request: Request) -> Response:
        """The form for a frame on the publication's own site."""
        return self._form(request, "embed")

    async def ask(self, request: Request) -> Response:
        """One wish more. Nothing is written but by a press on a page of ours, a few seconds after it was shown."""
        ours = self._is_ours(request)
        if not self.services.open:
            return await self._refused(request, 403, "closed")
        if not self.limits.allow(limited(request, self.services.proxies)):
            return await self._refused(request, 429, "too many", {"Retry-After": "3600"})
        fields = await form(request)
        return await run_in_threadpool(self._ask, request, fields, ours)

    def _ask(self, request: Request, fields: Sequence[tuple[str, str]], ours: bool) -> Response:
        sent = _sent(fields, list(self.site.services.publication.region_names))
        age = self.services.age(sent.stamp) if sent.stamp else None
        if not (sent.trap or (sent.stamp and age is None)):  # else it is no person, and learns nothing
            if not ours or age is None or not LEAST <= age <= MOST:
                return self._once_more(request, sent, ours, age)
            self._write_down(request, sent)
        return self._answer(request, sent)

    def _answer(self, request: Request, sent: _Sent) -> Response:
        """The one answer. In a burst it is not made anew for each: it is good for a second."""
        services = self.site.services
        language = self.site.language(request, sent.language)
        key = (language, _in_frame(request), id(services.publication), id(services.design), int(time.monotonic()))
        body = self.answers.get(key)
        if body is None:
            self.answers.clear()
            body = self.answers[key] = bytes(self._page(request, "sent", sent).body)
        return self._framed(request, HTMLResponse(body, headers={"Content-Language": language}))

    def _write_down(self, request: Request, sent: _Sent) -> None:
        language = self.site.language(request, sent.language)
        proof = evidence(request, self.services, asking(self.site, language))
        proof["form"] = sent.form if sent.form in FORMS else FORMS[0]
        self.services.ask(SignUp(sent.email, sent.regions, language, proof))

    def _once_more(self, request: Request, sent: _Sent, ours: bool, age: timedelta | None) -> Response:
        """The form again, filled: it was shown too long ago, too short a while ago, or by another site."""
        early = ours and age is not None and age < LEAST
        return self._form(
            request, "once_more", sent, email=sent.email, chosen=list(sent.regions),
            stamp=sent.stamp if early else self.services.stamp(head_start=ONE_PRESS),
            **({} if ours else {"form": "site"}),
        )  # fmt: skip

    def _form(self, request: Request, page: str, sent: _Sent | None = None, **context: Any) -> Response:
        framed = _in_frame(request)
        wording, button = asking(self.site, self.site.language(request, sent.language if sent else ""))
        filled: dict[str, Any] = {
            "open": self.services.open,
            "action": f"{self.site.base}/{'embed' if framed else 'subscribe'}",
            "form": "embed" if framed else "page",
            "stamp": "",
            "email": "",
            "chosen": [],
            "names": [{"slug": s, "name": name} for s, name in self.site.services.publication.region_names.items()],
            "wording": wording,
            "button": button,
        } | context
        filled["stamp"] = filled["stamp"] or self.services.stamp()
        return self._page(request, page, sent, **filled)

    def _page(self, request: Request, page: str, sent: _Sent | None, **context: Any) -> Response:
        language = sent.language if sent else ""
        made = self.site.page(request, page, language=language, **context | {"framed": _in_frame(request)})
        return self._framed(request, made)

    async def _refused(
        self, request: Request, status: int, why: str, headers: dict[str, str] | None = None
    ) -> Response:
        response = await run_in_threadpool(self.site.message, request, status, *SIGNUP[why])
        response.headers.update(headers or {})
        return self._framed(request, response)

    def _framed(self, request: Request, response: Response) -> Response:
        """Only the sites that may carry the form may put a frame around it; nobody around anything else."""
        if _in_frame(request):
            around = " ".join(["frame-ancestors", *self.services.origins])
            response.headers["Content-Security-Policy"] = PAGE_POLICY.replace("frame-ancestors 'none'", around)
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    def _is_ours(self, request: Request) -> bool:
        """Whether a page of ours sent it. Raises HTTPException 403 where it was neither ours nor one that may carry
        the form; a site that may gets our own form back, filled: its word alone subscribes nobody."""
        origin = request.headers.get("origin")
        public_url = self.site.services.publication.public_url
        if not from_elsewhere(origin, request.headers.get("sec-fetch-site"), public_url):
            return True
        if origin is None or origin.lower() not in self.services.origins:
            raise HTTPException(403)
        return False


def _in_frame(request: Request) -> bool:
    return bool(request.scope["path"] == "/embed")
