"""One address, the functions of its methods, and an honest `Allow` for every other one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, request_response
from starlette.types import Receive, Scope, Send

Handler = Callable[[Request], Response] | Callable[[Request], Awaitable[Response]]
"""Takes the request. A plain function runs in a thread, as whatever touches the database must."""


class _Methods:
    def __init__(self, handlers: dict[str, Handler]) -> None:
        self.handlers = {method: request_response(handler) for method, handler in handlers.items()}
        if "GET" in self.handlers:
            self.handlers["HEAD"] = self.handlers["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self.handlers.get(scope["method"])
        if handler is None:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(self.handlers))})
        await handler(scope, receive, send)


def at(path: str, *, get: Handler | None = None, post: Handler | None = None) -> Route:
    """The route of a path. HEAD is GET without its body; any other method is 405 with the ones there are."""
    handlers = {"GET": get, "POST": post}
    return Route(path, _Methods({method: handler for method, handler in handlers.items() if handler is not None}))
