"""What the publication's own systems may ask: the use cases behind the HTTP API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from digest.app import App
from digest.post_office import leaving, signups
from digest.web.api_services import ApiReader, ApiServices, Caller, Consent, Subscription
from subscribers import api_keys, evidence
from subscribers import store as subscribers
from subscribers.addresses import AddressError, normalise
from subscribers.model import Subscriber
from subscribers.wishes import Wish


def api_services(current: Callable[[], App], ring: Callable[[], None] = lambda: None) -> ApiServices:
    """The API's services over whatever `current` says is the application; `ring` is called when mail waits."""
    return Api(current, ring)


@dataclass(frozen=True, slots=True)
class Api:
    """`digest.web.api_services.ApiServices` over the database; each call that changes something is one transaction."""

    current: Callable[[], App]
    ring: Callable[[], None]

    @property
    def publication_name(self) -> str:
        return self.current().publication.name

    @property
    def public_url(self) -> str:
        return self.current().publication.public_url

    @property
    def regions(self) -> Sequence[str]:
        return list(self.current().publication.region_names)

    def caller(self, presented: str) -> Caller | None:
        app = self.current()
        with app.database.read() as connection:
            key = api_keys.find(connection, presented)
        if key is None:
            return None
        if key.used_at is None or app.now - key.used_at > api_keys.USED_EVERY:
            with app.database.begin() as connection:
                api_keys.note_use(connection, key, at=app.now)
        return Caller(key.id, key.name)

    def subscribe(self, caller: Caller, wanted: Subscription, consent: Consent) -> tuple[ApiReader, bool]:
        app = self.current()
        with app.database.begin() as connection:
            reader, changed = evidence.subscribe(
                connection,
                app.keys,
                normalise(wanted.address),
                regions=wanted.regions,
                language=wanted.language,
                name=wanted.name,
                consent=f"api ({caller.name}): {consent.text}",
                detail={"form": f"api:{caller.id}", "wording": consent.text},
                consented_at=consent.at,
                at=app.now,
            )
        return _told(reader), changed

    def ask(self, caller: Caller, wanted: Subscription) -> None:
        app = self.current()
        said = {"form": f"api:{caller.id}", "wording": f"as told by {caller.name}"}
        signups.ask(app, Wish(wanted.address, wanted.regions, wanted.language, said, app.now))
        self.ring()

    def lookup(self, address: str) -> ApiReader | None:
        found = self._find(address)
        return _told(found) if found else None

    def unsubscribe(self, caller: Caller, address: str) -> ApiReader | None:
        app = self.current()
        found = self._find(address)
        if found is None:
            return None
        with app.database.begin() as connection:
            if not leaving.leave(connection, found.id, at=app.now, how=f"api ({caller.name})"):
                return None
            now = subscribers.get(connection, found.id)
        return _told(now) if now else None

    def _find(self, address: str) -> Subscriber | None:
        try:
            wanted = normalise(address)
        except AddressError:
            return None
        with self.current().database.read() as connection:
            return subscribers.find(connection, wanted)


def _told(reader: Subscriber) -> ApiReader:
    return ApiReader(
        reader.address, reader.status.value, reader.regions, reader.language, reader.name, reader.since
    )  # fmt: skip
