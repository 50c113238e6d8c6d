"""What strangers wrote, made fit for a configuration: one short line of visible characters, or nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

_LONGEST = 120


def line(text: str, longest: int = _LONGEST) -> str:
    """One line without controls, format characters or characters that are no text, cut at a word."""
    kept = "".join(" " if c.isspace() else c for c in text if c.isspace() or _visible(c))
    words = " ".join(unicodedata.normalize("NFC", kept).split())
    if len(words) <= longest:
        return words
    return words[: longest + 1].rpartition(" ")[0][:longest].rstrip() or words[:longest]


def _visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ"


@lru_cache(maxsize=16)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def accepted(kind: Any, value: str) -> str | None:
    """The value if the configuration would take it as that kind (`digest.config.values`), else None."""
    try:
        _adapter(kind).validate_python(value)
    except ValidationError:
        return None
    return value


def lines(values: Iterable[str], longest: int = 60) -> tuple[str, ...]:
    """Each as a line, each once, without empty ones; a line that had to be cut is no name any more, and goes."""
    made = (line(value, longest + 1) for value in values)
    return tuple(dict.fromkeys(value for value in made if value and len(value) <= longest))
