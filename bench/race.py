"""The race: `digest send` as it really runs, smtp-source, and the peers, in one run, in turn, several rounds.

What is counted. For `digest send`: from the first claim to the last result, as its own ledger has them; the whole
command, with start-up and the freezing of candidates, is told beside it. For smtp-source: the whole process. For the
peers: from the first mail to the last, without start-up. CPU is user and system time of the sending process alone."""

from __future__ import annotations

import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench import meter
from bench.house import House
from digest.delivery.message import compile as compile_message
from digest.delivery.signing_keys import KeyType, make
from digest.post_office.content import rendition
from digest.post_office.mail import header_settings
from digest.rendering.model import PLACES, place
from digest.which import current

PEERS = Path(__file__).with_name("peers")
NEAR_CONNECTIONS = 8
FAR_CONNECTIONS = 64
FAR_DELAY = 0.005
"""Seconds from a command to its answer: the round trip of a relay 5 ms away."""


@dataclass(frozen=True)
class Lap:
    """One sender's go: mails, seconds and CPU seconds of the phase that counts; `whole` the command's seconds and
    `whole_cpu` its CPU; `memory` its peak in bytes."""

    count: int
    seconds: float
    cpu: float
    whole: float
    whole_cpu: float
    memory: int

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    @property
    def cpu_each(self) -> float:
        """Microseconds a message."""
        return self.cpu / self.count * 1e6


@dataclass(frozen=True)
class Result:
    """The laps of one sender, and their medians."""

    name: str
    laps: tuple[Lap, ...]

    def median(self, of: Callable[[Lap], float]) -> float:
        return statistics.median(of(lap) for lap in self.laps)

    @property
    def rate(self) -> float:
        return self.median(lambda lap: lap.rate)

    @property
    def cpu(self) -> float:
        return self.median(lambda lap: lap.cpu_each)


Sender = Callable[[int, Path], Lap]
"""Sends all it has to that port of this machine, with a folder of its own for the round."""


def race(senders: dict[str, Sender], port: int, scratch: Path, rounds: int) -> list[Result]:
    """Everyone in turn, `rounds` times, so that a slow moment of the machine hits all alike."""
    laps: dict[str, list[Lap]] = {name: [] for name in senders}
    for number in range(rounds):
        for name, sender in senders.items():
            folder = scratch / "lap"
            shutil.rmtree(folder, ignore_errors=True)
            lap = sender(port, folder)
            laps[name].append(lap)
            print(f"  round {number + 1}: {name:42} {lap.rate:8.0f}/s {lap.cpu_each:8.0f} µs", flush=True)
    return [Result(name, tuple(found)) for name, found in laps.items()]


def digest_send(house: House, connections: int, **settings: str) -> Sender:
    """The real command, on a fresh copy of the house."""

    def send(port: int, folder: Path) -> Lap:
        copy = house.again(folder)
        ran = meter.run(
            copy.command("send", "--now", "--json"), env=_environment(copy, port, connections, settings), cwd=folder
        )
        return lap_of(copy, ran)

    return send


def _environment(house: House, port: int, connections: int, settings: dict[str, str]) -> dict[str, str]:
    return house.environment(DIGEST_SMTP__PORT=str(port), DIGEST_SMTP__CONNECTIONS=str(connections), **settings)


def lap_of(house: House, ran: meter.Ran) -> Lap:
    """What the ledger of a SQLite house says of its send."""
    with closing(sqlite3.connect(house.database)) as connection:
        first, last, count, others = connection.execute(
            "SELECT min(first_attempt_at), max(settled_at), sum(status = 'sent'), sum(status <> 'sent') FROM deliveries"
        ).fetchone()
    if others:
        raise SystemExit(f"{others} of {count + others} mails were not sent: this race does not count\n{ran.output}")
    begun, ended = (datetime.fromisoformat(f"{text}+00:00").timestamp() for text in (first, last))
    return Lap(count, ended - begun, ran.cpu_between(begun, ended), ran.seconds, ran.cpu, ran.memory)


