"""What every command shares: the configuration, the opened app, and two ways to speak, to people and to programs."""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from digest.app import App
    from digest.config import Config

_UNWRAPPED = 10_000

AsJson = Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")]
EditionArgument = Annotated[
    str | None,
    typer.Argument(metavar="EDITION", help="Its date, e.g. 2026-11-27; else the one that is due."),
]


@dataclass(frozen=True)
class Options:
    """What stands before the command."""

    config: Path | None = None
    debug: bool = False


def config_path(context: typer.Context) -> Path:
    """--config, else DIGEST_CONFIG, else ./config.toml."""
    options: Options = context.obj
    if options.config is not None:
        return options.config
    return Path(os.environ.get("DIGEST_CONFIG") or "config.toml")


def load_config(context: typer.Context) -> Config:
    from digest.config import load

    return load(config_path(context), os.environ)


_COLLECTED = (10_000, 10, 10)
"""How often garbage is looked for once the command works: with the rare collections of its start, what a send leaves
behind in cycles grew by thirty bytes a mail."""


@contextmanager
def opened(context: typer.Context) -> Iterator[App]:
    """The app for one command."""
    from digest.app import open_app

    app = open_app(load_config(context))
    gc.freeze()  # what is here by now stays until the end, and need never be looked at for garbage
    gc.set_threshold(*_COLLECTED)
    try:
        yield app
    finally:
        app.close()


def console() -> Console:
    """For people: colours and widths by the terminal; where it is none, plain lines that are never wrapped."""
    from rich.console import Console

    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(highlight=False, soft_wrap=True, width=_UNWRAPPED)


def say(text: str) -> None:
    """Plain text for people. Only where a line is longer than the terminal is wide must somebody wrap it."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _UNWRAPPED
    if all(len(line) <= width for line in text.splitlines()):
        print(text)
    else:
        console().print(text, markup=False)


def print_json(value: Any) -> None:
    """For programs: one document, UTF-8, times in ISO 8601."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=plain)
    sys.stdout.write("\n")


def plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)
