"""A workspace on disk, with feeds over HTTP and an SMTP sink; and the real command as a process in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from digest.app import App, Clock, open_app, system_clock
from digest.config import bundled, load
from digest.newsroom import drafts, editing, intake
from subscribers import store as subscribers
from tests.support.feed_server import FeedServer, feed_server, item, rss
from tests.support.house import over, overrides
from tests.support.smtp import Sink

COMMAND = Path(sys.executable).parent / "digest"
PATIENCE = 60
"""Seconds after which a process counts as stuck."""
STAFF = "editors@example.org"


@dataclass
class Workspace:
    """A folder with a `config.toml` of our own making."""

    folder: Path
    site: FeedServer
    sink: Sink
    settings: dict[str, Any]

    @property
    def path(self) -> Path:
        return self.folder / "config.toml"

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Write the configuration with these changes, as an editor does: all at once."""
        self.settings = over(self.settings, changes)
        part = self.path.with_suffix(".part")
        part.write_text(as_toml(self.settings), encoding="utf-8")
        part.replace(self.path)

    @contextmanager
    def app(self, clock: Clock = system_clock) -> Iterator[App]:
        """The application, in this process."""
        app = open_app(load(self.path, {}), clock=clock)
        try:
            yield app
        finally:
            app.close()

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """The real command in a process of its own."""
        return subprocess.Popen(
            [COMMAND, "--config", self.path, *arguments],
            cwd=self.folder,
            env={**plain_environment(), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **variables: str) -> tuple[int, str, str]:
        """The command to its end: exit code, standard output, standard error."""
        process = self.start(*arguments, **variables)
        out, error = process.communicate(timeout=PATIENCE)
        return process.returncode, out, error

    def books(self) -> dict[str, Any]:
        """What `digest status --json` says."""
        code, out, error = self.run("status", "--json")
        assert code == 0, error
        books: dict[str, Any] = json.loads(out)
        return books

    def publish(self, count: int) -> None:
        """So many fresh articles in the feed, of several regions."""
        regions = ("africa", "asia", "europe")
        items = [
            item(
                title=f"Report {number} from the field",
                link=f"https://observatory.example.org/{number}/",
                guid=f"guid-{number}",
                published=datetime.now(UTC) - timedelta(hours=number + 1),
                categories=[regions[number % 3]],
                description=f"What happened in case {number}. It matters to those who live there.",
            )
            for number in range(count)
        ]
        self.site.feed("/feed/", rss(*items, title="The Observatory"))

    def subscribe(
        self, count: int, regions: tuple[tuple[str, ...], ...] = ((), ("africa",), ("asia", "europe"))
    ) -> None:
        """So many readers, `reader-0@example.org` and on, of these choices in turn."""
        with self.app() as app, app.database.begin() as connection:
            for number in range(count):
                choice = regions[number % len(regions)]
                subscribers.add(
                    connection, app.keys, f"reader-{number}@example.org", regions=choice, consent="a test", at=app.now
                )

    def ready(self) -> str:
        """Pull, compose and approve the edition due; its date."""
        with self.app() as app:
            list(intake.pull(app))
            row = drafts.compose_draft(app).row
            editing.approve(app, row.slug, by="Ada")
            return row.slug

    def digests(self) -> list[str]:
        """Who has a digest, in order, as often as they have it."""
        return [address for address in self.sink.recipients() if address != STAFF]


def plain_environment() -> dict[str, str]:
    """Ours without the settings in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}


@contextmanager
def workspace(
    folder: Path, *, changes: Mapping[str, Any] | None = None, database_url: str | None = None, sink: Sink | None = None
) -> Iterator[Workspace]:
    """A workspace in `folder`: the example configuration, with our feed, our sink, and `changes` over it."""
    with feed_server() as site, (sink or Sink()).serve() as inbox:
        example = tomllib.loads(bundled().path.read_text(encoding="utf-8"))
        # Whatever day it is, an ordinary week is due.
        settings = over(over(example, overrides(folder, site, inbox.port, database_url)), {"schedule": {"skip": []}})
        made = Workspace(folder, site, inbox, settings)
        made.configure(changes or {})
        made.publish(0)
        yield made


def as_toml(settings: Mapping[str, Any]) -> str:
    """Settings as a TOML text: a table for each key that holds one, everything deeper inline."""
    lines: list[str] = []
    for key, value in settings.items():
        if isinstance(value, Mapping):
            lines += [f"[{key}]", *(f"{_quoted(name)} = {_inline(inner)}" for name, inner in value.items())]
        elif value is not None:
            lines.insert(0, f"{key} = {_inline(value)}")
    return "\n".join(lines) + "\n"


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_quoted(name)} = {_inline(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inline(inner) for inner in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return _quoted(value) if isinstance(value, str) else str(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
