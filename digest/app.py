"""One application: the configuration, the database, the clock. The command line, the web pages, the scheduler and the
sender each open one, and call the use cases of `newsroom` and `post_office` with it.

The configuration enters here, and only here: rooms are handed the plain values below."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from digest.articles.model import GLOBAL
from digest.config import Config
from digest.database import Database
from digest.delivery.headers import wire_address
from digest.delivery.signing import Signer
from digest.delivery.verp import ReturnPath
from digest.editions.schedule import Schedule, parse_weekly
from digest.errors import DigestError, UsageError
from digest.migrations.head import HEAD
from subscribers import store as subscribers
from subscribers.keys import KeyFile, Keys

if TYPE_CHECKING:
    from digest.rendering.environment import Templates
    from digest.rendering.model import Design, Publication

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class App:
    """What every use case needs. Values that cost something are made when they are first asked for."""

    config: Config
    database: Database
    clock: Clock = field(default=system_clock)

    @property
    def now(self) -> datetime:
        return self.clock()

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.config.publication.timezone)

    @cached_property
    def schedule(self) -> Schedule | None:
        """The publication's week, or None where nothing runs by itself."""
        table = self.config.schedule
        if table is None:
            return None
        return Schedule(
            parse_weekly(table.compose),
            parse_weekly(table.send),
            table.deadline,
            frozenset(_days(table.skip)),
        )

    @cached_property
    def publication(self) -> Publication:
        """As mails and pages show it; `region_names` with the word for what is about no region, last."""
        from digest.rendering.i18n import headings  # Babel

        made = self.config.publication_view()
        word = headings(made.language, date(2000, 1, 1))[GLOBAL]
        return replace(made, region_names={**made.region_names, GLOBAL: word})

    @cached_property
    def design(self) -> Design:
        return self.config.design_view()

    @cached_property
    def templates(self) -> Templates:
        from digest.rendering.environment import Templates  # Jinja2: only for commands that render

        return Templates(self.config.templates_folder())

    @property
    def keys(self) -> Keys:
        """The keys of tokens and of suppression, as they are now; the file is made when it is first needed, before
        there are readers."""
        return self._key_file.keys()

    @cached_property
    def _key_file(self) -> KeyFile:
        def nobody_yet() -> bool:
            with self.database.read() as connection:
                return subscribers.is_empty(connection)

        return KeyFile(self.config.key_path(), self.config.secrets.keys.get_secret_value(), may_make=nobody_yet)

    @cached_property
    def signer(self) -> Signer | None:
        """What signs our mails (DKIM); None where the relay may. Raises ConfigError for a key that cannot be used."""
        files = self.config.signing_keys()
        if not files:
            return None
        from digest.delivery import signing_keys  # cryptography: only for commands that make mails

        keys = tuple(signing_keys.load(selector, path) for selector, path in files.items())
        return Signer(self.config.signing_domain(), keys)

    @cached_property
    def return_path(self) -> ReturnPath | None:
        """Where mails are returned to, with the keys of what only we can have made; None: to `from`."""
        address = self.config.bounces.address
        return ReturnPath(wire_address(address), self.keys.tokens) if address else None

    @cached_property
    def journals(self) -> Path:
        """Where the sender's connections write down what they are doing, on this machine."""
        folder = self.config.state_folder() / "journals"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def approves_itself(self) -> bool:
        """Whether an edition goes without anybody's word."""
        return self.config.editions.approval == "automatic"

    def refuse_unlawful(self) -> None:
        """Raises UsageError, naming the key, where no digest may go to readers."""
        why = self.config.lawful_for_sending
        if why:
            raise UsageError(why)

    def close(self) -> None:
        self.database.close()


def _days(values: tuple[date | str, ...]) -> list[date]:
    return [value if isinstance(value, date) else date.fromisoformat(value) for value in values]


def open_database(config: Config) -> Database:
    """The database of a configuration, its folder made. Raises DigestError where that cannot be."""
    database = Database(config.database_url())
    if database.path is not None:
        folder = database.path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DigestError(
                f"the folder {folder} for the database cannot be made: {error.strerror}",
                mend="give this user write access there, or change `[database] url`",
            ) from error
        if not os.access(folder, os.W_OK):
            raise DigestError(
                f"the folder {folder} of the database is read-only", mend="give this user write access there"
            )
    return database


def open_app(config: Config, *, clock: Clock = system_clock) -> App:
    """Open the database, with its tables when it is empty. Raises DigestError where it is of another version."""
    database = open_database(config)
    check_version(database)
    return App(config, database, clock)


def check_version(database: Database) -> None:
    """An empty database gets its tables by itself; one of another version is for `digest db upgrade`."""
    version = None
    with database.read() as connection:
        if sa.inspect(connection).has_table("alembic_version"):
            version = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    if version == HEAD:
        return
    if version is not None:
        raise DigestError(
            f"the database is at revision {version}, the program at {HEAD}", mend="run `digest db upgrade`"
        )
    from digest.migrations import upgrade

    upgrade(database)
