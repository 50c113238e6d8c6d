"""aiosmtplib with an EmailMessage for each reader, over several connections."""

from __future__ import annotations

import asyncio

import aiosmtplib
from common import Stopwatch, Task, task


async def send(work: Task, first: int) -> None:
    """Every so-manieth mail, from `first` on."""
    async with aiosmtplib.SMTP(
        hostname="127.0.0.1", port=work.port, start_tls=False, local_hostname="bench.example.org"
    ) as client:
        for number in range(first, work.count, work.connections):
            await client.send_message(work.message(number))


async def main() -> None:
    work = task()
    watch = Stopwatch()
    await asyncio.gather(*(send(work, first) for first in range(work.connections)))
    watch.report()


asyncio.run(main())
