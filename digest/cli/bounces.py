"""`digest bounces …`: what comes back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from digest.cli.context import AsJson, console, opened, print_json
from digest.cli.help import Commands

group = typer.Typer(
    cls=Commands,
    help="What comes back: read, serve, list.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="bounces")


@group.command()
def read(context: typer.Context, as_json: AsJson = False) -> None:
    """Read the bounce mailbox once: bounces, complaints, readers who leave by mail."""
    from digest.post_office import mailbox

    with opened(context) as app:
        report = mailbox.read(app)
    if as_json:
        print_json(asdict(report))
    else:
        console().print(report.sentence(), markup=False)


@group.command()
def serve(context: typer.Context) -> None:
    """Take what comes back by LMTP or SMTP, until Ctrl-C."""
    from digest.post_office import mailbox

    with opened(context) as app:
        mailbox.serve(app, ready=lambda at: print(f"Taking mail by LMTP on {at}. Ctrl-C ends it.", flush=True))


@group.command("list")
def list_returns(
    context: typer.Context,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=100_000, help="How many, the newest first.")] = 50,
    kind: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="bounce, delayed, complaint, leave, auto-reply, unknown or refused."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what came back, and what was made of it."""
    from digest.post_office import returned

    with opened(context) as app:
        found = returned.listed(app, limit=limit, kind=kind)
        zone = app.zone
    if as_json:
        print_json([asdict(one) for one in found])
        return
    out = console()
    for one in found:
        what = f"{one.kind}, {one.verdict}" if one.verdict else one.kind
        said = f" [{one.status} {one.diagnostic}".rstrip() + "]" if one.diagnostic or one.status else ""
        about = f" delivery {one.delivery}" if one.delivery else ""
        at = f"{one.at.astimezone(zone):%Y-%m-%d %H:%M}"
        out.print(f"{at}  {one.source:<9} {what}:{about} {one.why or '-'}{said[:300]}", markup=False)
    if not found:
        out.print("Nothing has come back.", markup=False)
