"""DKIM signatures (RFC 6376, RFC 8463): relaxed/relaxed, no `l=`, one of each key that is configured.

Everything fixed is made canonical once, when the message is compiled; a recipient costs the hashing, and one signature
a key, during which other threads run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from digest.delivery import canonical
from digest.delivery.canonical import Parts

_OVERSIGNED = (
    "From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type", "List-ID",
    "List-Unsubscribe", "List-Unsubscribe-Post",
)  # fmt: skip
"""Each is named twice, though none is there twice: one that is added on the way breaks the signature."""
_SIGNED_TOO = (
    "List-Help", "List-Subscribe", "List-Archive", "List-Owner", "Feedback-ID", "Auto-Submitted", "Content-Language",
)  # fmt: skip
_WIDTH = 72


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, by what it does: `sign` takes the SHA-256 of what is signed. `algorithm` is the tag a=."""

    selector: str
    algorithm: str
    sign: Callable[[bytes], bytes]
    length: int  # octets of a signature
    record: str  # the public half, as the text that is published


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: `domain` is d=, the domain of From or its parent. Every key signs."""

    domain: str
    keys: tuple[SigningKey, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is signed of a compiled message, canonical, with its holes open; `body_start` has hashed what stands before
    the body's first hole."""

    header: Parts
    body_start: Any
    body: Parts
    signatures: tuple[_Signature, ...]
    size: int  # octets that the signatures add to a message


@dataclass(frozen=True, slots=True)
class _Signature:
    key: SigningKey
    wire: bytes
    canonical: bytes


def plan(signer: Signer, fields: Mapping[str, bytes | int], body: Sequence[bytes | int]) -> Plan:
    """`fields` are whole header fields by their names, or the numbers of holes that will be filled with whole fields;
    `body` are pieces, or the numbers of holes."""
    fields = {name.lower(): part for name, part in fields.items()}
    too = [name for name in _SIGNED_TOO if name.lower() in fields]
    parts = [fields[name.lower()] for name in (*_OVERSIGNED, *too) if name.lower() in fields]
    made = canonical.joined([part if isinstance(part, int) else canonical.field(part) for part in parts])
    first, *rest = canonical.joined([part if isinstance(part, int) else canonical.body(part) for part in body])
    if isinstance(first, int):
        first, rest = b"", [first, *rest]
    signatures = tuple(_signature(signer.domain, key, (*_OVERSIGNED, *_OVERSIGNED, *too)) for key in signer.keys)
    size = sum(len(one.wire) + 80 + one.key.length * 3 // 2 for one in signatures)
    return Plan(made, hashlib.sha256(first), tuple(rest), signatures, size)


def sign(plan: Plan, values: Sequence[bytes], moment: int) -> list[bytes]:
    """The DKIM-Signature fields, to stand before the message. `values` fill the holes; `moment` is t=, in seconds."""
    hashed = plan.body_start.copy()
    hashed.update(b"".join([part if isinstance(part, bytes) else canonical.body(values[part]) for part in plan.body]))
    header = b"".join([part if isinstance(part, bytes) else canonical.field(values[part]) for part in plan.header])
    body_hash = base64.b64encode(hashed.digest())
    made = []
    for one in plan.signatures:
        signed = b"%s%st=%d; bh=%s; b=" % (header, one.canonical, moment, body_hash)
        text = base64.b64encode(one.key.sign(hashlib.sha256(signed).digest()))
        rows = [text[start : start + _WIDTH] for start in range(0, len(text), _WIDTH)]
        made.append(b"%st=%d;\r\n bh=%s;\r\n b=%s\r\n" % (one.wire, moment, body_hash, b"\r\n ".join(rows)))
    return made


def _signature(domain: str, key: SigningKey, names: Sequence[str]) -> _Signature:
    """Everything before t=, as it is sent and as it is hashed."""
    rows = [f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed;", f" d={domain}; s={key.selector};"]
    row = " h="
    for number, name in enumerate(names):
        word = f"{name.lower()}{':' if number + 1 < len(names) else ';'}"
        if len(row) + len(word) > _WIDTH:
            rows.append(row)
            row = " "
        row += word
    wire = "\r\n".join([*rows, row, " "]).encode()
    return _Signature(key, wire, canonical.field(wire.rstrip()).rstrip(b"\r\n") + b" ")
