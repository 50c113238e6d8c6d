"""`digest api-keys …`: which of the publication's own systems may use the HTTP API."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from digest.cli.context import AsJson, console, opened, print_json
from digest.cli.help import Commands

group = typer.Typer(
    cls=Commands, help="The HTTP API's keys: add, list, revoke.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="api-keys")


@group.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The system that will use it.")],
    as_json: AsJson = False,
) -> None:
    """Make a key. Its secret is shown once, and kept nowhere."""
    from digest.post_office import api_keys

    with opened(context) as app:
        key, secret = api_keys.add(app, name)
    if as_json:
        print_json({"id": key.id, "name": key.name, "secret": secret})
        return
    console().print(secret, markup=False)
    print(f"the key of {key.name}: keep it now, it is not shown again", file=sys.stderr)


@group.command("list")
def list_all(context: typer.Context, as_json: AsJson = False) -> None:
    """Every key, when it was last used, and whether it is revoked; never a secret."""
    from digest.post_office import api_keys

    with opened(context) as app:
        found = api_keys.everyone(app)
        zone = app.zone
    if as_json:
        print_json([asdict(key) for key in found])
        return
    width = max((len(key.name) for key in found), default=0)
    for key in found:
        used = f"used {key.used_at.astimezone(zone):%Y-%m-%d %H:%M}" if key.used_at else "never used"
        gone = f"; revoked {key.revoked_at.astimezone(zone):%Y-%m-%d %H:%M}" if key.revoked_at else ""
        console().print(f"{key.id}  {key.name:<{width}}  {used}{gone}", markup=False)


@group.command()
def revoke(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its id, or its name.")],
) -> None:
    """Refuse a key from now on, for good."""
    from digest.post_office import api_keys

    with opened(context) as app:
        revoked = api_keys.revoke(app, key)
    console().print(f"{revoked.id} ({revoked.name}) is revoked", markup=False)
