"""What the sign-up pages do: wishes are written down, a press of the button in the mail subscribes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from digest.app import App
from digest.post_office import welcome
from digest.post_office.wish_book import WishBook
from digest.web.signup_services import SignUp, SignUpServices, SignUpView
from subscribers import signup, stamps, tokens
from subscribers.model import Status
from subscribers.wishes import Wish


def sign_ups(current: Callable[[], App], ring: Callable[[], None]) -> SignUpServices:
    """The services of the sign-up pages. `ring` is called when a wish, or a first mail, waits."""
    return SignUpPages(current, ring)


@dataclass(frozen=True, slots=True)
class SignUpPages:
    """`digest.web.signup_services.SignUpServices` over the database."""

    current: Callable[[], App]
    ring: Callable[[], None]
    book: WishBook = field(default_factory=WishBook)

    @property
    def open(self) -> bool:
        return self.current().config.tables.signup.open

    @property
    def origins(self) -> Sequence[str]:
        config = self.current().config
        return [origin_of(url) for url in config.tables.signup.origins or (config.publication.url,)]

    @property
    def proxies(self) -> Sequence[str]:
        return self.current().config.web.proxies

    def stamp(self, *, head_start: timedelta = timedelta(0)) -> str:
        app = self.current()
        return stamps.make(app.keys, app.now - head_start)

    def age(self, stamp: str) -> timedelta | None:
        app = self.current()
        return stamps.age(app.keys, stamp, app.now)

    def ask(self, sign_up: SignUp) -> None:
        app = self.current()
        self.book.write(app, Wish(sign_up.address, sign_up.regions, sign_up.language, sign_up.evidence, app.now))
        self.ring()

    def look(self, token: str) -> SignUpView | None:
        app = self.current()
        with app.database.read() as connection:
            found = signup.look(connection, token, at=app.now)
        if found is None:
            return None
        confirmation, reader = found
        detail = confirmation.detail
        if confirmation.used_at is None and reader.status is not Status.ACTIVE:
            return SignUpView(tuple(detail["regions"]), detail["language"], subscribed=False)
        preferences = tokens.make(app.keys, "preferences", reader.id)
        return SignUpView(reader.regions, reader.language, subscribed=True, preferences=preferences)

    def confirm(self, token: str, evidence: Mapping[str, str]) -> SignUpView | None:
        app = self.current()
        before = self.look(token)
        first = None if before is None or before.subscribed else welcome.prepare(app, before.regions)
        with app.database.begin() as connection:
            done = signup.confirm(
                connection, app.keys, token, known=app.publication.region_names, evidence=evidence, at=app.now
            )
            if done is None:
                return None
            reader = done.reader
            sent = done.first and first is not None and welcome.enqueue(app, connection, reader, first)
        self.ring()
        preferences = tokens.make(app.keys, "preferences", reader.id)
        return SignUpView(reader.regions, reader.language, subscribed=True, welcome=sent, preferences=preferences)


def origin_of(url: str) -> str:
    """`https://observatory.example.org` of an address there, as browsers write it."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = f":{parts.port}" if parts.port and parts.port != usual else ""
    return f"{parts.scheme}://{(parts.hostname or '').lower()}{port}"
