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

_CHUNK = 50
_TLS_ALONE = 993


@dataclass(frozen=True, slots=True)
class ImapSettings:
    host: str
    port: int
    security: Literal["none", "starttls", "tls"]
    username: str
    password: str
    folder: str = "INBOX"
    ca_file: str = ""
    """An authority of one's own, in PEM, that the server's certificate may be of."""
    timeout: float = 60.0
    """Seconds for one answer of the server."""

    def __repr__(self) -> str:
        return f"ImapSettings({self.username}@{self.host}:{self.port})"


class Imap:
    """One session. What is removed is marked at once and expunged at the end; only what we marked."""

    name = "imap"

    def __init__(self, settings: ImapSettings) -> None:
        self._settings = settings
        self._marked: list[str] = []
        with self._speaking_plainly():
            box = _connected(settings)
            try:
                # LOGIN is of ASCII alone.
                ascii_only = settings.username.isascii() and settings.password.isascii()
                enter = box.login if ascii_only else box.login_utf8
                enter(settings.username, settings.password, initial_folder=settings.folder)
            except BaseException:
                with suppress(OSError):
                    box.client.shutdown()
                raise
        self._box = box

    @contextmanager
    def _speaking_plainly(self) -> Iterator[None]:
        where = f"[bounces] {self._settings.username} at {self._settings.host}:{self._settings.port}"
        try:
            yield
        except (ImapToolsError, imaplib.IMAP4.error) as error:
            said = " ".join(str(error).split())[:200]
            raise DigestError(f"{where}: {said}", mend="are its login, password and folder right?") from error
        except ssl.SSLCertVerificationError as error:
            raise DigestError(
                f"{where}: the certificate is not to be trusted: {error.verify_message.rstrip('.')}",
                mend="is imap_host the name in it? For an authority of your own set imap_ca_file",
            ) from error
        except ssl.SSLError as error:
            raise DigestError(
                f"{where}: no TLS is spoken there ({error.reason or error})",
                mend="are imap_security and imap_port right?",
            ) from error
        except OSError as error:
            raise DigestError(
                f"{where}: {error.strerror or error}", mend="is the server up, and its name and port right?"
            ) from error

    def waiting(self) -> Iterator[tuple[str, bytes]]:
        with self._speaking_plainly():
            found = self._box.uids("UNFLAGGED UNDELETED", charset=None)  # some servers take none
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
        self._do("STORE", uid, "+FLAGS", f"({flags})")

    def _expunge(self) -> None:
        """Ours alone where the server can (UIDPLUS, RFC 4315); else all that is marked as deleted."""
        marked, self._marked = self._marked, []
        if marked and "UIDPLUS" in self._box.client.capabilities:
            self._do("EXPUNGE", ",".join(marked))
        elif marked:
            with self._speaking_plainly():
                self._check(*self._box.client.expunge())

    def _do(self, *command: str) -> None:
        with self._speaking_plainly():
            self._check(*self._box.client.uid(*command))

    def _check(self, status: str, said: list[Any]) -> None:
        """imaplib raises for "BAD" alone; a "NO" would leave the message there, to be read again for ever."""
        if status != "OK":
            words = b" ".join(one for one in said if isinstance(one, bytes)).decode("utf-8", "replace")[:200]
            raise DigestError(
                f"[bounces] {self._settings.username} at {self._settings.host}:{self._settings.port}: {words}",
                mend="may this login flag and delete messages in imap_folder?",
            )

    def close(self) -> None:
        try:
            self._expunge()
        finally:
            with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
                self._box.logout()


def _connected(settings: ImapSettings) -> BaseMailBox:
    if settings.security == "none":
        return MailBoxUnencrypted(settings.host, settings.port, timeout=settings.timeout)
    context = _trust(settings.ca_file)
    if settings.security == "tls":
        return MailBox(settings.host, settings.port, timeout=settings.timeout, ssl_context=context)
    if settings.port == _TLS_ALONE:
        raise DigestError(
            f"[bounces] imap_port {_TLS_ALONE} speaks TLS from the first byte, and knows no STARTTLS",
            mend='set imap_security = "tls", or imap_port = 143',
        )
    return MailBoxStartTls(settings.host, settings.port, timeout=settings.timeout, ssl_context=context)


def _trust(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:  # SSLError, too
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise DigestError(f"[bounces] imap_ca_file {ca_file}: {reason}", mend="name a file in PEM") from error
