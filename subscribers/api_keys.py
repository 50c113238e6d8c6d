"""Keys of the HTTP API: shown once, stored as hashes, revoked at once and for good."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.errors import NotFoundError, UsageError
from subscribers.tables import api_keys

LONGEST_NAME = 100
USED_EVERY = timedelta(minutes=10)
"""How exactly it is known when a key was last used: each note of it is a write."""

_SECRET = re.compile(r"digest_([0-9a-f]{16})_([A-Za-z0-9]{40})")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_NOBODY = "0" * 64


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret."""

    id: str
    name: str
    created_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None


def add(connection: Connection, name: str, *, at: datetime) -> tuple[ApiKey, str]:
    """A new key and its secret of 238 bits, which is nowhere else. Raises UsageError for a name that is none."""
    name = name.strip()
    if not name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise UsageError(
            f"{name[:40]!r} is no name for a key",
            mend=f"name the system that uses it, in at most {LONGEST_NAME} letters",
        )
    key_id = secrets.token_hex(8)
    secret = "".join(secrets.choice(_LETTERS) for _ in range(40))
    connection.execute(sa.insert(api_keys).values(id=key_id, name=name, secret_hash=_hash(secret), created_at=at))
    return ApiKey(key_id, name, at), f"digest_{key_id}_{secret}"


def find(connection: Connection, presented: str) -> ApiKey | None:
    """Whose secret this is; None where it is nobody's, or was revoked. As slow for the one as for the other."""
    found = _SECRET.fullmatch(presented)
    key_id, secret = (found[1], found[2]) if found else ("", presented[:100])
    row = connection.execute(sa.select(api_keys).where(api_keys.c.id == key_id)).first()
    genuine = hmac.compare_digest(row.secret_hash if row else _NOBODY, _hash(secret))
    return _key(row) if row and genuine and row.revoked_at is None else None


def note_use(connection: Connection, key: ApiKey, *, at: datetime) -> None:
    connection.execute(sa.update(api_keys).where(api_keys.c.id == key.id).values(used_at=at))


def revoke(connection: Connection, which: str, *, at: datetime) -> ApiKey:
    """By its id, or by its name where one key alone that is not revoked has it; twice is the same as once.

    Raises NotFoundError where there is none, UsageError where several have the name."""
    row = connection.execute(sa.select(api_keys).where(api_keys.c.id == which)).first()
    if row is None:
        named = sa.select(api_keys).where(api_keys.c.name == which).order_by(api_keys.c.created_at)
        rows = connection.execute(named).all()
        live = [row for row in rows if row.revoked_at is None]
        if not rows:
            raise NotFoundError(f"there is no key {which!r}", mend="see `digest api-keys list`")
        if len(live) > 1:
            ids = ", ".join(row.id for row in live)
            raise UsageError(f"{len(live)} keys are named {which!r}", mend=f"revoke one by its id: {ids}")
        row = live[0] if live else rows[-1]
    connection.execute(
        sa.update(api_keys).where(api_keys.c.id == row.id, api_keys.c.revoked_at.is_(None)).values(revoked_at=at)
    )
    return ApiKey(row.id, row.name, row.created_at, row.used_at, row.revoked_at or at)


def everyone(connection: Connection) -> list[ApiKey]:
    """All of them, the oldest first; the revoked ones too."""
    return [_key(row) for row in connection.execute(sa.select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id))]


def _hash(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(row: Any) -> ApiKey:
    return ApiKey(row.id, row.name, row.created_at, row.used_at, row.revoked_at)
