"""A small blocking SMTP client (RFC 5321) that waits once a message: envelopes are pipelined (RFC 2920).

How its session is opened: `session`. How octets come and go: `wire`, `replies`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from digest.delivery.policy import Phase, taken
from digest.delivery.replies import Replies
from digest.delivery.session import RelaySettings, Reply, describe, open_session
from digest.delivery.wire import LostError, Wire

_PHASES: tuple[Phase, ...] = ("mail", "rcpt", "data")
_OUT_OF_STEP = re.compile(r"synchroni[sz]ation|pipelin", re.IGNORECASE)


class Envelope(Protocol):
    """Sender, recipient and the message's size in octets. An address that is not ASCII needs SMTPUTF8."""

    @property
    def sender(self) -> str: ...
    @property
    def recipient(self) -> str: ...
    @property
    def size(self) -> int: ...


class _OutOfStepError(Exception):
    """The relay cannot pipeline, whatever it offered."""


class _Asked(NamedTuple):
    """What an envelope came to: the refusal, if any, and whether the relay now waits for a body."""

    refusal: Reply | None
    ready: bool


_TAKEN = _Asked(None, ready=True)


class Client:
    """One session with the relay. Not for two threads at once. Every method that fails leaves the
    connection closed.

    `begun`: an envelope has gone out and its message has not: the next `deliver` must be for it. `out_of_step`: the
    relay offered PIPELINING and then lost its place; do without in the next session."""

    def __init__(self, settings: RelaySettings, *, pipelining: bool = True) -> None:
        """Connects, and greets. Without `pipelining` the relay's offer of it is not taken. Raises SessionError."""
        self._settings = settings
        session = open_session(settings)
        self._wire = Wire(session.socket, shortest=min(settings.command_timeout, settings.data_timeout))
        self._replies = Replies(self._wire)
        self._pipelining = pipelining and session.pipelining
        self._size = session.size
        self._most = session.most
        self.smtputf8 = session.smtputf8
        self._usual = b""  # what this relay says to an envelope that it takes
        self.begun: Envelope | None = None
        self._awaited = False  # the envelope that went out was taken
        self._reset_needed = False
        self.delivered = 0
        self.out_of_step = False

    @property
    def is_open(self) -> bool:
        return self._wire.is_open

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
        begun = self.begun
        if self._most and envelope.size > self._most and begun is None:
            text = f"the message has {envelope.size} octets, the relay takes {self._most}"
            return Reply("mail", 552, "5.3.4", text)
        try:
            assert begun is None or begun is envelope or begun == envelope
            asked = self._ask(envelope) if begun is None else self._read_envelope()
            if asked is not _TAKEN:
                assert asked.refusal is not None
                return self._empty_body(asked.refusal) if asked.ready else self._closing(asked.refusal)
        except (OSError, LostError) as error:
            self.close()
            return Reply("mail", 0, "", describe(error))
        except _OutOfStepError as error:
            self.out_of_step = True
            self.close()
            return Reply("mail", 0, "", str(error))
        if not before_body():
            self.close()
            return None
        said = self.hand_over(pieces, following)
        if isinstance(said, bytes):
            _, code, status, text, _ = taken(said)
            return Reply("dot", code, status, text)
        return said

    def awaits_body(self) -> bool:
        """Whether the envelope that went along with the mail before was taken, in the words that this relay has for
        that, so that it waits for the body. Where it is not, `deliver` finds out what it is."""
        if not self._awaited and self.begun is not None and self._usual and not self._reset_needed:
            self._wire.allow(self._settings.command_timeout)
            self._awaited = self._replies.take(self._usual)
        return self._awaited

    def hand_over(self, pieces: Sequence[bytes], following: Envelope | None = None) -> bytes | Reply:
        """The body, for which the relay waits (`awaits_body`). The line in which it plainly said that it took the
        message, for `policy.taken`; or else the reply, as in `deliver`."""
        self.begun, self._awaited = None, False
        phase: Phase = "data"
        try:
            early = self._send_body(pieces, following)
            if early is not None:
                self.close()
                return early
            phase = "lost"
            said = self._replies.take_yes() or self._replies.read("dot")
        except (OSError, LostError) as error:
            self.close()
            return Reply(phase, 0, "", describe(error))
        self.delivered += 1
        return said if isinstance(said, bytes) or said.code < 400 else self._closing(said)

    def quit(self) -> None:
        """Says goodbye, and closes."""
        if self.is_open and self.begun is None:
            try:
                self._wire.allow(5)
                self._wire.send([b"QUIT\r\n"])
                self._replies.read("connect")
            except (OSError, LostError):
                pass  # everything that matters has been answered before
        self.close()

    def close(self) -> None:
        self._wire.close()
        self.begun, self._awaited = None, False

    def _closing(self, reply: Reply) -> Reply:
        if reply.code == 421:  # the relay closes the channel (RFC 5321 section 3.8)
            self.close()
        return reply

    def _commands(self, envelope: Envelope) -> bytes:
        recipient = envelope.recipient
        size = f" SIZE={envelope.size}" if self._size else ""
        utf8 = "" if recipient.isascii() else " BODY=8BITMIME SMTPUTF8"
        reset = "RSET\r\n" if self._reset_needed else ""
        return f"{reset}MAIL FROM:<{envelope.sender}>{size}{utf8}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode()

    def _ask(self, envelope: Envelope) -> _Asked:
        """Sends an envelope and reads the replies."""
        self._wire.allow(self._settings.command_timeout)
        commands = self._commands(envelope)
        if self._pipelining:
            self._wire.send([commands])
            return self._read_envelope()
        one_by_one = commands.splitlines(keepends=True)
        if self._reset_needed:
            self._wire.send([one_by_one.pop(0)])
            self._replies.read("mail")
            self._reset_needed = False
        for phase, command in zip(_PHASES, one_by_one, strict=True):
            self._wire.send([command])
            reply = self._replies.read(phase)
            if not _continues(reply):
                self._reset_needed = phase != "mail"
                return _Asked(reply, ready=False)
        return _TAKEN

    def _read_envelope(self) -> _Asked:
        """The replies to a pipelined envelope. All are read, though one refuses: they come anyway."""
        replies = self._replies
        # What it said to one that it took, octet by octet, needs no closer look.
        if self.awaits_body():
            return _TAKEN
        self.begun = None
        self._wire.allow(self._settings.command_timeout)
        answered = False
        if self._reset_needed:
            replies.read("mail")
            self._reset_needed = False
            answered = True
        replies.trail = b""
        refusal: Reply | None = None
        for phase in _PHASES:
            try:
                reply = replies.read(phase)
            except (OSError, LostError) as error:
                if refusal is not None:
                    self.close()  # it refused and hung up: the refusal stands
                    return _Asked(refusal, ready=False)
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
                return _Asked(refusal, ready=False)
        if reply.code != 354:
            self._reset_needed = True
            return _Asked(refusal, ready=False)
        if refusal is not None:
            return _Asked(refusal, ready=True)
        self._usual = replies.trail
        return _TAKEN

    def _empty_body(self, refusal: Reply) -> Reply:
        """The recipient was refused, yet DATA answered 354: only the dot is sent (RFC 2920 section 3.1)."""
        try:
            self._wire.send([b".\r\n"])
            if self._replies.read("dot").code == 421:
                self.close()
        except (OSError, LostError):
            self.close()
        self._reset_needed = True
        return refusal

    def _send_body(self, pieces: Sequence[bytes], following: Envelope | None) -> Reply | None:
        """Sends body and final dot. A relay that refuses and hangs up in the middle gave the reply returned.

        Raises OSError only while the final dot cannot have gone; a failure after it is left for the reader
        to find."""
        wire = self._wire
        wire.allow(self._settings.data_timeout)
        tail = b".\r\n" if pieces[-1].endswith(b"\r\n") else b"\r\n.\r\n"
        after = b""
        if following is not None and self._pipelining and not (self._most and following.size > self._most):
            after = self._commands(following)
            self.begun = following
        try:
            if not wire.encrypted:
                wire.send([*pieces, tail, after], spare=len(after))
                return None
            wire.send([*pieces])
        except OSError:
            return self._last_words()
        try:
            wire.send([tail, after])
        except OSError:
            return Reply("lost", 0, "", "the connection broke while the final dot was sent")
        return None

    def _last_words(self) -> Reply:
        """The body could not be sent: perhaps the relay has said why."""
        try:
            self._wire.allow(5)
            reply = self._replies.read("data")
        except (OSError, LostError) as error:
            return Reply("data", 0, "", describe(error))
        if reply.code < 400:
            return Reply("data", 0, "", "the connection broke in the middle of the body")
        return reply


def _continues(reply: Reply) -> bool:
    return reply.code == 354 if reply.phase == "data" else 200 <= reply.code < 300
