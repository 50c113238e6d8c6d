"""A small blocking SMTP client (RFC 5321) that waits once a message: envelopes are pipelined (RFC 2920).

How its session is opened: `session`."""

from __future__ import annotations

import re
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from time import monotonic
from typing import NamedTuple

from digest.delivery.policy import Phase
from digest.delivery.session import RelaySettings, Reply, describe, make_reply, open_session

_MOST_OF_A_REPLY = 64 * 1024
_MOST_LINES = 500
_PHASES: tuple[Phase, ...] = ("mail", "rcpt", "data")
_MOST_BUFFERS = 512  # below every system's IOV_MAX
_TICK = 1.0  # seconds between two looks at the time while a relay says nothing
_OUT_OF_STEP = re.compile(r"synchroni[sz]ation|pipelin", re.IGNORECASE)


class Envelope(NamedTuple):
    """Sender, recipient and the message's size in octets. An address that is not ASCII needs SMTPUTF8."""

    sender: str
    recipient: str
    size: int


class _LostError(Exception):
    """The connection ended, went silent or spoke nonsense."""


class _OutOfStepError(Exception):
    """The relay cannot pipeline, whatever it offered."""


class Client:
    """One session with the relay. Not for two threads at once. Every method that fails leaves the
    connection closed.

    `out_of_step`: the relay offered PIPELINING and then lost its place; do without in the next session."""

    def __init__(self, settings: RelaySettings, *, pipelining: bool = True) -> None:
        """Connects, and greets. Without `pipelining` the relay's offer of it is not taken. Raises SessionError."""
        self._settings = settings
        session = open_session(settings)
        self._socket: socket.socket | None = session.socket
        self._tls = isinstance(session.socket, ssl.SSLSocket)
        self._pipelining = pipelining and session.pipelining
        self._size = session.size
        self._most = session.most
        self.smtputf8 = session.smtputf8
        self._received = bytearray()
        self._trail = bytearray()  # the lines read last
        self._usual = b""  # what this relay says to an envelope that it takes
        self._begun: Envelope | None = None
        self._reset_needed = False
        self._until = 0.0
        if not self._tls:
            # The kernel keeps the time: Python's own timeouts cost a poll before each call, and two calls a mail.
            tick = min(_TICK, settings.command_timeout, settings.data_timeout)
            seconds, rest = divmod(tick, 1)
            span = struct.pack("ll", int(seconds), int(rest * 1e6))
            session.socket.settimeout(None)
            session.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, span)
            session.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, span)
        self._allowed = -1.0
        self.delivered = 0
        self.out_of_step = False

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
            return Reply(phase, 0, "", describe(error))
        except _OutOfStepError as error:
            self.out_of_step = True
            self.close()
            return Reply(phase, 0, "", str(error))
        self.delivered += 1
        return self._closing(reply)

    def quit(self) -> None:
        """Says goodbye, and closes."""
        if self._socket is not None and self._begun is None:
            try:
                self._timeout(5)
                self._send(b"QUIT\r\n")
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

    def _commands(self, envelope: Envelope) -> bytes:
        sender, recipient, size = envelope
        size_of = f" SIZE={size}" if self._size else ""
        utf8 = "" if recipient.isascii() else " BODY=8BITMIME SMTPUTF8"
        reset = "RSET\r\n" if self._reset_needed else ""
        return f"{reset}MAIL FROM:<{sender}>{size_of}{utf8}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode()

    def _envelope(self, envelope: Envelope) -> tuple[Reply | None, bool]:
        """Sends it and reads the replies: the refusal, if any, and whether the relay now waits for a body."""
        self._timeout(self._settings.command_timeout)
        commands = self._commands(envelope)
        if self._pipelining:
            self._send(commands)
            return self._read_envelope()
        one_by_one = commands.splitlines(keepends=True)
        if self._reset_needed:
            self._send(one_by_one.pop(0))
            self._read("mail")
            self._reset_needed = False
        for phase, command in zip(_PHASES, one_by_one, strict=True):
            self._send(command)
            reply = self._read(phase)
            if not _continues(reply):
                self._reset_needed = phase != "mail"
                return reply, False
        return None, True

    def _read_envelope(self) -> tuple[Reply | None, bool]:
        """The replies to a pipelined envelope. All are read, though one refuses: they come anyway."""
        self._begun = None
        self._timeout(self._settings.command_timeout)
        if self._is_usual():
            return None, True
        answered = False
        self._trail.clear()
        if self._reset_needed:
            self._read("mail")
            self._reset_needed = False
            answered = True
            self._trail.clear()
        refusal: Reply | None = None
        for phase in _PHASES:
            try:
                reply = self._read(phase)
            except (OSError, _LostError) as error:
                if refusal is not None:
                    self.close()  # it refused and hung up: the refusal stands
                    return refusal, False
                if isinstance(error, TimeoutError) and (answered or self.delivered):
                    text = "the relay offers PIPELINING and answers only the first of several commands"
                    raise _OutOfStepError(text) from error
                raise
            answered = True
            if refusal is None and not _continues(reply):
                refusal = reply
                if reply.code in (500, 503) or _OUT_OF_STEP.search(reply.text):
                    text = f"the relay offers PIPELINING and loses its place: {reply.code} {reply.text}"
                    raise _OutOfStepError(text)
            if reply.code == 421:
                self.close()
                return refusal, False
        if reply.code == 354:
            self._usual = bytes(self._trail) if refusal is None else self._usual
            return refusal, True
        self._reset_needed = True
        return refusal, False

    def _is_usual(self) -> bool:
        """Whether the relay says to this envelope, octet by octet, what it said to one before it, and took it.

        That is read at once; anything else is left for a closer look."""
        usual, received = self._usual, self._received
        if not usual or self._reset_needed:
            return False
        try:
            while len(received) < len(usual):
                if not usual.startswith(received):
                    return False
                self._receive()
        except (OSError, _LostError):
            return False  # it comes again
        if not received.startswith(usual):
            return False
        del received[: len(usual)]
        return True

    def _empty_body(self, refusal: Reply) -> Reply:
        """The recipient was refused, yet DATA answered 354: only the dot is sent (RFC 2920 section 3.1)."""
        try:
            self._send(b".\r\n")
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
            after = self._commands(following)
            self._begun = following
        try:
            if self._tls:
                self._sock.sendall(b"".join(pieces))
            else:
                self._send_pieces([*pieces, tail, after], spare=len(after))
        except OSError:
            return self._last_words()
        if self._tls:
            try:
                self._sock.sendall(tail + after)
            except OSError:
                return Reply("lost", 0, "", "the connection broke while the final dot was sent")
        return None

    def _send_pieces(self, pieces: list[bytes], *, spare: int) -> None:
        """`spare`: with all but so many octets out, the message is complete and no error here may call it
        unsent."""
        if len(pieces) > _MOST_BUFFERS:
            pieces = [b"".join(pieces)]
        total = sum(map(len, pieces))
        sent = 0
        try:
            try:
                sent = self._sock.sendmsg(pieces)
            except BlockingIOError:
                self._time_left()
            if sent < total:
                rest = memoryview(b"".join(pieces))
                while sent < total:
                    self._time_left()
                    try:
                        sent += self._sock.send(rest[sent:])
                    except BlockingIOError:
                        continue
        except OSError:
            if sent < total - spare:
                raise
            # The dot is out: what became of the message, the reply tells, or its absence.

    def _last_words(self) -> Reply:
        """The body could not be sent: perhaps the relay has said why."""
        try:
            self._timeout(5)
            reply = self._read("data")
        except (OSError, _LostError) as error:
            return Reply("data", 0, "", describe(error))
        if reply.code < 400:
            return Reply("data", 0, "", "the connection broke in the middle of the body")
        return reply

    @property
    def _sock(self) -> socket.socket:
        if self._socket is None:
            raise _LostError("the connection is closed")
        return self._socket

    def _timeout(self, seconds: float) -> None:
        """For the whole of what comes next: a relay that sends a byte now and then must not hold us for ever."""
        self._until = monotonic() + seconds
        if self._tls:
            self._allow(seconds)

    def _time_left(self) -> None:
        left = self._until - monotonic()
        if left <= 0:
            raise TimeoutError
        if self._tls:
            self._allow(left)

    def _allow(self, seconds: float) -> None:
        if seconds != self._allowed:  # it is a call into the kernel
            self._sock.settimeout(seconds)
            self._allowed = seconds

    def _send(self, data: bytes) -> None:
        if self._tls:
            self._sock.sendall(data)
        else:
            self._send_pieces([data], spare=0)

    def _receive(self) -> None:
        """Some more octets of what the relay says."""
        while True:
            try:
                data = self._sock.recv(65536)
            except BlockingIOError:
                self._time_left()
                continue
            if not data:
                raise _LostError("the relay closed the connection")
            self._received += data
            return

    def _read(self, phase: Phase) -> Reply:
        """One reply, all of its lines. Lines that contradict each other are no reply."""
        first = line = self._line()
        if phase != "dot" and line[3:4] == b" ":
            return _usual(phase, line)
        lines: list[str] = []
        while True:
            _check(line)
            if line[:1] != first[:1]:
                raise _LostError(f"the relay answered {first[:40]!r} and {line[:40]!r} in one reply")
            lines.append(line[4:].decode("utf-8", "replace").strip())
            if line[3:4] != b"-":
                break
            if len(lines) >= _MOST_LINES:
                raise _LostError("the relay's reply has no end")
            line = self._line()
        return make_reply(phase, int(line[:3]), lines)

    def _line(self) -> bytes:
        received = self._received
        while (end := received.find(b"\n")) < 0:
            if len(received) > _MOST_OF_A_REPLY:
                raise _LostError("the relay's reply has no end")
            if received:
                self._time_left()
            self._receive()
        line = bytes(received[: end + 1])
        del received[: end + 1]
        self._trail += line
        return line.rstrip(b"\r\n")


def _check(line: bytes) -> None:
    if len(line) < 3 or not line[:3].isdigit() or (len(line) > 3 and line[3:4] not in (b" ", b"-")):
        raise _LostError(f"the relay answered {line[:80]!r}, which is not SMTP")


@lru_cache(maxsize=64)
def _usual(phase: Phase, line: bytes) -> Reply:
    """A reply of one line. To envelopes a relay says the same again and again; only after the dot it has news."""
    _check(line)
    return make_reply(phase, int(line[:3]), [line[4:].decode("utf-8", "replace").strip()])


def _continues(reply: Reply) -> bool:
    return reply.code == 354 if reply.phase == "data" else 200 <= reply.code < 300
