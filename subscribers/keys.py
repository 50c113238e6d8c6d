"""The keys of links and of suppression: a file of mode 0600, made once, or the environment.

The file has one key a line, `purpose id secret`: any number of `token` keys, of which the last signs and all are
accepted (so that a link from three years ago still works after a rotation), and one `suppression` key, which never
rotates: a suppressed address could not be recognised any more."""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from digest.errors import ConfigError

BYTES = 32
"""In a key."""
_LINE = re.compile(r"(token|suppression) ([a-z0-9]{1,8}) ([A-Za-z0-9_=-]+)")


@dataclass(frozen=True, slots=True)
class Keys:
    """Secrets of 32 bytes. `tokens` by key id, the signing one last; ids are lower-case letters and digits."""

    tokens: dict[str, bytes]
    suppression: bytes

    @property
    def signing(self) -> tuple[str, bytes]:
        return list(self.tokens.items())[-1]

    def __repr__(self) -> str:
        return f"Keys({', '.join(self.tokens)})"


def load_keys(path: Path, text: str = "", *, may_make: Callable[[], bool] = lambda: True) -> Keys:
    """The keys of `text` (from the environment) if there is any, else of the file, which is made when it is missing.

    `may_make` says no where there were keys already: new ones would break every link in readers' mails, and forget who
    must not be mailed. Raises ConfigError where the file cannot be read or made, can be read by others, or does not
    hold keys."""
    if text:
        return _parse("environment variable DIGEST_SECRETS__KEYS", text)
    where = f"[secrets] key_file {path}"
    try:
        if not path.exists():
            if not may_make() and not path.exists():  # another process may have made it, and then a reader
                raise ConfigError(
                    where,
                    "is missing, and there are subscribers whose links need it",
                    mend="restore the file from a backup",
                )
            _make(path)
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise ConfigError(where, f"cannot be used: {error.strerror}", mend="give this user access to it") from error
    if mode & 0o077:
        raise ConfigError(where, "others can read it", mend=f"run `chmod 600 {path}`")
    return _parse(where, content)


class KeyFile:
    """The keys as they are now: another process may have rotated them since we looked."""

    LOOK_EVERY = 1.0
    """Seconds: links are made thousands of times in one."""

    def __init__(self, path: Path, text: str = "", *, may_make: Callable[[], bool] = lambda: True) -> None:
        self._path, self._text, self._may_make = path, text, may_make
        self._keys: Keys | None = None
        self._seen: tuple[int, ...] = ()
        self._looked = 0.0

    def keys(self) -> Keys:
        """Raises ConfigError as `load_keys` does, but for a file that was good when this process began."""
        now = time.monotonic()
        if self._keys is not None and (self._text or now - self._looked < self.LOOK_EVERY):
            return self._keys
        seen = self._version()
        if self._keys is None or (seen and seen != self._seen):
            try:
                self._keys = load_keys(self._path, self._text, may_make=self._may_make)
            except ConfigError:
                if self._keys is None:
                    raise
        self._seen, self._looked = seen, now
        return self._keys

    def _version(self) -> tuple[int, ...]:
        """What changes when the file does; () where it cannot be seen."""
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_size, found.st_mtime_ns


def _make(path: Path) -> None:
    """Write the file whole under another name, then link it: of two processes one wins, and both read the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    lines = (
        f"{purpose} 1 {base64.urlsafe_b64encode(secrets.token_bytes(BYTES)).decode()}\n"
        for purpose in ("token", "suppression")
    )
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was first: its keys count
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _parse(where: str, text: str) -> Keys:
    tokens: dict[str, bytes] = {}
    suppression = b""
    for number, line in enumerate(text.replace(";", "\n").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        secret = _decoded(found[3]) if found else b""
        if not found or len(secret) < BYTES:
            raise ConfigError(where, f"line {number} is not a key", mend="restore the file from a backup")
        if found[1] == "token":
            tokens[found[2]] = secret
        else:
            suppression = secret
    if not tokens or not suppression:
        raise ConfigError(where, "a token key or the suppression key is missing", mend="restore the file from a backup")
    return Keys(tokens, suppression)


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text)
    except binascii.Error:
        return b""
