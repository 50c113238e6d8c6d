"""One hash tells every octet of a message, and whoever has received it can check that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.delivery import content_hash
from digest.delivery import message as mail_message
from digest.delivery.headers import MessageError
from digest.delivery.message import Compiled, Filled, fill, verify
from digest.delivery.model import Delivery, Ready
from digest.delivery.verp import ReturnPath
from digest.rendering.model import Rendition, place
from tests.delivery.samples import KEY, NOW, RENDITION, SETTINGS, places

PATH = ReturnPath("bounces@news.example.org", {"1": b"k" * 32})
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=100)
VALUE = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029"), max_size=300)
SAME = st.text("a0=. ", max_size=240)
"""Values and texts that look like each other, in one row or in several."""


def compiled(rendition: Rendition = RENDITION, return_path: ReturnPath | None = PATH) -> Compiled:
    return mail_message.compile(rendition, headers=SETTINGS, mail="digest", key=KEY, return_path=return_path)


def filled(made: Compiled, *, number: int = 7, address: str = "reader@example.org", **values: str) -> Filled:
    row = Delivery(number, "digest", KEY, address, "x", f"<{number}@x.org>", subscriber=number, first_attempt_at=NOW)
    return fill(made, Ready(row, address, places() | values))


def raw(one: Filled) -> bytes:
    return b"".join(one.pieces)


@given(texts=st.lists(TEXT | SAME, min_size=4, max_size=4), since=VALUE | SAME, link=VALUE | SAME)
@settings(max_examples=300, deadline=None)
def test_the_hash_is_read_from_the_message(texts: list[str], since: str, link: str) -> None:
    """Whatever stands in the places and between them, also nothing, the message gives the hash that was written."""
    a, b, c, d = texts
    text = f"{a}{place('SINCE')}{b}{place('PREFERENCES')}{c}{place('SINCE')}{d}"
    made = compiled(replace(RENDITION, text=text, html=text))
    one = filled(made, SINCE=since, PREFERENCES=link)
    assert verify(raw(one), made) == one.content_hash


def test_one_reader_is_not_another() -> None:
    """Another reader, address, value, Message-ID or date: another hash. The same again: the same."""
    made = compiled()
    hashes = {
        filled(made).content_hash,
        filled(made).content_hash,
        filled(made, number=8).content_hash,
        filled(made, address="other@example.org").content_hash,
        filled(made, SINCE="4 May 2025").content_hash,
        filled(compiled(replace(RENDITION, html=RENDITION.html + " "))).content_hash,
        filled(compiled(return_path=None)).content_hash,
    }
    assert len(hashes) == 6


@given(
    at=st.floats(0, 1, exclude_max=True),
    letter=st.sampled_from(b"a0.=\r\n <"),
    how=st.sampled_from(["put", "take", "change"]),
)
@settings(max_examples=300, deadline=None)
def test_any_other_octet(at: float, letter: int, how: str) -> None:
    """An octet put in, taken out or changed, anywhere: it is not the message that the ledger speaks of."""
    made = compiled()
    one = filled(made)
    whole = raw(one)
    index = int(at * len(whole))
    other = whole[:index] + (b"" if how == "take" else bytes([letter])) + whole[index + (how != "put") :]
    assert other == whole or verify(other, made) != one.content_hash


def test_what_relays_add_is_passed_over() -> None:
    """Trace fields and signatures above the message change nothing; any other header does."""
    made = compiled()
    one = filled(made)
    trace = (
        b"Return-Path: <bounces+1-7-00@news.example.org>\r\nReceived: from a.example.org\r\n\tby b.example.org; now\r\n"
        b"DKIM-Signature: v=1; a=rsa-sha256;\r\n b=AAAA\r\nAuthentication-Results: b.example.org; dkim=pass\r\n"
    )
    assert verify(trace + raw(one), made) == one.content_hash
    assert verify(b"X-Spam: yes\r\n" + raw(one), made) is None
    assert verify(raw(one).replace(b"\r\nSubject:", b"\r\nBcc: x@example.org\r\nSubject:"), made) is None


@pytest.mark.parametrize("message", [b"", b"\r\n\r\n", b"Subject: x\r\n\r\nhello", b"Date: x"])
def test_strangers(message: bytes) -> None:
    """What was not made from this rendition has no hash."""
    assert verify(message, compiled()) is None
    other = compiled(replace(RENDITION, text="another text"))
    assert verify(raw(filled(other)), compiled()) is None


@given(st.lists(st.binary(max_size=9).filter(lambda one: b"\0" not in one), min_size=1, max_size=4),
       st.lists(st.binary(max_size=9).filter(lambda one: b"\0" not in one), min_size=1, max_size=4))  # fmt: skip
def test_values_cannot_run_together(left: list[bytes], right: list[bytes]) -> None:
    """Two rows of values have one hash only where they are the same."""
    inner = content_hash.fixed([b"a", 0])
    assert (content_hash.of(inner, left) == content_hash.of(inner, right)) == (left == right)


def test_no_value_has_a_nul() -> None:
    """What parts the values stands in none of them."""
    for bad in ("a\0b", "\0"):
        with pytest.raises(MessageError):
            filled(compiled(), SINCE=bad)


def test_where_a_hole_is_counts() -> None:
    """The same octets with the hole elsewhere, or another hole there, have another inner hash."""
    forms: list[list[bytes | int]] = [
        [b"a", 0, b"b"],
        [b"ab", 0],
        [0, b"ab"],
        [b"a", 1, b"b"],
        [b"a", b"b"],
        [b"#0;ab"],
    ]
    assert len({content_hash.fixed(form) for form in forms}) == len(forms)
