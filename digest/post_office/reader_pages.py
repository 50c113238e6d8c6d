"""What the web pages of readers do: the use cases behind each button, and the editions that anybody may read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.app import App
from digest.errors import DigestError
from digest.post_office import archive_pages, leaving, moving
from digest.post_office.reader_data import own_data_of
from digest.rendering.environment import Templates
from digest.rendering.model import Design, Publication
from digest.web import languages
from digest.web.services import ArchivedEdition, Listing, Move, MoveView, Purpose, ReaderView, WebServices
from subscribers import address_change, choosing, preferences, tokens
from subscribers import store as subscribers
from subscribers.addresses import normalise
from subscribers.model import Status, Subscriber

Change = Callable[[Connection, int], bool]


def web_services(current: Callable[[], App], ring: Callable[[], None] = lambda: None) -> WebServices:
    """The pages' services over whatever `current` says is the application: a changed configuration shows at once.

    `ring` is called when a mail waits."""
    return ReaderPages(current, ring)


@dataclass
class ReaderPages:
    """`digest.web.services.WebServices` over the database; each call that changes something is one transaction."""

    current: Callable[[], App]
    ring: Callable[[], None] = lambda: None

    @property
    def publication(self) -> Publication:
        return self.current().publication

    @property
    def design(self) -> Design:
        return self.current().design

    @property
    def templates(self) -> Templates:
        return self.current().templates

    def reader(self, token: str, purpose: Purpose) -> ReaderView | None:
        app = self.current()
        number = tokens.read(app.keys, purpose, token)
        if number is None:
            return None
        with app.database.read() as connection:
            found = subscribers.get(connection, number)
            moving_to = address_change.waiting(connection, number, at=app.now)
        return self._view(app, found, moving_to) if found is not None else None

    def _view(self, app: App, found: Subscriber, moving_to: str) -> ReaderView:
        names = self.publication.region_names
        until = found.paused_until
        paused = until is not None and until > app.now
        return ReaderView(
            regions=tuple(slug for slug in found.regions if slug in names),
            subscribed=found.status is Status.ACTIVE,
            unsubscribe=tokens.make(app.keys, "unsubscribe", found.id),
            preferences=tokens.make(app.keys, "preferences", found.id),
            may_return=found.status in (Status.ACTIVE, Status.LEFT),
            masked=masked(found.address),
            language=found.language,
            paused=paused,
            paused_until=until if paused and until != preferences.UNTIL_THEY_RESUME else None,
            dropped=tuple(slug for slug in found.regions if slug not in names),
            moving_to=masked(moving_to),
        )

    def leave(self, token: str) -> bool:
        app = self.current()
        number = tokens.read(app.keys, "unsubscribe", token)
        if number is None:
            return False
        with app.database.begin() as connection:
            return leaving.leave(connection, number, at=app.now)

    def come_back(self, token: str) -> bool:
        return self._change(token, lambda c, number: choosing.come_back(c, number, at=self.current().now))

    def choose(self, token: str, regions: tuple[str, ...]) -> bool:
        known = self.publication.region_names
        wanted = [slug for slug in regions if slug in known]
        return self._change(token, lambda c, number: choosing.set_regions(c, number, wanted, at=self.current().now))

    def speak(self, token: str, language: str) -> bool:
        known = languages.match(language, self.publication.language)
        return self._change(token, lambda c, number: preferences.set_language(c, number, known))

    def pause(self, token: str, weeks: int | None) -> bool:
        now = self.current().now
        until = now + timedelta(weeks=weeks) if weeks else preferences.UNTIL_THEY_RESUME
        return self._change(token, lambda c, number: preferences.pause(c, number, until, at=now))

    def resume(self, token: str) -> bool:
        return self._change(token, lambda c, number: preferences.resume(c, number, at=self.current().now))

    def own_data(self, token: str) -> str | None:
        app = self.current()
        number = tokens.read(app.keys, "preferences", token)
        return own_data_of(app, number) if number is not None else None

    def ask_to_move(self, token: str, address: str) -> bool:
        app = self.current()
        wanted = normalise(address)
        number = tokens.read(app.keys, "preferences", token)
        if number is None or not moving.ask(app, number, wanted):
            return False
        self.ring()
        return True

    def stay(self, token: str) -> bool:
        return self._change(token, lambda c, number: address_change.withdraw(c, number, at=self.current().now))

    def move(self, purpose: Move, token: str, *, press: bool) -> MoveView | None:
        app = self.current()
        with app.database.read() as connection:
            found = address_change.look(connection, purpose, token, at=app.now)
        if found is None:
            return None
        change, reader = found
        if press and not (moving.confirm if purpose == "address" else moving.stop)(app, token):
            return None
        old = str(change.detail.get("old", reader.address))
        return MoveView(masked(old), masked(str(change.detail["new"])), reader.language)

    def edition_page(self, slug: str, regions: tuple[str, ...]) -> str | None:
        return archive_pages.edition_page(self.current(), slug, regions)

    def archive(self) -> Sequence[ArchivedEdition]:
        return archive_pages.archive(self.current())

    def contents(self, slug: str) -> Sequence[Listing]:
        return archive_pages.contents(self.current(), slug)

    def healthy(self) -> bool:
        try:
            with self.current().database.read() as connection:
                return connection.execute(sa.select(1)).scalar() == 1
        except DigestError:
            return False

    def _change(self, token: str, change: Change) -> bool:
        """For the reader of this preferences token, in one transaction. False where there is no such reader."""
        app = self.current()
        number = tokens.read(app.keys, "preferences", token)
        if number is None:
            return False
        with app.database.begin() as connection:
            return change(connection, number)


def masked(address: str) -> str:
    """An address that its reader knows again and nobody else learns: `a…@example.org`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}" if local else ""
