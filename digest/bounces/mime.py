"""Messages from strangers, taken apart in bounded time and memory.

The standard library's parser is made for well-formed mail; what comes back is often not. Here whatever is beyond a
limit is left out: the rest of a huge message, parts of parts of parts, the thousandth header. Nothing raises."""

from __future__ import annotations

import base64
import binascii
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header

MOST = 1_000_000
"""Bytes of a message that are looked at."""
_HEADER_BYTES = 100_000
_FIELDS = 400
_VALUE = 4_000
_DEPTH = 6
_PARTS = 40
_TEXT = 100_000

_TYPE = re.compile(r"[\s\"']*([a-z]+/[a-z0-9.+-]+)", re.IGNORECASE)
_BOUNDARY = re.compile(r"boundary\s*=\s*(?:\"([^\"]{1,200})\"|([^\s;\"]{1,200}))", re.IGNORECASE)
_CHARSET = re.compile(r"charset\s*=\s*\"?'?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_REPORT_TYPE = re.compile(r"report-type\s*=\s*\"?([a-z-]{1,40})", re.IGNORECASE)
_FIELD = re.compile(r"([!-9;-~]{1,100})[ \t]*:(.*)", re.DOTALL)
_NO_BASE64 = bytes(sorted(set(range(256)) - set(string.ascii_letters.encode() + string.digits.encode() + b"+/")))
_CODECS = re.compile(
    r"us-ascii|utf-?8|utf-16(?:le|be)?|iso-8859-\d{1,2}|windows-125\d|cp125\d|koi8-[ru]|iso-2022-(?:jp|kr)|shift_jis"
    r"|euc-(?:jp|kr)|gb2312|gbk|gb18030|big5",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Part:
    """A message or a part of one. `headers` in their order, names in lower case; `body` as it came, still encoded."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    parts: list[Part] = field(default_factory=list)

    def get(self, name: str) -> str:
        """The first header of that name, or ""."""
        return next((value for found, value in self.headers if found == name), "")

    def all(self, *names: str) -> list[str]:
        return [value for found, value in self.headers if found in names]

    @property
    def type(self) -> str:
        found = _TYPE.match(self.get("content-type"))
        return found[1].lower() if found else "text/plain"

    @property
    def report_type(self) -> str:
        found = _REPORT_TYPE.search(self.get("content-type"))
        return found[1].lower() if found else ""

    def walk(self) -> Iterator[Part]:
        yield self
        for part in self.parts:
            yield from part.walk()

    def decoded(self) -> bytes:
        """The body without its transfer encoding."""
        encoding = self.get("content-transfer-encoding").strip().lower()
        try:
            if encoding == "quoted-printable":
                return binascii.a2b_qp(self.body)
            if encoding == "base64":
                clean = self.body.translate(None, _NO_BASE64)
                return base64.b64decode(clean[: len(clean) // 4 * 4])
        except (binascii.Error, ValueError):
            pass
        return self.body

    def text(self) -> str:
        found = _CHARSET.search(self.get("content-type"))
        return in_charset(self.decoded()[:_TEXT], found[1] if found else "")


def in_charset(raw: bytes, name: str = "") -> str:
    """Text, whatever is in it: by the charset where that is one of mail, else as UTF-8, else as Latin-1."""
    wanted = [name.lower()] if _CODECS.fullmatch(name) and name.lower() != "us-ascii" else []
    for codec in [*wanted, "utf-8"]:
        try:
            return raw.decode(codec)
        except (UnicodeError, LookupError):
            continue
    return raw.decode(wanted[0], "replace") if wanted else raw.decode("latin-1")


def parse(raw: bytes) -> Part:
    """The message, as far as the limits go."""
    clean = raw[:MOST].replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\0", b"").lstrip(b"\n")
    return _parse(clean, _DEPTH, [_PARTS])


def headers_of(raw: bytes) -> Part:
    """What begins with headers and may end anywhere, such as a returned message; its body is not looked into."""
    return _parse(raw[:_HEADER_BYTES].replace(b"\r\n", b"\n").lstrip(b"\n"), 0, [1])


def _parse(raw: bytes, depth: int, room: list[int]) -> Part:
    room[0] -= 1
    if raw.startswith((b"From ", b">From ")):  # of a mailbox file
        raw = raw.partition(b"\n")[2]
    part = Part()
    part.headers, part.body = _split(raw)
    if depth > 0 and part.type.startswith("multipart/"):
        found = _BOUNDARY.search(part.get("content-type"))
        if found:
            for piece in _pieces(part.body, (found[1] or found[2]).encode("utf-8", "replace"), room):
                part.parts.append(_parse(piece, depth - 1, room))
    elif depth > 0 and room[0] > 0 and part.type in ("message/rfc822", "message/global"):
        part.parts.append(_parse(part.decoded().lstrip(b"\n"), depth - 1, room))
    return part


def _split(raw: bytes) -> tuple[list[tuple[str, str]], bytes]:
    """Headers, unfolded, and the body. Without a blank line between them the body begins where no header is."""
    fields: list[tuple[str, str]] = []
    name, value, at = "", "", 0
    while at < len(raw) and at < _HEADER_BYTES:
        end = raw.find(b"\n", at, at + _HEADER_BYTES)
        end = len(raw) if end < 0 else end
        line = in_charset(raw[at : min(end, at + _VALUE)])
        if not line.strip():
            at = end + 1
            break
        if line[0] in " \t" and name:
            value = f"{value} {line.strip()}"[:_VALUE]
        else:
            found = _FIELD.match(line)
            if found is None:
                break
            if name:
                fields.append((name, value))
            name, value = found[1].lower(), found[2].strip()
            if len(fields) >= _FIELDS:
                name = ""
                skip = raw.find(b"\n\n", at)
                at = len(raw) if skip < 0 else skip + 2
                break
        at = end + 1
    if name:
        fields.append((name, value))
    return fields, raw[at:]


def _pieces(body: bytes, boundary: bytes, room: list[int]) -> list[bytes]:
    """What stands between the boundary's lines; the last one may lack its end."""
    line = re.compile(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*$", re.MULTILINE)
    pieces: list[bytes] = []
    start = -1
    for found in line.finditer(body):
        if start >= 0:
            pieces.append(body[start : max(start, found.start() - 1)])
        start = -1 if found[1] else found.end() + 1
        if found[1] or len(pieces) >= room[0]:
            break
    if start >= 0 and len(pieces) < room[0]:
        pieces.append(body[start:])
    return pieces


def words(value: str) -> str:
    """A header's text with its encoded words decoded."""
    if "=?" not in value:
        return value
    try:
        return "".join(
            chunk if isinstance(chunk, str) else in_charset(chunk, codec or "")
            for chunk, codec in decode_header(value[:1_000])
        )
    except (HeaderParseError, ValueError, binascii.Error):
        return value
