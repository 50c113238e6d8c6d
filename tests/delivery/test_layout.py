"""A message goes in few pieces, and is the same message."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from digest.delivery.layout import layout

FIXED = st.binary(max_size=40) | st.sampled_from([b"%s", b"%", b"%%d", b"a" * 511, b"%s" * 256, b"b" * 5000])


@given(
    parts=st.lists(FIXED | st.integers(0, 3), min_size=1, max_size=12), values=st.lists(FIXED, min_size=4, max_size=4)
)
def test_it_is_the_same_message(parts: list[bytes | int], values: list[bytes]) -> None:
    """Whatever is fixed and whatever fills the holes, percent signs too, the pieces are the parts in their order."""
    whole = b"".join(part if isinstance(part, bytes) else values[part] for part in parts)
    assert b"".join(layout(parts, len(values)).pieces(values)) == whole


def test_long_texts_are_not_copied() -> None:
    """A long fixed text is the same object in every message, and no two short pieces stand beside each other."""
    long = b"text" * 1000
    made = layout([b"head", 0, b"tail", 1, long, 2, b"foot", long, long, 0], 3)
    first, second = made.pieces([b"a", b"b", b"c"]), made.pieces([b"x", b"y", b"z"])
    assert first == [b"headatailb", long, b"cfoot", long, long, b"a"]
    assert second == [b"headxtaily", long, b"zfoot", long, long, b"x"]
    assert all(piece is long for piece in (*first[1::2], *second[1::2]) if piece == long)
