"""Bytes to XML text: whatever the encoding, without traps, and as well-formed as it can be made cheaply."""

from __future__ import annotations

import codecs
import html.entities
import re
import zlib
from collections.abc import Mapping
from email.message import Message

from digest.feeds.errors import FeedError

MAX_UNPACKED = 20 << 20

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_DECLARATION = re.compile(r"^<\?xml[^>]{0,400}\?>\s*")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_ENTITY = re.compile(
    r"<!ENTITY\s+(%\s+)?([^\s%\"']{1,200})\s+(?:(SYSTEM|PUBLIC)\b|(\"[^\"]*\"|'[^']*'))", re.IGNORECASE
)
_ELEMENT = re.compile(r"<([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)")
_REFERENCE = re.compile(r"&([A-Za-z][A-Za-z0-9._-]{0,60});")
_NUMBERED = re.compile(r"&#(?:[xX]([0-9A-Fa-f]{1,8})|([0-9]{1,9}));")
_PREDEFINED = frozenset({"amp", "lt", "gt", "quot", "apos"})
_MARKUP = frozenset("<>&\"'")


def unpack(body: bytes, url: str) -> tuple[bytes, bool]:
    """The body, and whether it had to be unpacked: some servers send gzip and do not say so."""
    if not body.startswith(b"\x1f\x8b"):
        return body, False
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = unpacker.decompress(body, MAX_UNPACKED + 1)
    except zlib.error as error:
        raise FeedError(
            url, "bad-encoding", f"is compressed data that is broken ({error})", mend="tell the publisher"
        ) from error
    if len(plain) > MAX_UNPACKED:
        raise FeedError(url, "too-large", f"unpacks to more than {MAX_UNPACKED >> 20} MiB", mend="tell the publisher")
    return plain, True


