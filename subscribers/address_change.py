"""A reader's move to another address: a button in the mail to the new one makes it, one in the notice to the old one
stops it, or takes it back.

Whether the new address is known, suppressed or none is never told: asking always writes the same rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from subscribers import choosing, confirmations, former, store
from subscribers.addresses import is_role, match_key
from subscribers.confirmations import Confirmation
from subscribers.consents import events, record
from subscribers.keys import Keys
from subscribers.mail_limits import Room, room
from subscribers.model import Status, Subscriber
from subscribers.suppression import is_suppressed
from subscribers.tables import confirmations as table
from subscribers.tables import subscribers

CHANGE = "address"
STOP = "address-stop"
"""The purposes of the two buttons."""
A_DAY = 3
"""Changes that one reader may ask for in a day."""
REGRET = timedelta(days=30)
"""How long the old address can take a change back."""
EVENTS = ("asked to move", former.MOVED, "moved here")
"""What the consent record calls that which names another address of the reader's."""
JOINED = "moved to an address that is subscribed"
"""How somebody leaves who has moved to where they were a reader already."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A change that waits. `mailable` is whether the new address may be mailed at all; nobody is told."""

    change: Confirmation
    stop: Confirmation
    mailable: bool


def ask(connection: Connection, keys: Keys, reader: Subscriber, address: str, *, at: datetime) -> Asked | None:
    """A reader wants their mail at `address` (normalised). One that waited before is void. None: too often today."""
    mine = sa.and_(table.c.subscriber == reader.id, table.c.purpose == CHANGE)
    today = sa.select(sa.func.count()).where(mine, table.c.created_at > at - timedelta(days=1))
    if connection.execute(today).scalar_one() >= A_DAY:
        return None
    free = room(connection, confirmations.mailbox_hash(keys, address), address.rpartition("@")[2], at=at)
    other = store.find(connection, address)
    mailable = (
        not is_suppressed(connection, keys, address)
        and not is_role(address)
        and free is Room.YES
        and (other is None or other.status is not Status.SUPPRESSED)
    )
    connection.execute(sa.update(table).where(mine, table.c.used_at.is_(None)).values(used_at=at))
    change = confirmations.issue(
        connection, keys, CHANGE, address=address, subscriber=reader.id, detail={"new": address}, at=at
    )
    stop = confirmations.issue(
        connection, keys, STOP, address=reader.address, subscriber=reader.id, at=at, lifetime=REGRET,
        detail={"old": reader.address, "new": address},
    )  # fmt: skip
    record(connection, reader.id, "asked to move", {"to": address}, at)
    return Asked(change, stop, mailable)


def waiting(connection: Connection, number: int, *, at: datetime) -> str:
    """The address that this reader wants to move to, while it is not confirmed; "" where there is none."""
    statement = sa.select(table.c.detail).where(
        table.c.subscriber == number, table.c.purpose == CHANGE, table.c.used_at.is_(None), table.c.expires_at > at
    )
    detail = connection.execute(statement).scalars().first()
    return str(detail["new"]) if detail else ""


def withdraw(connection: Connection, number: int, *, at: datetime) -> bool:
    """The reader thinks better of it before anybody has confirmed. False where there is no such reader."""
    statement = sa.update(table).where(
        table.c.subscriber == number, table.c.purpose == CHANGE, table.c.used_at.is_(None), table.c.expires_at > at
    )
    if connection.execute(statement.values(used_at=at)).rowcount:
        record(connection, number, "did not move", {}, at)
        return True
    return store.get(connection, number) is not None


def look(connection: Connection, purpose: str, token: str, *, at: datetime) -> tuple[Confirmation, Subscriber] | None:
    """What this button would do, and to whom; None where it does nothing any more, as for somebody who has left."""
    found = confirmations.find(connection, purpose, token)
    if found is None or found.subscriber is None or not found.is_open(at):
        return None
    reader = store.get(connection, found.subscriber)
    if reader is None:
        return None
    stays = reader.status is Status.ACTIVE or (purpose == STOP and joined(connection, reader) is not None)
    return (found, reader) if stays else None


def joined(connection: Connection, reader: Subscriber) -> int | None:
    """The reader at the address that this one has moved to; None for whoever is subscribed, or has left for good."""
    if reader.status is not Status.LEFT:
        return None
    found: int | None = None
    for event, detail in events(connection, reader.id):
        if event == "left":
            found = detail.get("joined")
    return found


def all_of(connection: Connection, number: int) -> list[int]:
    """The reader of this number and, where they moved to an address that had a reader, that one, and so on."""
    found = [number]
    while (reader := store.get(connection, found[-1])) is not None:
        following = joined(connection, reader)
        if following is None or following in found:
            break
        found.append(following)
    return found


def confirm(connection: Connection, keys: Keys, token: str, *, at: datetime) -> Subscriber | None:
    """The button in the mail to the new address. Returns the reader who gets the mail there from now on.

    Where that address has a reader already, they are one person: the old one leaves. None where it does nothing."""
    found = look(connection, CHANGE, token, at=at)
    if found is None:
        return None
    change, reader = found
    new = str(change.detail["new"])
    if is_suppressed(connection, keys, new):
        return None
    if not confirmations.use(connection, change, at=at):
        return None
    other = store.find(connection, new)
    if other is None or other.id == reader.id:
        _move(connection, reader, new, at)
        return store.get(connection, reader.id)
    if other.status is not Status.ACTIVE:
        values = {"status": Status.ACTIVE.value, "regions": store.text_of(reader.regions), "since": at, "left_at": None}
        values |= {"consent": "moved here by the button in the mail"}
        connection.execute(sa.update(subscribers).where(subscribers.c.id == other.id).values(**values))
        record(connection, other.id, "moved here", {"from": reader.address, "regions": list(reader.regions)}, at)
    choosing.leave(connection, reader.id, at=at, how=JOINED, joined=other.id)
    return store.get(connection, other.id)


def stop(connection: Connection, keys: Keys, token: str, *, at: datetime) -> bool:
    """The button in the notice to the old address: whatever waits is void, and what was made is taken back, be it
    followed by another move: who has got hold of a reader's links must not keep their mail by moving it twice.

    False where it does nothing: forged, too old, pressed before, its reader has left, or the old address has another
    reader by now."""
    found = look(connection, STOP, token, at=at)
    if found is None:
        return False
    notice, reader = found
    old = str(notice.detail["old"])
    if not confirmations.use(connection, notice, at=at):
        return False
    withdraw(connection, reader.id, at=at)
    if joined(connection, reader) is not None:
        return choosing.come_back(connection, reader.id, at=at)
    if match_key(reader.address) == match_key(old):
        return True
    if store.find(connection, old) is not None or is_suppressed(connection, keys, old):
        return False
    _move(connection, reader, old, at, taken_back=True)
    return True


def _move(connection: Connection, reader: Subscriber, to: str, at: datetime, *, taken_back: bool = False) -> None:
    statement = sa.update(subscribers).where(subscribers.c.id == reader.id)
    connection.execute(statement.values(address=to, match_key=match_key(to)))
    said = {former.TAKEN_BACK: True} if taken_back else {}
    record(connection, reader.id, former.MOVED, {"from": reader.address, "to": to} | said, at)
