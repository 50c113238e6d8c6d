"""The key of a seed list's mails: the edition, and the content that they saw."""

from __future__ import annotations

_FIRST = "seed-"


def seed_key(slug: str, content_hash: str) -> str:
    """`seed-2026-11-27-0123456789abcdef`: another content is another mail."""
    return f"{_FIRST}{slug}-{content_hash[:16]}"


def edition_of(key: str) -> str:
    """The edition of a `seed_key`."""
    return key.removeprefix(_FIRST).rpartition("-")[0]
