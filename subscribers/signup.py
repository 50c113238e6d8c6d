"""Double opt-in: what becomes of a wish, and of a press of the button in the mail that followed it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from subscribers import confirmations, consents, store
from subscribers.addresses import AddressError, is_role, normalise
from subscribers.confirmations import Confirmation, mailbox_hash
from subscribers.keys import Keys
from subscribers.mail_limits import Room, room
from subscribers.model import Status, Subscriber
from subscribers.suppression import is_suppressed
from subscribers.tables import confirmations as confirmations_table
from subscribers.tables import consents as consents_table
from subscribers.tables import subscribers
from subscribers.wishes import Wish

CONFIRM = "signup"
"""The purpose of a confirmation whose button subscribes."""
ALREADY = "already"
"""That of a mail to somebody who is subscribed; its token is in no mail, and opens nothing."""
KEPT = timedelta(days=31)
"""How long somebody who did not confirm is remembered: as long as the limits count."""
CONSENT = "confirmed by the button in the mail"


@dataclass(frozen=True, slots=True)
class Answer:
    """The mail that a wish brings: of `purpose`, to this reader, under the key of this confirmation."""

    purpose: str
    reader: Subscriber
    confirmation: Confirmation


def answer(connection: Connection, keys: Keys, wish: Wish, *, at: datetime) -> Answer | Room:
    """What becomes of a wish: a mail; nothing, for good (ENOUGH); or it must wait (LATER).

    Nothing comes of an address that is none, belongs to a function, is suppressed, or has had its mails."""
    try:
        address = normalise(wish.address)
    except AddressError:
        return Room.ENOUGH
    if is_role(address) or is_suppressed(connection, keys, address):
        return Room.ENOUGH
    found = store.find(connection, address)
    if found is not None and found.status is Status.SUPPRESSED:
        return Room.ENOUGH
    free = room(connection, mailbox_hash(keys, address), address.rpartition("@")[2], at=at)
    if free is not Room.YES:
        return free
    if found is None:
        found = store.add(
            connection, keys, address, regions=wish.regions, language=wish.language, consent="", at=at, active=False
        )
    purpose = ALREADY if found.status is Status.ACTIVE else CONFIRM
    detail = {
        "regions": list(wish.regions),
        "language": wish.language,
        "asked": {"at": wish.at.isoformat(), **wish.evidence},
    }
    made = confirmations.issue(
        connection, keys, purpose, address=found.address, subscriber=found.id,
        detail=detail if purpose == CONFIRM else {}, at=at,
    )  # fmt: skip
    return Answer(purpose, found, made)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A reader who is subscribed; `first`: by this very press."""

    reader: Subscriber
    first: bool


def look(connection: Connection, token: str, *, at: datetime) -> tuple[Confirmation, Subscriber] | None:
    """What the button of this token would do: None where it does nothing any more.

    A token that was used is still good for being told so, while its reader is subscribed."""
    found = confirmations.find(connection, CONFIRM, token)
    if found is None or found.subscriber is None:
        return None
    reader = store.get(connection, found.subscriber)
    if reader is None or reader.status is Status.SUPPRESSED:
        return None
    if found.is_open(at) or (found.used_at is not None and reader.status is Status.ACTIVE):
        return found, reader
    return None


def confirm(
    connection: Connection,
    keys: Keys,
    token: str,
    *,
    known: Collection[str],
    evidence: Mapping[str, str],
    at: datetime,
) -> Confirmed | None:
    """The button was pressed: the reader is active from now on, by the consent that is recorded here.

    `known` are the slugs of the regions that there are. A second press changes nothing. None for a token that opens
    nothing: forged, malformed, expired, or its reader suppressed, erased or gone since."""
    found = look(connection, token, at=at)
    if found is None:
        return None
    confirmation, reader = found
    if is_suppressed(connection, keys, reader.address):
        return None
    if not confirmations.use(connection, confirmation, at=at):
        again = store.get(connection, reader.id)
        return Confirmed(again, first=False) if again is not None and again.status is Status.ACTIVE else None
    if reader.status is Status.ACTIVE:  # by another mail of the same kind
        return Confirmed(reader, first=False)
    detail = confirmation.detail
    regions = [slug for slug in detail["regions"] if slug in known]
    values = {
        "status": Status.ACTIVE.value,
        "regions": store.text_of(regions),
        "language": detail["language"] or reader.language,
        "since": at,
        "consent": CONSENT,
        "left_at": None,
    }
    connection.execute(sa.update(subscribers).where(subscribers.c.id == reader.id).values(**values))
    record: dict[str, Any] = {
        "regions": regions, "language": detail["language"], "asked": detail["asked"],
        "confirmed": {"at": at.isoformat(), **evidence},
    }  # fmt: skip
    consents.record(connection, reader.id, "confirmed", record, at)
    again = store.get(connection, reader.id)
    assert again is not None
    return Confirmed(again, first=True)


def forget_unconfirmed(connection: Connection, *, at: datetime) -> list[int]:
    """Whoever was asked and never confirmed is forgotten with all that was noted of them; returns their numbers.

    Only who came by a sign-up: a row that an import left pending stays for the operator to judge. Whoever asked again
    since has a mail with a button, which must find them."""
    table = subscribers.c
    asked = sa.exists().where(confirmations_table.c.subscriber == table.id, confirmations_table.c.purpose == CONFIRM)
    again = asked.where(confirmations_table.c.created_at >= at - KEPT)
    more = sa.exists().where(consents_table.c.subscriber == table.id, consents_table.c.event != "pending")
    statement = sa.select(table.id).where(
        table.status == Status.PENDING.value, table.created_at < at - KEPT, table.consent == "", asked, ~again, ~more
    )
    numbers = list(connection.execute(statement.limit(10_000)).scalars())
    if numbers:
        connection.execute(sa.delete(consents_table).where(consents_table.c.subscriber.in_(numbers)))
        connection.execute(sa.delete(subscribers).where(table.id.in_(numbers)))
    confirmations.forget_older(connection, at - KEPT)
    return numbers
