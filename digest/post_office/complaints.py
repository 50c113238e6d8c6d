"""Thresholds over what comes back: an edition that readers complain of, or that bounces too much, stops itself."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from digest.app import App
from digest.bounces import store as bounces
from digest.bounces.model import Kind
from digest.delivery import store as outbox
from digest.delivery.model import Verdict
from digest.editions import store as editions
from digest.errors import NotFoundError
from digest.post_office import staff_mail, staff_words

COMPLAINTS = 0.001
"""The share of an edition's mails above which complaints stop it."""
FEWEST_COMPLAINTS = 3
"""One finger that slipped, or two, is no sign."""
BOUNCES = 0.05
FEWEST_SENT = 200


def watch(app: App, connection: Connection, key: str) -> None:
    """Look whether the edition of this delivery has crossed a threshold; pause it, and tell staff.

    What came before staff last resumed it was known to them, and does not stop it again."""
    slug = key.partition("#")[0]
    try:
        head = editions.head_of(connection, slug)
    except NotFoundError:
        return
    keys = (slug, key)
    since = head.changed_at or head.composed_at
    complained = bounces.count_of(connection, keys, kind=Kind.COMPLAINT.value, since=since)
    hard = bounces.count_of(connection, keys, kind=Kind.BOUNCE.value, verdict=Verdict.HARD.value, since=since)
    if complained < FEWEST_COMPLAINTS and hard * 1.0 <= FEWEST_SENT * BOUNCES:
        return
    sent = sum(outbox.books(connection, one).sent for one in dict.fromkeys(keys))
    reason = ""
    if complained >= FEWEST_COMPLAINTS and complained > COMPLAINTS * sent:
        reason = f"{complained} complaints about {sent} mails"
    elif sent > FEWEST_SENT and hard > BOUNCES * sent:
        reason = f"{hard} of {sent} mails came back: no such address"
    if not reason:
        return
    if head.state == "sending":
        editions.pause(connection, slug, reason=reason, at=app.now)
        title, command = f"{slug} is paused", f"digest resume {slug}"
    else:
        title, command = f"{slug}: {reason}", "digest bounces list"
    words = staff_words.notice(title, reason, command=command)
    staff_mail.tell(app, connection, "staff-notice", key=f"{slug}-returns-{head.changed_at}", context=words)
