"""Reading what was posted, and not more of it than we want."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

FORM_LIMIT = 16_384
DRAIN_LIMIT = 8 * 1024 * 1024
PATIENCE = 5.0
"""Seconds that a body may take."""


async def drain(request: Request) -> None:
    """Take what was posted off the wire and forget it, so that the sender gets to read our answer."""
    taken = 0
    with suppress(ClientDisconnect, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                taken += len(part)
                if taken > DRAIN_LIMIT:
                    return


async def form(request: Request) -> list[tuple[str, str]]:
    """The fields of a urlencoded form. Raises HTTPException 413, 408, 415, 400 for what our forms never send."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415)
    body = b""
    try:
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                body += part
                if len(body) > FORM_LIMIT:
                    raise HTTPException(413)
    except TimeoutError as error:
        raise HTTPException(408) from error
    except ClientDisconnect as error:
        raise HTTPException(400) from error
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=500)
    except ValueError as error:
        raise HTTPException(400) from error
