"""A publication made for the benchmarks: its configuration, a feed over HTTP, readers, and an edition approved.

Everything goes through the use cases; only the readers are written straight into their table, for a million of them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import combinations
from pathlib import Path

from digest.app import App, open_app
from digest.config import load
from digest.database import insert_or_ignore
from digest.newsroom import drafts, editing, intake
from subscribers.model import Status
from subscribers.store import new_row
from subscribers.tables import subscribers

REGIONS = ("africa", "americas", "asia", "europe", "middle east")
PROVIDERS = ("example.org", "example.net", "example.com", "mail.example.org", "post.example.net")
CHOICES: tuple[tuple[str, ...], ...] = tuple(
    chosen for size in range(len(REGIONS) + 1) for chosen in combinations([r.replace(" ", "-") for r in REGIONS], size)
)
"""Every choice of regions there is: 32."""

_SENTENCES = (
    "Negotiators left the capital on Tuesday without a text, and the two delegations no longer share a hotel.",
    "Three harvests have failed in a row, and the markets along the river now close before noon.",
    "The court has asked for the archive; the ministry says that half of it burned in the second week of the war.",
    "What the monitors counted and what the ministers signed have stopped being the same thing.",
)

_CONFIG = """
[publication]
name = "The Global Observatory"
url = "https://observatory.example.org"
from = "The Global Observatory <roundup@news.example.org>"
reply_to = "editors@example.org"
postal_address = "The Global Observatory, 12 Harbour Walk, Example City, EX 10017"
public_url = "https://roundup.example.org"

[staff]
mail = []

[[feeds]]
url = "{feed}"
role = "articles"

[fetching]
allow_private_addresses = true
check_links = false

[editions]
section_limit = 40

{regions}

[smtp]
host = "127.0.0.1"
port = 25
security = "none"

[secrets]
key_file = "keys"

[database]
url = "sqlite:///digest.sqlite3"
"""


@dataclass
class House:
    """A folder with a configuration and a database, in which the real command runs."""

    folder: Path
    database_url: str = ""
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        return self.folder / "digest.sqlite3"

    def environment(self, **more: str) -> dict[str, str]:
        """Ours, without the settings in it, and with those of this house."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}
        made = {**plain, **self.settings, **more}
        if self.database_url:
            made["DIGEST_DATABASE__URL"] = self.database_url
        return made

    def command(self, *arguments: str) -> list[str]:
        return [str(Path(sys.executable).parent / "digest"), "--config", str(self.folder / "config.toml"), *arguments]

    def run(self, *arguments: str, **more: str) -> str:
        """The command to its end; what it printed. Raises CalledProcessError, after showing what it said."""
        done = subprocess.run(
            self.command(*arguments), env=self.environment(**more), cwd=self.folder, capture_output=True, text=True
        )
        if done.returncode:
            sys.stderr.write(done.stdout + done.stderr)
            done.check_returncode()
        return done.stdout

    @contextmanager
    def app(self) -> Iterator[App]:
        settings = {**self.settings, **({"DIGEST_DATABASE__URL": self.database_url} if self.database_url else {})}
        made = open_app(load(self.folder / "config.toml", settings))
        try:
            yield made
        finally:
            made.close()

    def again(self, folder: Path) -> House:
        """The same house in another folder, its SQLite database copied: each round begins alike."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("journals", "*-wal", "*-shm"))
        return House(folder, "", dict(self.settings))


def build(
    folder: Path,
    *,
    readers: int,
    choices: Sequence[tuple[str, ...]] = ((),),
    articles: int = 60,
    database_url: str = "",
    approve: bool = True,
) -> House:
    """A house with so many readers, so many articles, and an edition of them approved, or left to be composed."""
    folder.mkdir(parents=True)
    house = House(folder, database_url)
    with _feed(articles) as url:
        (folder / "config.toml").write_text(_CONFIG.format(feed=url, regions=_regions()), encoding="utf-8")
        with house.app() as app:
            _subscribe(app, readers, choices)
            for _ in intake.pull(app):
                pass
            if approve:
                editing.approve(app, drafts.compose_draft(app).row.slug, by="bench", reason="a benchmark")
    if not database_url:
        with closing(sqlite3.connect(house.database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return house


def _regions() -> str:
    return "\n".join(f'[[regions]]\nname = "{name.title()}"\ntopics = ["{name}"]\n' for name in REGIONS)


def _subscribe(app: App, count: int, choices: Sequence[tuple[str, ...]]) -> None:
    now = app.now
    _ = app.keys
    with app.database.begin() as connection:
        for start in range(0, count, 10_000):
            rows = [
                new_row(
                    f"reader{number:07d}@{PROVIDERS[number % len(PROVIDERS)]}",
                    Status.ACTIVE,
                    choices[number % len(choices)],
                    "",
                    "",
                    "bench",
                    now - timedelta(days=number % 900),
                )
                for number in range(start, min(start + 10_000, count))
            ]
            insert_or_ignore(connection, subscribers, rows)


@contextmanager
def _feed(count: int) -> Iterator[str]:
    """A feed of so many articles of all regions, while it is needed."""
    now = datetime.now(UTC)
    items = "".join(_item(number, now - timedelta(hours=1 + number)) for number in range(count))
    body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Bench</title>{items}</channel></rss>'.encode()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/feed"
        finally:
            server.shutdown()


def _item(number: int, published: datetime) -> str:
    text = " ".join(_SENTENCES[(number + step) % len(_SENTENCES)] for step in range(3))
    link = f"https://observatory.example.org/2026/{number:03d}/a-headline-that-is-as-long-as-they-are/"
    return (
        f"<item><title>Number {number}: what was promised, and what has come of it since</title><link>{link}</link>"
        f"<guid>{link}</guid><author>author@example.org (Ada Example)</author>"
        f"<pubDate>{format_datetime(published)}</pubDate><category>{REGIONS[number % len(REGIONS)]}</category>"
        f"<description>{text}</description></item>"
    )
