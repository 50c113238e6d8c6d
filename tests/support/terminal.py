"""The command line as a person sees it, in a terminal of its own."""

from __future__ import annotations

import os
import pty
import subprocess

from tests.support.workspace import COMMAND, Workspace, plain_environment


def at_a_terminal(home: Workspace, *arguments: str, columns: int) -> str:
    """What a person sees in a terminal of that width."""
    main, other = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "--config", home.path, *arguments],
        env={**plain_environment(), "TERM": "xterm", "COLUMNS": str(columns), "LINES": "40"},
        cwd=home.folder, stdin=other, stdout=other, stderr=other,
    )  # fmt: skip
    os.close(other)
    shown = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:  # the last process has closed its side
            break
        if not part:
            break
        shown += part
    os.close(main)
    assert process.wait(timeout=30) == 0, shown.decode()
    return shown.decode()
