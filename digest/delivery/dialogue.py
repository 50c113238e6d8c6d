"""smtplib's dialogue, with an end to every reply; and AUTH, of which no log repeats the secret."""

from __future__ import annotations

import re
import smtplib
from base64 import b64encode
from time import monotonic

_MOST_LINES = 100
_LONGEST_LINE = 8_192
_LONGEST_COMMAND = 510  # octets without CRLF (RFC 5321, section 4.5.3.1.4); a longer AUTH takes two steps
_WORD = re.compile(rb"[A-Za-z0-9+/=._~-]{6,}")


class Dialogue(smtplib.SMTP):
    """The timeout is for a whole reply: a relay that sends a byte now and then must not hold us for ever."""

    def getreply(self) -> tuple[int, bytes]:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("the relay closed the connection")
        if self.file is None:  # what came before TLS is not read on after it (RFC 3207, section 6)
            self.file = self.sock.makefile("rb")
        until = monotonic() + self.timeout
        code, said = b"", []
        for _ in range(_MOST_LINES):
            line = self._line(until)
            code = line[:3]
            said.append(line[4:].strip())
            if not code.isdigit() or line[3:4] != b"-":
                break
        else:
            raise smtplib.SMTPException("the relay's reply has no end")
        self.sock.settimeout(self.timeout)
        return (int(code) if len(code) == 3 and code.isdigit() else -1), b"\n".join(said)

    def _line(self, until: float) -> bytes:
        assert self.sock is not None
        assert self.file is not None
        line = b""
        while not line.endswith(b"\n"):
            left = until - monotonic()
            if left <= 0:
                raise TimeoutError
            self.sock.settimeout(left)
            held = self.file.peek(1)  # one read of the socket, at most
            if not held:
                raise smtplib.SMTPServerDisconnected("the relay closed the connection")
            line += self.file.read(held.find(b"\n") + 1 or len(held))
            if len(line) > _LONGEST_LINE:
                raise smtplib.SMTPException("the relay's reply has no end")
        return line


class TlsDialogue(Dialogue, smtplib.SMTP_SSL):
    """The same, over TLS from the first byte."""


def log_in(smtp: smtplib.SMTP, username: str, *, password: str = "", token: str = "") -> tuple[int, bytes]:
    """XOAUTH2 where there is a token, else PLAIN, else LOGIN; the relay's last reply, without what was sent."""
    offered = smtp.esmtp_features.get("auth", "").upper().split()
    if token:
        if "XOAUTH2" not in offered:
            return 502, b"the relay offers no XOAUTH2"
        response = f"user={username}\1auth=Bearer {token}\1\1"
        code, text = _auth(smtp, "XOAUTH2", response)
        if code == 334:  # the reason, encoded; the reply proper comes after an empty answer
            code, text = smtp.docmd("")
        return code, _without(text, token, response)
    response = f"\0{username}\0{password}"
    code, text = 502, b"the relay offers neither AUTH PLAIN nor LOGIN"
    if "PLAIN" in offered:
        code, text = _auth(smtp, "PLAIN", response)
    if "LOGIN" in offered and ("PLAIN" not in offered or code == 504):  # 504: offered, and then not known
        code, text = smtp.docmd("AUTH", "LOGIN")
        for answer in (username, password):
            if code == 334:
                code, text = smtp.docmd(_encoded(answer))
    return code, _without(text, password, response)


def _auth(smtp: smtplib.SMTP, mechanism: str, response: str) -> tuple[int, bytes]:
    encoded = _encoded(response)
    if len(mechanism) + len(encoded) + len("AUTH  ") <= _LONGEST_COMMAND:
        code, text = smtp.docmd("AUTH", f"{mechanism} {encoded}")
    else:
        code, text = smtp.docmd("AUTH", mechanism)
        if code == 334:
            return smtp.docmd(encoded)
    # An empty challenge: the relay has overlooked what came with the command.
    return smtp.docmd(encoded) if code == 334 and not text.strip() else (code, text)


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")


def _without(text: bytes, *secrets: str) -> bytes:
    """Some relays repeat a command that they do not know, or its beginning: no secret must get into a log so."""
    forms = [_encoded(one).lower().encode() for one in secrets if one]

    def hidden(found: re.Match[bytes]) -> bytes:
        word = found[0].lower()
        return b"(...)" if any(word in form or form in word for form in forms) else found[0]

    return _WORD.sub(hidden, text)
