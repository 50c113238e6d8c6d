"""In how few pieces a compiled message can be sent, for as little copying as can be.

A long fixed text is a piece that every recipient's message shares. Between two of them the holes and the short texts
around them are written as one piece: a piece more costs the sending more than a few octets that are copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter

_LONG = 512  # octets

Pick = Callable[[Sequence[bytes]], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Layout:
    """`shared` are the pieces, b"" where one is written for each recipient: by (which, template, its values)."""

    shared: tuple[bytes, ...]
    written: tuple[tuple[int, bytes, Pick], ...]

    def pieces(self, values: Sequence[bytes]) -> list[bytes]:
        """`values` are those of the holes, by their numbers."""
        pieces = list(self.shared)
        for index, template, pick in self.written:
            pieces[index] = template % pick(values)
        return pieces


def layout(parts: Sequence[bytes | int]) -> Layout:
    """Of fixed octets and, as numbers, holes."""
    groups: list[list[bytes | int]] = []
    apart = True
    for part in parts:
        long = isinstance(part, bytes) and len(part) >= _LONG
        if long or apart:
            groups.append([])
        groups[-1].append(part)
        apart = long
    shared, written = [], []
    for index, group in enumerate(groups):
        numbers = [part for part in group if isinstance(part, int)]
        shared.append(b"" if numbers else b"".join(part for part in group if isinstance(part, bytes)))
        if numbers:
            written.append((index, _template(group), picker(numbers)))
    return Layout(tuple(shared), tuple(written))


def picker(numbers: Sequence[int]) -> Pick:
    """What takes those with these numbers, in this order, out of a row."""
    if len(numbers) > 1:
        return itemgetter(*numbers)
    return lambda row: tuple([row[number] for number in numbers])  # an itemgetter of one gives no row


def _template(group: Sequence[bytes | int]) -> bytes:
    return b"".join(part.replace(b"%", b"%%") if isinstance(part, bytes) else b"%s" for part in group)
