"""Envelope senders that only we can make, and that only the right secret can read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.delivery.headers import wire_address
from digest.delivery.verp import LONGEST_LOCAL, Purpose, ReturnPath, make, read

OLD, NEW = b"o" * 32, b"n" * 32
PATH = ReturnPath("bounces@news.example.org", {"1": OLD, "2": NEW})
NUMBER = st.integers(1, 16**11 - 1)
PURPOSE: st.SearchStrategy[Purpose] = st.sampled_from(["bounce", "leave"])


@given(NUMBER, PURPOSE)
def test_what_was_made_is_read(number: int, purpose: Purpose) -> None:
    """Every number comes back, from the address as it is, in capitals, and with blanks around it."""
    address = make(PATH, purpose, number)
    assert [read(PATH, purpose, form) for form in (address, address.upper(), f" {address}\n")] == [number] * 3


@given(NUMBER, PURPOSE)
def test_a_local_part_has_at_most_64_octets(number: int, purpose: Purpose) -> None:
    """The longest address that the configuration takes, with the longest key id, is still an address."""
    path = ReturnPath("b" * LONGEST_LOCAL + "@news.example.org", {"k" * 8: NEW})
    assert wire_address(make(path, purpose, number)) == make(path, purpose, number)


@given(NUMBER, st.data())
def test_nothing_else_is_read(number: int, data: st.DataObject) -> None:
    """One character changed, dropped or added anywhere in the token, and nobody is suppressed."""
    local, _, domain = make(PATH, "bounce", number).partition("@")
    start = local.index("+") + 1
    at = data.draw(st.integers(start, len(local) - 1))
    sign = data.draw(st.sampled_from("0123456789abcdefz-+=@ "))
    forms = {
        f"{local[:at]}{sign}{local[at + 1 :]}",
        f"{local[:at]}{local[at + 1 :]}",
        f"{local[:at]}{sign}{local[at:]}",
    }
    for form in forms - {local, f"{local} "}:
        assert read(PATH, "bounce", f"{form}@{domain}") is None


@given(NUMBER)
def test_one_purpose_is_not_the_other(number: int) -> None:
    """An address to leave by is no bounce, nor the reverse, with or without the mark of the other."""
    bounce, leave = make(PATH, "bounce", number), make(PATH, "leave", number)
    assert read(PATH, "leave", bounce) is None
    assert read(PATH, "bounce", leave) is None
    assert read(PATH, "leave", bounce.replace("+", "+u-")) is None
    assert read(PATH, "bounce", leave.replace("+u-", "+")) is None


def test_keys_rotate() -> None:
    """What an older key made is still read; what none of ours made is not."""
    before = make(ReturnPath(PATH.address, {"1": OLD}), "bounce", 7)
    assert read(PATH, "bounce", before) == 7
    assert "+2-" in make(PATH, "bounce", 7)
    assert read(ReturnPath(PATH.address, {"2": NEW}), "bounce", before) is None
    assert read(PATH, "bounce", make(ReturnPath(PATH.address, {"2": b"f" * 32}), "bounce", 7)) is None


@pytest.mark.parametrize(
    "address",
    ["", "@", "bounces@news.example.org", "bounces+@news.example.org", "bounces+1-7@news.example.org", "\0", "ﬀ" * 99],
)
def test_strangers(address: str) -> None:
    """An address without a token, or that is none, says nothing and raises nothing."""
    assert read(PATH, "bounce", address) is None


def test_another_mailbox() -> None:
    """The same token at another mailbox or domain is not ours."""
    address = make(PATH, "bounce", 7)
    assert read(PATH, "bounce", address.replace("bounces+", "return+")) is None
    assert read(PATH, "bounce", address.replace("news.", "news2.")) is None


def test_secrets_stay_secret() -> None:
    """A return path that is printed shows no key."""
    assert "nnnn" not in repr(PATH)
    assert "2" in repr(PATH)
