"""A quick HMAC is the HMAC."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from digest import macs


@given(key=st.binary(max_size=200), start=st.binary(max_size=200), ends=st.lists(st.binary(max_size=200), max_size=3))
def test_it_is_the_standard_librarys(key: bytes, start: bytes, ends: list[bytes]) -> None:
    """Whatever the key and the texts, one maker makes of each what the standard library makes of it."""
    made = macs.maker(key, start)
    assert [made(end) for end in ends] == [hmac.digest(key, start + end, "sha256") for end in ends]
