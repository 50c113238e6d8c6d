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
    help="The audience: add, import, export, list, show, suppress, allow, erase.",
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
        width = audience.widest(app, at_most=60)
        for subscriber in audience.stream(app, status):
            print(f"{subscriber.address:<{width}}  {subscriber.status:<10}  {audience.spoken(subscriber.regions)}")


@group.command()
def show(context: typer.Context, address: Address, as_json: AsJson = False) -> None:
    """What is known of one reader, or why an address must not be mailed."""
    from digest import audience

    with opened(context) as app:
        why = audience.suppressed(app, address)
        subscriber = audience.find_suppressed(app, address) if why else audience.find(app, address)
        zone = app.zone
    if as_json:
        reader = asdict(subscriber) if subscriber else {"address": address, "status": "suppressed"}
        print_json({**reader, "suppression": {"reason": why.reason, "at": why.at} if why else None})
        return
    if subscriber is None:
        console().print(f"{address}: suppressed, no reader", markup=False)
    else:
        since = f", since {subscriber.since.astimezone(zone):%d %B %Y}" if subscriber.since else ""
        regions = audience.spoken(subscriber.regions)
        console().print(f"{subscriber.address}: {subscriber.status}{since}, {regions}", markup=False)
        if subscriber.consent:
            console().print(f"  consent: {subscriber.consent}", markup=False)
    if why:
        console().print(f"  suppressed on {why.at.astimezone(zone):%d %B %Y}: {why.reason}", markup=False)


@group.command()
def suppress(
    context: typer.Context,
    address: Address,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why this address must not be mailed.")] = "",
    request: Annotated[bool, typer.Option("--request", help="The reader asked for it.")] = False,
) -> None:
    """Never mail an address again, known or not."""
    from digest import audience

    with opened(context) as app:
        told = audience.suppress(app, address, reason, by_request=request)
    console().print(f"{address}: suppressed ({told})", markup=False)


@group.command()
def allow(
    context: typer.Context,
    address: Address,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why it may be mailed again; it is kept.")],
) -> None:
    """Lift a suppression by a bounce, a request or staff; a reader's complaint stands for good."""
    from digest import audience

    with opened(context) as app:
        now = audience.allow(app, address, reason)
    console().print(f"{address}: allowed; {f'the reader is {now}' if now else 'no reader'}", markup=False)


@group.command()
def erase(context: typer.Context, address: Address) -> None:
    """Remove everything personal of a reader; a keyed hash stays, so that no import brings them back."""
    from digest import audience

    with opened(context) as app:
        clean = audience.erase(app, address)
    console().print("erased; only a keyed hash stays, so that no import brings the address back", markup=False)
    if not clean:
        said = "others use the database: free space in its file may still hold traces; run it again when they rest"
        print(said, file=sys.stderr)
        raise typer.Exit(1)
