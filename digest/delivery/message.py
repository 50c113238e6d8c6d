"""A rendition compiled once into the pieces of a whole message; `fill` makes each recipient's of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from digest.delivery import canonical, content_hash, headers, quoted, signing, verp
from digest.delivery.compiled import Compiled, Filled, fill, verify
from digest.delivery.headers import MessageError
from digest.delivery.metadata import for_postmark
from digest.delivery.model import LIST_MAIL, Mail
from digest.delivery.signing import Signer
from digest.delivery.verp import ReturnPath
from digest.rendering.model import MAIL_PLACES, PLACE, Rendition

__all__ = ["Compiled", "Filled", "HeaderSettings", "compile", "fill", "sender_id", "verify"]

_PLACE = re.compile(f"{PLACE}([A-Z_]+?)END")
_OPEN = frozenset(MAIL_PLACES)
_HOLE_FIELDS = {"date": "Date", "to": "To", "message-id": "Message-ID", "unsubscribe": "List-Unsubscribe"}


@dataclass(frozen=True, slots=True)
class HeaderSettings:
    """What the headers of every mail say. Addresses are bare; `public_url` is where the reader's pages are.

    `sender_id` is the last field of Feedback-ID (5 to 15 letters or digits); "" makes it from the list's
    identifier. `postmark`: the relay is Postmark, whose reports name a mail by what it carries for them."""

    from_name: str
    from_address: str
    reply_to: str = ""
    list_id: str = ""
    list_name: str = ""
    public_url: str = ""
    language: str = "en"
    organisation: str = ""
    sender_id: str = ""
    postmark: bool = False


def compile(  # noqa: A001
    rendition: Rendition,
    *,
    headers: HeaderSettings,
    mail: Mail,
    key: str,
    return_path: ReturnPath | None = None,
    signer: Signer | None = None,
) -> Compiled:
    """The message of email.md: multipart/alternative, both parts quoted-printable, every line 7-bit and at
    most 76 long.

    With a `return_path` each has an envelope sender of its own, and readers can leave by a mail. Raises MessageError
    for a header that must not go out, or a place that no sender fills."""
    out = _Pieces()
    boundary = f"=_{rendition.hash[:32]}"
    _headers(out, rendition, headers, mail, key)
    out.add(f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'.encode())
    if headers.language:
        out.add(f"Content-Language: {_token('language', headers.language)}\r\n".encode())
    header = out.so_far()
    out.add(b"\r\n")
    body = len(out.so_far())
    for kind, text in (("plain", rendition.text), ("html", rendition.html)):
        out.add(
            f"--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n".encode()
        )
        _part(out, kind, text)
        out.add(b"\r\n")
    out.add(f"--{boundary}--\r\n".encode())
    plan = _plan(signer, header, out.so_far()[body:], out.holes) if signer else None
    made = out.finish(_ascii_address(headers.from_address), return_path, plan)
    return replace(made, for_relay=for_postmark) if headers.postmark else made


def _plan(
    signer: Signer, header: list[bytes | int], body: list[bytes | int], holes: list[tuple[str, str]]
) -> signing.Plan:
    fields: dict[str, bytes | int] = {}
    for part in header:
        if isinstance(part, int):
            fields[_HOLE_FIELDS[holes[part][0]]] = part
        else:
            fields |= {canonical.name(one): one for one in canonical.split_fields(part)}
    return signing.plan(signer, fields, body)


class _Pieces:
    """Fixed bytes run together; every hole is a piece of its own, known by a number: the same place, the same hole."""

    def __init__(self) -> None:
        self._parts: list[bytes | int] = []
        self._run: list[bytes] = []
        self._numbers: dict[tuple[str, str], int] = {}

    def add(self, data: bytes) -> None:
        self._run.append(data)

    def hole(self, kind: str, name: str) -> None:
        self._flush()
        self._parts.append(self._numbers.setdefault((kind, name), len(self._numbers)))

    def so_far(self) -> list[bytes | int]:
        """The parts until now; what is added later is another one."""
        self._flush()
        return list(self._parts)

    @property
    def holes(self) -> list[tuple[str, str]]:
        return list(self._numbers)

    def finish(self, sender: str, return_path: ReturnPath | None, plan: signing.Plan | None) -> Compiled:
        parts = canonical.joined(self.so_far())
        return Compiled(
            parts=parts,
            holes=tuple(self._numbers),
            inner=content_hash.fixed(parts),
            sender=sender,
            bounce=verp.maker(return_path, "bounce") if return_path else None,
            leave=verp.maker(return_path, "leave") if return_path else None,
            plan=plan,
        )

    def _flush(self) -> None:
        if self._run:
            self._parts.append(b"".join(self._run))
            self._run.clear()


def _headers(out: _Pieces, rendition: Rendition, settings: HeaderSettings, mail: Mail, key: str) -> None:
    out.hole("date", "Date")
    out.add(headers.mailbox("From", settings.from_name, settings.from_address))
    out.hole("to", "To")
    if settings.reply_to:
        out.add(headers.mailbox("Reply-To", "", settings.reply_to))
    subject = rendition.subject
    out.add(headers.unstructured("Subject", f"[Test] {subject}" if mail == "test" else subject))
    out.hole("message-id", "Message-ID")
    if settings.organisation:
        out.add(headers.unstructured("Organization", settings.organisation))
    if mail in LIST_MAIL:
        _list_headers(out, settings, key if mail == "digest" else mail)
    out.add(b"Auto-Submitted: auto-generated\r\n")
    if mail in LIST_MAIL:
        out.add(b"Precedence: bulk\r\n")
    # Not "All": that would suppress bounces as well.
    out.add(b"X-Auto-Response-Suppress: OOF, AutoReply\r\n")


def _list_headers(out: _Pieces, settings: HeaderSettings, stream: str) -> None:
    """`stream` is what Feedback-ID begins with: the edition, or the mail; never what is one reader's."""
    base = settings.public_url.rstrip("/")
    list_id = _token("List-ID", settings.list_id or settings.from_address.rpartition("@")[2])
    out.add(_list_id(settings.list_name, list_id))
    out.hole("unsubscribe", "UNSUBSCRIBE")
    out.add(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
    if base:
        for name, page in (("List-Help", "/"), ("List-Subscribe", "/subscribe"), ("List-Archive", "/archive")):
            out.add(headers.uris(name, base + page))
    owner = settings.reply_to or settings.from_address
    out.add(headers.uris("List-Owner", f"mailto:{_ascii_address(owner)}"))
    parts = (stream, settings.language, list_id.partition(".")[0], sender_id(settings))
    feedback = ":".join(re.sub(r"[^A-Za-z0-9._-]", "-", part) for part in parts)
    out.add(headers.fold_one("Feedback-ID", feedback))


def _list_id(name: str, list_id: str) -> bytes:
    """RFC 2919: a phrase, and the identifier in angle brackets."""
    headers.clean("List-ID", name, visible=True)
    if not name:
        return headers.fold_one("List-ID", f"<{list_id}>")
    return headers.mailbox("List-ID", name, f"list@{list_id}").replace(b"<list@", b"<")


def sender_id(settings: HeaderSettings) -> str:
    """The last field of Feedback-ID: 5 to 15 letters or digits, always the same for one publication."""
    wanted = settings.sender_id or settings.list_id or settings.from_address.rpartition("@")[2]
    return re.sub(r"[^A-Za-z0-9]", "", wanted)[:15].ljust(5, "0")


def _part(out: _Pieces, kind: str, text: str) -> None:
    text = text.replace("\r\n", "\n")
    if "\r" in text or "\0" in text:
        raise MessageError(
            f"text/{kind}", "has a bare carriage return or a NUL", mend="render it again from clean text"
        )
    start = 0
    for match in _PLACE.finditer(text):
        if match[1] not in _OPEN:
            raise MessageError(f"text/{kind}", f"has a place named {match[1]}, which nobody fills")
        literal = text[start : match.start()]
        if literal:
            out.add(quoted.encode(literal))
        # Between two places without a text this makes two breaks in a row, which stand in no value: so it can be told
        # where the first ends.
        out.add(quoted.SOFT_BREAK)
        out.hole(kind, match[1])
        out.add(quoted.SOFT_BREAK)
        start = match.end()
    out.add(quoted.encode(text[start:]))


def _token(field: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", value):
        raise MessageError(field, f"{value!r} may have letters, digits, dots and hyphens only")
    return value


def _ascii_address(address: str) -> str:
    wire = headers.wire_address(address, field="From")
    if not wire.isascii():
        raise MessageError("From", f"{address!r} has a local part that is not ASCII")
    return wire
