"""The table of `digest pull`: it grows as each feed is done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from digest.newsroom.intake import PullReport


def follow(out: Console, reports: Iterable[PullReport], count: int) -> list[PullReport]:
    """Show the reports as they come, on a terminal; else all of them at the end. Returns them."""
    done: list[PullReport] = []
    if out.is_terminal:
        from rich.live import Live
        from rich.spinner import Spinner

        waiting = Spinner("dots", f"Fetching {count} feed{'' if count == 1 else 's'}…")
        with Live(waiting, console=out, transient=True) as live:
            for report in reports:
                done.append(report)
                live.update(table(done))
    else:
        done.extend(reports)
    out.print(table(done))
    for report in done:
        for line in ([] if report.ok else [report.sentence]) + list(report.warnings):
            out.print(f"{report.title or report.url}: {line}", markup=False)
    return done


def table(reports: Iterable[PullReport]) -> Table:
    """A row a feed: its name, its status, and what came."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    made.add_column("Feed")
    made.add_column("Status", no_wrap=True)
    for name in ("New", "Changed", "Unchanged", "Left out"):
        made.add_column(name, justify="right", no_wrap=True)
    for report in reports:
        counts = (report.new, report.changed, report.unchanged, report.left_out)
        status = "not modified" if report.state == "not-modified" else report.state
        said = Text(status, style="green" if report.ok else "bold red")
        made.add_row(Text(report.title or report.url), said, *(str(n) if report.state == "ok" else "–" for n in counts))
    return made
