"""What surrounds every answer: headers that keep a page to itself, a log without tokens, the prefix of `public_url`."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("digest.web")

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
EDITION_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""An edition has its styles inlined and its photos on the publication's site; it runs nothing and posts nothing."""

WITH_TOKEN = ("u", "p", "c", "confirm", "a", "s")
"""First segments of paths that hold a token; what follows them is never logged."""
_PUBLIC = ("", "archive", "e", "feed.atom", "style.css", "health", "subscribe", "embed")
_FOR_PROGRAMS = ("api", "hooks")

ALWAYS = {
    "Content-Security-Policy": PAGE_POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """The outermost layer. `public_url` is asked at every request; its path may or may not arrive before ours."""

    def __init__(self, app: ASGIApp, public_url: Callable[[], str]) -> None:
        self.app = app
        self.public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = _without(prefix_of(self.public_url()), scope["path"])
        first, _, rest = path.lstrip("/").partition("/")
        public = first in _PUBLIC
        status, began = 500, time.monotonic()

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
                if "frame-ancestors 'none'" not in headers["Content-Security-Policy"]:
                    del headers["X-Frame-Options"]  # it knows no list of sites
                if not public or status >= 400:
                    headers["X-Robots-Tag"] = "noindex, nofollow"
                    headers["Cache-Control"] = "no-store"
            await send(message)

        try:
            await self.app({**scope, "path": path, "raw_path": path.encode()}, receive, guarded)
        finally:
            known = first if public or first in (*WITH_TOKEN, *_FOR_PROGRAMS) else "…"
            log.info(
                "request", method=scope["method"], path=f"/{known}{'/…' if rest and known != '…' else ''}",
                status=status, ms=round((time.monotonic() - began) * 1000),
            )  # fmt: skip


def prefix_of(public_url: str) -> str:
    """The path under which readers reach the pages: "" or `/roundup`."""
    return urlsplit(public_url).path.rstrip("/")


def from_elsewhere(origin: str | None, fetch_site: str | None, public_url: str) -> bool:
    """Whether a browser says that a form was posted from another site.

    `Sec-Fetch-Site` decides where there is one. Our own forms post with `Origin: null`, because of `no-referrer`
    (Fetch, "append a request Origin header"), so null alone is no sign; nor is a request without either header, since
    whoever makes it holds the token anyway."""
    if fetch_site is not None:
        return fetch_site not in ("same-origin", "none")
    if origin is None or origin == "null":
        return False
    ours = urlsplit(public_url)
    return origin.lower() != f"{ours.scheme}://{ours.netloc}".lower()


def _without(prefix: str, path: str) -> str:
    return path[len(prefix) :] or "/" if prefix and (path == prefix or path.startswith(f"{prefix}/")) else path
