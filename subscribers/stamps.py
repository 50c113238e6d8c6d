"""Signed times in forms: how long ago somebody was shown the form that they now send."""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from subscribers.keys import Keys

LEAST = timedelta(seconds=3)
"""Nobody reads a form and fills it more quickly."""
MOST = timedelta(hours=2)
"""After that a form has been lying about, or somebody has kept it to send it often."""
_STAMP = re.compile(r"([0-9]{1,12})-([0-9a-f]{40})")


def make(keys: Keys, now: datetime) -> str:
    """A stamp of this second, to be put into a form."""
    seconds = str(int(now.timestamp()))
    return f"{seconds}-{_mac(keys.signing[1], seconds)}"


def age(keys: Keys, stamp: str, now: datetime) -> timedelta | None:
    """How old a stamp is; None where it was not we who made it. Less than nothing where our clocks differ."""
    found = _STAMP.fullmatch(stamp)
    if found is None:
        return None
    known = [hmac.compare_digest(found[2], _mac(secret, found[1])) for secret in keys.tokens.values()]
    if not any(known):
        return None
    return now - datetime.fromtimestamp(int(found[1]), UTC)


def _mac(secret: bytes, seconds: str) -> str:
    return hmac.digest(secret, f"form\0{seconds}".encode(), sha256)[:20].hex()
