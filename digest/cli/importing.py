"""How `digest subscribers import` speaks: a bar at a terminal, each line of a dry run, the report."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from subscribers.csv_import import ImportReport, Told

Progress = Callable[["ImportReport", int, int], None]


@contextmanager
def bar(*, quiet: bool) -> Iterator[Progress | None]:
    """What is called as rows go in; None where nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns: tuple[Any, ...] = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
    )
    began = monotonic()
    with Bar(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("Importing", total=None, rows=0, rate=0.0)

        def show(report: ImportReport, done: int, total: int) -> None:
            rate = report.rows / max(0.001, monotonic() - began)
            shown.update(task, completed=done, total=total, rows=report.rows, rate=rate)

        yield show


class AsDocument:
    """One JSON document, written as it comes: a dry run's lines may be a million."""

    def __init__(self) -> None:
        self._lines = 0

    def line(self, told: Told) -> None:
        sys.stdout.write('{"lines": [\n' if not self._lines else ",\n")
        json.dump(asdict(told), sys.stdout, ensure_ascii=False)
        self._lines += 1

    def end(self, report: ImportReport) -> None:
        rest = json.dumps(report.as_json(), ensure_ascii=False, indent=2)
        if report.dry_run:
            sys.stdout.write("\n],\n" if self._lines else '{"lines": [],\n')
            rest = rest.removeprefix("{\n")
        sys.stdout.write(f"{rest}\n")
