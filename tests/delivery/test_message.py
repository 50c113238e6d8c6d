"""The bytes of a message, read back by the standard library."""

from __future__ import annotations

import html as markup
import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import unquote
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.delivery import message as mail_message
from digest.delivery import quoted
from digest.delivery.headers import MessageError, unstructured, wire_address
from digest.delivery.message import HeaderSettings, fill
from digest.delivery.model import Delivery, Mail, Ready
from digest.rendering.model import Rendition, place
from tests.delivery.samples import KEY, NOW, RENDITION, SETTINGS, places

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=300)
VALUE = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), max_size=200)
LINK = st.text("aZ0/:._,~ -From", max_size=90)
"""Much like a link or a date, and seldom what must be encoded."""


def delivery(mail: Mail = "digest", address: str = "reader@example.org") -> Delivery:
    return Delivery(7, mail, KEY, address, RENDITION.hash, "<abc123@news.example.org>", first_attempt_at=NOW)


def build(
    rendition: Rendition = RENDITION,
    mail: Mail = "digest",
    headers: HeaderSettings = SETTINGS,
    address: str = "reader@example.org",
    values: dict[str, str] | None = None,
) -> bytes:
    ready = Ready(delivery(mail, address), address, places() if values is None else values)
    return b"".join(fill(mail_message.compile(rendition, headers=headers, mail=mail, key=KEY), ready).pieces)


def parse(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def parts(raw: bytes) -> tuple[str, str]:
    """Text and HTML as a reader's program decodes them."""
    message = parse(raw)
    payloads = [part.get_payload(decode=True) for part in message.iter_parts()]
    plain, html = (payload.decode().replace("\r\n", "\n") for payload in payloads if isinstance(payload, bytes))
    return plain, html


def put(text: str, values: dict[str, str], *, escaped: bool) -> str:
    for name, value in values.items():
        text = text.replace(place(name), markup.escape(value) if escaped else value)
    return text


def assert_fit_for_the_wire(raw: bytes) -> None:
    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    lines = raw.split(b"\r\n")
    assert all(b"\r" not in line and b"\n" not in line for line in lines)
    assert max(map(len, lines)) <= 76
    assert not any(line.startswith(b".") for line in lines)


def test_both_parts_come_back_byte_for_byte() -> None:
    """Text and HTML decode to the rendition with its places filled, escaped in the HTML."""
    plain, html = parts(build())
    assert plain == put(RENDITION.text, places(), escaped=False)
    assert html == put(RENDITION.html, places(), escaped=True)


@given(before=TEXT, after=TEXT, value=VALUE)
@settings(max_examples=150, deadline=None)
def test_any_text_survives(before: str, after: str, value: str) -> None:
    """Whatever stands before, in and after a place comes back, on lines that need no dot stuffing."""
    text = f"{before}{place('SINCE')}{after}"
    raw = build(replace(RENDITION, text=text, html=text), values=places() | {"SINCE": value})
    assert_fit_for_the_wire(raw)
    plain, html = parts(raw)
    assert plain == f"{before}{value}{after}".replace("\r\n", "\n")
    assert html == f"{before}{markup.escape(value)}{after}"


@given(TEXT)
def test_quoted_printable_is_what_the_standard_library_reads(text: str) -> None:
    """The encoder's lines are at most 76 long, and quopri decodes them to the same text."""
    import quopri

    encoded = quoted.encode(text)
    assert all(len(line) <= 76 and not line.startswith((b".", b"From ")) for line in encoded.split(b"\r\n"))
    assert not re.search(rb"[ \t](\r\n|$)", encoded)
    assert quopri.decodestring(encoded).decode().replace("\r\n", "\n") == text


def test_headers_of_a_digest() -> None:
    """A digest has the headers of RFC 2369, 2919, 8058 and 3834, each exactly once."""
    message = parse(build())
    assert [message[name] for name in ("From", "To", "Reply-To")] == [
        "The Example Observatory <roundup@news.example.org>",
        "reader@example.org",
        "editors@example.org",
    ]
    assert message["Subject"] == RENDITION.subject
    assert message["Message-ID"] == "<abc123@news.example.org>"
    assert message["Date"].datetime == NOW
    assert message["List-ID"] == '"The Weekly Roundup" <roundup.news.example.org>'
    assert message["List-Unsubscribe"] == f"<{places()['UNSUBSCRIBE']}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Archive"] == "<https://roundup.example.org/archive>"
    assert message["List-Help"] == "<https://roundup.example.org/>"
    assert message["List-Owner"] == "<mailto:editors@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Precedence"] == "bulk"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert message["Content-Language"] == "en"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    names = [name.lower() for name in message.keys()]  # noqa: SIM118  # a message is no mapping: keys repeat
    assert len(names) == len(set(names))
    assert message["List-Subscribe"] == "<https://roundup.example.org/subscribe>"
    assert not {"bcc", "return-path", "x-priority"} & set(names)


