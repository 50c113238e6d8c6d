"""What the stories on the joined house share: the week's moments, the mails as read, the ring of the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from digest import routine
from digest.app import App
from digest.config import bundled
from digest.delivery.model import Books
from digest.editions import store as editions
from digest.editions.store import EditionRow
from digest.post_office import sending, settling
from digest.post_office.books import status_of
from tests.support.house import House, over, overrides

EDITION = "2026-11-27"
NEXT = "2026-12-04"
COMPOSE = datetime(2026, 11, 26, 21, 0, tzinfo=UTC)  # Thursday 16:00 in New York
SEND = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)  # Friday 09:00
DEADLINE = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
MINUTE = timedelta(minutes=1)
STAFF = "editors@example.org"

AUTOMATIC: Mapping[str, Any] = {"editions": {"approval": "automatic"}}


@dataclass(frozen=True)
class Read:
    """A mail as its reader sees it."""

    recipient: str
    message: EmailMessage
    html: str
    text: str

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])


def mails(h: House) -> list[Read]:
    """Every mail that arrived, in order of arrival."""
    return [_read(one.recipient, one.data) for one in list(h.sink.received)]


def digests(h: House) -> dict[str, Read]:
    """Each reader's only digest. A second one for anybody is an error."""
    found: dict[str, Read] = {}
    for mail in mails(h):
        if "List-ID" in mail.message:
            assert mail.recipient not in found, f"{mail.recipient} has two"
            found[mail.recipient] = mail
    return found


def words_to_staff(h: House, address: str = STAFF, app: App | None = None) -> list[str]:
    """Deliver what waits, and return the subjects that this address has."""
    sending.deliver(app or h.app)
    return [mail.subject for mail in mails(h) if mail.recipient == address]


def _read(recipient: str, data: bytes) -> Read:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    assert html is not None
    assert text is not None
    return Read(recipient, message, html.get_content(), text.get_content())


def ring(h: House, at: datetime, app: App | None = None) -> list[str]:
    """The clock rings at that moment: the routine looks, and the sender delivers what is due."""
    h.clock.now = at
    app = app or h.app
    done = routine.step(app)
    for _ in range(2):  # the second time for what the first one had to tell staff
        settling.settle_all(app, sending.deliver(app))
    return done


def pull(h: House, at: datetime | None = None, app: App | None = None) -> None:
    """The hourly pull, with its look at what is held."""
    if at is not None:
        h.clock.now = at
    routine.pull(app or h.app)


def row(h: House, slug: str = EDITION) -> EditionRow:
    with h.app.database.read() as connection:
        found = editions.load(connection, slug)
    assert found is not None, f"there is no edition {slug}"
    return found


def books(h: House, slug: str = EDITION) -> Books:
    found = status_of(h.app, slug).books
    assert found.balance
    return found


def titles(found: EditionRow) -> list[str]:
    """Headlines of our own, in reading order."""
    return [placed.article.title for placed in found.edition.articles]


def section_of(found: EditionRow, title: str) -> str:
    """The slug of the one section that holds this headline."""
    (slug,) = [s.slug for s in found.edition.sections for p in s.articles if p.article.title == title]
    return slug


def another_app(h: House, changes: Mapping[str, Any] | None = None) -> App:
    """The house's configuration read again, with other changes, on the same database: a restart, or an edited file."""
    folder = h.app.config.key_path().parent
    url = h.app.database.url.render_as_string(hide_password=False)
    config = bundled(overrides=over(overrides(folder, h.site, h.sink.port, url), changes or {}))
    return App(config, h.app.database, h.clock)
