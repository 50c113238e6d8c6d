"""Quoted-printable (RFC 2045 section 6.7), written so that whatever stands between two soft breaks can be
exchanged."""

from __future__ import annotations

import re
from functools import lru_cache

SOFT_BREAK = b"=\r\n"
_WIDTH = 75  # and the "=" of a soft break makes 76
_UNSAFE = re.compile(rb"[^\t !-<>-~]")
_AS_IT_IS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/:-_,~ "


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


@lru_cache(maxsize=64)  # each is asked for twice, for the text and for HTML
def as_it_is(value: str) -> bytes | None:
    """A short text as it will stand alone between two soft breaks, where neither quoted-printable nor HTML would change
    anything in it, as with most links; else None."""
    raw = value.encode()
    if len(raw) > _WIDTH or raw.translate(None, _AS_IT_IS).strip(b"."):
        return None
    return None if raw[:1] == b"." or raw[-1:] == b" " or raw[:5] == b"From " else raw


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
