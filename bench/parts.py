"""What single parts of the path cost, in CPU: composing an edition, filling and signing a message, the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.house import CHOICES, House, build
from digest.app import App
from digest.delivery import claims
from digest.delivery.claims import Choice
from digest.delivery.message import compile as compile_message
from digest.delivery.message import fill
from digest.delivery.model import Delivery, Outcome, Ready, Verdict
from digest.delivery.recovery import this_process
from digest.delivery.settlements import settle, settlement
from digest.delivery.signing import Signer
from digest.delivery.signing_keys import load
from digest.newsroom import drafts
from digest.post_office import starting
from digest.post_office.content import rendition
from digest.post_office.mail import header_settings
from digest.post_office.reader_links import dead_places
from digest.rendering.model import Rendition
from digest.which import current

_SETTLED_AT_ONCE = 300  # as the sender's writer does


def composing(scratch: Path) -> float:
    """Seconds: an edition of 60 articles composed from the database, and rendered in every choice of regions."""
    house = build(scratch / "composing", readers=len(CHOICES), choices=CHOICES, articles=60, approve=False)
    with house.app() as app:
        begun = time.process_time()
        row = drafts.compose_draft(app).row
        for choice in CHOICES:
            rendition(app, row.edition, choice)
        return time.process_time() - begun


def filling(house: House, keys: dict[str, Path], count: int) -> dict[str, float]:
    """Microseconds a message: filled for one reader without a signature, and what each kind of key adds."""
    with house.app() as app:
        made = _whole_edition(app)
        ready = Ready(_delivery(made), "reader0000001@example.org", dead_places(app))
        plain = _signed(app, made, ready, None, count)
        found = {"no DKIM": plain}
        for name, path in keys.items():
            signer = Signer("news.example.org", (load(name.lower(), path),))
            found[name] = _signed(app, made, ready, signer, count) - plain
    return found


def _signed(app: App, made: Rendition, ready: Ready, signer: Signer | None, count: int) -> float:
    compiled = compile_message(made, headers=header_settings(app), mail="digest", key="bench", signer=signer)
    now = datetime.now(UTC)
    return _each(count, lambda: fill(compiled, ready).signed(now))


def _whole_edition(app: App) -> Rendition:
    made = rendition(app, current(app, None).edition, ())
    assert made is not None
    return made


def _delivery(made: Rendition) -> Delivery:
    return Delivery(1, "digest", "bench", "", made.hash, f"<{'0' * 32}@news.example.org>", 1, 0, datetime.now(UTC))


def ledger(house: House) -> dict[str, float]:
    """Microseconds a message: written into the outbox, claimed, settled. Every commit is synced to the disk."""
    with house.app() as app:
        row = current(app, None)
        begun = time.process_time()
        count = starting.start(app, row)
        written = time.process_time()
        taken: list[Delivery] = []
        while batch := _claim(app, row.slug, len(taken)):
            taken += batch
        claimed = time.process_time()
        sent = Outcome(Verdict.SENT, 250, "2.0.0", "Ok: queued as 4F2A31C0D9")
        for start in range(0, len(taken), _SETTLED_AT_ONCE):
            results = [settlement(delivery, sent) for delivery in taken[start : start + _SETTLED_AT_ONCE]]
            with app.database.begin() as connection:
                settle(connection, results, now=app.now)
        settled = time.process_time()
    parts = {"into the outbox": written - begun, "claim": claimed - written, "settle": settled - claimed}
    return {name: seconds / count * 1e6 for name, seconds in parts.items()}


def _claim(app: App, key: str, number: int) -> list[Delivery]:
    with app.database.begin() as connection:
        return claims.claim(
            connection, owner=this_process(), journal="none", limit=claims.MOST_CLAIMED, now=app.now,
            lease=timedelta(minutes=10), choice=Choice(key), claim_id=f"bench-{number}",
        )  # fmt: skip


def _each(count: int, what: Callable[[], object]) -> float:
    """Microseconds of one call."""
    begun = time.process_time()
    for _ in range(count):
        what()
    return (time.process_time() - begun) / count * 1e6
