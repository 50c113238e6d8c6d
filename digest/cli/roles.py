"""Commands that stay up until they are asked to stop: serve, web, scheduler, worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from digest.cli.context import config_path, console

if TYPE_CHECKING:
    from digest.serve import Role


def register(app: typer.Typer) -> None:
    for command in (serve, web, scheduler, worker):
        app.command()(command)


def serve(context: typer.Context) -> None:
    """The web pages, the scheduler and the sender in one process."""
    _run(context, "web", "scheduler", "worker")


def web(context: typer.Context) -> None:
    """The web pages alone."""
    _run(context, "web")


def scheduler(context: typer.Context) -> None:
    """The scheduler alone: pulls, composes and starts editions; a second one is harmless."""
    _run(context, "scheduler")


def worker(context: typer.Context) -> None:
    """The sender alone: as many as you like, on as many machines as you like."""
    _run(context, "worker")


def _run(context: typer.Context, *roles: Role) -> None:
    from digest.serve import run

    run(config_path(context), roles=roles, say=lambda line: console().print(line, markup=False))
