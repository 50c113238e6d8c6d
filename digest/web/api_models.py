"""What the API takes and gives, exactly: the same declarations check the requests and make the OpenAPI document."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, ValidationError, WithJsonSchema

_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
_WORDS = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\x00-\x20\x7f-\xa0\u2028\u2029]$"
_ADDRESS = r"^[^\x00-\x20\x7f-\xa0@\u2028\u2029]+@[^\x00-\x20\x7f-\xa0@\u2028\u2029]+$"
_LANGUAGE = r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3})?$"
_MOMENT = (
    r"^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
    r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$"
)


def _matching(pattern: str) -> AfterValidator:
    wanted = re.compile(pattern.removesuffix("$"))

    def check(value: str) -> str:
        if not wanted.fullmatch(value):
            raise ValueError("does not match the pattern")
        return value

    return AfterValidator(check)


def _long(shortest: int, longest: int) -> Any:
    return Field(strict=True, min_length=shortest, max_length=longest)


def _said(pattern: str, shortest: int, longest: int, description: str) -> WithJsonSchema:
    schema = {"type": "string", "minLength": shortest, "maxLength": longest, "pattern": pattern}
    return WithJsonSchema({**schema, "description": description})


def _moment(value: str) -> str:
    datetime.fromisoformat(value)
    return value


Address = Annotated[
    str, _long(3, 254), _matching(_ADDRESS), _said(_ADDRESS, 3, 254, "An email address, such as name@example.org")
]
Line = Annotated[str, _long(0, 200), _matching(_LINE), _said(_LINE, 0, 200, "The reader's name, on one line")]
Language = Annotated[
    str, _long(0, 35), _matching(_LANGUAGE), _said(_LANGUAGE, 0, 35, "A language tag (BCP 47), such as fr")
]
Words = Annotated[
    str, _long(1, 2000), _matching(_WORDS),
    _said(_WORDS, 1, 2000, "What they agreed to, and where: the wording of the form, its address"),
]  # fmt: skip
When = Annotated[
    str, _long(20, 35), _matching(_MOMENT), _said(_MOMENT, 20, 35, "When they agreed (RFC 3339, with a zone)"),
    AfterValidator(_moment),
]  # fmt: skip
Instant = Annotated[datetime, PlainSerializer(lambda at: at.astimezone(UTC).isoformat().replace("+00:00", "Z"))]


class Body(BaseModel):
    """A request: nothing in it that is not declared, nothing that is of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ConsentBody(Body):
    """Evidence that the reader agreed to get this mail."""

    text: Words
    at: When | None = None


class SubscribeBody(Body):
    """Somebody to be subscribed: with `consent` at once; without it they are asked by mail, and confirm."""

    address: Address
    regions: Annotated[list[str], Field(max_length=100)] = []
    language: Language = ""
    name: Line = ""
    consent: ConsentBody | None = None


class AddressBody(Body):
    """Whom it is about."""

    address: Address


def errors_of(error: ValidationError) -> list[dict[str, str]]:
    """Where in the body, as a JSON Pointer (RFC 6901), and what is wrong there; never what was sent."""
    return [
        {
            "pointer": "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')[:100]}" for part in found["loc"]),
            "detail": str(found["msg"]).removeprefix("Value error, "),
        }
        for found in error.errors(include_url=False, include_context=False, include_input=False)[:20]
    ]
