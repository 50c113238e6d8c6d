"""A live progress bar for people, a clean stop for Ctrl-C and SIGTERM."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

    from digest.app import App
    from digest.post_office.figures import Progress


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Yields the event that asks the sender to stop.

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
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def following(app: App, key: str, *, quiet: bool) -> Iterator[threading.Event]:
    """`stopping`, with a live display of the figures of `key` where standard error is a terminal."""
    with stopping() as stop:
        if quiet or not sys.stderr.isatty():
            yield stop
            return
        over = threading.Event()
        with live() as show:  # what it imports is imported here: two threads that import at once trip each other up
            thread = threading.Thread(target=_display, args=(app, key, over, show), name="progress", daemon=True)
            thread.start()
            try:
                yield stop
            finally:
                over.set()
                thread.join()


def _display(app: App, key: str, over: threading.Event, show: Callable[[Progress], None]) -> None:
    from digest.errors import DigestError
    from digest.post_office.figures import follow, look

    while True:
        try:
            for progress in follow(app, key, over.wait, every=0.5):
                show(progress)
        except DigestError:
            pass  # the database is busy or away: the sender says so, a display need not
        if over.wait(0.5):
            break
    with suppress(DigestError):
        show(look(app, key))


@contextmanager
def live() -> Iterator[Callable[[Progress], None]]:
    """Yields what shows the figures of a moment in the place of those before."""
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), refresh_per_second=4) as display:
        yield lambda progress: display.update(picture(progress))


def picture(progress: Progress) -> RenderableType:
    """A bar with the books, the rate and the time left, and a line for each of the largest providers."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    from digest.post_office.figures import duration

    f, b = progress.figures, progress.figures.books
    top = Table.grid(padding=(0, 1))
    rate = "" if progress.rate is None else f"{progress.rate:.0f}/s"
    left = "" if not progress.seconds_left else f"{duration(progress.seconds_left)} left"
    bar = ProgressBar(total=max(1, b.candidates), completed=f.done, width=30)
    top.add_row(Text(f"{progress.key} {progress.state}"), bar, Text(f"{f.done}/{b.candidates}"), Text(rate), Text(left))
    counts = {
        "sent": b.sent,
        "failed": b.failed,
        "excluded": b.excluded,
        "uncertain": b.uncertain,
        "deferred": f.deferred,
    }
    lines: list[Any] = [top, Text("  " + "  ".join(f"{count} {name}" for name, count in counts.items()))]
    largest = sorted(f.providers.items(), key=lambda item: (-sum(item[1].values()), item[0]))[:5]
    for provider, by_status in largest:
        said = ", ".join(f"{count} {status}" for status, count in sorted(by_status.items()))
        lines.append(Text(f"  {provider or 'not known'}: {said}", style="dim"))
    trouble = {reply: count for reply, count in f.replies.items() if not reply.startswith("2")}
    lines += [Text(f"  {count} × {reply}", style="yellow") for reply, count in list(trouble.items())[:5]]
    return Group(*lines)
