"""What a send would do: who would get what, who not and why, and how long it takes. Nothing is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from digest.app import App
from digest.delivery import store as outbox
from digest.delivery.model import Status
from digest.editions.states import BEGUN
from digest.editions.store import EditionRow
from digest.post_office import starting
from digest.post_office.estimate import estimate
from digest.post_office.figures import duration
from digest.rendering import store as renditions
from digest.which import current
from subscribers import candidates
from subscribers import store as subscribers


@dataclass(frozen=True, slots=True)
class Mailing:
    """One rendition: the names of the regions that its readers chose (none: all), the subject, how many get it.

    `dropped`: what they chose that is not in the configuration any more."""

    regions: tuple[str, ...]
    subject: str
    readers: int
    dropped: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        name = ", ".join(self.regions) or "everything"
        return f"{name} (chose {', '.join(self.dropped)} too, which is no region now)" if self.dropped else name


@dataclass(frozen=True, slots=True)
class Plan:
    """What `--dry-run` tells. `readers` and `excluded` count by choice and by reason; `bound` is what takes so long;
    `seeds` get it first."""

    slug: str
    readers: dict[str, int] = field(default_factory=dict)
    excluded: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    bound: str = ""
    mailings: tuple[Mailing, ...] = ()
    seeds: tuple[str, ...] = ()
    seed_lead: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def sentence(self) -> str:
        total = sum(self.readers.values())
        readers = "1 reader" if total == 1 else f"{total} readers"
        lines = [f"{self.slug}: {readers} would get it, in about {duration(self.seconds)} ({self.bound})"]
        if self.seeds:
            lines.append(f"  first, {duration(self.seed_lead)} before: {', '.join(self.seeds)}")
        lines += [f"  {mailing.readers:>8}  {mailing.label}: {mailing.subject}" for mailing in self.mailings]
        lines += [f"  {count:>8}  get none: {why}" for why, count in self.excluded.items()]
        return "\n".join(lines)


def dry_run(app: App, slug: str | None) -> Plan:
    """Who would get what, who not and why, and how long it takes; nothing is written."""
    row = current(app, slug)
    if row.state in BEGUN:
        return _rest(app, row)
    made = starting.render_choices(app, row)
    names = app.publication.region_names
    mailings: list[Mailing] = []
    excluded: Counter[str] = Counter()
    with app.database.read() as connection:
        for choice, count in candidates.count_by_choice(connection, app.now).items():
            one = made.get(choice)
            if one is None:
                excluded[starting.EMPTY] += count
                continue
            known = tuple(names[slug] for slug in choice if slug in names)
            dropped = tuple(slug for slug in choice if slug not in names)
            mailings.append(Mailing(known, one.subject, count, dropped))
        excluded.update(candidates.count_paused(connection, app.now))
        for status, count in subscribers.counts(connection).items():
            if status != "active" and count:
                excluded[str(status)] += count
        takes = estimate(app, connection, sum(mailing.readers for mailing in mailings))
    mailings.sort(key=lambda mailing: (-mailing.readers, mailing.label))
    staff = app.config.staff
    return Plan(
        row.slug,
        {mailing.label: mailing.readers for mailing in mailings},
        dict(excluded),
        takes.seconds,
        takes.bound,
        tuple(mailings),
        staff.seeds,
        staff.seed_lead.total_seconds() if staff.seeds else 0.0,
    )


def _rest(app: App, row: EditionRow) -> Plan:
    """Of an edition that has begun, the candidates are frozen: who has not got it yet, by the ledger."""
    names = app.publication.region_names
    with app.database.read() as connection:
        choices = {hash_: choice for choice, hash_ in renditions.for_edition(connection, row.slug).items()}
        waiting = outbox.waiting(connection, row.slug)
        mailings = [
            Mailing(
                tuple(names[one] for one in choices.get(hash_, ()) if one in names),
                renditions.load(connection, hash_).subject,
                count,
            )
            for hash_, count in waiting.items()
        ]
        left_out = outbox.reasons(connection, row.slug)
        takes = estimate(app, connection, sum(waiting.values()), begun=row)
    return Plan(
        row.slug,
        {mailing.label: mailing.readers for mailing in mailings},
        {reason: count for (status, reason), count in left_out.items() if status is Status.EXCLUDED},
        takes.seconds,
        takes.bound,
        tuple(mailings),
    )
