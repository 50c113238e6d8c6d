"""What comes back, joined to readers: whose it is, what it means, and what is done about it, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.engine import Connection

from digest.app import App
from digest.bounces import store as bounces
from digest.bounces.identity import Whose, event_of, whose, without_addresses
from digest.bounces.judging import judge
from digest.bounces.model import Kind, Report
from digest.bounces.reading import read
from digest.bounces.store import Return
from digest.delivery import store as outbox
from digest.delivery.model import Delivery, Outcome, Verdict
from digest.post_office import complaints, leaving
from subscribers import store as subscribers
from subscribers import strikes, suppression
from subscribers.addresses import match_key
from subscribers.strikes import Strike

LATE = timedelta(days=5)
"""How much later a relay may still say that a mail could not be delivered (RFC 5321, section 4.5.4.1)."""
EVERY = 10
"""At every so many hard bounces it is looked whether there are too many."""
_NOT_READERS = ("staff", "test", "seed")


@dataclass(frozen=True, slots=True)
class Taken:
    """What was made of a message or a call. `fresh` is False where it had been here before, and nothing was done."""

    kind: Kind
    verdict: str = ""
    why: str = ""
    fresh: bool = True

    @property
    def understood(self) -> bool:
        """Whether it may be thrown away: a person should look at the others."""
        return not (self.kind in (Kind.UNKNOWN, Kind.REFUSED) or (self.kind is Kind.BOUNCE and not self.verdict))


def take_mail(app: App, raw: bytes, *, source: str, envelope: Sequence[str] = ()) -> Taken:
    """A message, from wherever. When this returns, what it said is durable, and the message may go."""
    report = read(raw, envelope)
    about = whose(report, app.return_path)
    if about.leaver is not None:
        report = replace(report, kind=Kind.LEAVE)
    elif about.forged and about.delivery is None:
        report = replace(report, kind=Kind.REFUSED)
    return take(app, report, about, event=event_of(report, raw, about), source=source)


def take(app: App, report: Report, about: Whose, *, event: str, source: str) -> Taken:
    """A report whose delivery is known beyond doubt, or is not known at all."""
    judgement = judge(report)
    verdict = judgement.verdict.value if judgement.verdict else ""
    with app.database.begin() as connection:
        number = bounces.add(connection, event, kind=report.kind.value, source=source, at=app.now)
        if number is None:
            return Taken(report.kind, verdict, "it was here before", fresh=False)
        found = bounces.delivery(connection, about.delivery) if about.delivery is not None else None
        if report.kind is Kind.LEAVE and about.leaver is None and found is not None and found.subscriber is not None:
            about = replace(about, leaver=found.subscriber)  # they told their provider, or ours
        made = Return(
            event, report.kind.value, source, app.now,
            verdict=verdict,
            delivery=found.id if found else None,
            subscriber=about.leaver if about.leaver is not None else found.subscriber if found else None,
            provider=found.address.rpartition("@")[2] if found else "",
            status=judgement.status,
            diagnostic=without_addresses(judgement.diagnostic)[:1_000],
        )  # fmt: skip
        why = _do(app, connection, report, about, found, made)
        bounces.fill(connection, replace(made, why=why or judgement.why))
        # Counting goes through all of an edition's returns: with thousands of bounces, not at each of them.
        hard = made.verdict == Verdict.HARD and number % EVERY == 0
        if found is not None and (report.kind is Kind.COMPLAINT or hard):
            complaints.watch(app, connection, found.key)
    return Taken(report.kind, made.verdict, why or judgement.why)


def _do(app: App, connection: Connection, report: Report, about: Whose, found: Delivery | None, made: Return) -> str:
    """What is done about it; returns that as a sentence."""
    if report.kind is Kind.REFUSED:
        return "its return address is forged; nothing was changed"
    if report.kind is Kind.LEAVE:
        return _leave(app, connection, about.leaver) if about.leaver is not None else "it names nobody"
    if report.kind not in (Kind.BOUNCE, Kind.COMPLAINT):
        return {Kind.DELAYED: "still on its way", Kind.AUTO_REPLY: "an automatic reply"}.get(report.kind, report.why)
    if found is None:
        return "it names none of our mails"
    if not found.address or found.mail in _NOT_READERS:
        return "its reader was erased" if not found.address else f"a {found.mail} mail: nobody's address counts"
    if report.kind is Kind.COMPLAINT:
        return _suppress(app, connection, found, "complained")
    if made.verdict in (Verdict.HARD, Verdict.HARD_SECOND, Verdict.SOFT):
        return _count(app, connection, found, Verdict(made.verdict), made.diagnostic or made.status)
    return "" if not made.verdict else "the address is untouched"


def answered(app: App, connection: Connection, delivery: Delivery, outcome: Outcome) -> None:
    """What a relay answered at once counts in the same way as what comes back later."""
    if outcome.verdict not in (Verdict.HARD, Verdict.HARD_SECOND, Verdict.SOFT):
        return
    if delivery.address and delivery.mail not in _NOT_READERS:
        said = without_addresses(outcome.text)[:300] or outcome.status
        _count(app, connection, delivery, outcome.verdict, said)


def _count(app: App, connection: Connection, delivery: Delivery, verdict: Verdict, said: str) -> str:
    if verdict is Verdict.HARD:
        return _suppress(app, connection, delivery, f"bounced: {said[:300]}")
    if delivery.subscriber is None or delivery.mail != "digest":
        return "one failure, not yet against the address"
    reader = subscribers.get(connection, delivery.subscriber)
    if reader is None or match_key(reader.address) != match_key(delivery.address):
        return "its reader has another address by now"
    kind: strikes.Kind = "soft" if verdict is Verdict.SOFT else "hard-second"
    at = delivery.first_attempt_at or app.now
    strikes.add(connection, reader.id, Strike(kind, delivery.key.partition("#")[0], at))
    against = strikes.of(connection, reader.id)
    through = bounces.got_through(
        connection, reader.id, after=against[0].at, before=against[-1].at, settled_before=app.now - LATE
    )
    if through is not None:
        strikes.clear(connection, reader.id, until=through)
        against = [one for one in against if one.at > through]
    reason = strikes.verdict(against)
    return _suppress(app, connection, delivery, f"bounced: {reason}") if reason else "counts until a mail gets through"


def _suppress(app: App, connection: Connection, delivery: Delivery, reason: str) -> str:
    number = suppression.suppress(connection, app.keys, delivery.address, reason=reason, at=app.now)
    if number is not None:
        outbox.exclude(connection, number, f"suppressed: {reason}", now=app.now)
        strikes.clear(connection, number)
    return f"suppressed: {reason}"


def _leave(app: App, connection: Connection, number: int) -> str:
    left = leaving.leave(connection, number, how="by mail", at=app.now)
    return "left by mail" if left else "its reader was erased"
