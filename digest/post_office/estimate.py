"""How long an edition takes to go out, and what bounds it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.engine import Connection

from digest.app import App
from digest.delivery.figures import figures
from digest.delivery.model import Status
from digest.delivery.providers import provider_of
from digest.editions import store as editions
from digest.editions.store import EditionRow
from digest.post_office.books import books_of
from digest.post_office.spreading import seconds_left
from subscribers import candidates

ASSUMED_RATE = 500.0
"""Mails a second to a near relay without a rate, where no edition has gone out yet to measure it by."""
_TELLING = 100
"""An edition of fewer mails measures nothing."""
_AT_ONCE = timedelta(hours=6)
"""One that took longer waited for mail that was deferred."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds, and the reason why it is not fewer."""

    seconds: float
    bound: str


def estimate(app: App, connection: Connection, readers: int, *, begun: EditionRow | None = None) -> Estimate:
    """The longest of what the relays, the providers and the rest of the spread make of so many readers: of all, or of
    those who still wait for an edition that has begun."""
    found = [_by_relays(app, connection, readers), *_by_providers(app, connection, begun)]
    if readers and (window := seconds_left(app, begun.started_at if begun else None)):
        found.append(Estimate(window, "[smtp] spread"))
    return max(found, key=lambda one: one.seconds)


def _by_relays(app: App, connection: Connection, readers: int) -> Estimate:
    relays = app.config.relays()
    rates = [relay.rate for relay in relays if relay.rate is not None]
    if len(rates) == len(relays):
        return Estimate(readers / sum(rates), "the rate of [smtp]")
    measured = _measured(connection)
    if measured is not None:
        return Estimate(readers / measured[1], f"{measured[1]:.0f} a second, as {measured[0]} went")
    return Estimate(readers / ASSUMED_RATE, f"{ASSUMED_RATE:.0f} a second, a guess: nothing has gone out yet")


def _measured(connection: Connection) -> tuple[str, float] | None:
    """The last edition that tells, and how many mails a second went."""
    for head in editions.list_editions(connection, states=("sent",), limit=5):
        if head.started_at is None or head.finished_at is None:
            continue
        took = head.finished_at - head.started_at
        sent = books_of(connection, head).sent
        if sent >= _TELLING and timedelta(0) < took <= _AT_ONCE:
            return head.slug, sent / took.total_seconds()
    return None


def _by_providers(app: App, connection: Connection, begun: EditionRow | None) -> list[Estimate]:
    rates = app.config.provider_rates()
    if not rates:
        return []
    if begun is None:
        counts = Counter(provider_of(reader.address) for reader in candidates.active(connection))
    else:
        by_status = figures(connection, begun.slug, now=app.now).providers
        counts = Counter({name: found.get(Status.PENDING, 0) for name, found in by_status.items()})
    return [Estimate(counts[name] / rate, f"the rate of {name} in [smtp] rates") for name, rate in rates.items()]
