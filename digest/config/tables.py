"""The tables of config.toml: every key, its type, its default.

What each means: docs/reference/configuration.md."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from digest.config.values import (
    Address,
    BaseUrl,
    Colour,
    Day,
    Duration,
    Every,
    Font,
    Language,
    Line,
    Listen,
    ListId,
    Mailbox,
    Month,
    Network,
    Port,
    Rate,
    Selector,
    Size,
    Text,
    Topic,
    Url,
    Weekly,
    Zone,
    per_second,
)

Count = Annotated[int, Field(ge=0, le=10_000)]
Some = Annotated[int, Field(ge=1, le=10_000)]


_LEFT_OUT: Any = Field({}, validate_default=True)
"""A table that need not be written: then each of its keys has its own default."""


class Table(BaseModel):
    """A table: frozen, and without room for unknown keys. What checks it is built with the whole document, once."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)


class PublicationTable(Table):
    name: Line
    url: Url
    sender: Mailbox = Field(alias="from")
    reply_to: Address | Literal[""] = ""
    postal_address: Text
    language: Language = "en"
    timezone: Zone = "UTC"
    public_url: BaseUrl
    list_id: ListId | Literal[""] = ""


class StaffTable(Table):
    mail: tuple[Address, ...] = ()
    seeds: tuple[Address, ...] = ()
    seed_lead: Duration = timedelta(minutes=15)


class FeedTable(Table):
    url: Url
    role: Literal["articles", "reading"] = "articles"
    title: Line | Literal[""] = ""


class FetchingTable(Table):
    allow_private_addresses: bool = False
    stale_after: Duration = timedelta(hours=24)
    timeout: Duration = timedelta(seconds=60)
    max_size: Size = 5_000_000
    check_links: bool = True

    def limits(self) -> dict[str, Any]:
        """The limits of one fetch, by the names that `digest.feeds` gives them; seconds and bytes."""
        whole = self.timeout.total_seconds()
        return {"timeout": min(20.0, whole), "deadline": whole, "max_bytes": self.max_size}


class EditionsTable(Table):
    approval: Literal["required", "automatic"] = "required"
    minimum: Count = 3
    lookback: Duration = timedelta(days=7)
    section_limit: Some = 8
    focus_limit: Some = 8
    reading_limit: Count = 6
    reading_per_source: Count = 2


class ScheduleTable(Table):
    pull: Every = "every 1h"
    compose: Weekly
    send: Weekly
    deadline: Duration = timedelta(hours=12)
    skip: tuple[Day, ...] = ()


class FocusTable(Table):
    title: Line
    topics: Annotated[tuple[Topic, ...], Field(min_length=1)]
    introduction: Text | Literal[""] = ""
    link: Url | Literal[""] = ""


class RegionTable(Table):
    name: Line
    link: Url | Literal[""] = ""
    topics: tuple[Topic, ...] = ()
    colour: Colour | Literal[""] = ""


class ListedEventTable(Table):
    date: Day
    title: Line
    link: Url | Literal[""] = ""


class EventsTable(Table):
    calendar: Line | Literal[""] = ""
    listed: tuple[ListedEventTable, ...] = ()


class PinnedTable(Table):
    title: Line
    link: Url
    first: Day | None = Field(None, alias="from")
    last: Day | None = Field(None, alias="until")


class DesignTable(Table):
    logo: Url | Literal[""] = ""
    logo_width: Annotated[int, Field(ge=0, le=600)] = 0
    logo_height: Annotated[int, Field(ge=0, le=600)] = 0
    masthead: Line | Literal[""] = ""
    tagline: Line | Literal[""] = ""
    ink: Colour | Literal[""] = ""
    paper: Colour | Literal[""] = ""
    accent: Colour | Literal[""] = ""
    focus_ground: Colour | Literal[""] = ""
    focus_accent: Colour | Literal[""] = ""
    heading_font: Font | Literal[""] = ""
    body_font: Font | Literal[""] = ""


