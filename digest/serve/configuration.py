"""The configuration of a process that stays up: its file is looked at again and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from digest.app import App, Clock, open_app
from digest.config import load
from digest.errors import ConfigError, DigestError


class Configuration:
    """A file, and what it looked like when it was last read."""

    def __init__(self, path: Path, environ: Mapping[str, str], clock: Clock) -> None:
        self.path = path
        self._environ = environ
        self._clock = clock
        self._seen = _stamp(path)

    def open(self) -> App:
        """Raises DigestError where it, or its database, cannot be used."""
        return open_app(load(self.path, self._environ), clock=self._clock)

    def take_up(self, app: App, take: Callable[[App], None]) -> DigestError | None:
        """Where the file has changed since it was last looked at, hand the new application to `take`.

        Returns why it is refused, or None."""
        stamp = _stamp(self.path)
        if stamp == self._seen:
            return None
        try:
            take(self._fresh(app))
        except DigestError as error:
            return error
        finally:
            self._seen = stamp
        return None

    def _fresh(self, app: App) -> App:
        config = load(self.path, self._environ)
        if config.database_url() != app.config.database_url():
            raise ConfigError(str(self.path), "[database] url has changed", mend="restart to move to another database")
        fresh = App(config, app.database, self._clock)
        _ = fresh.schedule, fresh.publication, fresh.keys  # what is made when it is needed must be good now
        return fresh


def _stamp(path: Path) -> tuple[int, int, int]:
    """What changes when the file is written anew, or another takes its place; zeros where there is none."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
