"""What becomes of the claims of dead senders. Two deaths, two answers:

A process that died left its journal, which the page cache kept: results are replayed, only what was in
flight is uncertain, the rest goes back. Where the machine died, or is another one, the journal proves
nothing: everything of the claim without a result is uncertain."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from time import monotonic

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import Database
from digest.delivery import claims, journal, tables
from digest.delivery.claims import Claim, Owner
from digest.delivery.model import Delivery, Outcome, Status
from digest.delivery.settlements import Settlement, doubt_rest, release_rest, settle, settlement

_LEFT_OVER = 3600.0  # seconds
_UNRENEWED = 30.0  # seconds; a lease of 60 is renewed every 20
_FOR_SURE = 90.0  # seconds without a renewal, whatever the clocks say: its sender gives up at 60

_watched: dict[str, tuple[datetime, float]] = {}
"""Claims on other machines: until when their lease was when it last changed, and since when we have seen that."""
_watched_lock = threading.Lock()
_MOST_WATCHED = 10_000

OnResult = Callable[[Connection, Delivery, Outcome], None]


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many deliveries of dead senders were settled from journals, given back, or became uncertain."""

    settled: int = 0
    released: int = 0
    uncertain: int = 0


@cache
def this_process() -> Owner:
    """Who we are. The host is told apart by process namespace as well: two containers may share a name."""
    host = socket.gethostname()
    namespace = Path("/proc/self/ns/pid")
    if namespace.exists():
        host = f"{host}/{namespace.readlink()}"
    try:
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        # Nothing tells one boot from another here: every earlier process counts as one of another boot.
        boot_id = f"unknown-{secrets.token_hex(8)}"
    return Owner(host, boot_id, os.getpid(), _started(os.getpid()))


def _started(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[19])  # field 22, proc(5); the name before it may hold anything


def is_alive(pid: int, started: int) -> bool:
    """Whether that very process of this machine lives: a process id alone is used again."""
    if started:
        return _started(pid) == started
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def recover(
    database: Database,
    *,
    now: datetime,
    owner: Owner | None = None,
    alive: Callable[[int, int], bool] = is_alive,
    held: Container[str] = (),
    on_result: OnResult | None = None,
    ticks: Callable[[], float] = monotonic,
) -> Recovered:
    """Settles, gives back or doubts whatever dead senders held. Harmless at any time, in any number of
    processes.

    `held`: the claims that runs in this process hold; one of ours that is not among them was left by a run
    that broke. `on_result` is called for replayed results, in the transaction that settles them. `ticks`: seconds
    that no change of the clock touches."""
    me, tick = owner or this_process(), ticks()

    def fate(claim: Claim) -> str:
        if claim.owner.host != me.host:
            silent = f"its sender on {claim.owner.host.partition('/')[0]} fell silent"
            return silent if _is_silent(claim, now, tick) else "alive"
        return _fate(claim, me, alive, held)

    with database.read() as connection:
        dead = [claim for claim in claims.open_claims(connection) if fate(claim) != "alive"]
    if not dead:
        return Recovered()
    settled = released = doubted = 0
    ended: list[Claim] = []
    with database.begin() as connection:
        _wait_for_last_words(connection, [claim.id for claim in dead if claim.owner.host == me.host])
        for claim in claims.open_claims(connection, lock=True):
            answer = fate(claim)
            if answer == "alive":
                continue
            if answer == "replay":
                counts = _replay(connection, claim, now, on_result)
                settled, released, doubted = settled + counts[0], released + counts[1], doubted + counts[2]
            else:
                doubted += doubt_rest(connection, claim.id, answer, now=now)
            claims.end_claims(connection, [claim.id])
            ended.append(claim)
    for claim in ended:
        if claim.owner.host == me.host:
            journal.remove(Path(claim.journal))
    return Recovered(settled, released, doubted)


def sweep(database: Database, journals: Path, *, now: datetime) -> None:
    """Removes old journals that no claim names: those of senders that died before the commit, or right after."""
    with database.read() as connection:
        named = {claim.journal for claim in claims.open_claims(connection)}
    for path in journals.iterdir():
        try:
            age = now.timestamp() - path.stat().st_mtime
        except FileNotFoundError:
            continue  # another process has just ended its claim
        # The age spares one whose claim another process is about to commit.
        if str(path) not in named and age > _LEFT_OVER:
            journal.remove(path)


def _wait_for_last_words(connection: Connection, claim_ids: list[str]) -> None:
    """PostgreSQL outlives the process that was killed by a moment, and may be about to end its last transaction. The
    database learns of a death on this machine at once; of one elsewhere perhaps in hours, and nobody waits for that."""
    table = tables.claims.c
    connection.execute(sa.select(table.id).where(table.id.in_(claim_ids)).order_by(table.id).with_for_update()).all()


def _is_silent(claim: Claim, now: datetime, tick: float) -> bool:
    """Whether a sender on another machine is dead: its lease has run out by our clock, and was not renewed while we
    watched. A clock that jumped, theirs or ours, proves nothing by itself."""
    with _watched_lock:
        seen = _watched.get(claim.id)
        if seen is None or seen[0] != claim.expires_at:
            if len(_watched) > _MOST_WATCHED:
                _watched.clear()
            seen = _watched[claim.id] = (claim.expires_at, tick)
    unchanged = tick - seen[1]
    return unchanged >= _FOR_SURE or (unchanged >= _UNRENEWED and claim.expires_at <= now)


def _fate(claim: Claim, me: Owner, alive: Callable[[int, int], bool], held: Container[str]) -> str:
    """ "alive", "replay", or the reason why all of it is uncertain, for a claim on this machine."""
    owner = claim.owner
    if owner.boot_id != me.boot_id:
        return "the machine restarted while its sender held it"
    if owner.pid == me.pid and owner.started == me.started:
        return "alive" if claim.id in held else "replay"
    return "alive" if alive(owner.pid, owner.started) else "replay"


def _why(claim: Claim, name: str, at: datetime) -> str:
    """The evidence: who was sending it, on which connection, and when its journal last said anything."""
    return (
        f"its sender died while this mail was going out: process {claim.owner.pid}, connection {name}; "
        f"its body was begun by {at:%H:%M:%S} UTC, and no reply was written down"
    )


def _replay(connection: Connection, claim: Claim, now: datetime, on_result: OnResult | None) -> tuple[int, int, int]:
    try:
        replayed = journal.replay(Path(claim.journal))
    except (OSError, ValueError) as error:
        reason = f"its sender died, and the journal cannot be read: {error}"
        return 0, 0, doubt_rest(connection, claim.id, reason, now=now)
    rows = claims.claimed(connection, claim.id)
    results = [(rows[number], outcome) for number, outcome in replayed.results.items() if number in rows]
    doubtful = [rows[number] for number in replayed.in_flight if number in rows]
    left = replayed.hashes
    made = [settlement(row, outcome, left.get(row.id, "")) for row, outcome in results]
    for row in doubtful:
        why = _why(claim, *replayed.in_flight[row.id])
        made.append(Settlement(row, Status.UNCERTAIN, why, content_hash=left[row.id]))
    settle(connection, made, now=now)
    if on_result is not None:
        for row, outcome in results:
            on_result(connection, row, outcome)
    return len(results), release_rest(connection, claim.id, now=now), len(doubtful)