def test_feedback_id_names_no_reader() -> None:
    """Feedback-ID is edition:language:list:sender, the same for everyone, the sender 5 to 15 characters."""
    fields = [parse(build(address=who))["Feedback-ID"] for who in ("a@example.org", "b@example.org")]
    assert fields[0] == fields[1] == "2026-11-27:en:roundup:roundupnewsexam"


@pytest.mark.parametrize("mail", ["confirmation", "staff", "test"])
def test_other_mails_have_fewer_headers(mail: Mail) -> None:
    """A mail that is no digest has no list headers and is not bulk."""
    message = parse(build(mail=mail))
    names = " ".join(message.keys()).lower()
    assert "list-" not in names
    assert "precedence" not in names
    assert "feedback" not in names
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Subject"].startswith("[Test] ") == (mail == "test")


def test_a_long_unsubscribe_address_is_not_broken() -> None:
    """A URI longer than a line stands whole on a line of its own, unencoded: else one-click dies."""
    link = "https://roundup.example.org/u/" + "t" * 200
    raw = build(values=places() | {"UNSUBSCRIBE": link})
    assert f"List-Unsubscribe:\r\n <{link}>\r\n".encode() in raw
    assert parse(raw)["List-Unsubscribe"].strip() == f"<{link}>"


@pytest.mark.parametrize("bad", ["a\r\nBcc: x@example.org", "a\nb", "a\rb", "a\0b", "a\x85b", "a\u2028b"])
def test_header_injection_is_an_error(bad: str) -> None:
    """A line break or NUL in any value raises, wherever it comes from."""
    for name in ("UNSUBSCRIBE", "SINCE"):
        with pytest.raises(MessageError):
            build(values=places() | {name: bad})
    changes: list[dict[str, Any]] = [
        {"from_name": bad},
        {"reply_to": f"{bad}@example.org"},
        {"list_name": bad},
        {"list_id": bad},
    ]
    for change in changes:
        with pytest.raises(MessageError):
            build(headers=replace(SETTINGS, **change))
    with pytest.raises(MessageError):
        build(replace(RENDITION, subject=bad))
    with pytest.raises(MessageError):
        build(address=f"{bad}@example.org")


@pytest.mark.parametrize("sign", ["\u200b", "\u202e", "\u2066", "\ufeff", "\u00ad", "\u200f"])
def test_no_invisible_characters_in_from_or_subject(sign: str) -> None:
    """Bidirectional and zero-width characters are refused in From and Subject."""
    with pytest.raises(MessageError, match="Subject: has the invisible character"):
        build(replace(RENDITION, subject=f"Peace{sign}"))
    with pytest.raises(MessageError, match="From: has the invisible character"):
        build(headers=replace(SETTINGS, from_name=f"Editors{sign}"))


_BLANK_LETTERS = "\u3164\uffa0\u115f\u1160"
SUBJECT = st.text(
    st.characters(exclude_categories=["C", "Z", "M"], include_characters=" ", exclude_characters=_BLANK_LETTERS),
    max_size=150,
)


@given(SUBJECT)
@settings(deadline=None)
def test_subjects_come_back(subject: str) -> None:
    """Any subject is read back as it was; encoded words have at most 75 characters and whole characters."""
    raw = unstructured("Subject", subject)
    assert max(map(len, raw.split(b"\r\n"))) <= 76
    assert all(len(word) <= 75 for word in re.findall(rb"=\?\S+\?=", raw))
    message = message_from_bytes(raw + b"\r\n", policy=policy.default)
    assert message["Subject"] == subject.strip()


@pytest.mark.parametrize(
    "name",
    [
        "Plain",
        'Quoted "The" \\ Editors',
        "L’Observatoire mondial",
        "مرصد السلام العالمي",
        "会" * 40,
        "A" * 90,
        "a, b <c@d>",
    ],
)
def test_names_come_back(name: str) -> None:
    """A display name in any language, with any punctuation, is read back, and the address stays one."""
    raw = build(headers=replace(SETTINGS, from_name=name))
    assert_fit_for_the_wire(raw)
    assert [one.addr_spec for one in parse(raw)["From"].addresses] == ["roundup@news.example.org"]
    # The new parser of CPython 3.11 keeps the blank between two encoded words (RFC 2047 section 6.2): ask the old one.
    phrase, _, _ = str(message_from_bytes(raw)["From"]).rpartition(" <")
    read = str(make_header(decode_header(phrase))).replace("\r\n", "")
    assert (read if "=?" in phrase else unquote(read)) == name


