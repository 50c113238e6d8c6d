"""Commands that decide: edit, approve, hold, skip."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from digest.cli.context import AsJson, EditionArgument, console, opened, print_json

By = Annotated[
    str, typer.Option("--by", metavar="NAME", help="Whose word it is; else the name you are logged in with.")
]


def register(app: typer.Typer) -> None:
    for command in (edit, approve, hold, skip):
        app.command()(command)


def person(by: str) -> str:
    """Whose word it is."""
    return by or getpass.getuser()


def pairs(values: list[str], option: str) -> dict[str, str]:
    """What was typed as ARTICLE=TEXT. Raises UsageError."""
    from digest.errors import UsageError

    found = {}
    for value in values:
        key, sign, text = value.partition("=")
        if not sign or not key.strip():
            raise UsageError(f"{option} {value!r} has no `=`", mend=f"write {option} ARTICLE=TEXT")
        found[key.strip()] = text.strip()
    return found


Ids = Annotated[list[str], typer.Option(metavar="ARTICLE")]
Texts = Annotated[list[str], typer.Option(metavar="ARTICLE=TEXT")]


def edit(
    context: typer.Context,
    edition: EditionArgument = None,
    pin: Annotated[list[str], typer.Option(metavar="ARTICLE", help="Put it first in its section.")] = [],
    unpin: Annotated[list[str], typer.Option(metavar="ARTICLE", help="Undo --pin.")] = [],
    move: Annotated[list[str], typer.Option(metavar="ARTICLE=SECTION", help="Put it in that section.")] = [],
    exclude: Annotated[
        list[str], typer.Option(metavar="ARTICLE", help="Not in this edition; it may come next week.")
    ] = [],
    include: Annotated[list[str], typer.Option(metavar="ARTICLE", help="Undo --exclude.")] = [],
    drop: Annotated[list[str], typer.Option(metavar="ARTICLE", help="Never, in any edition.")] = [],
    title: Annotated[list[str], typer.Option(metavar="ARTICLE=TEXT", help="Another headline.")] = [],
    excerpt: Annotated[list[str], typer.Option(metavar="ARTICLE=TEXT", help="Another excerpt.")] = [],
    introduction: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The words above everything; '' for none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Arrange a draft: pin, move, exclude, drop, retitle, introduce. It outlives every pull."""
    from digest.newsroom.editing import Changes
    from digest.newsroom.editing import edit as edit_draft
    from digest.newsroom.views import edition_json, print_edition

    changes = Changes(
        pin=tuple(pin),
        unpin=tuple(unpin),
        move=pairs(move, "--move"),
        exclude=tuple(exclude),
        include=tuple(include),
        drop=tuple(drop),
        titles=pairs(title, "--title"),
        excerpts=pairs(excerpt, "--excerpt"),
        introduction=introduction,
    )
    with opened(context) as app:
        drafted = edit_draft(app, edition, changes, by=person(""))
        if as_json:
            print_json(edition_json(drafted.row))
            return
        print_edition(console(), drafted.row, app.zone)
        if drafted.voided:
            console().print("Its approval is void: the content has changed since.", markup=False)


def approve(
    context: typer.Context,
    edition: EditionArgument = None,
    by: By = "",
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Needed to send an edition that is held.")] = "",
    as_json: AsJson = False,
) -> None:
    """Approve exactly what the preview shows; a change after it voids the approval."""
    from digest.newsroom.editing import approve as approve_draft

    with opened(context) as app:
        row = approve_draft(app, edition, by=person(by), reason=reason)
        when = f"; it goes {row.send_at.astimezone(app.zone):%A %d %B at %H:%M}" if row.send_at else ""
    if as_json:
        print_json({"edition": row.slug, "state": row.state, "by": row.approved_by, "hash": row.approved_hash})
    else:
        mark = (row.approved_hash or "")[:12]
        console().print(f"{row.slug}: approved by {row.approved_by} ({mark}){when}", markup=False)


def hold(
    context: typer.Context,
    edition: EditionArgument = None,
    by: By = "",
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the others.")] = "",
    as_json: AsJson = False,
) -> None:
    """Hold an edition: it does not go until somebody approves it. One that is going is paused."""
    from digest.newsroom.editing import hold as hold_draft

    with opened(context) as app:
        row = hold_draft(app, edition, by=person(by), reason=reason)
    if as_json:
        print_json({"edition": row.slug, "state": row.state, "reason": row.held_reason})
    else:
        console().print(f"{row.slug}: {row.state} ({row.held_reason})", markup=False)


def skip(context: typer.Context, edition: EditionArgument = None, by: By = "", as_json: AsJson = False) -> None:
    """A week without this edition: its articles come in the next one."""
    from digest.newsroom.editing import skip as skip_draft

    with opened(context) as app:
        row = skip_draft(app, edition, by=person(by))
    if as_json:
        print_json({"edition": row.slug, "state": row.state})
    else:
        console().print(f"{row.slug}: skipped; its articles come in the next edition", markup=False)
