"""What the ledger says of a message: one SHA-256 that tells every octet of it, for the cost of hashing its holes.

    SHA-256( SHA-256(the fixed pieces and where the holes are) || the values of the holes, with NUL between them )

The inner hash is made once, when the message is compiled. A value never holds a NUL, so what is hashed can be read back
in one way only, and with the fixed pieces it gives the message, octet by octet: to another message belongs another
hash. A hole that occurs several times is hashed once. DKIM-Signature is left out: a retry signs anew."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from digest.delivery import canonical, metadata

_NOT_OF_IT = frozenset(metadata.FIELDS).union(
    b"dkim-signature return-path received delivered-to x-original-to envelope-to x-envelope-to x-envelope-from "
    b"authentication-results arc-seal arc-message-signature arc-authentication-results received-spf x-peer x-mailfrom "
    b"x-rcptto".split()
)
_BODY_VALUE = rb"(?:[^\r\n]{73,75}=\r\n)*?[^\r\n]{0,75}"
_VALUES = {
    "date": rb"Date: [^\r\n]+\r\n",
    "to": rb"To:(?:\r\n)? [^\r\n]+\r\n",
    "message-id": rb"Message-ID:(?:\r\n)? [^\r\n]+\r\n",
    "unsubscribe": rb"List-Unsubscribe:(?: [^\r\n]+)?\r\n(?: [^\r\n]+\r\n)*",
    "plain": _BODY_VALUE,
    "html": _BODY_VALUE,
}
"""What each kind of hole may be filled with. Quoted-printable values have rows of 73 octets or more, but for the last:
so it can be told where a value ends and the fixed text goes on."""


def fixed(parts: Sequence[bytes | int]) -> bytes:
    """The inner hash: `parts` are the fixed pieces and, as numbers, the holes."""
    said = (b"%d:%s" % (len(part), part) if isinstance(part, bytes) else b"#%d;" % part for part in parts)
    return hashlib.sha256(b"".join(said)).digest()


def of(inner: bytes, values: Sequence[bytes]) -> str:
    """The content hash, in hex."""
    return hashlib.sha256(inner + b"\0".join(values)).hexdigest()


def of_received(message: bytes, parts: Sequence[bytes | int], kinds: Sequence[str], inner: bytes) -> str | None:
    """The content hash of a message as somebody received it; None where it is not of this rendition.

    What relays put before it (trace fields, signatures) is passed over, and nothing else is."""
    header, blank, body = message.partition(b"\r\n\r\n")
    fields = canonical.split_fields(header + b"\r\n")
    if not blank or b"".join(fields) != header + b"\r\n":
        return None
    kept = [one for one in fields if not _is_added(one)]
    found = _pattern(parts, kinds).fullmatch(b"".join(kept) + b"\r\n" + body)
    return None if found is None else of(inner, [found[f"v{number}"] for number in range(len(kinds))])


def _is_added(field: bytes) -> bool:
    return field.partition(b":")[0].strip().lower() in _NOT_OF_IT


def _pattern(parts: Sequence[bytes | int], kinds: Sequence[str]) -> re.Pattern[bytes]:
    """A hole that occurs again must hold the same again."""
    seen: set[int] = set()
    written = []
    for part in parts:
        if isinstance(part, bytes):
            written.append(re.escape(part))
        elif part in seen:
            written.append(b"(?P=v%d)" % part)
        else:
            seen.add(part)
            written.append(b"(?P<v%d>%s)" % (part, _VALUES[kinds[part]]))
    return re.compile(b"".join(written))