class WebTable(Table):
    listen: Listen = "127.0.0.1:8000"
    proxies: tuple[Network, ...] = ()

    def address(self) -> tuple[str, int]:
        """The host, without the brackets of IPv6, and the port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


class SignupTable(Table):
    open: bool = True
    origins: tuple[BaseUrl, ...] = ()


class TemplatesTable(Table):
    folder: Line | Literal[""] = ""


class RelayTable(Table):
    """One more relay beside the one of `[smtp]`."""

    host: Line
    port: Port = 25
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: Line | Literal[""] = ""
    password_file: Line | Literal[""] = ""
    token_file: Line | Literal[""] = ""
    ca_file: Line | Literal[""] = ""
    connections: Annotated[int, Field(ge=1, le=100)] = 4
    rate: Rate = "unlimited"
    weight: Annotated[int, Field(ge=0, le=1_000)] = 1


class SmtpTable(Table):
    host: Line = "127.0.0.1"
    port: Port = 25
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: Line | Literal[""] = ""
    password: SecretStr = SecretStr("")
    password_file: Line | Literal[""] = ""
    token_file: Line | Literal[""] = ""
    ca_file: Line | Literal[""] = ""
    connections: Annotated[int, Field(ge=1, le=100)] = 4
    rate: Rate = "unlimited"
    weight: Annotated[int, Field(ge=0, le=1_000)] = 1
    timeout: Duration = timedelta(minutes=5)  # RFC 5321, section 4.5.3.2
    rates: dict[Line, Rate] = {}
    spread: Duration | None = None
    relays: tuple[RelayTable, ...] = ()

    def rate_per_second(self) -> float | None:
        """Messages a second in all; None without a limit."""
        return per_second(self.rate)


class SecretsTable(Table):
    key_file: Line | Literal[""] = ""
    keys: SecretStr = SecretStr("")


class DkimKeyTable(Table):
    """A private key in PEM (RSA of 2048 bits or more, or Ed25519) and the selector it is published under."""

    selector: Selector
    key_file: Line


class DkimTable(Table):
    domain: Line | Literal[""] = ""
    keys: tuple[DkimKeyTable, ...] = ()


class WebhooksTable(Table):
    """What proves that a report comes from the provider; one that is not configured is not there."""

    ses_topic: Line | Literal[""] = ""
    postmark_file: Line | Literal[""] = ""
    mailgun_file: Line | Literal[""] = ""
    sendgrid_file: Line | Literal[""] = ""


class BouncesTable(Table):
    address: Address | Literal[""] = ""
    maildir: Line | Literal[""] = ""
    imap_host: Line | Literal[""] = ""
    imap_port: Port = 993
    imap_security: Literal["none", "starttls", "tls"] = "tls"
    imap_username: Line | Literal[""] = ""
    imap_password: SecretStr = SecretStr("")
    imap_password_file: Line | Literal[""] = ""
    imap_folder: Line = "INBOX"
    imap_ca_file: Line | Literal[""] = ""
    listen: Listen | Literal[""] = ""
    webhooks: WebhooksTable = _LEFT_OUT


class DatabaseTable(Table):
    url: Line = "sqlite:///var/digest.sqlite3"
    url_file: Line | Literal[""] = ""


class Tables(Table):
    """The whole document."""

    publication: PublicationTable
    staff: StaffTable = _LEFT_OUT
    feeds: Annotated[tuple[FeedTable, ...], Field(min_length=1)]
    fetching: FetchingTable = _LEFT_OUT
    editions: EditionsTable = _LEFT_OUT
    schedule: ScheduleTable | None = None
    focus: dict[Month, FocusTable] = {}
    regions: tuple[RegionTable, ...] = ()
    kinds: dict[Topic, Line] = {}
    events: EventsTable = _LEFT_OUT
    pinned: tuple[PinnedTable, ...] = ()
    links: dict[Line, Url] = {}
    design: DesignTable = _LEFT_OUT
    signup: SignupTable = _LEFT_OUT
    web: WebTable = _LEFT_OUT
    templates: TemplatesTable = _LEFT_OUT
    smtp: SmtpTable = _LEFT_OUT
    secrets: SecretsTable = _LEFT_OUT
    dkim: DkimTable = _LEFT_OUT
    bounces: BouncesTable = _LEFT_OUT
    database: DatabaseTable = _LEFT_OUT


SECRETS: dict[tuple[str, str], str] = {
    ("smtp", "password"): "password_file",
    ("bounces", "imap_password"): "imap_password_file",
    ("secrets", "keys"): "key_file",
}
"""Keys that must not stand in the file: the environment gives them, or a file that the other key names."""