def decode(body: bytes, headers: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text and what was wrong with its encoding.

    A byte-order mark decides (RFC 7303, 3), then what the bytes are: text that is valid UTF-8 and not ASCII
    is hardly ever anything else, whatever is declared. Then the declaration in the document, then the
    server's; at last a guess."""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace"), []
    if body[:4] in (b"<\x00?\x00", b"<\x00r\x00", b"<\x00f\x00"):
        return body.decode("utf-16-le", "replace"), []
    if body[:4] in (b"\x00<\x00?", b"\x00<\x00r", b"\x00<\x00f"):
        return body.decode("utf-16-be", "replace"), []
    declared = _DECLARED.match(body[:500])
    in_document = declared[1].decode("ascii") if declared else ""
    by_server = charset(headers)
    names = [name for name in (_codec(in_document), _codec(by_server)) if name]
    stateful = any(name.startswith(("iso2022", "hz", "utf-7", "utf-16", "utf-32")) for name in names)
    if not stateful:
        text = _strictly(body, "utf-8")
        if text is not None:
            wrong = [name for name in names if name not in ("utf-8", "ascii")]
            if wrong and not body.isascii():
                return text, [f"it says that its encoding is {wrong[0]}, and it is UTF-8"]
            return text, []
    for name in names:
        text = None if name in ("utf-8", "ascii") else _strictly(body, name)
        if text is not None:
            said = in_document or by_server
            return text, [] if _codec(said) == name else [f"it says that its encoding is {said}, and it is {name}"]
    return _guess(body, in_document or by_server)


def charset(headers: Mapping[str, str]) -> str:
    """The charset that the server named in Content-Type, or ""."""
    message = Message()
    message["content-type"] = headers.get("content-type", "")[:200].replace("\r", "").replace("\n", "")
    return message.get_content_charset("")


def tidy(text: str, url: str) -> tuple[str, list[str]]:
    """XML text that starts with its first element, has no DOCTYPE and names no entities but XML's own.

    Nothing declared in a DOCTYPE is ever expanded: HTML's names become their characters, its own go.
    Raises FeedError for entities that are made of entities: no feed needs them, every entity bomb does."""
    warnings: list[str] = []
    text = text.lstrip("\ufeff \t\r\n\x0b\x0c\u200b")
    if _CONTROLS.search(text):
        text = _CONTROLS.sub("", text)
        warnings.append("it holds control characters that XML forbids; they are left out")
    text = _DECLARATION.sub("", text, count=1)
    text, declared = _without_doctype(text, url)
    lost: set[str] = set()

    def resolve(match: re.Match[str]) -> str:
        name = match[1]
        if name in _PREDEFINED:
            return match[0]
        if name in declared:
            lost.add(name)
            return ""
        character = html.entities.html5.get(name + ";")
        if character is None or _MARKUP.intersection(character):
            return f"&amp;{name};" if character is None else match[0].lower()
        return character

    text = _NUMBERED.sub(_lawful, _REFERENCE.sub(resolve, text))
    if lost:
        warnings.append(f"it uses entities that it declares itself ({', '.join(sorted(lost)[:5])}); they are left out")
    return text, warnings


def _lawful(match: re.Match[str]) -> str:
    """The character reference, or "" where XML forbids the character (XML 1.0, 2.2)."""
    code = int(match[1], 16) if match[1] else int(match[2])
    allowed = code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
    return match[0] if allowed else ""


def first_element(text: str) -> tuple[str, int]:
    """The name of the first element, past comments and declarations, and where it starts; "" and -1 without one."""
    at = text.find("<")
    while at >= 0:
        for opening, closing in (("<!--", "-->"), ("<?", "?>"), ("<!", ">")):
            if text.startswith(opening, at):
                end = text.find(closing, at + len(opening))
                if end < 0:
                    return "", -1
                at = end + len(closing)
                break
        else:
            match = _ELEMENT.match(text, at)
            if match:
                return match[1], at
            at += 1
        at = text.find("<", at)
    return "", -1


def _without_doctype(text: str, url: str) -> tuple[str, frozenset[str]]:
    """The text without its DOCTYPE, and the names of the entities that it declared."""
    _, root = first_element(text)
    found = re.search("<!DOCTYPE", text[: root if root >= 0 else len(text)], re.IGNORECASE)
    if found is None:
        return text, frozenset()
    start = found.start()
    head = text[start : start + 200_000]
    bracket, close = head.find("["), head.find(">")
    end = head.find("]", bracket) if 0 <= bracket < close else -1
    finish = re.compile(r"\]\s*>").search(head, end) if end >= 0 else re.compile(">").search(head)
    if finish is None:
        raise FeedError(url, "entities", "its DOCTYPE does not end", mend="tell the publisher")
    declared = set()
    for parameter, name, external, value in _ENTITY.findall(head[: finish.end()]):
        inner = [found for found in _REFERENCE.findall(value) if found not in _PREDEFINED]
        if (inner and not external) or re.search(r"%[\w.-]+;", value):
            raise FeedError(
                url,
                "entities",
                f"refused: it declares entities made of other entities ({name}), as only an attack does",
                mend="if the feed is meant honestly, the publisher must leave out the DOCTYPE",
            )
        # A name of HTML means what it always means.
        if not parameter and name + ";" not in html.entities.html5:
            declared.add(name)
    return text[:start] + text[start + finish.end() :], frozenset(declared)


def _codec(name: str) -> str:
    """Python's name of that text encoding, or ""; some mean supersets (encoding.spec.whatwg.org, 4.2)."""
    supersets = {
        "gb2312": "gb18030",
        "gbk": "gb18030",
        "iso8859-1": "cp1252",
        "shift_jis": "cp932",
        "euc_kr": "cp949",
    }
    supersets |= {"iso8859-9": "cp1254", "tis-620": "cp874"}
    try:
        found = codecs.lookup(name).name if name else ""
        "".encode(found or "ascii")
    except (LookupError, ValueError, UnicodeError):
        return ""
    return "" if "escape" in found or found in ("idna", "punycode", "undefined") else supersets.get(found, found)


def _strictly(body: bytes, name: str) -> str | None:
    try:
        return body.decode(name)
    except (UnicodeError, LookupError):
        return None


def _guess(body: bytes, said: str) -> tuple[str, list[str]]:
    text = body.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    if bad <= 20 and bad * 4 < sum(1 for character in text if character > "\x7f"):
        return text, [f"{bad} characters are not in its encoding, UTF-8; they are shown as \ufffd"]
    import chardet

    name = _codec(str(chardet.detect(body[:100_000])["encoding"] or ""))
    if name in ("", "utf-8", "ascii"):
        name = "cp1252"
    told = f"it says that its encoding is {said}, which it is not" if said else "it does not tell its encoding"
    return body.decode(name, "replace"), [f"{told}; it was read as {name}"]
