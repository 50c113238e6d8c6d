"""Whatever arrives is read: without an error, in bounded time and memory."""

from __future__ import annotations

import base64
import json
import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.bounces.identity import without_addresses
from digest.bounces.judging import judge
from digest.bounces.mime import MOST
from digest.bounces.model import Kind
from digest.bounces.reading import read
from tests.support.returned import complaint, dsn, headers, plain

LONG = 20.0
"""Seconds; a pattern that explodes would need hours."""


def deep(levels: int) -> bytes:
    """A part in a part in a part."""
    head = b'Content-Type: multipart/mixed; boundary="b"\n\n--b\n'
    return headers().encode() + head * levels + b"Content-Type: text/plain\n\nend\n" + b"--b--\n" * levels


BOMBS = {
    "a part in a part": deep(20_000),
    "boundaries that differ": b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(15_000)
    ),
    "a message in a message": headers().encode() + b"Content-Type: message/rfc822\n\n" * 30_000,
    "fifty megabytes": dsn() + b"x" * 50_000_000,
    "a header flood": b"X-Flood: y\n" * 90_000 + b"\nbody",
    "one header": b"Subject: " + b"a" * 2_000_000 + b"\n\nbody",
    "a folded header": b"Subject: a\n" + b" b\n" * 300_000 + b"\nbody",
    "encoded words": b"Subject: " + b"=?utf-8?b?" * 200_000 + b"\n\nbody",
    "addresses": b"To: " + b"a@b.example.org," * 60_000 + b"\n\nbody",
    "at signs": b"To: " + b"@" * 900_000 + b"\n\nbody",
    "letters before an at sign": plain("a" * 900_000),
    "angle brackets": plain("<" * 900_000),
    "blanks": plain(" " * 900_000 + "550 5.1.1 x"),
    "blank lines": headers().encode() + b"\n" * 900_000,
    "tabs in fields": dsn(diagnostic="smtp;" + "\t " * 400_000),
    "replies": plain("550 5.1.1 no such user\n" * 40_000),
    "digits": plain("550 " * 230_000),
    "dashes": plain("-" * 900_000),
    "dashes in lines": plain("--- original\n" * 70_000),
    "quoted": plain("> " * 450_000 + "Status: 5.1.1"),
    "an open bracket": plain("(" * 900_000),
    "recipient groups": dsn(
        diagnostic="x\n\n" + "Final-Recipient: rfc822; a@b.example.org\nAction: failed\n\n" * 9_000
    ),
    "markup": b"From: MAILER-DAEMON@a\nSubject: failed\nContent-Type: text/html\n\n" + b"<p" * 450_000,
    "json": plain("[" * 900_000),
    "json objects": plain('{"a":' * 180_000),
    "base64 that is none": headers().encode() + b"Content-Transfer-Encoding: base64\n\n" + b"!A" * 450_000,
    "a charset that compresses": headers().encode() + b"Content-Type: text/plain; charset=zip\n\n" + b"x" * 900_000,
    "a charset that is slow": headers().encode() + b"Content-Type: text/plain; charset=punycode\n\n" + b"a-" * 450_000,
    "a boundary of one sign": headers().encode()
    + b"Content-Type: multipart/mixed; boundary=-\n\n"
    + b"---\n" * 220_000,
    "nothing but NULs": b"\0" * 900_000,
    "bare carriage returns": b"\r" * 900_000,
    "UTF-16": headers().encode() + b"Content-Type: text/plain; charset=utf-16\n\n" + b"\xd8\x00" * 400_000,
    "a feedback report of blanks": complaint(" " * 800_000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_does_not_go_off(name: str) -> None:
    """It is read to an end, in seconds and a few megabytes, whatever it is taken for."""
    raw = BOMBS[name]
    tracemalloc.start()
    began = time.monotonic()
    try:
        report = read(raw)
        judge(report)
        spent, (_, peak) = time.monotonic() - began, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert spent < LONG
    assert peak < 40 * MOST
    assert len(report.addresses) <= 100


FRAGMENTS = st.sampled_from(
    [
        b"Final-Recipient: rfc822; a@b.example.org\n", b"Action: failed\n", b"Status: 5.1.1\n", b"\n", b"\r\n",
        b"--b\n", b"--b--\n", b'Content-Type: multipart/report; boundary="b"\n', b"Feedback-Type: abuse\n",
        b"Content-Type: message/delivery-status\n", b"Content-Type: message/feedback-report\n", b"{", b'"mail":{}',
        b"Content-Type: message/rfc822\n", b"Content-Transfer-Encoding: base64\n", b"=?utf-8?q?=FF?=", b"550 5.1.1 ",
        b"Content-Transfer-Encoding: quoted-printable\n", b"From: MAILER-DAEMON@x\n", b"Subject: =?big5?b?////?=\n",
        b"<a@b>:\n", b"--- Below this line is a copy", b"Content-Type: text/plain; charset=iso-2022-jp\n",
        b"\x1b$B", b"\xff\xfe", b"(#5.1.1)", b"\0", b"Diagnostic-Code: smtp;",
    ]
)  # fmt: skip
KEYS = st.sampled_from(
    [
        "mail", "bounce", "complaint", "notificationType", "Message", "bouncedRecipients", "status", "headers",
        "commonHeaders", "diagnosticCode",
    ]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(FRAGMENTS, st.binary(max_size=40)), max_size=30).map(b"".join))
def test_nothing_raises(raw: bytes) -> None:
    """Any bytes are a report, and any report can be judged and written down."""
    report = read(raw)
    judgement = judge(report)
    assert report.kind in Kind
    clean = without_addresses(judgement.diagnostic)
    clean.encode()
    assert "\0" not in clean
    assert len(judgement.status) <= 16


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_any_json_is_no_error(value: object) -> None:
    """A notice by mail may have anything at any place."""
    report = read(plain(json.dumps(value)))
    judgement = judge(report)
    without_addresses(judgement.diagnostic).encode()
    assert len(judgement.status) <= 16


def test_what_is_encoded_is_read() -> None:
    """A notification whose parts are base64 and quoted-printable says the same."""
    fields = b"Final-Recipient: rfc822; a@b.example.org\nAction: failed\nStatus: 5.1.1\n"
    start = b"Content-Type: message/delivery-status\n"
    encoded = b"Content-Transfer-Encoding: base64\n\n" + base64.b64encode(fields) + b"\n\n--=_part\n"
    raw = dsn().replace(start, start + encoded)
    report = read(raw)
    assert [one.status for one in report.failures] == ["5.1.1"]
