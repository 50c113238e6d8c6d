"""How much mail strangers may make us send: by mailbox, by domain, in all.

Counted over what was sent, in `confirmations`: the mail that a wish brings is all that a stranger can cause."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from subscribers.tables import confirmations

DAY, MONTH, HOUR = timedelta(days=1), timedelta(days=30), timedelta(hours=1)
A_DAY, A_MONTH = 1, 3
"""Mails to one mailbox."""
TO_A_DOMAIN, TO_A_PROVIDER, IN_ALL = 60, 600, 1_000
"""Mails an hour; those over it wait for the next."""
PROVIDERS = frozenset({
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "ymail.com",
    "aol.com", "icloud.com", "me.com", "mac.com", "gmx.de", "gmx.net", "gmx.com", "web.de", "t-online.de",
    "orange.fr", "free.fr", "laposte.net", "hotmail.fr", "yahoo.fr", "hotmail.co.uk", "yahoo.co.uk", "libero.it",
    "proton.me", "protonmail.com", "mail.ru", "yandex.ru", "qq.com", "163.com", "126.com", "naver.com", "yahoo.co.jp",
})  # fmt: skip
"""Domains where strangers live side by side; any other is one house, and sixty sign-ups an hour there are a siege."""


class Room(StrEnum):
    """YES: the mail may go. ENOUGH: this mailbox has had its mails, and this wish gets none. LATER: it must wait."""

    YES = "yes"
    ENOUGH = "enough"
    LATER = "later"


def room(connection: Connection, mailbox: str, domain: str, *, at: datetime) -> Room:
    """Whether one more mail may go to this mailbox (by its hash) at this domain."""
    table = confirmations.c
    mine = table.address_hash == mailbox
    if _since(connection, at - DAY, mine) >= A_DAY or _since(connection, at - MONTH, mine) >= A_MONTH:
        return Room.ENOUGH
    most = TO_A_PROVIDER if domain in PROVIDERS else TO_A_DOMAIN
    if _since(connection, at - HOUR, table.domain == domain) >= most or not room_in_all(connection, at=at):
        return Room.LATER
    return Room.YES


def room_in_all(connection: Connection, *, at: datetime) -> bool:
    """Whether any mail at all may go now."""
    return _since(connection, at - HOUR, sa.true()) < IN_ALL


def _since(connection: Connection, moment: datetime, where: sa.ColumnElement[bool]) -> int:
    statement = sa.select(sa.func.count()).select_from(confirmations).where(confirmations.c.created_at > moment, where)
    return connection.execute(statement).scalar_one()
