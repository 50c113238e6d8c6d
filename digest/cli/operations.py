"""Commands for whoever runs it: init, demo, doctor, db."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.context import AsJson, console, load_config, print_json
from digest.cli.help import Commands

database = typer.Typer(cls=Commands, help="The database: upgrade.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    for command in (init, demo, doctor):
        app.command()(command)
    app.add_typer(database, name="db")


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to make it; made if it does not exist.")
    ] = Path(),
    feed: Annotated[str | None, typer.Option(metavar="URL", help="The address of a feed, or of a site.")] = None,
    allow_private_addresses: Annotated[
        bool, typer.Option("--allow-private-addresses", help="For a feed on this machine or in the private network.")
    ] = False,
) -> None:
    """A new workspace: config.toml, templates/, .gitignore."""
    from digest.workspace import create

    made = create(folder, feed, allow_private=allow_private_addresses)
    for line in made.lines():
        _say(line)
    at_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if made.found and at_terminal and typer.confirm("Make the first preview now?", default=True):
        _first_preview(made.folder, made.config)
    else:
        _say(f"The first preview: {made.commands()}")


def _first_preview(folder: Path, config: Path) -> None:
    """What the commands would do, one after the other."""
    from digest.app import open_app
    from digest.config import load
    from digest.newsroom import drafts, intake, preview

    app = open_app(load(config, os.environ))
    try:
        for report in intake.pull(app):
            _say(
                f"Pulled {report.title or report.url}: {report.new} new"
                + (f"; {report.sentence}" if report.sentence else "")
            )
        row = drafts.compose_draft(app).row
        _say(f"Composed {row.slug}: {len(row.edition.articles)} articles, {row.state}")
        preview.write(app, preview.make(app, row.slug), folder / "preview")
    finally:
        app.close()
    _say(f"The preview is {folder / 'preview' / 'index.html'}")


def demo(
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where the results go.")] = Path("demo"),
    subscribers: Annotated[int, typer.Option(metavar="N", min=1, max=1_000_000, help="How many readers.")] = 25,
    serve: Annotated[
        bool, typer.Option("--serve", help="Stay up with the preview and the inbox in the browser.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The whole weekly job, self-contained: feeds, edition, mails to a local inbox."""
    from dataclasses import asdict

    from digest.demo.job import run

    summary = run(output, subscribers, say=(lambda _line: None) if as_json else _say)
    if as_json:
        print_json(asdict(summary))
    else:
        for line in summary.lines():
            _say(line)
    if serve:
        from digest.cli.serving import serve_demo

        serve_demo(output)


def _say(line: str) -> None:
    console().print(line, markup=False)


def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Check the configuration, the database, SMTP, the clock, the templates."""
    from dataclasses import asdict

    from digest.doctor import examine

    findings = examine(load_config(context))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        from digest.newsroom.views import print_hanging

        out = console()
        for finding in findings:
            lead = f"{'ok  ' if finding.ok else 'FAIL'}  {finding.what}: "
            print_hanging(out, lead, finding.sentence, lead_style="green" if finding.ok else "bold red")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@database.command()
def upgrade(context: typer.Context) -> None:
    """Bring the tables to this version; harmless when they are."""
    from digest.app import open_database
    from digest.migrations import upgrade as upgrade_tables

    database = open_database(load_config(context))
    _say(f"the database is at revision {upgrade_tables(database)}")
    database.close()
