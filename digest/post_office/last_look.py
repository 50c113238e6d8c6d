"""The last look at each delivery, right before it goes: is its reader still one, and what are their own links?"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from digest.app import App
from digest.delivery.model import Delivery, Excluded, Ready
from digest.post_office.reader_links import confirm_link, dead_places, places_for, places_maker
from subscribers import candidates, confirmations, signup
from subscribers.candidates import Current
from subscribers.model import Status
from subscribers.preferences import pause_reason

ERASED = "erased since the edition began"
_NOT_READERS = frozenset({"test", "staff", "seed"})


def look_again(app: App, connection: Connection, deliveries: Sequence[Delivery]) -> list[Ready | Excluded]:
    """Preferences and suppression of this very moment: whoever left since the start does not get it."""
    readers = candidates.current(connection, [d.subscriber for d in deliveries if d.subscriber is not None])
    places, now, active = places_maker(app), app.now, Status.ACTIVE.value

    def look(delivery: Delivery) -> Ready | Excluded:
        if delivery.mail in _NOT_READERS:
            return Ready(delivery, delivery.address, dead_places(app))
        reader = readers.get(delivery.subscriber or 0)
        if reader is None:  # erased while a sender held it, and given back since
            return Excluded(delivery, ERASED)
        if delivery.mail == "confirmation":
            return _look_at_confirmation(app, connection, delivery, reader)
        if reader.status != active:
            return Excluded(delivery, f"{reader.status} since the edition began")
        if reader.paused_until and delivery.mail == "digest" and (paused := pause_reason(reader.paused_until, now)):
            return Excluded(delivery, paused)
        return Ready(delivery, reader.address, places(reader))

    return [look(one) for one in deliveries]


def _look_at_confirmation(app: App, connection: Connection, delivery: Delivery, reader: Current) -> Ready | Excluded:
    """It goes to the address that is to be confirmed, which need not be the reader's (yet), whatever their status is:
    they may be new, or have left. Its token is made here, and stands in the mail alone."""
    found = confirmations.by_token_id(connection, delivery.key)
    if found is None or reader.status == Status.SUPPRESSED:
        return Excluded(delivery, "suppressed or erased since")
    if found.purpose == signup.ALREADY:
        return Ready(delivery, delivery.address, places_for(app, reader))
    token = confirmations.token_of(app.keys, found)
    if token is None or not found.is_open(app.now):
        return Excluded(delivery, "its link works no more")
    places = {**places_for(app, reader), "CONFIRM": confirm_link(app, found.purpose, token)}
    return Ready(delivery, delivery.address, places)