def test_an_international_domain_goes_as_a_labels() -> None:
    """IDN domains are written as A-labels; a local part that is not ASCII stays, for SMTPUTF8."""
    assert wire_address("reader@bücher.example") == "reader@xn--bcher-kva.example"
    assert wire_address("żaneta@example.org") == "żaneta@example.org"
    assert b"To: reader@xn--bcher-kva.example\r\n" in build(address="reader@bücher.example")


@given(st.lists(LINK | VALUE, min_size=1, max_size=4))
def test_what_needs_no_encoding(values: list[str]) -> None:
    """Values that are taken as they are, all at once, are what encoding and escaping make of each."""
    taken = quoted.as_they_are(values)
    assert taken in (None, [quoted.encode_value(markup.escape(value)) for value in values])


@pytest.mark.parametrize(
    "value", ["a\nb", "\n", "a\n", "\na", ".a", "From me", "a ", "a\rb", "a\0b", "a&b", "<", "=", "a\tb", "é", "a" * 76]
)
def test_what_needs_encoding(value: str) -> None:
    """What a line, HTML or quoted-printable would change is never taken as it is, wherever it stands."""
    for values in ([value], ["a", value], [value, "a"], [value, value]):
        assert quoted.as_they_are(values) is None
    assert quoted.as_they_are(["a", "a" * 75, "", "https://example.org/u/1-a_b", " on 3 May, 2013"]) is not None


@pytest.mark.parametrize(
    "address", ["", "a", "a@", "@b", "a b@example.org", "a,b@example.org", "<a>@example.org", "a@b,c@example.org",
                ".a@b.org", "a..b@b.org", "a@-b.org", "a@b..org", '"a b"@example.org', "a" * 65 + "@b.org", "a@b.org>"],
)  # fmt: skip
def test_one_recipient_a_message(address: str) -> None:
    """Nothing that is not one plain address reaches To or RCPT."""
    with pytest.raises(MessageError):
        wire_address(address)


def test_a_retry_is_the_same_bytes() -> None:
    """Filling twice gives the same message, Message-ID and Date included."""
    assert build() == build()


@pytest.mark.parametrize("domain", ["news.example.org", f"{'long.' * 9}example.org", f"{'longer.' * 9}example.org"])
def test_what_postmark_reads_is_not_of_the_message(domain: str) -> None:
    """Postmark takes out the fields that name the mail in its reports: all else is as if they were not there."""
    row = delivery()._replace(message_id=f"<abc123@{domain}>")
    plain = mail_message.compile(RENDITION, headers=SETTINGS, mail="digest", key=KEY)
    compiled = mail_message.compile(RENDITION, headers=replace(SETTINGS, postmark=True), mail="digest", key=KEY)
    made = fill(compiled, Ready(row, row.address, places()))
    raw = b"".join(made.pieces)
    assert parse(raw)["X-PM-KeepID"] == "true"
    carried = parse(raw)["X-PM-Metadata-message-id"]
    assert carried == (f"abc123@{domain}" if len(domain) <= 73 else None)
    without = fill(plain, Ready(row, row.address, places()))
    assert raw.endswith(b"".join(without.pieces))
    assert made.content_hash == without.content_hash == mail_message.verify(raw, compiled)
    assert made.size == len(raw)


def test_a_missing_or_unknown_place_is_an_error() -> None:
    """A place without a value, or that nobody fills, never goes out open."""
    with pytest.raises(MessageError, match="SINCE"):
        build(values={"UNSUBSCRIBE": "https://x.example.org/u", "PREFERENCES": ""})
    with pytest.raises(MessageError, match="NICKNAME"):
        build(replace(RENDITION, text=place("NICKNAME")))


def test_an_unclaimed_delivery_has_no_date() -> None:
    """The date is that of the first claim, and without one there is no message."""
    unclaimed = Ready(delivery()._replace(first_attempt_at=None), "a@example.org", places())
    compiled = mail_message.compile(RENDITION, headers=SETTINGS, mail="digest", key=KEY)
    with pytest.raises(MessageError, match="Date"):
        fill(compiled, unclaimed)


def test_dates_are_utc() -> None:
    """Date is RFC 5322 with a numeric zone."""
    assert b"Date: Fri, 27 Nov 2026 14:00:00 +0000\r\n" in build()
