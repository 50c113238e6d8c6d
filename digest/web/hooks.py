"""Where providers report what became of mails: `/hooks/` and the provider's name. Nothing here is for readers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from digest.web.body import PATIENCE
from digest.web.routing import Handler, at
from digest.web.site import Site

LARGEST = 2_000_000
"""Octets of a call; SendGrid's are the largest, with some thousand events."""

Provider = Literal["ses", "postmark", "mailgun", "sendgrid"]
PROVIDERS: tuple[Provider, ...] = ("ses", "postmark", "mailgun", "sendgrid")


class HookServices(Protocol):
    """What a call is handed to."""

    def called(self, provider: Provider, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """The status to answer with, and a word for the provider's log: 200 when what it said is durable, 4xx where it
        is refused and nothing has changed. Raises DigestError (the database is away): they try again after a 503."""


def routes(_: Site, *, services: HookServices) -> Sequence[BaseRoute]:
    def hook(provider: Provider) -> Handler:
        async def called(request: Request) -> Response:
            body = await _body(request)
            headers = {name.lower(): value for name, value in request.headers.items()}
            status, said = await run_in_threadpool(services.called, provider, headers, body)
            answer = PlainTextResponse(f"{said}\n", status)
            if status == 401:
                answer.headers["WWW-Authenticate"] = 'Basic realm="hooks"'
            return answer

        return called

    return [at(f"/hooks/{provider}", post=hook(provider)) for provider in PROVIDERS]


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST:
                    raise HTTPException(413)
    except TimeoutError as error:
        raise HTTPException(408) from error
    except ClientDisconnect as error:
        raise HTTPException(400) from error
    return bytes(body)
