"""Commands that account for what was sent: status, reconcile."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.context import AsJson, EditionArgument, console, opened, print_json, say

if TYPE_CHECKING:
    from digest.app import App


def register(app: typer.Typer) -> None:
    for command in (status, reconcile):
        app.command()(command)


def status(
    context: typer.Context,
    edition: Annotated[
        str | None,
        typer.Argument(
            metavar="EDITION",
            help="Its date, e.g. 2026-11-27, or a correction, 2026-11-27#correction-1; else the one that is due.",
        ),
    ] = None,
    details: Annotated[bool, typer.Option("--details", help="By provider and by reply; the rate.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Again and again, until it has gone.")] = False,
    as_json: AsJson = False,
) -> None:
    """The books of an edition, and the state of the feeds."""
    from digest.post_office.books import status_of

    with opened(context) as app:
        state = status_of(app, edition)
        if follow:
            _follow(app, state.slug, as_json=as_json)
            return
        if as_json and not details:
            print_json(state.as_json())
            return
        if details:
            from digest.post_office.figures import look

            progress = look(app, state.slug)
            if as_json:
                print_json(progress.as_json())
                return
        say(state.sentence())
        if details:
            for line in progress.lines(app.zone):
                say(line)
            return
        from digest.post_office.feed_health import name_of, states

        for feed in states(app):
            say(f"{name_of(feed)}: {feed.health.sentence}")


def _follow(app: App, key: str, *, as_json: bool) -> None:
    """A live display; as JSON, or where it is no terminal, a line a look."""
    from digest.cli.progress import live, stopping
    from digest.post_office.figures import follow

    with stopping() as stop:
        if not as_json and sys.stdout.isatty():
            with live() as show:
                for progress in follow(app, key, stop.wait):
                    show(progress)
            console().print("\n".join(progress.lines(app.zone)), markup=False)
            return
        for progress in follow(app, key, stop.wait):
            b = progress.figures.books
            line = f"{key}: {progress.state}, {progress.figures.done} of {b.candidates}"
            print(json.dumps(progress.as_json(), ensure_ascii=False) if as_json else line, flush=True)


def reconcile(
    context: typer.Context,
    edition: EditionArgument = None,
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A relay's log: settles what it names by Message-ID.")
    ] = None,
    sent: Annotated[list[int], typer.Option(metavar="ID", help="It was sent.")] = [],
    resend: Annotated[list[int], typer.Option(metavar="ID", help="It was not: send it again.")] = [],
    as_json: AsJson = False,
) -> None:
    """List the uncertain deliveries with the evidence, and settle them."""
    from dataclasses import asdict

    from digest.post_office.reconcile import reconcile as settle

    with opened(context) as app:
        result = settle(app, edition, log=log, sent=tuple(sent), resend=tuple(resend))
        if as_json:
            print_json(asdict(result))
            return
        out = console()
        out.print(result.sentence(), markup=False)
        for row in result.uncertain:
            out.print("\n".join(row.lines(app.zone)), markup=False)
    if result.uncertain:
        raise typer.Exit(1)
