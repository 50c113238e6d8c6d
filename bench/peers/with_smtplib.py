"""smtplib with an EmailMessage for each reader: one connection, or threads with one each."""

from __future__ import annotations

import smtplib
from concurrent.futures import ThreadPoolExecutor

from common import Stopwatch, Task, task


def send(work: Task, first: int) -> None:
    """Every so-manieth mail, from `first` on."""
    with smtplib.SMTP("127.0.0.1", work.port, local_hostname="bench.example.org") as client:
        for number in range(first, work.count, work.connections):
            client.send_message(work.message(number))


work = task()
watch = Stopwatch()
with ThreadPoolExecutor(work.connections) as pool:
    list(pool.map(lambda first: send(work, first), range(work.connections)))
watch.report()
