"""What a send would do: who would get what, who not and why, and how long it takes. Nothing is written."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from digest.app import App
from digest.post_office import starting
from digest.which import current
from subscribers import candidates
from subscribers import store as subscribers


@dataclass(frozen=True, slots=True)
class Plan:
    """What `--dry-run` tells: readers by choice, the ones who get nothing and why, and how long it takes."""

    slug: str
    readers: dict[str, int] = field(default_factory=dict)
    excluded: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def sentence(self) -> str:
        total = sum(self.readers.values())
        readers = "1 reader" if total == 1 else f"{total} readers"
        lines = [f"{self.slug}: {readers} would get it, in about {max(1, round(self.seconds))} s"]
        lines += [f"  {count:>8}  {choice}" for choice, count in sorted(self.readers.items(), key=lambda kv: -kv[1])]
        lines += [f"  {count:>8}  get none: {why}" for why, count in self.excluded.items()]
        return "\n".join(lines)


ASSUMED_RATE = 500.0
"""Mails a second to a near relay without a rate of its own; only for the estimate of `--dry-run`."""


def dry_run(app: App, slug: str | None) -> Plan:
    """Who would get what, who not and why, and how long it takes; nothing is written."""
    row = current(app, slug)
    made = starting.render_choices(app, row)
    names = app.publication.region_names
    readers: dict[str, int] = {}
    excluded: dict[str, int] = {}
    with app.database.read() as connection:
        for choice, count in candidates.count_by_choice(connection, app.now).items():
            if made.get(choice) is None:
                excluded[starting.EMPTY] = excluded.get(starting.EMPTY, 0) + count
            else:
                label = ", ".join(names.get(s, s) for s in choice) or "everything"
                readers[label] = readers.get(label, 0) + count
        excluded |= candidates.count_paused(connection, app.now)
        for status, count in subscribers.counts(connection).items():
            if status != "active" and count:
                excluded[str(status)] = count
    rate = app.config.smtp.rate_per_second() or ASSUMED_RATE
    return Plan(row.slug, readers, excluded, sum(readers.values()) / rate)
