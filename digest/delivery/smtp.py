"""A small blocking SMTP client (RFC 5321) that waits once a message: envelopes are pipelined (RFC 2920).

EHLO, STARTTLS and AUTH are smtplib's; then its socket is taken over."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from digest.delivery.policy import Phase

Security = Literal["none", "starttls", "tls"]
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?=\s|$)")
_MOST_OF_A_REPLY = 64 * 1024
_MOST_BUFFERS = 512  # below every system's IOV_MAX


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Where mail goes out. Timeouts are seconds; RFC 5321 section 4.5.3.2 asks for patience after the final dot.

    `helo` is the name we give ("" takes the machine's); `ca_file` a CA of one's own, in PEM; `retry_pause` the wait
    after a session that could not be had, in seconds: it doubles."""

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


@dataclass(frozen=True, slots=True)
class Reply:
    """What the relay said, and in which phase. `code` 0: nothing; `text` says then what happened instead."""

    phase: Phase
    code: int
    status: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Sender, recipient and the message's size in octets. An address that is not ASCII needs SMTPUTF8."""

    sender: str
    recipient: str
    size: int


class SessionError(Exception):
    """No session could be opened; `reply` says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.phase}: {reply.code or ''} {reply.text}".strip())
        self.reply = reply


class _LostError(Exception):
    """The connection ended, went silent or spoke nonsense."""


class Client:
    """One session with the relay. Not for two threads at once. Every method that fails leaves the
    connection closed."""

    def __init__(self, settings: RelaySettings) -> None:
        """Connects, and greets. Raises SessionError."""
        self._settings = settings
        smtp = _open(settings)
        assert smtp.sock is not None
        self._socket: socket.socket | None = smtp.sock
        self._tls = isinstance(smtp.sock, ssl.SSLSocket)
        if not self._tls or smtp.sock.family in (socket.AF_INET, socket.AF_INET6):
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pipelining = smtp.has_extn("pipelining")
        self._size = smtp.has_extn("size")
        self._most = int(smtp.esmtp_features.get("size", "0").split(" ")[0] or 0) if self._size else 0
        self.smtputf8 = smtp.has_extn("smtputf8")
        self._received = bytearray()
        self._begun: Envelope | None = None
        self._reset_needed = False
        self.delivered = 0

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    @property
    def has_begun(self) -> bool:
        """An envelope has gone out and its message has not: the next `deliver` must be for it."""
        return self._begun is not None

    def deliver(
        self,
        envelope: Envelope,
        pieces: Sequence[bytes],
        *,
        before_body: Callable[[], bool],
        following: Envelope | None = None,
    ) -> Reply | None:
        """One message; the reply that decides its fate. Code 0 in phase "lost": it may have arrived, or not.

        `before_body` is called when the relay has said 354 and nothing of the body has gone; where it
        returns False the message is not sent, the connection is closed and None is returned. `following` is
        the envelope of the next message, sent along with this one's final dot where the relay takes
        pipelining."""
        if self._most and envelope.size > self._most and self._begun is None:
            text = f"the message has {envelope.size} octets, the relay takes {self._most}"
            return Reply("mail", 552, "5.3.4", text)
        phase: Phase = "mail"
        try:
            if self._begun is None:
                refusal, ready = self._envelope(envelope)
            else:
                assert self._begun == envelope
                refusal, ready = self._read_envelope()
            if not ready:
                assert refusal is not None
                return self._closing(refusal)
            if refusal is not None:
                return self._empty_body(refusal)
            if not before_body():
                self.close()
                return None
            phase = "data"
            early = self._send_body(pieces, following)
            if early is not None:
                self.close()
                return early
            phase = "lost"
            reply = self._read("dot")
        except (OSError, _LostError) as error:
            self.close()
            return Reply(phase, 0, "", _describe(error))
        self.delivered += 1
        return self._closing(reply)

    def quit(self) -> None:
        """Says goodbye, and closes."""
        if self._socket is not None and self._begun is None:
            try:
                self._socket.settimeout(5)
                self._socket.sendall(b"QUIT\r\n")
                self._read("connect")
            except (OSError, _LostError):
                pass  # everything that matters has been answered before
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._begun = None

    def _closing(self, reply: Reply) -> Reply:
        if reply.code == 421:  # the relay closes the channel (RFC 5321 section 3.8)
            self.close()
        return reply

    def _commands(self, envelope: Envelope) -> list[bytes]:
        mail = f"MAIL FROM:<{envelope.sender}>"
        if self._size:
            mail += f" SIZE={envelope.size}"
        if not envelope.recipient.isascii():
            mail += " BODY=8BITMIME SMTPUTF8"
        commands = [f"{mail}\r\n".encode(), f"RCPT TO:<{envelope.recipient}>\r\n".encode(), b"DATA\r\n"]
        return [b"RSET\r\n", *commands] if self._reset_needed else commands

    def _envelope(self, envelope: Envelope) -> tuple[Reply | None, bool]:
        """Sends it and reads the replies: the refusal, if any, and whether the relay now waits for a body."""
        self._timeout(self._settings.command_timeout)
        commands = self._commands(envelope)
        if self._pipelining:
            self._sock.sendall(b"".join(commands))
            return self._read_envelope()
        if self._reset_needed:
            self._sock.sendall(commands.pop(0))
            self._read("mail")
            self._reset_needed = False
        phases: tuple[Phase, ...] = ("mail", "rcpt", "data")
        for phase, command in zip(phases, commands, strict=True):
            self._sock.sendall(command)
            reply = self._read(phase)
            if not _continues(reply):
                self._reset_needed = phase != "mail"
                return reply, False
        return None, True

    def _read_envelope(self) -> tuple[Reply | None, bool]:
        """The replies to a pipelined envelope. All are read, though one refuses: they come anyway."""
        self._begun = None
        self._timeout(self._settings.command_timeout)
        if self._reset_needed:
            self._read("mail")
            self._reset_needed = False
        refusal: Reply | None = None
        phases: tuple[Phase, ...] = ("mail", "rcpt", "data")
        for phase in phases:
            try:
                reply = self._read(phase)
            except (OSError, _LostError):
                if refusal is None:
                    raise
                self.close()  # it refused and hung up: the refusal stands
                return refusal, False
            if refusal is None and not _continues(reply):
                refusal = reply
            if reply.code == 421:
                self.close()
                return refusal, False
        if reply.code == 354:
            return refusal, True
        self._reset_needed = True
        return refusal, False

    def _empty_body(self, refusal: Reply) -> Reply:
        """The recipient was refused, yet DATA answered 354: only the dot is sent (RFC 2920 section 3.1)."""
        try:
            self._sock.sendall(b".\r\n")
            if self._read("dot").code == 421:
                self.close()
        except (OSError, _LostError):
            self.close()
        self._reset_needed = True
        return refusal

    def _send_body(self, pieces: Sequence[bytes], following: Envelope | None) -> Reply | None:
        """Sends body and final dot. A relay that refuses and hangs up in the middle gave the reply returned.

        Raises OSError only while the final dot cannot have gone; a failure after it is left for the reader
        to find."""
        self._timeout(self._settings.data_timeout)
        tail = b".\r\n" if pieces[-1].endswith(b"\r\n") else b"\r\n.\r\n"
        after = b""
        if following is not None and self._pipelining and not (self._most and following.size > self._most):
            after = b"".join(self._commands(following))
            self._begun = following
        try:
            if self._tls:
                self._sock.sendall(b"".join(pieces))
            else:
                self._send_pieces([*pieces, tail, after], needed=sum(map(len, pieces)) + len(tail))
        except OSError:
            return self._last_words()
        if self._tls:
            try:
                self._sock.sendall(tail + after)
            except OSError:
                return Reply("lost", 0, "", "the connection broke while the final dot was sent")
        return None

    def _send_pieces(self, pieces: list[bytes], *, needed: int) -> None:
        """`needed`: with that many octets out, the message is complete and no error here may call it
        unsent."""
        if len(pieces) > _MOST_BUFFERS:
            pieces = [b"".join(pieces)]
        total = sum(map(len, pieces))
        sent = 0
        try:
            sent = self._sock.sendmsg(pieces)
            if sent < total:
                rest = memoryview(b"".join(pieces))
                while sent < total:
                    sent += self._sock.send(rest[sent:])
        except OSError:
            if sent < needed:
                raise
            # The dot is out: what became of the message, the reply tells, or its absence.

    def _last_words(self) -> Reply:
        """The body could not be sent: perhaps the relay has said why."""
        try:
            self._timeout(5)
            reply = self._read("data")
        except (OSError, _LostError) as error:
            return Reply("data", 0, "", _describe(error))
        if reply.code < 400:
            return Reply("data", 0, "", "the connection broke in the middle of the body")
        return reply

    @property
    def _sock(self) -> socket.socket:
        if self._socket is None:
            raise _LostError("the connection is closed")
        return self._socket

    def _timeout(self, seconds: float) -> None:
        self._sock.settimeout(seconds)

    def _read(self, phase: Phase) -> Reply:
        """One reply, all of its lines."""
        lines: list[str] = []
        while True:
            line = self._line()
            if len(line) < 3 or not line[:3].isdigit() or (len(line) > 3 and line[3:4] not in (b" ", b"-")):
                raise _LostError(f"the relay answered {line[:80]!r}, which is not SMTP")
            lines.append(line[4:].decode("utf-8", "replace").strip())
            if line[3:4] != b"-":
                break
        return make_reply(phase, int(line[:3]), lines)

    def _line(self) -> bytes:
        received = self._received
        while (end := received.find(b"\n")) < 0:
            if len(received) > _MOST_OF_A_REPLY:
                raise _LostError("the relay's reply has no end")
            data = self._sock.recv(65536)
            if not data:
                raise _LostError("the relay closed the connection")
            received += data
        line = bytes(received[:end]).rstrip(b"\r")
        del received[: end + 1]
        return line


def make_reply(phase: Phase, code: int, lines: Sequence[str]) -> Reply:
    """A reply from its lines: the enhanced status is the first line's (RFC 2034), taken from every line."""
    match = _ENHANCED.match(lines[0]) if lines else None
    status = match[1] if match else ""
    if not status and (later := _ENHANCED.search(" ".join(lines))) and later[1][0] == str(code)[0]:
        status = later[1]
    text = " ".join(line.removeprefix(status).strip() for line in lines)
    return Reply(phase, code, status, "".join(c if c.isprintable() else " " for c in text)[:1000])


