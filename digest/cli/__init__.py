"""The command line: `digest [--config FILE] COMMAND`. One small module a group of commands; no rules here.

Everything heavy is imported inside the commands, so that `digest --help` is quick."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from digest.cli import (
    accounts,
    api_keys,
    audience,
    bounces,
    correcting,
    dkim,
    editing,
    keys,
    newsroom,
    operations,
    roles,
    sending,
    signup,
)
from digest.cli.context import Options
from digest.cli.help import Commands

app = typer.Typer(
    name="digest",
    cls=Commands,
    help="Builds a publication's weekly roundup from its feeds, and sends it.",
    epilog="Exit codes: 0 done, 1 something to look at, 2 wrong usage or configuration.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def root(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="The configuration; else DIGEST_CONFIG, else ./config.toml."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an unexpected error came from.")] = False,
) -> None:
    context.obj = Options(config=config, debug=debug)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


for group in (
    operations,
    newsroom,
    editing,
    sending,
    accounts,
    correcting,
    roles,
    audience,
    signup,
    keys,
    api_keys,
    bounces,
    dkim,
):
    group.register(app)


def main() -> None:
    """Run a command. Exit codes: 0 done, 1 something the operator must look at, 2 wrong usage or configuration."""
    from digest.cli.failures import report

    debug = "--debug" in sys.argv
    # Importing makes a great many objects and no garbage: looking for some at each 700th costs a tenth of the time.
    gc.set_threshold(150_000, 20, 20)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # else it looks for some through everything installed
    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except BaseException as error:  # noqa: BLE001 - the last line of defence: one clear line, never a traceback
        sys.exit(report(error, debug=debug))


__all__ = ["app", "main"]
