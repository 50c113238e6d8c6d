"""The command line in this process: the same code as the command, without its start."""

from __future__ import annotations

import gc
import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from digest.cli import main


def run_here(*arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    out, error = io.StringIO(), io.StringIO()
    threshold = gc.get_threshold()
    code: object = None
    with (
        redirect_stdout(out),
        redirect_stderr(error),
        patch.object(sys, "argv", ["digest", *map(str, arguments)]),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code
        finally:
            gc.set_threshold(*threshold)
    return int(code) if isinstance(code, int) else 0, out.getvalue(), error.getvalue()
