"""The configuration as the app asks for it: the tables as read, and the rooms' own types made from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from digest.articles.model import Region
from digest.config.aligned import from_domain, signing_domain
from digest.config.placeholders import POSTAL_ADDRESS
from digest.config.slugs import slug
from digest.config.tables import (
    BouncesTable,
    DesignTable,
    EditionsTable,
    EventsTable,
    FetchingTable,
    PublicationTable,
    RelayTable,
    ScheduleTable,
    SecretsTable,
    SmtpTable,
    StaffTable,
    Tables,
    WebTable,
)
from digest.config.values import per_second
from digest.delivery.providers import provider_of
from digest.delivery.session import RelaySettings
from digest.editions.model import Event, Focus, Pin
from digest.editions.schedule import parse_every
from digest.feeds.model import Feed

if TYPE_CHECKING:
    from digest.rendering.model import Design, Publication


@dataclass(frozen=True)
class Config:
    """A configuration that was found valid. `path` is its file; relative paths count from the file's folder.

    Rooms get the plain values that the methods below return, never the configuration itself."""

    path: Path
    tables: Tables

    @property
    def publication(self) -> PublicationTable:
        return self.tables.publication

    @property
    def staff(self) -> StaffTable:
        return self.tables.staff

    @property
    def fetching(self) -> FetchingTable:
        return self.tables.fetching

    @property
    def editions(self) -> EditionsTable:
        return self.tables.editions

    @property
    def schedule(self) -> ScheduleTable | None:
        return self.tables.schedule

    @property
    def events(self) -> EventsTable:
        return self.tables.events

    @property
    def design(self) -> DesignTable:
        return self.tables.design

    @property
    def web(self) -> WebTable:
        return self.tables.web

    @property
    def smtp(self) -> SmtpTable:
        return self.tables.smtp

    @property
    def bounces(self) -> BouncesTable:
        return self.tables.bounces

    @property
    def secrets(self) -> SecretsTable:
        return self.tables.secrets

    @property
    def kinds(self) -> dict[str, str]:
        """Category, in lower case, to the label that readers see."""
        return dict(self.tables.kinds)

    @property
    def folder(self) -> Path:
        return self.path.absolute().parent

    def resolve(self, path: str | Path) -> Path:
        """That path, counted from the configuration's folder when it is relative."""
        return self.folder / Path(path).expanduser()

    def feed_list(self) -> tuple[Feed, ...]:
        return tuple(Feed(url=feed.url, title=feed.title, role=feed.role) for feed in self.tables.feeds)

    def region_list(self) -> tuple[Region, ...]:
        return tuple(Region(slug(r.name), r.name, r.topics, r.link) for r in self.tables.regions)

    def focus_calendar(self) -> tuple[Focus, ...]:
        """Every configured focus, earliest month first."""
        return tuple(
            Focus(month, focus.title, focus.topics, focus.introduction, focus.link)
            for month, focus in sorted(self.tables.focus.items())
        )

    def pin_list(self) -> tuple[Pin, ...]:
        return tuple(Pin(pin.title, pin.link, pin.first, pin.last) for pin in self.tables.pinned)

    def listed_events(self) -> tuple[Event, ...]:
        return tuple(Event(event.date, event.title, event.link) for event in self.events.listed)

    def publication_view(self) -> Publication:
        """What mails and pages show of the publication. The word for "global" is the catalogue's."""
        from digest.rendering.model import Publication

        about = self.publication
        return Publication(
            name=about.name,
            url=about.url,
            language=about.language,
            timezone=about.timezone,
            postal_address=about.postal_address,
            public_url=about.public_url,
            reply_to=about.reply_to,
            links={_LABELS.get(name.lower(), name): url for name, url in self.tables.links.items()},
            region_names={region.slug: region.name for region in self.region_list()},
        )

    def design_view(self) -> Design:
        from digest.rendering.model import Design

        colours = {slug(region.name): region.colour for region in self.tables.regions if region.colour}
        return Design(**self.design.model_dump(), region_colours=colours)

    def pull_interval(self) -> timedelta:
        """How long from one pull to the next; an hour where there is no schedule."""
        return parse_every(self.schedule.pull if self.schedule else "every 1h")

    def relay(self) -> RelaySettings:
        """The relay of `[smtp]` itself, the first."""
        return self.relays()[0]

    def relays(self) -> tuple[RelaySettings, ...]:
        """Every relay, with the passwords of `[smtp]` as they are and those of the others as files."""
        smtp = self.smtp
        first = self._relay(smtp, smtp.password.get_secret_value())
        return (first, *(self._relay(relay, "") for relay in smtp.relays))

    def _relay(self, relay: RelayTable | SmtpTable, password: str) -> RelaySettings:
        return RelaySettings(
            relay.host,
            relay.port,
            relay.security,
            relay.username,
            password,
            ca_file=str(self.resolve(relay.ca_file)) if relay.ca_file else "",
            command_timeout=self.smtp.timeout.total_seconds(),
            token_file=str(self.resolve(relay.token_file)) if relay.token_file else "",
            password_file=str(self.resolve(relay.password_file)) if relay.password_file and not password else "",
            connections=relay.connections,
            weight=relay.weight,
            rate=per_second(relay.rate),
        )

    def provider_rates(self) -> dict[str, float]:
        """Mails a second by provider; where two domains of one provider have a rate, the lower holds."""
        rates: dict[str, float] = {}
        for domain, rate in self.smtp.rates.items():
            limit, provider = per_second(rate), provider_of(domain)
            if limit is not None:
                rates[provider] = min(limit, rates.get(provider, limit))
        return rates

    def sender_domain(self) -> str:
        """The domain of `from`, as DNS knows it."""
        return from_domain(self.tables)

    def signing_domain(self) -> str:
        """d= of DKIM signatures: the domain of `from`, or its parent."""
        return signing_domain(self.tables)

    def signing_keys(self) -> dict[str, Path]:
        """The files of DKIM's private keys, by selector."""
        return {key.selector: self.resolve(key.key_file) for key in self.tables.dkim.keys}

    def list_id(self) -> str:
        """The list's identifier: as configured, or "roundup" under the domain of From."""
        return self.publication.list_id or "roundup." + self.publication.sender.rpartition("@")[2].rstrip(">").lower()

    def database_url(self) -> str:
        """The database's URL, with the path of an SQLite file made absolute."""
        url = make_url(self.tables.database.url)
        if url.get_backend_name() == "sqlite" and url.database:
            url = url.set(database=str(self.resolve(url.database)))
        return url.render_as_string(hide_password=False)

    def state_folder(self) -> Path:
        """Where this machine keeps what belongs to the database: beside the SQLite file, else `var`."""
        url = make_url(self.database_url())
        return Path(url.database).parent if url.get_backend_name() == "sqlite" and url.database else self.resolve("var")

    def key_path(self) -> Path:
        """The file of the keys: as configured, or `keys` in the state folder."""
        return self.resolve(self.secrets.key_file) if self.secrets.key_file else self.state_folder() / "keys"

    def templates_folder(self) -> Path | None:
        """The operator's own templates: as configured, else `templates` beside the file, else None."""
        if self.tables.templates.folder:
            return self.resolve(self.tables.templates.folder)
        beside = self.resolve("templates")
        return beside if beside.is_dir() else None

    @property
    def relay_is_loopback(self) -> bool:
        """Whether all mail goes to relays on this machine."""
        return all(is_loopback(relay.host) for relay in self.relays())

    @property
    def lawful_for_sending(self) -> str | None:
        """None, or why a digest must not go to readers: the law wants a postal address, and one-click needs https
        (RFC 8058, section 3.1). To a relay on this machine anything may go."""
        if self.relay_is_loopback:
            return None
        if self.publication.postal_address == POSTAL_ADDRESS:
            return (
                f"{self.path} [publication] postal_address is still the placeholder, and the law wants yours in every "
                f"mail; preview works, sending to {self.smtp.host} does not"
            )
        if urlsplit(self.publication.public_url).scheme == "https":
            return None
        return (
            f"{self.path} [publication] public_url: {self.publication.public_url!r} is not https, so readers "
            f"could not leave with one click; preview and tests work, sending to {self.smtp.host} does not"
        )


def is_loopback(host: str) -> bool:
    host = host.strip("[]").lower()
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


_LABELS = {
    "facebook": "Facebook",
    "instagram": "Instagram",
    "itunes": "iTunes",
    "linkedin": "LinkedIn",
    "mastodon": "Mastodon",
    "privacy": "Privacy",
    "rss": "RSS",
    "twitter": "Twitter",
    "youtube": "YouTube",
}
"""How the usual keys of [links] are written for readers; any other key is its own label."""
