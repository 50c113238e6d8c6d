"""Relaxed canonicalisation (RFC 6376 section 3.4), of a message that comes in pieces."""

from __future__ import annotations

import re
from collections.abc import Sequence

_BLANKS = re.compile(rb"[ \t]+")
_BLANKS_AT_END = re.compile(rb"[ \t]+(?=\r\n)")

Parts = tuple[bytes | int, ...]
"""Canonical octets, and the numbers of the holes that stand between them."""


def field(whole: bytes) -> bytes:
    """A header field as it is hashed: its name in lower case, unfolded, each run of blanks one space."""
    name, _, value = whole.partition(b":")
    return b"%s:%s\r\n" % (name.strip().lower(), b" ".join(value.split()))


def name(whole: bytes) -> str:
    """The name of a header field, as it is written."""
    return whole.partition(b":")[0].strip().decode()


def body(piece: bytes) -> bytes:
    """A piece of a body: blanks at a line's end gone, each run of them one space. It must begin and end where a
    line does, or beside a soft break, so that no run goes over its ends."""
    if b"  " not in piece and b"\t" not in piece and b" \r\n" not in piece:
        return piece
    return _BLANKS.sub(b" ", _BLANKS_AT_END.sub(b"", piece))


def joined(parts: Sequence[bytes | int]) -> Parts:
    """The same, with fixed octets that follow each other run together."""
    runs: list[bytes | int] = []
    for part in parts:
        last = runs[-1] if runs else 0
        if isinstance(part, bytes) and isinstance(last, bytes):
            runs[-1] = last + part
        else:
            runs.append(part)
    return tuple(runs)


def split_fields(section: bytes) -> list[bytes]:
    """The fields of a header section, each whole, with its folded lines."""
    return re.findall(rb"[^ \t\r\n][^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", section)