def smtp_source(message: Path, count: int, sessions: int, *, keep: bool) -> Sender:
    """Postfix's load generator; `keep`: many messages over a connection, else a connection each, as by default."""

    def send(port: int, _folder: Path) -> Lap:
        options = ["-d"] if keep else []
        options += ["-s", str(sessions), "-m", str(count), "-F", str(message)]
        options += ["-f", "roundup@news.example.org", "-t", "reader@example.org"]
        ran = meter.run([meter.tool("smtp-source"), *options, f"127.0.0.1:{port}"])
        return Lap(count, ran.seconds, ran.cpu, ran.seconds, ran.cpu, ran.memory)

    return send


def peer(script: str, task: dict[str, object], count: int, connections: int, *more: str) -> Sender:
    """One of the scripts in peers/, with the same texts."""

    def send(port: int, folder: Path) -> Lap:
        folder.mkdir()
        told = folder / "task.json"
        told.write_text(
            json.dumps({**task, "port": port, "count": count, "connections": connections}), encoding="utf-8"
        )
        program = meter.tool("node") if script.endswith(".mjs") else sys.executable
        ran = meter.run([program, str(PEERS / script), str(told), *more])
        said = json.loads(ran.output)
        return Lap(count, said["seconds"], said["cpu"], ran.seconds, ran.cpu, ran.memory)

    return send


def task_of(house: House) -> dict[str, object]:
    """The edition's own texts, with its personal places, for the peers."""
    with house.app() as app:
        made = rendition(app, current(app, None).edition, ())
        sender = app.config.publication.sender
    assert made is not None
    values = {"UNSUBSCRIBE": "https://roundup.example.org/u/", "PREFERENCES": "https://roundup.example.org/p/"}
    places = {place(name): values.get(name, " on March 3, 2013, ") for name in PLACES}
    return {"subject": made.subject, "sender": sender, "html": made.html, "text": made.text, "places": places}


def message_of(house: House, path: Path) -> int:
    """The edition's message as a file for smtp-source, which ends lines itself; its size on the wire."""
    with house.app() as app:
        made = rendition(app, current(app, None).edition, ())
        assert made is not None
        compiled = compile_message(made, headers=header_settings(app), mail="digest", key="bench")
    body = b"".join(part for part in compiled.parts if isinstance(part, bytes))
    path.write_bytes(body.replace(b"\r\n", b"\n"))
    return len(body)


def dkim_keys(house: House) -> dict[str, Path]:
    """A private key of each kind, in files, by the kind's name."""
    kinds: dict[str, KeyType] = {"Ed25519": "ed25519", "RSA-2048": "rsa"}
    made = {}
    for name, kind in kinds.items():
        made[name] = path = house.folder / f"{kind}.pem"
        if not path.exists():
            make(path, kind)
    return made


def signing_with(path: Path) -> dict[str, str]:
    """The settings that sign with that key."""
    keys = [{"selector": path.stem, "key_file": str(path)}]
    return {"DIGEST_DKIM__KEYS": json.dumps(keys), "DIGEST_DKIM__DOMAIN": "news.example.org"}


def nodemailer(folder: Path) -> Path | None:
    """Its folder, installed by npm when it is not there; None where that cannot be."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("  nodemailer is left out: node and npm are missing")
        return None
    if not (folder / "node_modules" / "nodemailer").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [meter.tool("npm"), "install", "--silent", "--prefix", str(folder), "nodemailer"], check=False
        )
        if done.returncode:
            print("  nodemailer is left out: npm could not install it")
            return None
    return folder / "node_modules"


def has(module: str) -> bool:
    """Whether a peer's package is installed; says so where it is not."""
    from importlib.util import find_spec

    if find_spec(module) is None:
        print(f"  {module} is left out: it is not installed (see requirements/bench.txt)")
        return False
    return True
