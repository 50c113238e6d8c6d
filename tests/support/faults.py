"""A relay that does everything wrong that a relay can, by a script: for each phase a fault, drawn or given.

It keeps its own account of what it took, for that is the truth that the ledger is held against."""

from __future__ import annotations

import random
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Fault = Callable[["Session"], None]
"""What happens instead of the good answer. It may say something, close, reset, stall, or take the message."""


class CutError(Exception):
    """The session is over."""


def say(reply: str) -> Fault:
    return lambda session: session.say(reply)


def close(session: Session) -> None:
    raise CutError


def reset(session: Session) -> None:
    """A TCP reset: whatever was on its way is gone."""
    session.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise CutError


def half_close(session: Session) -> None:
    """It says no more and goes on listening, for a moment."""
    with suppress(OSError):
        session.connection.shutdown(socket.SHUT_WR)
    session.pause(0.2)
    raise CutError


def say_and_close(reply: str) -> Fault:
    def fault(session: Session) -> None:
        session.say(reply)
        raise CutError

    return fault


def stall(session: Session) -> None:
    """Silence, for longer than anyone waits."""
    session.pause(session.relay.patience * 3)
    raise CutError


def dribble(reply: str) -> Fault:
    """An answer a byte at a time, that never ends in time."""

    def fault(session: Session) -> None:
        for byte in reply.encode():
            session.connection.sendall(bytes([byte]))
            session.pause(session.relay.patience / 4)
        raise CutError

    return fault


def late(reply: str) -> Fault:
    """The right answer, after nobody waits for it any more."""

    def fault(session: Session) -> None:
        session.pause(session.relay.patience * 1.5)
        session.say(reply)

    return fault


def keeping(fault: Fault) -> Fault:
    """The message was taken, whatever is said then."""

    def kept(session: Session) -> None:
        session.keep()
        fault(session)

    return kept


@dataclass
class FaultyRelay:
    """`faults` by phase ("connect", "ehlo", "mail", "rcpt", "data", "body", "dot"): one of them happens the first
    time, and then in so many of a hundred cases. `lies`: PIPELINING is offered, and what comes along with a command is
    thrown away. `offended`: what it says to more than one command at a time. `most`: messages a session, then 421.
    `patience`: how long the sender that is tested waits, in seconds."""

    faults: Mapping[str, Sequence[Fault]] = field(default_factory=dict)
    percent: int = 100
    seed: int = 1
    extensions: tuple[str, ...] = ("PIPELINING", "SIZE 1000000", "8BITMIME", "ENHANCEDSTATUSCODES")
    lies: bool = False
    offended: str = ""
    most: int = 0
    patience: float = 0.2
    tls: ssl.SSLContext | None = None
    took: Counter[str] = field(default_factory=Counter)
    commands: list[str] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    port: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()
        self._over = threading.Event()

    def draw(self, phase: str) -> Fault | None:
        with self._lock:
            faults = self.faults.get(phase)
            if not faults or (self.happened[phase] and self._random.randrange(100) >= self.percent):
                return None
            self.happened[phase] += 1
            return self._random.choice(list(faults))

    def take(self, recipient: str) -> None:
        with self._lock:
            self.took[recipient] += 1

    def wait(self, seconds: float) -> None:
        self._over.wait(seconds)

    @contextmanager
    def serve(self) -> Iterator[FaultyRelay]:
        with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
            self.port = server.getsockname()[1]
            server.settimeout(0.05)
            threads: list[threading.Thread] = []
            main = threading.Thread(target=self._accept, args=(server, threads), daemon=True)
            main.start()
            try:
                yield self
            finally:
                self._over.set()
                main.join()
                for thread in threads:
                    thread.join(5)

    def _accept(self, server: socket.socket, threads: list[threading.Thread]) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                connection, _ = server.accept()
                thread = threading.Thread(target=self._session, args=(connection,), daemon=True)
                threads.append(thread)
                thread.start()

    def _session(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        try:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Session(self, connection).run()
        except (CutError, OSError):
            pass  # that is what it is for
        finally:
            # `detach`: TLS says no goodbye; the plain socket closes, or resets.
            socket.socket(fileno=connection.detach()).close()


class Session:
    """One connection, as the faults see it."""

    def __init__(self, relay: FaultyRelay, connection: socket.socket) -> None:
        self.relay = relay
        self.connection = connection
        self.recipient = ""
        self._buffer = b""
        self._count = 0

    def say(self, reply: str) -> None:
        self.connection.sendall(reply.encode() + b"\r\n")

    def pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.relay._over.is_set():
            self.relay.wait(left)

    def keep(self) -> None:
        self.relay.take(self.recipient)

    def line(self) -> bytes:
        while b"\n" not in self._buffer:
            data = self.connection.recv(65536)
            if not data:
                raise CutError
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def answer(self, phase: str, good: str) -> bool:
        """The good reply, or a fault in its place; whether it was good."""
        fault = self.relay.draw(phase)
        if self.relay.lies:
            self._buffer = b""
        if fault is None:
            self.say(good)
            return True
        fault(self)
        return False

    def run(self) -> None:
        relay = self.relay
        self.answer("connect", "220 faulty ESMTP")
        sender = accepted = False
        while True:
            command = self.line().decode("utf-8", "replace")
            relay.commands.append(command)
            verb = command[:4].upper()
            if relay.offended and self._buffer and verb != "EHLO":
                self.say(relay.offended)
                raise CutError
            if verb == "EHLO":
                self.answer(
                    "ehlo", "\r\n".join(["250-faulty", *(f"250-{one}" for one in relay.extensions), "250 HELP"])
                )
            elif verb == "MAIL":
                sender, accepted = self.answer("mail", "250 2.1.0 ok"), False
            elif verb == "RCPT":
                self.recipient = command[8:].partition(">")[0].lstrip("<")
                accepted = sender and self.answer("rcpt", "250 2.1.5 ok")
                if not sender:
                    self.say("503 5.5.1 need MAIL first")
            elif verb == "DATA" and not accepted:
                self.say("503 5.5.1 need RCPT first")
            elif verb == "DATA":
                if self.answer("data", "354 go ahead"):
                    self.data()
                sender = accepted = False
            elif verb == "RSET":
                sender = accepted = False
                self.say("250 2.0.0 ok")
            elif verb == "QUIT":
                self.say("221 2.0.0 bye")
                return
            else:
                self.say("500 5.5.2 what?")

    def data(self) -> None:
        fault, lines = self.relay.draw("body"), 0
        while self.line() != b".":
            lines += 1
            if fault is not None and lines == 3:
                fault(self)
        answered = self.answer("dot", "250 2.0.0 kept")
        if answered:
            self.keep()
        self._count += 1
        if self.relay.most and self._count >= self.relay.most:
            self.say("421 4.7.0 that was enough")
            raise CutError
