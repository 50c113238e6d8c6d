"""Header values as they go over the wire: encoded words, folding, addresses, and what is refused."""

from __future__ import annotations

import base64
import re
from functools import lru_cache

from digest.errors import DigestError

LINE = 76
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a0-\U0010ffff-]+"
_LOCAL = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_DOMAIN = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Za-z.:]+\]"
)
_URI = re.compile(r"[!#-;=?-\[\]-~]{1,900}")  # what can be seen, but for <, >, " and the backslash
_Q_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")  # RFC 2047 section 5 (3)


class MessageError(DigestError):
    """A value that must not stand in a message. `field` is the header or the place."""

    def __init__(self, field: str, message: str, *, mend: str = "") -> None:
        super().__init__(f"{field}: {message}", mend=mend)
        self.field = field


def clean(field: str, value: str, *, visible: bool = False) -> str:
    """The value itself; MessageError where it has a control character or a line break (header injection).

    `visible`: nor may it have bidirectional or zero-width characters, which make a name look like another."""
    if not value.isprintable() and (found := _CONTROL.search(value)):
        raise MessageError(field, f"has the control character U+{ord(found[0]):04X}", mend="take it out")
    if visible and (found := _INVISIBLE.search(value)):
        raise MessageError(field, f"has the invisible character U+{ord(found[0]):04X}", mend="take it out")
    return value


def unstructured(name: str, value: str) -> bytes:
    """A whole header of free text, such as Subject: as it is where it is ASCII and fits, else as encoded
    words."""
    clean(name, value, visible=True)
    value = value.strip()
    if value.isascii() and "=?" not in value and "  " not in value:
        folded = _fold(f"{name}:", value.split(" "))
        if folded is not None:
            return folded.encode()
    return f"{name}: {_encoded_words(value, len(name) + 2)}\r\n".encode()


def mailbox(name: str, display: str, address: str) -> bytes:
    """A whole header of one mailbox, such as From."""
    wire = wire_address(address, field=name)
    if not wire.isascii():
        raise MessageError(name, f"{address!r} has a local part that is not ASCII")
    clean(name, display, visible=True)
    display = display.strip()
    if not display:
        return fold_one(name, wire)
    if display.isascii() and "=?" not in display:
        phrase = '"' + display.replace("\\", "\\\\").replace('"', '\\"') + '"'
        if len(name) + 2 + len(phrase) > LINE:
            phrase = _encoded_words(display, len(name) + 2)
    else:
        phrase = _encoded_words(display, len(name) + 2)
    last = len(phrase.rpartition("\r\n")[2]) + (0 if "\r\n" in phrase else len(name) + 2)
    gap = " " if last + len(wire) + 3 <= LINE else "\r\n "
    return f"{name}: {phrase}{gap}<{wire}>\r\n".encode()


def uris(name: str, *values: str) -> bytes:
    """A whole header of URIs in angle brackets, folded between them only: a URI is never broken or encoded
    (RFC 2369)."""
    words = [f"<{uri(name, value)}>" for value in values]
    words = [f"{word}," for word in words[:-1]] + words[-1:]
    text, column = f"{name}:", len(name) + 1
    for word in words:
        fits = column + 1 + len(word) <= LINE
        text += f" {word}" if fits else f"\r\n {word}"
        column = column + 1 + len(word) if fits else 1 + len(word)
    return f"{text}\r\n".encode()


def uri(field: str, value: str) -> str:
    """A URI that may stand between angle brackets: ASCII without blanks (RFC 3986); MessageError
    otherwise."""
    if not _URI.fullmatch(value):
        clean(field, value)
        raise MessageError(field, f"{value[:80]!r} is not a URI that may stand in a header", mend="percent-encode it")
    return value


def fold_one(name: str, value: str) -> bytes:
    """A header of one unbreakable ASCII word, on a line of its own where the first is too short."""
    gap = " " if len(name) + 2 + len(value) <= LINE else "\r\n "
    return f"{name}:{gap}{value}\r\n".encode()


@lru_cache(maxsize=4096)
def _wire_domain(domain: str) -> str:
    if not domain.isascii():
        import idna

        try:
            domain = idna.encode(domain, uts46=True).decode()
        except idna.IDNAError:
            return ""
    return domain.lower() if len(domain) <= 253 and _DOMAIN.fullmatch(domain) else ""


def wire_address(address: str, *, field: str = "address") -> str:
    """The address as it goes over the wire: an IDN domain as A-labels, nothing that could end the header or
    begin another mailbox. A local part that is not ASCII stays (RFC 6531): the result then needs SMTPUTF8.

    Quoted local parts are refused. RFC 5321 section 4.5.3.1: 64 octets, 254 in all."""
    local, at, domain = address.rpartition("@")
    wire = _wire_domain(domain)
    length = len(local) if local.isascii() else 65 if _CONTROL.search(local) else len(local.encode())
    if not at or not wire or length > 64 or not _LOCAL.fullmatch(local):
        raise MessageError(field, f"{address[:80]!r} is not an address that can be mailed")
    return f"{local}@{wire}"


def _fold(head: str, words: list[str]) -> str | None:
    text, column = head, len(head)
    for word in words:
        if len(word) + 1 > LINE:
            return None
        if column + 1 + len(word) > LINE and column > 1:
            text, column = text + "\r\n", 0
        text, column = f"{text} {word}", column + 1 + len(word)
    return text + "\r\n"


def _encoded_words(text: str, column: int) -> str:
    """RFC 2047: words of at most 75 characters, each whole characters, one a line; Q or B, whichever is
    shorter."""
    raw = text.encode()
    quoted = sum(1 if byte in _Q_PLAIN or byte == 0x20 else 3 for byte in raw)
    as_q = quoted <= (len(raw) + 2) // 3 * 4
    words, chunk = [], ""
    room = LINE - column - 12
    for character in text:
        if _encoded_length(chunk + character, as_q=as_q) > room and chunk:
            words.append(chunk)
            chunk, room = "", LINE - 1 - 12
        chunk += character
    words.append(chunk)
    return "\r\n ".join(_word(word, as_q=as_q) for word in words)


def _encoded_length(chunk: str, *, as_q: bool) -> int:
    raw = chunk.encode()
    if as_q:
        return sum(1 if byte in _Q_PLAIN or byte == 0x20 else 3 for byte in raw)
    return (len(raw) + 2) // 3 * 4


def _word(chunk: str, *, as_q: bool) -> str:
    raw = chunk.encode()
    if not as_q:
        return f"=?utf-8?b?{base64.b64encode(raw).decode()}?="
    body = "".join(chr(byte) if byte in _Q_PLAIN else "_" if byte == 0x20 else f"={byte:02X}" for byte in raw)
    return f"=?utf-8?q?{body}?="
