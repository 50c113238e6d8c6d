"""`digest keys …`: the keys of the links in readers' mails."""

from __future__ import annotations

from dataclasses import asdict

import typer

from digest.cli.context import AsJson, console, opened, print_json
from digest.cli.help import Commands

group = typer.Typer(
    cls=Commands, help="The keys of links in mails: list, rotate.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="keys")


@group.command("list")
def list_all(context: typer.Context, as_json: AsJson = False) -> None:
    """The keys by their ids, and which of them signs; never a secret."""
    from digest.post_office import keys

    with opened(context) as app:
        found = keys.listed(app)
    if as_json:
        print_json([asdict(key) for key in found])
        return
    for key in found:
        does = "never changes" if key.purpose == "suppression" else "signs" if key.signs else "is accepted"
        console().print(f"{key.purpose:<11}  {key.id:<8}  {does}", markup=False)


@group.command()
def rotate(context: typer.Context, as_json: AsJson = False) -> None:
    """Add a key that signs from now on; links that were signed before still work."""
    from digest.post_office import keys

    with opened(context) as app:
        key_id = keys.rotate(app)
    if as_json:
        print_json({"id": key_id})
    else:
        console().print(
            f"key {key_id} signs from now on; the others are still accepted; back the file up", markup=False
        )
