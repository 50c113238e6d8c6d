"""Small builders for the tests of delivery."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from digest.database import Database
from digest.delivery import message, store
from digest.delivery.message import Compiled, HeaderSettings
from digest.delivery.model import Delivery, Excluded, Ready
from digest.delivery.run import Summary
from digest.delivery.sender import run
from digest.delivery.session import RelaySettings
from digest.delivery.store import NewDelivery
from digest.rendering.model import Rendition, place

NOW = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
KEY = "2026-11-27"

SETTINGS = HeaderSettings(
    from_name="The Example Observatory",
    from_address="roundup@news.example.org",
    reply_to="editors@example.org",
    list_id="roundup.news.example.org",
    list_name="The Weekly Roundup",
    public_url="https://roundup.example.org",
)

RENDITION = Rendition(
    subject="Peace processes, and twelve more",
    html=f"<!DOCTYPE html>\n<html lang=en><p>Café — naïve = yes?</p>\n"
    f'<a href="{place("UNSUBSCRIBE")}">Unsubscribe</a>\n'
    f'<a href="{place("PREFERENCES")}">Regions</a> since {place("SINCE")}.\n</html>\n',
    text=f"Peace processes\n\n.a line that begins with a dot\nFrom the editors\n\n"
    f"Unsubscribe:\n{place('UNSUBSCRIBE')}\n",
)


def places(number: int = 1) -> dict[str, str]:
    return {
        "UNSUBSCRIBE": f"https://roundup.example.org/u/token-{number}?a=1&b=2",
        "PREFERENCES": f"https://roundup.example.org/p/token-{number}",
        "SINCE": "3 May 2025",
    }


def compiled(_hash: str, delivery: Delivery) -> Compiled:
    return message.compile(RENDITION, headers=SETTINGS, mail=delivery.mail, key=delivery.key)


def prepare(_connection: Connection, rows: Sequence[Delivery]) -> list[Ready | Excluded]:
    return [Ready(row, row.address, places(row.id)) for row in rows]


def fill_outbox(database: Database, count: int, *, now: datetime | None = None, key: str = KEY) -> None:
    """That many digests, to reader-0@example.org and so on, by subscriber."""
    rows = (
        NewDelivery("digest", key, f"reader-{number}@example.org", RENDITION.hash, subscriber=number)
        for number in range(count)
    )
    with database.begin() as connection:
        store.enqueue(connection, rows, domain="news.example.org", now=now or datetime.now(UTC))


def books_of(database: Database, key: str = KEY) -> Any:
    with database.read() as connection:
        return store.books(connection, key)


def send(database: Database, port: int, folder: Path, **options: Any) -> Summary:
    """One run against a relay on this machine, with timeouts for tests; `connections` and `rate` are the relay's."""
    relays = options.pop("relays", None) or [relay_at(port, **_taken(options, "connections", "rate"))]
    settings: dict[str, Any] = {
        "prepare": prepare,
        "compiled": compiled,
        "clock": lambda: datetime.now(UTC),
    } | options
    return run(database, relays=relays, journal_dir=folder / "journals", **settings)


def relay_at(port: int, **changes: Any) -> RelaySettings:
    """A relay on this machine, with timeouts for tests."""
    timeouts = {"connect_timeout": 5, "command_timeout": 2, "data_timeout": 2, "retry_pause": 0.1}
    return RelaySettings("127.0.0.1", port, **(timeouts | changes))


def _taken(options: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: options.pop(name) for name in names if name in options}
