"""A new key for links: the old ones stay, so that a link from three years ago still works."""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from digest.errors import ConfigError
from subscribers.keys import BYTES, Keys, load_keys


def rotate(path: Path, *, remark: str = "") -> str:
    """Add a token key, which signs from now on; returns its id. Links that were signed before still work.

    The file is replaced whole and safely on the disk before this returns, or not at all; its mode and its owner stay.
    Raises ConfigError where there is no good key file to add to."""
    where = f"[secrets] key_file {path}"
    try:
        real = path.resolve(strict=True)
        with _alone(real):
            keys = load_keys(real)
            key_id = _next(keys)
            before = real.read_text(encoding="ascii")
            line = f"token {key_id} {base64.urlsafe_b64encode(secrets.token_bytes(BYTES)).decode()}\n"
            note = f"# token {key_id}: {' '.join(remark.split())}\n" if remark else ""
            _replace(real, f"{before.rstrip()}\n{note}{line}")
    except OSError as error:
        mend = "any command that needs the keys makes it" if isinstance(error, FileNotFoundError) else "give access"
        raise ConfigError(where, f"cannot be rotated: {error.strerror}", mend=mend) from error
    return key_id


def _next(keys: Keys) -> str:
    """The id after the highest number there is."""
    return str(max((int(key_id) for key_id in keys.tokens if key_id.isdecimal()), default=0) + 1)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One rotation at a time: of two, the second adds to what the first has written."""
    while True:
        held = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            if os.fstat(held).st_ino != path.stat().st_ino:  # replaced while we waited for it
                continue
            yield
            return
        finally:
            os.close(held)


def _replace(path: Path, text: str) -> None:
    found = path.stat()
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            os.fchmod(file.fileno(), stat.S_IMODE(found.st_mode))
            if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), found.st_uid, found.st_gid)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
