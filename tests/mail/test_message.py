"""The mail that the demo's readers received, as bytes and headers."""

from __future__ import annotations

import re
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest

from tests.support.demo_mail import READERS, Mail, Received

ONCE = ("Date", "From", "To", "Subject", "Message-ID", "MIME-Version")
DIGEST = {
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "Auto-Submitted": "auto-generated",
    "Precedence": "bulk",
    "X-Auto-Response-Suppress": "OOF, AutoReply",
    "Content-Language": "en",
}


def every(received: Received) -> tuple[Mail, ...]:
    return received.readers + received.staff


def test_each_reader_has_one(received: Received) -> None:
    """As many mails as readers, each to another address."""
    assert len(received.readers) == READERS
    assert len({mail.message["To"] for mail in received.readers}) == READERS


def test_lines_are_short_and_seven_bit(received: Received) -> None:
    """Lines end in CRLF, are at most 78 octets and ASCII; nowhere a NUL, a bare CR or a bare LF."""
    for mail in every(received):
        assert mail.raw.isascii(), mail.name
        assert mail.raw.endswith(b"\r\n")
        assert b"\0" not in mail.raw
        lines = mail.raw.split(b"\r\n")
        assert not [line for line in lines if b"\r" in line or b"\n" in line]
        assert max(map(len, lines)) <= 78, mail.name


def test_each_header_once(received: Received) -> None:
    """Exactly one of each header, one recipient, and none of those that do not belong in a mail on its way."""
    for mail in every(received):
        names = [name.lower() for name in mail.message.keys()]  # noqa: SIM118  (a message is no dictionary)
        assert len(names) == len(set(names)), mail.name
        assert {name.lower() for name in ONCE} <= set(names)
        assert not {"bcc", "return-path", "x-priority"} & set(names)
        assert len(mail.message["To"].addresses) == 1


def test_headers_of_a_digest(received: Received) -> None:
    """A digest says that it is one: list, owner, archive, help, feedback, and that nobody should answer for the
    reader."""
    for mail in received.readers:
        headers = mail.message
        assert {name: headers[name] for name in DIGEST} == DIGEST
        assert headers["List-ID"].endswith("<roundup.news.example.org>")
        assert headers["List-Owner"] == "<mailto:editors@example.org>"
        assert headers["Reply-To"] == "editors@example.org"
        for name in ("List-Help", "List-Subscribe", "List-Archive"):
            assert re.fullmatch(r"<https://[^<>\s]+>", headers[name]), name
    feedback = {mail.message["Feedback-ID"] for mail in received.readers}
    assert len(feedback) == 1, "one per recipient would track them"
    assert 5 <= len(feedback.pop().rpartition(":")[2]) <= 15


def test_one_https_way_to_leave(received: Received) -> None:
    """List-Unsubscribe has one address, https, never encoded, another for every reader, and the mail's own link is
    it."""
    seen = set()
    for mail in received.readers:
        value = re.search(r"^List-Unsubscribe: *(.*)$", mail.headers, re.MULTILINE)
        assert value is not None
        assert re.fullmatch(r"<https://[!-;=?-~]+>", value[1]), value[1]
        address = value[1][1:-1]
        seen.add(address)
        assert (address, "Unsubscribe") in mail.reading.links
        assert f"\n{address}\n" in mail.text
    assert len(seen) == READERS


def test_no_address_in_any_link(received: Received) -> None:
    """The reader's address stands in To and nowhere else."""
    for mail in received.readers:
        local = mail.message["To"].addresses[0].username
        assert local not in mail.html + mail.text


def test_message_id(received: Received) -> None:
    """Each Message-ID is its own, and its right side the domain of From."""
    identifiers = [str(mail.message["Message-ID"]) for mail in every(received)]
    assert len(set(identifiers)) == len(identifiers)
    domain = parseaddr(str(received.readers[0].message["From"]))[1].rpartition("@")[2]
    assert {one.strip("<>").rpartition("@")[2] for one in identifiers} == {domain}


def test_encoded_words(received: Received) -> None:
    """An encoded word is at most 75 characters, and there are none where plain ASCII would do."""
    for mail in every(received):
        for word in re.findall(r"=\?[^?\s]+\?[BbQq]\?[^?\s]*\?=", mail.headers):
            assert len(word) <= 75
            assert not str(make_header(decode_header(word))).isascii()


def test_nothing_unseen_in_from_and_subject(received: Received) -> None:
    """No bidirectional or zero-width character stands in From or Subject."""
    for mail in every(received):
        for name in ("From", "Subject"):
            assert not re.search("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]", str(mail.message[name]))
        assert "noreply" not in str(mail.message["From"]).replace("-", "").lower()


def test_text_then_html(received: Received) -> None:
    """multipart/alternative of text and HTML in this order, both UTF-8 in quoted-printable."""
    for mail in every(received):
        assert mail.message.get_content_type() == "multipart/alternative"
        parts = list(mail.message.iter_parts())
        assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
        assert {part.get_content_charset() for part in parts} == {"utf-8"}
        assert {part["Content-Transfer-Encoding"] for part in parts} == {"quoted-printable"}


@pytest.mark.parametrize("kind", ["Draft ready", "Sent"])
def test_a_word_to_staff_is_no_list_mail(received: Received, kind: str) -> None:
    """Mail to staff has no way to unsubscribe and is not bulk."""
    message = received.staff_mail(kind).message
    assert not [name for name in message.keys() if name.startswith("List-") or name == "Precedence"]  # noqa: SIM118
