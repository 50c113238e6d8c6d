"""What an approval is of: the hash of everything that decides what is sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from digest.articles.model import Article
from digest.editions.model import Edition
from digest.editions.snapshot import to_json


def content_hash(edition: Edition, *, templates: str, settings: str) -> str:
    """SHA-256 in hex over the edition as it stands, the templates' hash and that of the mail's settings.

    The edition is the composed one, with its overlay applied. What waits, what changed and why an article stands
    where it stands are not sent, so they are not covered: an approval is not voided by what no reader sees."""
    covered = _without(to_json(edition), ("waiting", "changes"))
    for section in covered["sections"]:
        section["articles"] = [_without(placed, ("reason",)) for placed in section["articles"]]
    return canonical_hash({"edition": covered, "templates": templates, "settings": settings})


def canonical_hash(value: Any) -> str:
    """SHA-256 in hex over JSON with sorted keys and no spaces; equal values have equal hashes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class Offer:
    """A feed's later edit of an article in an edition: what stands, and what the feed says now.

    `fields` names what differs; `voids` tells that a link changed, which voids an approval by itself."""

    stands: Article
    now: Article
    fields: tuple[str, ...]

    @property
    def voids(self) -> bool:
        return "link" in self.fields


_SEEN = ("title", "link", "author", "excerpt", "kind", "published_at", "image", "reading_minutes")


def offers(material: Sequence[Article], current: Mapping[str, Article]) -> tuple[Offer, ...]:
    """The edits that feeds made since the edition was composed from `material`; `current` is by id.

    Only what a reader would see counts. They are offered, never taken by themselves."""
    found = []
    for article in material:
        later = current.get(article.id)
        if later is None:
            continue
        changed = tuple(name for name in _SEEN if getattr(article, name) != getattr(later, name))
        if changed:
            found.append(Offer(article, later, changed))
    return tuple(found)


def _without(stored: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in stored.items() if key not in names}
