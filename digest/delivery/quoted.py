"""Quoted-printable (RFC 2045 section 6.7), written so that whatever stands between two soft breaks can be
exchanged."""

from __future__ import annotations

import re
from collections.abc import Sequence

SOFT_BREAK = b"=\r\n"
_WIDTH = 75  # and the "=" of a soft break makes 76
_UNSAFE = re.compile(rb"[^\t !-<>-~]")
_AS_IT_IS = rf"(?!\.|From )[A-Za-z0-9/:._,~ -]{{0,{_WIDTH}}}(?<! )"
_AS_THEY_ARE = re.compile(rf"{_AS_IT_IS}(?:\n{_AS_IT_IS})*")


def encode(text: str) -> bytes:
    """The text with LF turned to CRLF, lines of at most 76 characters, and nothing at a line's end that
    could be lost.

    No line begins with "." (it needs no dot stuffing, RFC 5321 section 4.5.2) or with "From "."""
    lines = text.split("\n")
    last = len(lines) - 1
    return b"\r\n".join(_line(line.encode(), open_end=number == last) for number, line in enumerate(lines))


def encode_value(value: str) -> bytes:
    """A short text that will stand alone on a line between two soft breaks."""
    return _line(value.encode(), open_end=True)


def as_they_are(values: Sequence[str]) -> list[bytes] | None:
    """Short texts as each will stand alone between two soft breaks, where neither quoted-printable nor HTML would
    change anything in any of them, as with most links; else None. All are looked at in one go."""
    rows = "\n".join(values)
    if not _AS_THEY_ARE.fullmatch(rows):
        return None
    made = rows.encode().split(b"\n")
    return made if len(made) == len(values) else None


def _line(raw: bytes, *, open_end: bool) -> bytes:
    """One line. `open_end`: a soft break, a boundary or nothing follows, so a last blank is written out as
    well."""
    safe = _UNSAFE.sub(lambda match: b"=%02X" % match[0][0], raw)
    if safe[-1:] in (b" ", b"\t"):
        safe = safe[:-1] + b"=%02X" % safe[-1]
    if len(safe) <= _WIDTH + (not open_end) and not _starts_badly(safe):
        return safe
    rows: list[bytes] = []
    while True:
        if safe.startswith(b"."):
            safe = b"=2E" + safe[1:]
        elif safe.startswith(b"From "):
            safe = b"=46" + safe[1:]
        if len(safe) <= _WIDTH:
            rows.append(safe)
            return SOFT_BREAK.join(rows)
        cut = _WIDTH
        if safe[cut - 1 : cut] == b"=":
            cut -= 1
        elif safe[cut - 2 : cut - 1] == b"=":
            cut -= 2
        rows.append(safe[:cut])
        safe = safe[cut:]


def _starts_badly(safe: bytes) -> bool:
    return safe.startswith((b".", b"From "))
