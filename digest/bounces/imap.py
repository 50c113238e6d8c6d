"""A mailbox on an IMAP server."""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError

from digest.bounces.mime import MOST
from digest.errors import DigestError

TIMEOUT = 60.0
"""Seconds for one answer of the server."""
_CHUNK = 50


@dataclass(frozen=True, slots=True)
class ImapSettings:
    host: str
    port: int
    security: Literal["none", "starttls", "tls"]
    username: str
    password: str
    folder: str = "INBOX"

    def __repr__(self) -> str:
        return f"ImapSettings({self.username}@{self.host}:{self.port})"


class Imap:
    """One session. What is removed is marked at once and expunged at the end; only what we marked."""

    name = "imap"

    def __init__(self, settings: ImapSettings, *, context: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._marked: list[str] = []
        with self._speaking_plainly():
            self._box = _connected(settings, context or ssl.create_default_context())
            self._box.login(settings.username, settings.password, initial_folder=settings.folder)

    @contextmanager
    def _speaking_plainly(self) -> Iterator[None]:
        where = f"[bounces] {self._settings.username} at {self._settings.host}:{self._settings.port}"
        try:
            yield
        except (ImapToolsError, imaplib.IMAP4.error) as error:
            said = " ".join(str(error).split())[:200]
            raise DigestError(f"{where}: {said}", mend="are its login, password and folder right?") from error
        except OSError as error:
            raise DigestError(
                f"{where}: {error.strerror or error}", mend="is the server up, and its name and port right?"
            ) from error

    def waiting(self) -> Iterator[tuple[str, bytes]]:
        with self._speaking_plainly():
            found = self._box.uids("UNFLAGGED UNDELETED")
        for uid in found:
            raw = self._fetched(uid)
            if raw is not None:
                yield uid, raw

    def _fetched(self, uid: str) -> bytes | None:
        """Its first megabyte, without marking it as seen; None where another reader has taken it meanwhile."""
        with self._speaking_plainly():
            _, data = self._box.client.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MOST}>)")
        parts: list[Any] = data or []
        return next((bytes(part[1]) for part in parts if isinstance(part, tuple) and len(part) > 1), None)

    def remove(self, key: str) -> None:
        self._flag(key, r"\Deleted")
        self._marked.append(key)
        if len(self._marked) >= _CHUNK:
            self._expunge()

    def keep(self, key: str) -> None:
        self._flag(key, r"\Flagged \Seen")

    def _flag(self, uid: str, flags: str) -> None:
        with self._speaking_plainly():
            self._box.client.uid("STORE", uid, "+FLAGS", f"({flags})")

    def _expunge(self) -> None:
        """Ours alone where the server can (UIDPLUS, RFC 4315); else all that is marked as deleted."""
        with self._speaking_plainly():
            if self._marked and "UIDPLUS" in self._box.client.capabilities:
                self._box.client.uid("EXPUNGE", ",".join(self._marked))
            elif self._marked:
                self._box.client.expunge()
        self._marked.clear()

    def close(self) -> None:
        try:
            self._expunge()
        finally:
            with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
                self._box.logout()


def _connected(settings: ImapSettings, context: ssl.SSLContext) -> BaseMailBox:
    if settings.security == "tls":
        return MailBox(settings.host, settings.port, timeout=TIMEOUT, ssl_context=context)
    if settings.security == "starttls":
        return MailBoxStartTls(settings.host, settings.port, timeout=TIMEOUT, ssl_context=context)
    return MailBoxUnencrypted(settings.host, settings.port, timeout=TIMEOUT)
