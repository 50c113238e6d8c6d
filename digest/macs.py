"""HMAC-SHA-256 of many short texts that one key signs and that begin alike."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

_BLOCK = 64  # octets that SHA-256 takes at once


def maker(key: bytes, start: bytes) -> Callable[[bytes], bytes]:
    """What makes the same of an end as `hmac.digest(key, start + end, "sha256")`, in a third of the time: whatever is
    the same for all is hashed once (RFC 2104 section 4)."""
    block = (sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = sha256(bytes(byte ^ 0x36 for byte in block) + start)
    outer = sha256(bytes(byte ^ 0x5C for byte in block))

    def made(end: bytes) -> bytes:
        first, second = inner.copy(), outer.copy()
        first.update(end)
        second.update(first.digest())
        return second.digest()

    return made
