"""Values of somebody else's JSON, whatever is in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_MOST = 20_000


def table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """A string or a number as text that every database takes; anything else is ""."""
    if isinstance(value, str):
        return storable(value[:_MOST])
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def storable(value: str) -> str:
    """Without what a database or a terminal does not take."""
    return _CONTROL.sub("", value)
