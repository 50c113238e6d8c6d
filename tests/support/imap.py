"""A small IMAP4rev1 server (RFC 3501) over one folder: what a bounce mailbox needs of it."""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

_COMMAND = re.compile(rb"(\S+) (UID )?(\S+) ?(.*)", re.DOTALL)
_LITERAL = re.compile(rb"\{(\d+)\}\r\n$")


@dataclass
class Imap:
    """`messages` by their UID with their flags. `drop_at`: the connection ends at that command, before it is done;
    `refuse`: the commands that are answered with NO. `implicit`: TLS from the first byte, else by STARTTLS."""

    messages: dict[int, tuple[bytes, set[str]]] = field(default_factory=dict)
    password: str = "correct horse"
    uidplus: bool = True
    drop_at: str = ""
    refuse: tuple[str, ...] = ()
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    commands: list[str] = field(default_factory=list)
    port: int = 0

    def add(self, *raw: bytes) -> None:
        for one in raw:
            self.messages[max(self.messages, default=0) + 1] = (one.replace(b"\n", b"\r\n"), set())

    def flags(self) -> dict[int, set[str]]:
        return {uid: set(flags) for uid, (_, flags) in self.messages.items()}

    @contextmanager
    def serve(self) -> Iterator[Imap]:
        imap = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError, _DropError):
                    session = _Session(imap, self)
                    if imap.implicit:
                        session.encrypt()
                    session.run()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

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
    def __init__(self, imap: Imap, handler: Any) -> None:
        self.imap = imap
        self.handler = handler
        self.rfile, self.wfile = handler.rfile, handler.wfile

    def say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def encrypt(self) -> None:
        assert self.imap.tls is not None
        connection = self.imap.tls.wrap_socket(self.handler.connection, server_side=True)
        self.rfile, self.wfile = connection.makefile("rb"), connection.makefile("wb", buffering=0)

    def run(self) -> None:
        self.say("* OK ready")
        while line := self.rfile.readline():
            while literal := _LITERAL.search(line):
                self.say("+ go on")
                line = line[: literal.start()] + b'"' + self.rfile.read(int(literal[1])) + b'"' + self.rfile.readline()
            found = _COMMAND.match(line.rstrip(b"\r\n"))
            assert found is not None, line
            tag, verb, rest = (part.decode("utf-8", "replace") for part in found.group(1, 3, 4))
            verb = verb.upper()
            verb = f"UID {verb}" if found[2] else verb
            self.imap.commands.append(verb)
            if verb == self.imap.drop_at:
                raise _DropError
            if self.answer(tag, verb, rest):
                return

    def answer(self, tag: str, verb: str, rest: str) -> bool:
        imap = self.imap
        if verb == "CAPABILITY":
            extra = (" UIDPLUS" if imap.uidplus else "") + (" STARTTLS" if imap.tls and not imap.implicit else "")
            self.say(f"* CAPABILITY IMAP4rev1{extra}")
        elif verb == "STARTTLS":
            self.say(f"{tag} OK begin")
            self.encrypt()
            return False
        elif verb == "LOGIN" and imap.password not in rest:
            self.say(f"{tag} NO [AUTHENTICATIONFAILED] wrong")
            return False
        elif verb == "AUTHENTICATE":
            assert rest == "PLAIN", rest
            self.say("+ ")
            if not b64decode(self.rfile.readline()).decode().endswith(f"\0{imap.password}"):
                self.say(f"{tag} NO [AUTHENTICATIONFAILED] wrong")
                return False
        elif verb in imap.refuse:
            self.say(f"{tag} NO [NOPERM] not for you")
            return False
        elif verb == "SELECT":
            if "INBOX" not in rest:
                self.say(f"{tag} NO no such folder")
                return False
            self.say(f"* {len(imap.messages)} EXISTS", "* FLAGS (\\Seen \\Flagged \\Deleted)")
        elif verb == "UID SEARCH":
            assert rest == "UNFLAGGED UNDELETED", rest
            found = [uid for uid, flags in imap.flags().items() if not flags & {"\\Flagged", "\\Deleted"}]
            self.say("* SEARCH " + " ".join(map(str, found)))
        elif verb == "UID FETCH":
            self.fetch(rest)
        elif verb == "UID STORE":
            uid, _, flags = rest.partition(" +FLAGS ")
            imap.messages[int(uid)][1].update(flags.strip("()").split())
        elif verb in ("UID EXPUNGE", "EXPUNGE"):
            named = {int(uid) for uid in rest.split(",")} if rest else set(imap.messages)
            for gone in [uid for uid, flags in imap.flags().items() if uid in named and "\\Deleted" in flags]:
                del imap.messages[gone]
        elif verb == "LOGOUT":
            self.say("* BYE", f"{tag} OK bye")
            return True
        self.say(f"{tag} OK done")
        return False

    def fetch(self, rest: str) -> None:
        uid, _, what = rest.partition(" ")
        size = re.fullmatch(r"\(BODY\.PEEK\[\]<0\.(\d+)>\)", what)
        assert size is not None, what
        if int(uid) in self.imap.messages:
            raw = self.imap.messages[int(uid)][0][: int(size[1])]
            self.wfile.write(f"* 1 FETCH (UID {uid} BODY[]<0> {{{len(raw)}}}\r\n".encode() + raw + b")\r\n")
