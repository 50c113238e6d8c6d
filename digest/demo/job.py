"""The whole weekly job on the bundled feeds: pulled over HTTP, composed, rendered, sent over SMTP to a local inbox."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from digest.app import App, open_app
from digest.config import Config, bundled
from digest.demo.browse import with_local_photos
from digest.demo.content import focus
from digest.demo.inbox import Inbox
from digest.demo.readers import readers
from digest.demo.server import Server, serve
from digest.errors import DigestError, UsageError
from digest.logs import configure
from digest.newsroom import drafts, editing, intake, preview
from digest.post_office import sending
from digest.post_office.books import status_of
from subscribers import store as subscribers

HISTORY_WEEKS = 5
INTRODUCTION = (
    "Somebody kept a chair free at every meeting of this week. Our writers went to look for those who did not come, "
    "and asked what would bring them to the table."
)
"""The words of the demo's editor above everything."""

MARK = ".digest-demo"
"""A file in the folder of a demo: only such a folder is ever emptied."""
PARTS = ("preview", "inbox", "staff", "var")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Summary:
    """What the demo came to."""

    folder: str
    edition: str
    focus: str
    sections: dict[str, int]
    candidates: int
    sent: int
    books: dict[str, int]
    preview: str
    inbox: str

    def lines(self) -> list[str]:
        held = ", ".join(f"{title} {count}" for title, count in self.sections.items())
        return [
            "",
            f"Edition {self.edition}, focus {self.focus}: {held}",
            f"{self.sent} of {self.candidates} readers have their mail; the books balance.",
            f"Look at  {self.preview}",
            f"The mail {self.inbox}",
        ]


def run(folder: Path, count: int, *, say: Say, now: datetime | None = None) -> Summary:
    """Run it all into `folder`, which is made, or emptied when it is that of an earlier demo.

    Raises UsageError for a folder that holds something else, DigestError when any part fails."""
    now = now or datetime.now(UTC)
    configure(verbose=False)
    _make_room(folder)
    with serve(now) as server:
        staff = set(bundled().staff.mail)
        with Inbox(folder / "inbox", folder / "staff", staff) as inbox:
            app = open_app(_configuration(folder, server, inbox.port, now), clock=lambda: now)
            try:
                return _job(app, server, folder, count, now, say)
            finally:
                app.close()


def _make_room(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not (folder / MARK).exists():
        raise UsageError(f"{folder} is not empty and no demo made it", mend="name another folder with --output")
    for part in (folder / name for name in PARTS):
        if part.exists():
            shutil.rmtree(part)
        part.mkdir(parents=True)
    (folder / MARK).write_text("made by `digest demo`\n")


def _configuration(folder: Path, server: Server, smtp_port: int, now: datetime) -> Config:
    """The example configuration with feeds, SMTP, database and the focus month of the demo."""
    # The edition due is of a day from yesterday (it is later in UTC) to a week ahead, and so perhaps of another month.
    months = {f"{now + timedelta(days=day):%Y-%m}" for day in (-1, 0, 8)}
    overrides: dict[str, Any] = {
        "feeds": server.feeds(),
        "events": {"calendar": server.calendar_url},
        "schedule": {"skip": []},
        "focus": {month: focus() for month in months},
        "fetching": {"allow_private_addresses": True, "check_links": False},
        "smtp": {"host": "127.0.0.1", "port": smtp_port, "security": "none"},
        "database": {"url": f"sqlite:///{(folder / 'var' / 'digest.sqlite3').absolute()}"},
        "secrets": {"key_file": str((folder / "var" / "keys").absolute())},
    }
    return bundled(overrides=overrides)


def _job(app: App, server: Server, folder: Path, count: int, now: datetime, say: Say) -> Summary:
    _history(app, server, now)
    say(f"{HISTORY_WEEKS} earlier weeks are history; now this week's job.")
    server.set_now(now)
    for pulled in intake.pull(app):
        say(f"  pulled {pulled.title or pulled.url}: {pulled.state}, {pulled.new} new, {pulled.changed} changed")
    with app.database.begin() as connection:
        for address, name, regions in readers(count):
            subscribers.add(
                connection,
                app.keys,
                address,
                name=name,
                regions=regions,
                consent="reader of the demo",
                at=now,
            )
    row = drafts.compose_draft(app).row
    say(f"  composed {row.slug}: {len(row.edition.articles)} articles in {len(row.edition.sections)} sections")
    if row.state == "held":
        raise DigestError(f"the demo's edition is held: {row.held_reason}")
    row = editing.edit(app, row.slug, editing.Changes(introduction=INTRODUCTION), by="the demo's editor").row
    shown = preview.make(app, row.slug)
    preview.write(app, shown, folder / "preview", localise=_with_local_photos(folder / "preview"))
    say(f"  previewed: {shown.rendition.subject}")
    editing.approve(app, row.slug, by="the demo's editor")
    report = sending.send(app, row.slug, now=True)
    sending.deliver(app)  # the words to staff
    books = status_of(app, row.slug).books
    if not books.balance or books.sent != count or report.stopped:
        raise DigestError(f"{count} readers but {books.sent} mails: {report.stopped or report.sentence(app.zone)}")
    edition = row.edition
    return Summary(
        folder=str(folder),
        edition=row.slug,
        focus=edition.focus.title if edition.focus else "none",
        sections={s.title: len(s.articles or s.events or s.pins) for s in edition.sections},
        candidates=books.candidates,
        sent=books.sent,
        books={
            "excluded": books.excluded,
            "failed": books.failed,
            "uncertain": books.uncertain,
            "pending": books.pending,
        },
        preview=str(folder / "preview" / "index.html"),
        inbox=str(folder / "inbox"),
    )


def _history(app: App, server: Server, now: datetime) -> None:
    """Earlier weeks, as a publication that has run for a while: composed and sent when nobody had subscribed yet.

    Nobody is told of them, and what they show besides articles is left out: it would be made for no reader."""
    quiet = _configuration_of_history(app.config, server)
    local = now.astimezone(app.zone)
    for weeks in range(HISTORY_WEEKS, 0, -1):
        # By the wall clock: where the clocks changed, seven times 24 hours may be past the deadline of that week.
        then = (local - timedelta(weeks=weeks)).astimezone(UTC)
        past = App(quiet, app.database, clock=lambda then=then: then)  # type: ignore[misc]
        server.set_now(then)
        for _report in intake.pull(past):
            pass
        row = drafts.compose_draft(past).row
        if row.edition.is_empty:
            continue
        editing.approve(past, row.slug, by="the demo's editor", reason="history")
        sending.send(past, row.slug, now=True)


def _configuration_of_history(config: Config, server: Server) -> Config:
    own = [feed for feed in server.feeds() if feed["role"] == "articles"]
    tables = config.tables.model_copy(
        update={
            "feeds": tuple(feed for feed in config.tables.feeds if feed.url in {table["url"] for table in own}),
            "events": config.events.model_copy(update={"calendar": ""}),
            "staff": config.staff.model_copy(update={"mail": ()}),
        }
    )
    return Config(config.path, tables)


def _with_local_photos(folder: Path) -> Callable[[str], str]:
    """The preview shows the bundled photos, from a folder beside it."""
    photos = folder / "photos"
    photos.mkdir(exist_ok=True)
    for photo in resources.files("digest.demo").joinpath("photos").iterdir():
        if photo.name.endswith(".jpg"):
            (photos / photo.name).write_bytes(photo.read_bytes())
    return lambda html: with_local_photos(html, "photos/")
