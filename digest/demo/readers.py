"""The demo's readers: as many as asked for, always the same, on example domains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

REGIONS = ("africa", "americas", "asia", "europe", "middle-east")
_FIRST = (
    "Amara", "Bilal", "Chiara", "Daniel", "Elif", "Farah", "Goran", "Hana", "Inés", "Jamal", "Kofi",
    "Leïla", "Mateo", "Naledi", "Olga", "Pilar", "Quang", "Rania", "Søren", "Thandi", "Usha", "Vera",
    "Wanjiru", "Ximena", "Yusuf", "Zofia",
)  # fmt: skip
_LAST = (
    "Abara", "Bianchi", "Castro", "Demir", "Engel", "Faye", "Gupta", "Haile", "Ito", "Jensen", "Kamau",
    "Lopes", "Moreau", "Nair", "Okafor", "Petrov", "Qureshi", "Rossi", "Sato", "Tadesse", "Ueda",
    "Vargas", "Weber",
)  # fmt: skip
_DOMAINS = ("example.org", "example.net", "example.com")


def readers(n: int, regions: Sequence[str] = REGIONS) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """`n` readers: address, name, and the slugs of the regions chosen, () for all.

    The first chose all, the next each region alone; the rest chose in every way there is."""
    for number in range(n):
        first, last = _FIRST[number % len(_FIRST)], _LAST[number % len(_LAST)]
        yield f"reader{number + 1:05d}@{_DOMAINS[number % 3]}", f"{first} {last}", _choice(number, regions)


def _choice(number: int, regions: Sequence[str]) -> tuple[str, ...]:
    """All, then each region alone, then every set in turn (a set is the bits of a number)."""
    if number == 0 or not regions:
        return ()
    if number <= len(regions):
        return (regions[number - 1],)
    bits = (number - len(regions)) * 7 % (1 << len(regions))
    return tuple(region for place, region in enumerate(regions) if bits >> place & 1)
