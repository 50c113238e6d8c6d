"""The HTTP API, for the publication's own systems: subscribe, look up, unsubscribe. Every error is problem+json.

No address stands in any URL, where logs and proxies would keep it: all is asked by POST. No cookie and no CORS: a
browser has no business here."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil
from typing import Any, TypeVar

import structlog
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount

from digest.errors import DigestError, RefusedError, UsageError
from digest.web import openapi
from digest.web.api_models import AddressBody, SubscribeBody, errors_of
from digest.web.api_services import ApiReader, ApiServices, Caller, Consent, Subscription
from digest.web.problems import Problem, answer
from digest.web.routing import at
from digest.web.site import Site

log = structlog.get_logger("digest.web")

BODY_LIMIT = 16_384
PATIENCE = 5.0
"""Seconds that a body may take."""
OFTEN = "600/minute"
"""What one key may ask of one process."""

Model = TypeVar("Model", bound=BaseModel)


def routes(_: Site, *, services: ApiServices, often: str = OFTEN) -> Sequence[BaseRoute]:
    """Everything below /api/v1, with its own way to say no."""
    api = _Api(services, often)
    inner = Starlette(
        routes=[
            at("/subscribers", post=api.subscribe),
            at("/subscribers/lookup", post=api.lookup),
            at("/subscribers/unsubscribe", post=api.unsubscribe),
            at("/openapi.json", get=api.document),
        ],
        exception_handlers={HTTPException: _refused, DigestError: _unavailable, Exception: _failed},
    )
    inner.router.redirect_slashes = False
    return [Mount("/api/v1", app=inner)]


class _Api:
    def __init__(self, services: ApiServices, often: str) -> None:
        self.services = services
        self.often: RateLimitItem = parse(often)
        self.limiter = MovingWindowRateLimiter(MemoryStorage())

    async def subscribe(self, request: Request) -> Response:
        caller = await self._caller(request)
        body = await _read(request, SubscribeBody)
        return await run_in_threadpool(self._subscribe, caller, body)

    def _subscribe(self, caller: Caller, body: SubscribeBody) -> Response:
        unknown = [place for place, slug in enumerate(body.regions) if slug not in self.services.regions]
        if unknown:
            detail = f"must be one of {', '.join(self.services.regions) or 'none'}"
            raise Problem(422, _WRONG, errors=[{"pointer": f"/regions/{place}", "detail": detail} for place in unknown])
        wanted = Subscription(body.address, tuple(sorted(set(body.regions))), body.language, body.name)
        if body.consent is None:
            self.services.ask(caller, wanted)
            return JSONResponse({"address": body.address, "status": "asked"}, 202)
        when = datetime.fromisoformat(body.consent.at).astimezone(UTC) if body.consent.at else None
        try:
            reader, changed = self.services.subscribe(caller, wanted, Consent(body.consent.text, when))
        except (RefusedError, UsageError) as error:
            raise Problem(409, str(error)) from error
        return JSONResponse(_told(reader), 201 if changed else 200)

    async def lookup(self, request: Request) -> Response:
        await self._caller(request)
        body = await _read(request, AddressBody)
        return _found(await run_in_threadpool(self.services.lookup, body.address))

    async def unsubscribe(self, request: Request) -> Response:
        caller = await self._caller(request)
        body = await _read(request, AddressBody)
        return _found(await run_in_threadpool(self.services.unsubscribe, caller, body.address))

    def document(self, _: Request) -> Response:
        services = self.services
        made = openapi.document(services.publication_name, services.public_url, services.regions, self.often)
        return JSONResponse(made)

    async def _caller(self, request: Request) -> Caller:
        """Raises Problem 401 for no key, an unknown one and a revoked one alike, 429 for one that asks too often."""
        scheme, _, presented = request.headers.get("authorization", "").partition(" ")
        caller = None
        if scheme.lower() == "bearer":
            caller = await run_in_threadpool(self.services.caller, presented.strip())
        if caller is None:
            raise Problem(401, headers={"WWW-Authenticate": 'Bearer realm="subscribers"'})
        if not self.limiter.hit(self.often, caller.id):
            reset, _left = self.limiter.get_window_stats(self.often, caller.id)
            raise Problem(429, headers={"Retry-After": str(max(1, ceil(reset - time.time())))})
        return caller


_WRONG = "The body is not what the document at /api/v1/openapi.json describes."


async def _read(request: Request, model: type[Model]) -> Model:
    """The body as declared. Raises Problem 415, 413, 408, 400, 422."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != "application/json" or charset not in ("", "utf-8", "utf8"):
        raise Problem(415)
    raw = b""
    try:
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                raw += part
                if len(raw) > BODY_LIMIT:
                    raise Problem(413)
    except TimeoutError as error:
        raise Problem(408) from error
    except ClientDisconnect as error:
        raise Problem(400) from error
    try:
        return model.model_validate(_parsed(raw))
    except ValidationError as error:
        raise Problem(422, _WRONG, errors=errors_of(error)) from None
    except (ValueError, RecursionError) as error:
        raise Problem(400) from error


def _parsed(raw: bytes) -> Any:
    """JSON (RFC 8259) and nothing looser: no NaN, no name twice, no half of a character. Raises ValueError,
    RecursionError."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise ValueError("a name stands twice")
        return dict(pairs)

    def refuse(word: str) -> Any:
        raise ValueError(f"{word} is no JSON")

    found = json.loads(raw.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse)
    json.dumps(found, ensure_ascii=False).encode("utf-8")
    return found


def _found(reader: ApiReader | None) -> Response:
    if reader is None:
        raise Problem(404, "There is no subscriber with this address.")
    return JSONResponse(_told(reader))


def _told(reader: ApiReader) -> dict[str, Any]:
    since = reader.since.astimezone(UTC).isoformat().replace("+00:00", "Z") if reader.since else None
    return {
        "address": reader.address, "status": reader.status, "regions": list(reader.regions),
        "language": reader.language, "name": reader.name, "since": since,
    }  # fmt: skip


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answer(error)


def _unavailable(_: Request, error: Exception) -> Response:
    log.error("unavailable", reason=str(error))
    return answer(Problem(503, headers={"Retry-After": "60"}))


def _failed(_: Request, __: Exception) -> Response:
    """The traceback goes to the log."""
    return answer(Problem(500))
