"""Commands that send: test, send, resume, stop."""

from __future__ import annotations

from typing import Annotated

import typer

from digest.cli.context import AsJson, EditionArgument, console, opened, print_json
from digest.cli.editing import By, person


def register(app: typer.Typer) -> None:
    for command in (test, send, resume, stop):
        app.command()(command)


def test(
    context: typer.Context,
    addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS...")],
    edition: Annotated[str | None, typer.Option(metavar="DATE", help="Its date; else the one that is due.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send a test to any address: "[Test]" in the subject, dead links for the personal ones."""
    from dataclasses import asdict

    from digest.post_office.trial_run import send_test

    with opened(context) as app:
        summary = send_test(app, edition, addresses)
    if as_json:
        print_json(asdict(summary))
    else:
        console().print(
            f"{summary.sent} of {len(addresses)} test mail{'s' if len(addresses) > 1 else ''} sent",
            markup=False,
        )
        for address, reason in summary.failed.items():
            console().print(f"  {address}: {reason}", markup=False)
    if summary.failed:
        raise typer.Exit(1)


def send(
    context: typer.Context,
    edition: EditionArgument = None,
    now: Annotated[bool, typer.Option("--now", help="Before its moment, or after its deadline.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Who would get what, who not and why; sends nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Hand the edition to the outbox and deliver until nothing is due. Again is harmless."""
    from digest.cli.progress import following
    from digest.newsroom import follow_up
    from digest.post_office import sending
    from digest.post_office.dry_run import dry_run as plan_of
    from digest.which import current

    with opened(context) as app:
        if dry_run:
            plan = plan_of(app, edition)
            if as_json:
                print_json(plan.as_json())
            else:
                console().print(plan.sentence(), markup=False)
            return
        with following(app, current(app, edition).slug, quiet=as_json) as stop:
            report = sending.send(
                app,
                edition,
                now=now,
                stop=stop,
                before_start=lambda slug: follow_up.before_start(app, slug),
            )
        if as_json:
            print_json(report.as_json())
        else:
            console().print(report.sentence(app.zone), markup=False)
    if not report.finished:
        raise typer.Exit(1)


def resume(context: typer.Context, edition: EditionArgument = None, as_json: AsJson = False) -> None:
    """Let a paused edition go on; `digest send`, or the running sender, delivers the rest."""
    from digest.post_office import pausing

    with opened(context) as app:
        row = pausing.resume(app, edition)
    if as_json:
        print_json({"edition": row.slug, "state": row.state})
        return
    console().print(f"{row.slug}: {row.state}", markup=False)


def stop(
    context: typer.Context,
    edition: EditionArgument = None,
    by: By = "",
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the books.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """End an edition that is going out: who has not got it never will. (To pause it: hold.)"""
    from digest.post_office import pausing
    from digest.which import current

    with opened(context) as app:
        row = current(app, edition)
        if not yes:
            typer.confirm(f"{row.slug}: whoever has not got it never will. Stop it?", abort=True)
        report = pausing.stop(app, row.slug, by=person(by), reason=reason)
        if as_json:
            print_json(report.as_json())
        else:
            console().print(report.sentence(app.zone), markup=False)
