"""`digest signup-form`: the form for the publication's own site."""

from __future__ import annotations

from typing import Annotated

import typer

from digest.cli.context import opened


def register(app: typer.Typer) -> None:
    app.command("signup-form")(signup_form)


def signup_form(
    context: typer.Context,
    frame: Annotated[bool, typer.Option("--frame", help="A frame with the whole form, regions and all.")] = False,
) -> None:
    """Print the sign-up form as HTML, to be put into a page of your site."""
    from digest.post_office.snippet import snippet

    with opened(context) as app:
        typer.echo(snippet(app, frame=frame))
