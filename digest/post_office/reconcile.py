"""Settling what is uncertain, by the evidence: a relay's log, or a person's word."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from digest.app import App
from digest.delivery import relay_log, verp
from digest.delivery import store as outbox
from digest.editions import corrections
from digest.editions import store as editions
from digest.errors import UsageError
from digest.which import current


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A delivery whose fate is unknown, and what is known of it.

    `evidence` is what its sender, or the journal of a dead one, said; `content_hash` that of the message that may have
    gone; `at` is when it became uncertain."""

    id: int
    key: str
    address: str
    message_id: str
    evidence: str
    at: datetime | None
    first_attempt_at: datetime | None
    attempts: int
    content_hash: str = ""

    def lines(self, zone: ZoneInfo) -> list[str]:
        """As people read it: whom, when, why, and what to look for."""
        when = f"{self.at.astimezone(zone):%Y-%m-%d %H:%M:%S}: " if self.at else ""
        mark = f", message {self.content_hash[:12]}" if self.content_hash else ""
        correction = f" ({self.key.partition('#')[2]})" if "#" in self.key else ""
        lines = [
            f"  {self.id}  {self.address}{correction}",
            f"      {when}{self.evidence}",
            f"      {self.message_id}{mark}",
        ]
        if self.first_attempt_at and self.at and self.first_attempt_at != self.at:
            lines[2] += f", taken up at {self.first_attempt_at.astimezone(zone):%H:%M:%S}"
        return lines


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was settled now, and what stays uncertain."""

    edition: str
    sent: int
    resend: int
    uncertain: tuple[Uncertain, ...]

    def sentence(self) -> str:
        done = f"{self.sent} settled as sent, {self.resend} to be sent again, " if self.sent or self.resend else ""
        return f"{self.edition}: {done}{len(self.uncertain)} uncertain"


def reconcile(
    app: App,
    slug: str | None,
    *,
    log: Path | None = None,
    sent: tuple[int, ...] = (),
    resend: tuple[int, ...] = (),
) -> Reconciled:
    """Settle deliveries by id, or by the Message-IDs that a relay's log names as accepted; list the rest.

    A log settles only what it names: silence is no proof that a mail was not sent."""
    row = current(app, slug)
    if both := sorted(set(sent) & set(resend)):
        raise UsageError(f"{both[0]} is named as sent and to be sent again", mend="say one of them")
    with app.database.begin() as connection:
        keys = corrections.keys_of(connection, row.slug)
        by_id = {u.delivery.id: u for key in keys for u in outbox.uncertain(connection, key)}
        for number in (*sent, *resend):
            if number not in by_id:
                raise UsageError(f"{row.slug} has no uncertain delivery {number}", mend="`digest reconcile` lists them")
        logged = _in_log(app, log, by_id.values()) if log else {}
        settled = 0
        for number, trail in logged.items():
            settled += outbox.resolve(connection, [number], "sent", now=app.now, reason=trail.sentence())
        settled += outbox.resolve(connection, sorted(set(sent) - logged.keys()), "sent", now=app.now)
        again = outbox.resolve(connection, sorted(set(resend) - logged.keys()), "resend", now=app.now)
        if again and row.state == "sent":
            editions.reopen(connection, row.slug)
        left = [_shown(u) for key in keys for u in outbox.uncertain(connection, key)]
    return Reconciled(row.slug, settled, again, tuple(left))


def _shown(one: outbox.Uncertain) -> Uncertain:
    d = one.delivery
    return Uncertain(
        d.id,
        d.key,
        d.address,
        d.message_id,
        one.text or one.reason,
        one.at,
        d.first_attempt_at,
        d.attempts,
        one.content_hash,
    )


def _in_log(app: App, log: Path, doubtful: Iterable[outbox.Uncertain]) -> dict[int, relay_log.Trail]:
    """Those that the relay took over, by its log: found by Message-ID, or by an envelope sender of their own."""
    wanted: dict[str, int] = {}
    for one in doubtful:
        number = one.delivery.id
        wanted[one.delivery.message_id.strip("<>").lower()] = number
        if app.return_path is not None:
            wanted[verp.make(app.return_path, "bounce", number).lower()] = number
    try:
        with (
            gzip.open(log, "rt", encoding="utf-8", errors="replace")
            if log.suffix == ".gz"
            else log.open(encoding="utf-8", errors="replace") as lines
        ):
            found = relay_log.trails(lines, wanted)
    except (OSError, EOFError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"--log {log}: {why}", mend="name the relay's log file") from error
    return {number: trail for number, trail in found.items() if trail.sent}
