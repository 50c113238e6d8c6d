"""In how few pieces a compiled message can be sent, for as little copying as can be.

A long fixed text is a piece that every recipient's message shares. Between two of them the holes and the short texts
around them are written as one piece: a piece more costs the sending more than a few octets that are copied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

_LONG = 512  # octets

Pick = Callable[[Sequence[bytes]], Sequence[bytes]]


@dataclass(frozen=True, slots=True)
class Layout:
    """`shared` are the pieces, b"" where one is written for each recipient. `written` says which those are, and what
    takes each one's parts out of a row of all values and all `short` texts."""

    shared: tuple[bytes, ...]
    short: tuple[bytes, ...]
    written: tuple[tuple[int, Pick], ...]

    def pieces(self, values: Sequence[bytes]) -> list[bytes]:
        """`values` are those of the holes, by their numbers: as many as there are holes."""
        row, pieces = [*values, *self.short], list(self.shared)
        for index, pick in self.written:
            pieces[index] = b"".join(pick(row))
        return pieces


def layout(parts: Sequence[bytes | int], holes: int) -> Layout:
    """Of fixed octets and, as numbers, the holes, of which there are so many."""
    shared: list[bytes] = []
    short: list[bytes] = []
    written: list[tuple[int, list[int]]] = []
    apart = True
    for part in parts:
        if isinstance(part, bytes) and len(part) >= _LONG:
            shared.append(part)
            apart = True
            continue
        if apart:
            written.append((len(shared), []))
            shared.append(b"")
            apart = False
        if isinstance(part, bytes):
            short.append(part)
        written[-1][1].append(part if isinstance(part, int) else holes + len(short) - 1)
    return Layout(tuple(shared), tuple(short), tuple((index, picker(numbers)) for index, numbers in written))


def picker(keys: Sequence[Any]) -> Callable[[Any], Sequence[Any]]:
    """What takes the items with these keys, in this order, out of a row or a mapping."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda items: tuple([items[key] for key in keys])  # an itemgetter of one gives no row
