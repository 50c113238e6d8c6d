"""A progress bar for people, a clean stop for Ctrl-C and SIGTERM."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def following(*, quiet: bool) -> Iterator[tuple[Callable[[int, int], None], threading.Event]]:
    """Yields what the sender calls as it goes, and the event that asks it to stop.

    The first Ctrl-C (or SIGTERM) lets the mails in flight finish, the second ends it at once; nothing is lost either
    way."""
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(_number: int, _frame: object) -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        stop.set()

    for number in before:
        signal.signal(number, ask)
    try:
        if quiet or not sys.stderr.isatty():
            yield (lambda _done, _total: None), stop
        else:
            with _bar() as show:
                yield show, stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    from time import monotonic

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns: tuple[Any, ...] = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f}/s"),
        TimeRemainingColumn(),
    )
    started = monotonic()
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("Sending", total=None, rate=0.0)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, rate=done / max(0.001, monotonic() - started))

        yield show
