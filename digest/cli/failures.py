"""Every failure becomes one clear line and an exit code."""

from __future__ import annotations

import errno
import sqlite3
import sys
import traceback

import typer

from digest.errors import DigestError

_MENDS = {
    errno.EACCES: "give this user write access there",
    errno.EPERM: "give this user write access there",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENOSPC: "the disk is full; free some space and run the command again",
    errno.EDQUOT: "the quota is used up; free some space and run the command again",
    errno.EADDRINUSE: "another program listens there; stop it or change `[web] listen`",
}


_PYDANTIC = "Input should be a valid integer, unable to parse string as an integer"


def report(error: BaseException, *, debug: bool = False) -> int:
    """Say it on standard error, in one line, and return the exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, typer.Exit):
        return int(error.exit_code)
    if isinstance(error, (KeyboardInterrupt, typer.Abort)):
        print("digest: stopped by you", file=sys.stderr)
        return 130
    if type(error).__name__ == "NoArgsIsHelpError":  # a group without a command: its help is the mend
        print(str(getattr(error, "message", error)), file=sys.stderr)
        return 2
    if isinstance(error, BrokenPipeError):
        return 0  # whoever read our output has had enough
    if debug:
        traceback.print_exception(error)
    line, code = _line(error)
    print(f"digest: {line}", file=sys.stderr)
    return code


def _line(error: BaseException) -> tuple[str, int]:
    if isinstance(error, DigestError):
        return _one_line(str(error)), error.exit_code
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # typer's own: wrong usage
        context = getattr(error, "ctx", None)
        said = _one_line(error.format_message()).rstrip(".")
        said = (said[:1].lower() + said[1:]).replace(_PYDANTIC, "must be a whole number")
        if context is None:
            return said, 2
        joint = " See" if said.endswith("?") else "; see"
        return f"{said}{joint} `{context.command_path} --help`", 2
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        mend = _MENDS.get(error.errno or 0, "")
        return f"{where}{error.strerror}" + (f"; {mend}" if mend else ""), 1
    if isinstance(error, (MemoryError, sqlite3.Error)):
        return f"{type(error).__name__}: {_one_line(str(error))}", 1
    return f"unexpected {type(error).__name__}: {_one_line(str(error))}; run it with --debug and report it", 1


def _one_line(text: str) -> str:
    return " ".join(text.split())