def _continues(reply: Reply) -> bool:
    return reply.code == 354 if reply.phase == "data" else 200 <= reply.code < 300


def _describe(error: Exception) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__


@lru_cache(maxsize=4)
def _trust(ca_file: str) -> ssl.SSLContext:
    """Kept, for reading the system's authorities takes longer than a hundred mails."""
    return ssl.create_default_context(cafile=ca_file or None)


def _open(settings: RelaySettings) -> smtplib.SMTP:
    phase: Phase = "connect"
    smtp: smtplib.SMTP | None = None
    try:
        name = settings.helo or socket.gethostname() or "localhost"
        if settings.security == "tls":
            smtp = smtplib.SMTP_SSL(
                local_hostname=name, timeout=settings.connect_timeout, context=_trust(settings.ca_file)
            )
        else:
            smtp = smtplib.SMTP(local_hostname=name, timeout=settings.connect_timeout)
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
        if settings.username:
            phase = "auth"
            smtp.login(settings.username, settings.password)
    except SessionError:
        _abandon(smtp)
        raise
    except smtplib.SMTPResponseException as error:
        _abandon(smtp)
        text = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
        reply = make_reply(phase, max(0, error.smtp_code), [text.decode("utf-8", "replace")])
        raise SessionError(reply) from error
    except smtplib.SMTPNotSupportedError as error:
        _abandon(smtp)
        raise SessionError(Reply(phase, 502, "", str(error))) from error
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        _abandon(smtp)
        raise SessionError(Reply(phase, 0, "", _describe(error))) from error
    return smtp


def _greet(smtp: smtplib.SMTP) -> None:
    code, text = smtp.ehlo()
    if code in (500, 502, 504):  # a server of before 1995
        code, text = smtp.helo()
    _need("ehlo", code, text)


def _need(phase: Phase, code: int, text: bytes) -> None:
    if not 200 <= code < 300:
        raise SessionError(make_reply(phase, max(code, 0), [text.decode("utf-8", "replace")]))


def _abandon(smtp: smtplib.SMTP | None) -> None:
    if smtp is not None:
        smtp.close()
