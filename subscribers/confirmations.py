"""What waits for a press of a reader's button, and the token that opens it.

The token is an HMAC of a random identifier under the keys of links. The database has the identifier and a hash of the
token: whoever reads it cannot make the token, and the sender, which has the keys, can make it again at every retry."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from subscribers.addresses import match_key
from subscribers.keys import Keys
from subscribers.tables import confirmations

LIFETIME = timedelta(hours=72)
_BYTES = 20  # 160 bits
_TOKEN = re.compile(r"[A-Za-z0-9_-]{27}")
_TAGLESS = frozenset({"gmail.com", "googlemail.com"})
"""Where dots in the local part mean nothing."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """`token_id` is the key of its delivery; `subscriber` the reader's number, if there is one yet."""

    id: int
    token_id: str
    token_hash: str
    purpose: str
    subscriber: int | None
    detail: Mapping[str, Any]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        """Whether its button still does something."""
        return self.used_at is None and now < self.expires_at


def issue(
    connection: Connection,
    keys: Keys,
    purpose: str,
    *,
    address: str,
    subscriber: int | None,
    detail: Mapping[str, Any],
    at: datetime,
    lifetime: timedelta = LIFETIME,
) -> Confirmation:
    """A new one, for a mail to `address` (normalised). It counts against what that mailbox is sent."""
    token_id = secrets.token_hex(16)
    token_hash = _hash(_token(keys.signing[1], purpose, token_id))
    row = {
        "token_id": token_id,
        "token_hash": token_hash,
        "purpose": purpose,
        "subscriber": subscriber,
        "address_hash": mailbox_hash(keys, address),
        "domain": address.rpartition("@")[2],
        "detail": dict(detail),
        "created_at": at,
        "expires_at": at + lifetime,
    }
    number = connection.execute(sa.insert(confirmations).values(**row).returning(confirmations.c.id)).scalar_one()
    return Confirmation(number, token_id, token_hash, purpose, subscriber, detail, at, at + lifetime, None)


def token_of(keys: Keys, confirmation: Confirmation) -> str | None:
    """Its token, made again by whichever key made it; None where that key is gone."""
    for secret in reversed(keys.tokens.values()):
        token = _token(secret, confirmation.purpose, confirmation.token_id)
        if hmac.compare_digest(_hash(token), confirmation.token_hash):
            return token
    return None


def find(connection: Connection, purpose: str, token: str) -> Confirmation | None:
    """What a token opens, used and expired ones too; None for one that is forged, malformed, or for another purpose."""
    if not _TOKEN.fullmatch(token):
        return None
    table = confirmations.c
    return _one(connection, sa.and_(table.token_hash == _hash(token), table.purpose == purpose))


def by_token_id(connection: Connection, token_id: str) -> Confirmation | None:
    """That of a delivery's key."""
    return _one(connection, confirmations.c.token_id == token_id)


def use(connection: Connection, confirmation: Confirmation, *, at: datetime) -> bool:
    """The button was pressed: True for the first press alone, and only in time."""
    table = confirmations.c
    statement = sa.update(confirmations).where(
        table.id == confirmation.id, table.used_at.is_(None), table.expires_at > at
    )
    return connection.execute(statement.values(used_at=at)).rowcount == 1


def forget(connection: Connection, subscriber: int) -> None:
    """For erasing: whatever this reader was asked."""
    connection.execute(sa.delete(confirmations).where(confirmations.c.subscriber == subscriber))


def any_older(connection: Connection, than: datetime) -> bool:
    statement = sa.select(confirmations.c.id).where(confirmations.c.created_at < than).limit(1)
    return connection.execute(statement).first() is not None


def forget_older(connection: Connection, than: datetime) -> int:
    """Those that no limit counts any more; returns how many there were."""
    return int(connection.execute(sa.delete(confirmations).where(confirmations.c.created_at < than)).rowcount)


def mailbox_hash(keys: Keys, address: str) -> str:
    """What the limits know of an address: a keyed hash, the same for `ann+a@` and `ann+b@`, which one person has."""
    local, _, domain = match_key(address).rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _TAGLESS:
        local, domain = local.replace(".", ""), "gmail.com"
    return hmac.digest(keys.suppression, f"mailbox\0{local}@{domain}".encode(), sha256).hex()


def _one(connection: Connection, where: sa.ColumnElement[bool]) -> Confirmation | None:
    row = connection.execute(sa.select(confirmations).where(where)).first()
    if row is None:
        return None
    return Confirmation(
        row.id, row.token_id, row.token_hash, row.purpose, row.subscriber, row.detail, row.created_at, row.expires_at,
        row.used_at,
    )  # fmt: skip


def _token(secret: bytes, purpose: str, token_id: str) -> str:
    made = hmac.digest(secret, f"confirmation\0{purpose}\0{token_id}".encode(), sha256)[:_BYTES]
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
