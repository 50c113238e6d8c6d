"""Opening a session with a relay: connect, EHLO, STARTTLS, AUTH. What is said in it afterwards: `smtp`.

The dialogue is smtplib's as far as AUTH; then its socket is taken over."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from digest.delivery.dialogue import Dialogue, TlsDialogue, log_in
from digest.delivery.policy import Phase

Security = Literal["none", "starttls", "tls"]
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?=\s|$)")


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Where mail goes out. Timeouts are seconds; RFC 5321 section 4.5.3.2 asks for patience after the final dot.

    `helo` is the name we give ("" takes the machine's); `ca_file` a CA of one's own, in PEM; `retry_pause` the wait
    after a session that could not be had, in seconds: it doubles. `token_file` holds an OAuth 2 access token, and
    `password_file` the password where none is given: both are read anew for each session, for somebody else keeps
    them fresh. `weight` is the share beside other relays: 0 is for when the others fail. `rate` is messages a second
    through it, None without a limit."""

    host: str
    port: int = 25
    security: Security = "none"
    username: str = ""
    password: str = ""
    helo: str = ""
    ca_file: str = ""
    connect_timeout: float = 30
    command_timeout: float = 300
    data_timeout: float = 600
    retry_pause: float = 1.0
    messages_per_connection: int = 100
    token_file: str = ""
    password_file: str = ""
    connections: int = 4
    weight: int = 1
    rate: float | None = None

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"


class Reply(NamedTuple):
    """What the relay said, and in which phase. `code` 0: nothing; `text` says then what happened instead."""

    phase: Phase
    code: int
    status: str = ""
    text: str = ""


class SessionError(Exception):
    """No session could be opened; `reply` says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.phase}: {reply.code or ''} {reply.text}".strip())
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Session:
    """An open session, and what the relay offers. `most`: the largest message it takes, 0 when it does not say."""

    socket: socket.socket
    pipelining: bool
    size: bool
    most: int
    smtputf8: bool


def open_session(settings: RelaySettings) -> Session:
    """Raises SessionError, with nothing left open."""
    smtp = _connect(settings)
    assert smtp.sock is not None
    if smtp.sock.family in (socket.AF_INET, socket.AF_INET6):
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    size = smtp.esmtp_features.get("size", "").split(" ")[0] if smtp.has_extn("size") else ""
    return Session(
        smtp.sock,
        pipelining=smtp.has_extn("pipelining"),
        size=smtp.has_extn("size"),
        most=int(size) if size.isascii() and size.isdigit() else 0,
        smtputf8=smtp.has_extn("smtputf8"),
    )


def make_reply(phase: Phase, code: int, lines: Sequence[str]) -> Reply:
    """A reply from its lines: the enhanced status is the first line's (RFC 2034), taken from every line."""
    match = _ENHANCED.match(lines[0]) if lines else None
    status = match[1] if match else ""
    if not status and (later := _ENHANCED.search(" ".join(lines))) and later[1][0] == str(code)[0]:
        status = later[1]
    text = " ".join([line.removeprefix(status).strip() for line in lines])
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return Reply(phase, code, status, text[:1000])


def describe(error: Exception) -> str:
    """What went wrong on the network, in words for a log."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not to be trusted: {error.verify_message.rstrip('.')}"
    if isinstance(error, ssl.SSLError) and error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return "no TLS is spoken there"
    return str(error) or type(error).__name__


@lru_cache(maxsize=16)
def _trust(ca_file: str) -> ssl.SSLContext:
    """Kept, for reading the system's authorities takes longer than a hundred mails."""
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:  # SSLError, too
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise SessionError(Reply("starttls", 0, "", f"ca_file {ca_file}: {reason}")) from error


def _connect(settings: RelaySettings) -> Dialogue:
    phase: Phase = "connect"
    smtp: Dialogue | None = None
    try:
        name = settings.helo or socket.gethostname() or "localhost"
        if settings.security == "tls":
            context = _trust(settings.ca_file)
            smtp = TlsDialogue(local_hostname=name, timeout=settings.connect_timeout, context=context)
        else:
            smtp = Dialogue(local_hostname=name, timeout=settings.connect_timeout)
        smtp._host = settings.host  # type: ignore[attr-defined]  # noqa: SLF001  # what TLS checks the certificate for
        code, text = smtp.connect(settings.host, settings.port)
        _need(phase, code, text)
        phase = "ehlo"
        _greet(smtp)
        if settings.security == "starttls":
            phase = "starttls"
            if not smtp.has_extn("starttls"):
                _need(phase, 502, b"the relay offers no STARTTLS")
            _need(phase, *smtp.starttls(context=_trust(settings.ca_file)))
            phase = "ehlo"
            _greet(smtp)
        if settings.username or settings.token_file:
            phase = "auth"
            _log_in(smtp, settings)
    except SessionError:
        _abandon(smtp)
        raise
    except smtplib.SMTPResponseException as error:
        _abandon(smtp)
        said = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
        reply = make_reply(phase, max(0, error.smtp_code), [said.decode("utf-8", "replace")])
        raise SessionError(reply) from error
    except (OSError, smtplib.SMTPException, ValueError) as error:  # ValueError: no host name, or no number
        _abandon(smtp)
        phase = "starttls" if isinstance(error, ssl.SSLError) else phase
        raise SessionError(Reply(phase, 0, "", describe(error))) from error
    return smtp


def _greet(smtp: Dialogue) -> None:
    code, text = smtp.ehlo()
    if code in (500, 502, 504):  # a server of before 1995
        code, text = smtp.helo()
    _need("ehlo", code, text)


def _log_in(smtp: Dialogue, settings: RelaySettings) -> None:
    """PLAIN or LOGIN, or XOAUTH2 where there is a token."""
    if settings.token_file:
        code, text = log_in(smtp, settings.username, token=_secret("token", settings.token_file))
    else:
        password = settings.password or (_secret("password", settings.password_file) if settings.password_file else "")
        code, text = log_in(smtp, settings.username, password=password)
    if 300 <= code < 400:
        code, text = 0, b"the relay asked for more than AUTH gives"
    if code != 503:  # "already authenticated"
        _need("auth", code, text)


def _secret(what: str, file: str) -> str:
    try:
        secret = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise SessionError(Reply("auth", 0, "", f"{what} file {file}: {reason}")) from error
    if not secret:
        raise SessionError(Reply("auth", 0, "", f"{what} file {file} is empty"))
    return secret


def _need(phase: Phase, code: int, text: bytes) -> None:
    if not 200 <= code < 300:
        raise SessionError(make_reply(phase, max(code, 0), [text.decode("utf-8", "replace")]))


def _abandon(smtp: Dialogue | None) -> None:
    if smtp is not None:
        smtp.close()
