"""Real SMTP servers for tests: a sink that keeps bytes and misbehaves on request; aiosmtpd with TLS and AUTH."""

from __future__ import annotations

import asyncio
import socket
import socketserver
import ssl
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

DROP = "drop"
STALL = "stall"


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came: the bytes of DATA with dot stuffing undone."""

    sender: str
    recipient: str
    data: bytes


@dataclass(slots=True)
class Fault:
    """At a phase ("connect", "ehlo", "mail", "rcpt", "data", "body", "dot", "lost") the sink gives this reply,
    or DROPs, or STALLs. "body": in the middle of the message. "lost": the message is kept, and then there is no answer.

    `times`: so often, then it behaves; None for ever."""

    phase: str
    reply: str
    times: int | None = None


@dataclass
class Sink:
    """A threaded SMTP server. `faults` by recipient ("*" for all); `begin_data` says 354 whatever RCPT was answered."""

    extensions: tuple[str, ...] = ("PIPELINING", "SIZE 1000000", "8BITMIME", "ENHANCEDSTATUSCODES")
    begin_data: bool = False
    faults: dict[str, Fault] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    delay: float = 0.0
    on_data: Callable[[str], None] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self, phase: str, recipient: str) -> str | None:
        with self.lock:
            for name in (recipient, "*"):
                found = self.faults.get(name)
                if found is not None and found.phase == phase and found.times != 0:
                    if found.times is not None:
                        found.times -= 1
                    return found.reply
        return None

    def recipients(self) -> list[str]:
        with self.lock:
            return sorted(one.recipient for one in self.received)

    @contextmanager
    def serve(self) -> Iterator[Sink]:
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with suppress(_DropError, OSError):
                    _Session(sink, self.rfile, self.wfile, self.connection).run()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 64

        with Server(("127.0.0.1", 0), Handler) as server:
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


class _DropError(Exception):
    pass


class _Session:
    def __init__(self, sink: Sink, rfile: Any, wfile: Any, connection: socket.socket) -> None:
        self.sink = sink
        self.rfile = rfile
        self.wfile = wfile
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def say(self, reply: str) -> None:
        self.wfile.write(reply.encode() + b"\r\n")

    def answer(self, phase: str, recipient: str, good: str) -> bool:
        """The programmed fault, or the good reply; whether it was good."""
        reply = self.sink.fault(phase, recipient)
        if reply == DROP:
            raise _DropError
        if reply == STALL:
            time.sleep(30)
            raise _DropError
        self.say(reply or good)
        if reply and reply.startswith("421"):
            raise _DropError
        return reply is None

    def run(self) -> None:
        sink = self.sink
        with sink.lock:
            sink.connections += 1
        self.answer("connect", "*", "220 sink ESMTP")
        sender = recipient = ""
        accepted = False
        while line := self.rfile.readline():
            command = line.decode().rstrip("\r\n")
            with sink.lock:
                sink.commands.append(command)
            verb = command.upper()
            if verb.startswith(("EHLO", "HELO")):
                self.answer("ehlo", "*", "\r\n".join(["250-sink", *(f"250-{e}" for e in sink.extensions), "250 HELP"]))
            elif verb.startswith("MAIL FROM:"):
                if sender:
                    self.say("503 5.5.1 nested MAIL command")
                    continue
                if self.answer("mail", "*", "250 2.1.0 ok"):
                    sender = command[10:].partition(">")[0].lstrip("<")
                recipient, accepted = "", False
            elif verb.startswith("RCPT TO:"):
                recipient = command[8:].partition(">")[0].lstrip("<")
                accepted = bool(sender) and self.answer("rcpt", recipient, "250 2.1.5 ok")
                if not sender:
                    self.say("503 5.5.1 need MAIL before RCPT")
            elif verb == "DATA":
                if not accepted and not sink.begin_data:
                    self.say("554 5.5.1 no valid recipients")
                    continue
                if self.answer("data", recipient, "354 go ahead"):
                    self.data(sender, recipient, accepted)
                    sender = ""
            elif verb == "RSET":
                sender = recipient = ""
                self.say("250 2.0.0 ok")
            elif verb == "QUIT":
                self.say("221 2.0.0 bye")
                return
            else:
                self.say("502 5.5.2 unknown command")

    def data(self, sender: str, recipient: str, accepted: bool) -> None:
        sink = self.sink
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise _DropError
            lines.append(line[1:] if line.startswith(b".") else line)
            if len(lines) == 3 and sink.fault("body", recipient) is not None:
                raise _DropError
        if not accepted:
            self.say("554 5.5.1 no valid recipients")
            return
        if sink.on_data is not None:
            sink.on_data(recipient)
        if sink.delay:
            time.sleep(sink.delay)
        message = Received(sender, recipient, b"".join(lines))
        lost = sink.fault("lost", recipient)
        if lost is not None:
            with sink.lock:
                sink.received.append(message)
            if lost == STALL:
                time.sleep(30)
            raise _DropError
        reply = sink.fault("dot", recipient)
        if reply == DROP:
            raise _DropError
        if reply == STALL:
            time.sleep(30)
            raise _DropError
        if reply is None:
            with sink.lock:
                sink.received.append(message)
        self.say(reply or f"250 2.0.0 ok queued as {len(sink.received)}")
        if reply and reply.startswith("421"):
            raise _DropError


class Keeper:
    """An aiosmtpd handler that keeps what it gets."""

    def __init__(self, *, pipelining: bool = False, password: str = "correct horse", token: str = "") -> None:
        self.received: list[Received] = []
        self.users: list[str] = []
        self.tls: list[bool] = []
        self._pipelining = pipelining
        self._password = password
        self._token = token

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]] if self._pipelining else responses

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.tls.append(server.transport.get_extra_info("ssl_object") is not None)
        self.received.append(Received(envelope.mail_from, envelope.rcpt_tos[0], envelope.content))
        return "250 2.0.0 kept"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (
            b"editor",
            self._password.encode(),
        )
        if good:
            self.users.append(mechanism)
        return AuthResult(success=good, handled=good)

    async def auth_XOAUTH2(self, server: Any, args: list[str]) -> AuthResult:  # noqa: N802
        """As the large providers do it: a wrong token is answered with a challenge that tells why."""
        said = b64decode(args[1]) if len(args) > 1 else await server.challenge_auth("")
        good = said.decode() == f"user=editor@example.org\1auth=Bearer {self._token}\1\1"
        if not good:
            await server.challenge_auth('{"status":"401"}')
            return AuthResult(success=False, handled=False)
        self.users.append("XOAUTH2")
        return AuthResult(success=True, auth_data=said)


@contextmanager
def aiosmtpd_server(
    keeper: Keeper,
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    auth: bool = False,
    utf8: bool = False,
    mechanisms: tuple[str, ...] = (),
) -> Iterator[int]:
    """aiosmtpd on a free port of 127.0.0.1, in a thread; yields the port. (Its Controller cannot do port 0.)"""
    ready: list[Any] = []
    started = threading.Event()

    def factory() -> SMTP:
        return SMTP(
            keeper,
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_require_tls=starttls is not None,
            authenticator=keeper.authenticate if auth else None,
            auth_required=auth,
            enable_SMTPUTF8=utf8,
            auth_exclude_mechanism=[m for m in ("PLAIN", "LOGIN", "XOAUTH2") if m not in mechanisms]
            if mechanisms
            else ["XOAUTH2"],
            loop=asyncio.get_running_loop(),
        )

    async def main() -> None:
        stop = asyncio.Event()
        server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0, ssl=tls)
        ready.extend((asyncio.get_running_loop(), stop, server.sockets[0].getsockname()[1]))
        started.set()
        await stop.wait()
        server.close()

    thread = threading.Thread(target=asyncio.run, args=(main(),), daemon=True)
    thread.start()
    assert started.wait(10)
    loop, stop, port = ready
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
