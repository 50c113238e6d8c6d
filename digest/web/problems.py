"""Errors as application/problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

DETAILS: Mapping[int, str] = {
    400: "The body is not JSON in UTF-8.",
    401: "A key is needed that is known and not revoked: `Authorization: Bearer digest_…`.",
    404: "There is nothing at this address.",
    405: "This address does not know that method.",
    408: "The body took too long to arrive.",
    413: "The body is larger than this takes.",
    415: "The body must be `application/json`.",
    429: "This key asks too often; try again later.",
    500: "Something is wrong here; it has been noted.",
    503: "This does not work just now; try again in a minute.",
}


class Problem(HTTPException):
    """An answer that is an error. `errors` are places in the body (JSON Pointers) and what is wrong there."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail or DETAILS.get(status, ""), dict(headers or {}))
        self.errors = errors


def answer(error: HTTPException) -> JSONResponse:
    """Any refusal, ours or the framework's, in the one shape."""
    status = error.status_code
    detail = error.detail if isinstance(error, Problem) else DETAILS.get(status, "")
    document: dict[str, object] = {
        "type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail,
    }  # fmt: skip
    if isinstance(error, Problem) and error.errors:
        document["errors"] = list(error.errors)
    return JSONResponse(document, status, dict(error.headers or {}), media_type="application/problem+json")
