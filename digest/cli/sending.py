"""Commands that send, and account for it: test, send, resume, status, reconcile."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digest.cli.context import AsJson, EditionArgument, console, opened, print_json


def register(app: typer.Typer) -> None:
    for command in (test, send, resume, status, reconcile):
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

    with opened(context) as app:
        if dry_run:
            plan = plan_of(app, edition)
            if as_json:
                print_json(plan.as_json())
            else:
                console().print(plan.sentence(), markup=False)
            return
        with following(quiet=as_json) as (progress, stop):
            report = sending.send(
                app,
                edition,
                now=now,
                progress=progress,
                stop=stop,
                before_start=lambda slug: follow_up.before_start(app, slug),
            )
        if as_json:
            print_json(report.as_json())
        else:
            console().print(report.sentence(app.zone), markup=False)
    if not report.finished:
        raise typer.Exit(1)


def resume(context: typer.Context, edition: EditionArgument = None) -> None:
    """Let a paused edition go on; `digest send`, or the running sender, delivers the rest."""
    from digest.post_office import sending

    with opened(context) as app:
        row = sending.resume(app, edition)
    console().print(f"{row.slug}: {row.state}", markup=False)


def status(context: typer.Context, edition: EditionArgument = None, as_json: AsJson = False) -> None:
    """The books of an edition, and the state of the feeds."""
    from digest.post_office.books import status_of

    with opened(context) as app:
        state = status_of(app, edition)
        if as_json:
            print_json(state.as_json())
            return
        from digest.post_office.feed_health import name_of, states

        out = console()
        out.print(state.sentence(), markup=False)
        for feed in states(app):
            out.print(f"{name_of(feed)}: {feed.health.sentence}", markup=False)


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
        out.print(f"  {row.id}  {row.address}  {row.evidence}\n      {row.message_id}", markup=False)
    if result.uncertain:
        raise typer.Exit(1)
