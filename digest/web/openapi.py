"""The OpenAPI 3.1 document: made of the declarations that check the requests, so that it cannot say anything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from limits import RateLimitItem

from digest.web.api_models import AddressBody, SubscribeBody
from digest.web.problems import DETAILS

REF = "#/components/schemas/{model}"
_STATUSES = ["pending", "active", "left", "suppressed"]


def document(publication: str, public_url: str, regions: Sequence[str], often: RateLimitItem) -> dict[str, Any]:
    """What /api/v1 takes and gives, with the regions that can be chosen now."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{publication}: subscribers",
            "version": "1",
            "description": "For the publication's own systems. A key may ask "
            f"{often.amount} times in {often.get_expiry()} seconds; beyond that the answer is 429 with Retry-After.",
        },
        "servers": [{"url": f"{public_url.rstrip('/')}/api/v1"}],
        "security": [{"key": []}],
        "paths": {
            "/subscribers": {"post": _subscribe()},
            "/subscribers/lookup": {"post": _about("lookup", "What is known of a reader")},
            "/subscribers/unsubscribe": {"post": _about("unsubscribe", "A reader leaves, at once; again is harmless")},
            "/openapi.json": {"get": _itself()},
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {**_bodies(regions), "Reader": _READER, "Asked": _ASKED, "Problem": _PROBLEM},
            "responses": {str(status): _problem(text) for status, text in _WRONG.items()},
        },
    }


_READER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["address", "status", "regions", "language", "name", "since"],
    "properties": {
        "address": {"type": "string", "description": "As it is stored: the domain in lower case, as A-labels"},
        "status": {"enum": _STATUSES},
        "regions": {"type": "array", "items": {"type": "string"}, "description": "Slugs; none means all"},
        "language": {"type": "string"},
        "name": {"type": "string"},
        "since": {"type": ["string", "null"], "format": "date-time", "description": "When consent was given"},
    },
}
_ASKED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["address", "status"],
    "properties": {"address": {"type": "string"}, "status": {"const": "asked"}},
}
_PROBLEM = {
    "type": "object",
    "additionalProperties": False,
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "A JSON Pointer into the body"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_WRONG: Mapping[int, str] = {
    **{status: DETAILS[status] for status in (400, 401, 408, 413, 415, 429, 500, 503)},
    404: "There is no subscriber with this address.",
    409: "The body is good, and a rule forbids it: the address is suppressed, has left, or cannot be mailed.",
    422: "The body is not what this document describes.",
}
_HEADERS: Mapping[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}},
    429: {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 1}}},
    503: {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 1}}},
}


def _problem(text: str) -> dict[str, Any]:
    status = next(status for status, known in _WRONG.items() if known == text)
    made: dict[str, Any] = {
        "description": text,
        "content": {"application/problem+json": {"schema": {"$ref": REF.format(model="Problem")}}},
    }
    return made | ({"headers": _HEADERS[status]} if status in _HEADERS else {})


def _bodies(regions: Sequence[str]) -> dict[str, Any]:
    """The declared bodies, the regions narrowed to those there are."""
    found: dict[str, Any] = {}
    for model in (SubscribeBody, AddressBody):
        schema = model.model_json_schema(ref_template=REF)
        found |= schema.pop("$defs", {})
        found[model.__name__] = schema
    chosen = found[SubscribeBody.__name__]["properties"]["regions"]
    chosen["description"] = "Slugs; none means all"
    if regions:
        chosen["items"] = {"enum": list(regions)}
    else:
        chosen["maxItems"] = 0
    return found


def _operation(name: str, summary: str, body: str, good: dict[str, Any], wrong: Sequence[int]) -> dict[str, Any]:
    refused = {str(status): {"$ref": f"#/components/responses/{status}"} for status in wrong}
    return {
        "operationId": name,
        "summary": summary,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": REF.format(model=body)}}},
        },
        "responses": {**good, **refused},
    }


def _good(description: str, model: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": {"$ref": REF.format(model=model)}}}}


_ALWAYS = (400, 401, 408, 413, 415, 422, 429, 500, 503)


def _subscribe() -> dict[str, Any]:
    good = {
        "200": _good("They were active already and stay as they are", "Reader"),
        "201": _good("They are active by this evidence", "Reader"),
        "202": _good("They are asked by mail, whoever they are, and are subscribed when they confirm", "Asked"),
    }
    summary = "Subscribe somebody: at once with evidence of consent, else by a mail that asks them"
    return _operation("subscribe", summary, "SubscribeBody", good, (*_ALWAYS, 409))


def _about(name: str, summary: str) -> dict[str, Any]:
    return _operation(name, summary, "AddressBody", {"200": _good("As they are now", "Reader")}, (*_ALWAYS, 404))


def _itself() -> dict[str, Any]:
    return {
        "operationId": "document",
        "summary": "This document",
        "security": [],
        "responses": {
            "200": {"description": "OpenAPI 3.1", "content": {"application/json": {"schema": {"type": "object"}}}},
            "500": {"$ref": "#/components/responses/500"},
            "503": {"$ref": "#/components/responses/503"},
        },
    }
