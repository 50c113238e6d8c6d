"""Names as they stand in URLs, in columns and on the command line."""

from __future__ import annotations

import hashlib
import unicodedata

_LETTERS = str.maketrans(
    {
        **dict.fromkeys("æÆ", "ae"),
        **dict.fromkeys("øØ", "o"),
        **dict.fromkeys("œŒ", "oe"),
        **dict.fromkeys("łŁ", "l"),
    }
    | {
        **dict.fromkeys("đĐðÐ", "d"),
        **dict.fromkeys("þÞ", "th"),
        **dict.fromkeys("’'", ""),
        "ß": "ss",
        "ı": "i",
    }
)
"""Latin letters that Unicode does not take apart; and apostrophes, which join."""


def slug(name: str) -> str:
    """A name in lower-case ASCII with hyphens: "Middle East" is "middle-east".

    A name that leaves nothing in ASCII gets a stable one from its hash."""
    plain = unicodedata.normalize("NFKD", name.translate(_LETTERS)).encode("ascii", "ignore").decode().lower()
    words = "".join(c if c.isalnum() else " " for c in plain).split()
    lost = sum(c.isalpha() and not unicodedata.normalize("NFKD", c.translate(_LETTERS))[0].isascii() for c in name)
    if words and not lost:
        return "-".join(words)
    mark = hashlib.sha256(unicodedata.normalize("NFC", name).encode()).hexdigest()[:8]
    return "-".join([*words, mark]) if words else f"region-{mark}"
