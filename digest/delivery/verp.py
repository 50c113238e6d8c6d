"""Envelope senders of one delivery each (VERP), and the addresses at which readers leave by a mail.

`bounces+1-2a-9f0c….@news.example.org`: what comes back to it is about delivery 0x2a, and only we can have made it:
`<key id>-<number>-<HMAC>`, all of it lower-case letters, digits and hyphens, because relays may change the case of a
local part. A bounce that was forged would suppress a reader: the HMAC is looked at before anything else."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from digest import macs

Purpose = Literal["bounce", "leave"]

LONGEST_LOCAL = 20
"""Octets before the @ of the address that tokens are added to: 64 in all (RFC 5321 section 4.5.3.1.1)."""

_MAC = 10  # bytes: 80 bits of HMAC-SHA-256
_MARK: Mapping[Purpose, str] = {"bounce": "", "leave": "u-"}
_TOKEN = re.compile(r"(u-)?([a-z0-9]{1,8})-([1-9a-f][0-9a-f]{0,10})-([0-9a-f]{20})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """The address that what comes back goes to, and the keys of its tokens by id: the last one signs, all are
    accepted."""

    address: str
    keys: dict[str, bytes]

    def __repr__(self) -> str:
        return f"ReturnPath({self.address!r}, {', '.join(self.keys)})"


def make(path: ReturnPath, purpose: Purpose, number: int) -> str:
    """The address for one delivery ("bounce") or one subscriber ("leave"), who are known by their numbers."""
    return maker(path, purpose)(number)


def maker(path: ReturnPath, purpose: Purpose) -> Callable[[int], str]:
    """The same, ready for many numbers."""
    local, _, domain = path.address.rpartition("@")
    key_id = next(reversed(path.keys))
    start, end = f"{local}+{_MARK[purpose]}{key_id}-", f"@{domain}"
    whole = macs.maker(path.keys[key_id], _said(purpose))

    def made(number: int) -> str:
        return f"{start}{number:x}-{whole(b'%x' % number)[:_MAC].hex()}{end}"

    return made


def read(path: ReturnPath, purpose: Purpose, address: str) -> int | None:
    """The number in an address that we made for this purpose, in whatever case it comes back; else None."""
    local, _, domain = address.strip().lower().rpartition("@")
    wanted, _, where = path.address.lower().rpartition("@")
    base, _, token = local.partition("+")
    found = _TOKEN.fullmatch(token)
    if found is None or base != wanted or domain != where or (found[1] or "") != _MARK[purpose]:
        return None
    secret, number = path.keys.get(found[2]), int(found[3], 16)
    if secret is None:
        return None
    mac = hmac.digest(secret, _said(purpose) + b"%x" % number, "sha256")[:_MAC].hex()
    return number if hmac.compare_digest(found[4], mac) else None


def _said(purpose: Purpose) -> bytes:
    # No purpose of `subscribers.tokens` is among ours: a token of one kind is never one of another.
    return b"verp-%s\0" % purpose.encode()
