"""Colours: WCAG 2.2 contrast, and the nearest colour that can be read. Colours are 6-digit hex such as
`#b5481b`."""

from __future__ import annotations

import colorsys
import re
from functools import lru_cache

TEXT = 4.5
"""The least contrast of text on its ground (WCAG 2.2, success criterion 1.4.3)."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def is_hex(colour: str) -> bool:
    """Whether it is a colour that every mail client understands: `#` and six digits."""
    return _HEX.fullmatch(colour) is not None


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green, blue, 0 to 255. Raises ValueError for anything but 6-digit hex."""
    if not is_hex(colour):
        raise ValueError(f"{colour!r} is not a colour of the form #rrggbb")
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: str) -> float:
    """Relative luminance, 0 (black) to 1 (white), as WCAG 2.2 defines it."""
    red, green, blue = (_linear(channel / 255) for channel in rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21, as WCAG 2.2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mix(one: str, other: str, share: float) -> str:
    """`one` with `share` (0 to 1) of `other` in it."""
    pairs = zip(rgb(one), rgb(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


@lru_cache(maxsize=1024)
def readable(colour: str, *grounds: str, ratio: float = TEXT) -> str:
    """`colour`, or the nearest of its hue, lighter or darker, that reaches `ratio` on every ground.

    Where no colour does (one ground is black, another white), the black or white that does best."""

    def worst(candidate: str) -> float:
        return min(contrast(candidate, ground) for ground in grounds)

    if worst(colour) >= ratio:
        return colour
    hue, lightness, saturation = colorsys.rgb_to_hls(*(channel / 255 for channel in rgb(colour)))
    for step in range(1, 101):
        for tried in (lightness - step / 100, lightness + step / 100):
            if 0 <= tried <= 1:
                candidate = from_hls(hue, tried, saturation)
                if worst(candidate) >= ratio:
                    return candidate
    return max("#000000", "#ffffff", key=worst)


def from_hls(hue: float, lightness: float, saturation: float) -> str:
    """Hue, lightness and saturation (0 to 1 each) as hex."""
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in colorsys.hls_to_rgb(hue, lightness, saturation))


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
