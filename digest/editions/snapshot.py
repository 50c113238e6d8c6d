"""An edition as JSON and back, exactly: what is stored is what was composed."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar

from digest.editions.model import Edition

T = TypeVar("T")


def to_json(edition: Edition) -> dict[str, Any]:
    """The edition as plain JSON values; `from_json` gives the equal edition back."""
    encoded: dict[str, Any] = encode(edition)
    return encoded


def from_json(stored: Mapping[str, Any]) -> Edition:
    """The edition of a snapshot. A field that came to the types later has its default in older snapshots."""
    return decode(Edition, stored)


def encode(value: Any) -> Any:
    """A value of our own types as JSON: dataclasses by field, days and moments by ISO 8601, sets sorted."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(encode(item) for item in value)
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    return value


def decode(wanted: type[T], stored: Any) -> T:
    """The JSON of `encode` as a value of that type. Raises TypeError or ValueError where it is not one."""
    return typing.cast("T", _decode(wanted, stored))


def _decode(wanted: Any, stored: Any) -> Any:
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (types.UnionType, typing.Union):
        (only,) = (a for a in arguments if a is not type(None))
        return None if stored is None else _decode(only, stored)
    if origin in (tuple, frozenset):
        return origin(_decode(arguments[0], item) for item in stored)
    if origin is dict:
        return {key: _decode(arguments[1], item) for key, item in stored.items()}
    if wanted in (date, datetime):
        return wanted.fromisoformat(stored)
    if is_dataclass(wanted):
        hints = _hints(typing.cast("type", wanted))
        known = {name: _decode(hint, stored[name]) for name, hint in hints.items() if name in stored}
        return typing.cast("type", wanted)(**known)
    return stored


@cache
def _hints(wanted: type) -> dict[str, Any]:
    hints = typing.get_type_hints(wanted)
    return {f.name: hints[f.name] for f in fields(wanted)}
