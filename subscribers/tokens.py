"""Tokens in links: a subscriber's number, bound to one purpose by HMAC; no address in any URL, nothing stored."""

from __future__ import annotations

import base64
import hmac
from binascii import b2a_base64
from collections.abc import Callable
from hashlib import sha256
from typing import Literal

from digest import macs
from subscribers.keys import Keys

Purpose = Literal["unsubscribe", "preferences"]

_MAC = 20  # bytes: 160 bits of HMAC-SHA-256
_LONGEST = 100
_URL_SAFE = bytes.maketrans(b"+/", b"-_")  # RFC 4648, section 5


def make(keys: Keys, purpose: Purpose, subscriber: int) -> str:
    """A token of [A-Za-z0-9_-] for this reader and this purpose; it never expires.

    It ends in a letter or a digit: programs that make links of text leave a last `-` or `_` out of them."""
    return maker(keys, purpose)(subscriber)


def maker(keys: Keys, purpose: Purpose) -> Callable[[int], str]:
    """`make` for many readers in a row."""
    key_id, secret = keys.signing
    start, mac = f"{key_id}-", macs.maker(secret, _said(purpose))

    def made(subscriber: int) -> str:
        number = subscriber.to_bytes((subscriber.bit_length() + 7) // 8 or 1, "big")
        packed = _packed(mac(number)[:_MAC] + number)
        if packed[-1] in "-_":
            number = b"\0" + number  # 22, 25 or 28 bytes: their last letter holds two bits, and is A, Q, g or w
            packed = _packed(mac(number)[:_MAC] + number)
        return start + packed

    return made


def read(keys: Keys, purpose: Purpose, token: str) -> int | None:
    """The subscriber's number, or None for a token that is forged, malformed or for another purpose."""
    key_id, _, packed = token[:_LONGEST].partition("-")
    secret = keys.tokens.get(key_id)
    if secret is None or not packed.isascii():
        return None
    try:
        raw = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    mac, number = raw[:_MAC], raw[_MAC:]
    if not 1 <= len(number) <= 8 or not hmac.compare_digest(mac, _mac(secret, purpose, number)):
        return None
    # Another spelling of the same bits is a forgery.
    return int.from_bytes(number, "big") if hmac.compare_digest(token, f"{key_id}-{_packed(raw)}") else None


def _packed(raw: bytes) -> str:
    return b2a_base64(raw, newline=False).translate(_URL_SAFE, b"=").decode()


def _mac(secret: bytes, purpose: Purpose, number: bytes) -> bytes:
    return hmac.digest(secret, _said(purpose) + number, sha256)[:_MAC]


def _said(purpose: Purpose) -> bytes:
    return purpose.encode() + b"\0"
