"""The command that puts right what has gone out: correct."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.context import AsJson, EditionArgument, console, opened, print_json
from digest.cli.editing import By, pairs, person

if TYPE_CHECKING:
    from digest.app import App


def register(app: typer.Typer) -> None:
    app.command()(correct)


def correct(
    context: typer.Context,
    edition: EditionArgument = None,
    drop: Annotated[list[str], typer.Option(metavar="ARTICLE", help="Take it out.")] = [],
    title: Annotated[list[str], typer.Option(metavar="ARTICLE=TEXT", help="Another headline.")] = [],
    link: Annotated[list[str], typer.Option(metavar="ARTICLE=URL", help="Another link.")] = [],
    excerpt: Annotated[list[str], typer.Option(metavar="ARTICLE=TEXT", help="Another excerpt.")] = [],
    introduction: Annotated[str | None, typer.Option(metavar="TEXT", help="Other words above everything.")] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="What was wrong: readers are told.")] = "",
    approve: Annotated[bool, typer.Option("--approve", help="Your word for exactly this correction.")] = False,
    send: Annotated[bool, typer.Option("--send", help="Send it to those who have the faulty one.")] = False,
    discard: Annotated[bool, typer.Option("--discard", help="Forget the draft.")] = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Put right an edition that has gone out, for those alone who have the faulty one.

    Changes make a draft: look at it with `digest preview --correction`. Without options: the draft, and who gets it."""
    from digest.editions.amend import Amendments
    from digest.errors import UsageError
    from digest.post_office import correcting

    changes = Amendments(
        drop=tuple(drop),
        titles=pairs(title, "--title"),
        links=pairs(link, "--link"),
        excerpts=pairs(excerpt, "--excerpt"),
        introduction=introduction,
    )
    changing = bool(reason) or not changes.empty
    if discard and (changing or approve or send):
        raise UsageError("--discard goes with no other option", mend="discard first")
    with opened(context) as app:
        if discard:
            slug = correcting.discard(app, edition)
            console().print(f"{slug}: the draft of a correction is forgotten", markup=False)
            return
        if changing:
            correcting.draft(app, edition, changes, reason=reason, by=person(by))
        if approve:
            correcting.approve(app, edition)
        if send:
            _send(app, edition, as_json=as_json)
        else:
            _show(app, edition, as_json=as_json)


def _show(app: App, edition: str | None, *, as_json: bool) -> None:
    from digest.post_office import correcting

    found, whom = correcting.reach(app, edition)
    said = correcting.summary(app, found, whom)
    if as_json:
        print_json(said)
        return
    out = console()
    out.print(f"{found.key}: {'approved' if said['approved'] else 'draft'}, by {found.made_by}", markup=False)
    out.print(f"Readers are told: {found.reason}", markup=False)
    out.print(f"{whom.total} would get it", markup=False)
    for subject, count in whom.readers.items():
        out.print(f"  {count:>8}  {subject}", markup=False)
    for count, why in ((whom.unchanged, "theirs is right"), (whom.empty, "theirs would be empty")):
        if count:
            out.print(f"  {count:>8}  get none: {why}", markup=False)


def _send(app: App, edition: str | None, *, as_json: bool) -> None:
    from digest.cli.progress import stopping
    from digest.post_office import correcting

    with stopping() as stop:
        report = correcting.send(app, edition, stop=stop)
    if as_json:
        print_json(report.as_json())
    else:
        console().print(report.sentence(app.zone), markup=False)
    if not report.finished:
        raise typer.Exit(1)
