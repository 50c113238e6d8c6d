"""The size of a picture, from the first bytes of its file: PNG, GIF and JPEG, which every mail client shows."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SHOWN = 280
"""CSS pixels: the most a masthead's logo is shown at to begin with."""


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture and its own size in pixels."""

    url: str
    width: int
    height: int

    @property
    def is_masthead(self) -> bool:
        """Whether it can stand for the publication's name: as wide as words are, and https, as mail clients want it."""
        return self.url.startswith("https://") and self.height >= 20 and 2 <= self.width / self.height <= 12

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height to show it at: half its own, for dense screens, but no wider than 280 CSS pixels."""
        width = max(1, min(_SHOWN, self.width // 2 if self.width >= 300 else self.width))
        return width, max(1, round(self.height * width / self.width))


def measured(url: str, body: bytes) -> Logo | None:
    """None where the bytes are no such picture."""
    try:
        size = _png(body) or _gif(body) or _jpeg(body)
    except (struct.error, IndexError):
        return None
    return Logo(url, *size) if size and all(0 < side <= 20_000 for side in size) else None


def _png(body: bytes) -> tuple[int, int] | None:
    if not body.startswith(b"\x89PNG\r\n\x1a\n"):
        return None
    width, height = struct.unpack(">II", body[16:24])
    return width, height


def _gif(body: bytes) -> tuple[int, int] | None:
    if not body.startswith((b"GIF87a", b"GIF89a")):
        return None
    width, height = struct.unpack("<HH", body[6:10])
    return width, height


def _jpeg(body: bytes) -> tuple[int, int] | None:
    """The frame header, SOF0 to SOF15 but for DHT, JPG and DAC (ITU-T T.81, table B.1)."""
    if not body.startswith(b"\xff\xd8"):
        return None
    at = 2
    while body[at] == 0xFF:
        marker = body[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", body[at + 5 : at + 9])
            return width, height
        at += 2 + int(struct.unpack(">H", body[at + 2 : at + 4])[0])
    return None
