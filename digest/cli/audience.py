"""`digest subscribers …`: the audience; CSV in and out."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.context import AsJson, console, opened, print_json
from digest.cli.help import Commands

group = typer.Typer(
    cls=Commands,
    help="The audience: add, import, export, list, show, suppress, erase.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="subscribers")


Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="As name@example.org.")]
Regions = Annotated[str, typer.Option(metavar="a,b", help="Slugs of regions; none: all.")]


@group.command()
def add(
    context: typer.Context,
    address: Address,
    regions: Regions = "",
    name: Annotated[str, typer.Option(metavar="NAME", help="The reader's name.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add a reader, on your word that they asked for it."""
    from digest import audience

    with opened(context) as app:
        subscriber = audience.add(app, address, regions=audience.split(regions), name=name)
    if as_json:
        print_json(asdict(subscriber))
    else:
        console().print(
            f"{subscriber.address}: {subscriber.status}, {audience.spoken(subscriber.regions)}", markup=False
        )


@group.command("import")
def import_csv(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file; - for standard input.")],
    consent: Annotated[str, typer.Option(metavar="TEXT", help="The evidence of consent for every row.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would happen; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import readers from CSV. A row without evidence of consent is pending, and is sent nothing.

    Killed or stopped in the middle it is run again, with the same file: what is in already is known."""
    from digest import audience
    from digest.cli.importing import AsDocument, bar

    document = AsDocument()
    told = (document.line if as_json else lambda one: print(one.sentence())) if dry_run else None
    with opened(context) as app, bar(quiet=as_json or dry_run) as progress:
        report = audience.import_file(app, file, consent=consent, dry_run=dry_run, told=told, progress=progress)
    if as_json:
        document.end(report)
    else:
        for problem in () if dry_run else report.problems:
            print(problem, file=sys.stderr)
        console().print(report.sentence(), markup=False)
    if report.problems:
        raise typer.Exit(1)


@group.command()
def export(
    context: typer.Context,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Else standard output.")] = None,
) -> None:
    """Write every reader as CSV."""
    from digest import audience

    with opened(context) as app:
        count = audience.export_file(app, output)
    print(f"{count} subscribers", file=sys.stderr)


@group.command("list")
def list_all(
    context: typer.Context,
    status: Annotated[str | None, typer.Option(metavar="STATUS", help="pending, active, left or suppressed.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the readers; --json streams one document a line."""
    import json

    from digest import audience
    from digest.cli.context import plain

    with opened(context) as app:
        if as_json:
            for subscriber in audience.stream(app, status):
                print(json.dumps(asdict(subscriber), ensure_ascii=False, default=plain))
            return
        for subscriber in audience.stream(app, status):
            print(f"{subscriber.address}  {subscriber.status}  {audience.spoken(subscriber.regions)}")


@group.command()
def show(context: typer.Context, address: Address, as_json: AsJson = False) -> None:
    """What is known of one reader."""
    from digest import audience

    with opened(context) as app:
        subscriber = audience.find(app, address)
    if as_json:
        print_json(asdict(subscriber))
        return
    since = f", since {subscriber.since:%d %B %Y}" if subscriber.since else ""
    console().print(
        f"{subscriber.address}: {subscriber.status}{since}, {audience.spoken(subscriber.regions)}", markup=False
    )
    if subscriber.consent:
        console().print(f"  consent: {subscriber.consent}", markup=False)


@group.command()
def suppress(
    context: typer.Context,
    address: Address,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why this address must not be mailed.")] = "by staff",
) -> None:
    """Never mail an address again, known or not."""
    from digest import audience

    with opened(context) as app:
        audience.suppress(app, address, reason)
    console().print(f"{address}: suppressed ({reason})", markup=False)


@group.command()
def erase(context: typer.Context, address: Address) -> None:
    """Remove everything personal of a reader; a keyed hash stays, so that no import brings them back."""
    from digest import audience

    with opened(context) as app:
        audience.erase(app, address)
    console().print("erased; only a keyed hash stays, so that no import brings the address back", markup=False)
