"""Draws the demo's photos: `python docs/photos/make.py digest/demo/photos`. Needs Pillow; the same bytes each time."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

import land
import plains
import table
import town
from brush import HEIGHT, WIDTH
from PIL import Image

PICTURES: dict[str, Callable[[random.Random], Image.Image]] = {
    "andes": land.andes,
    "bridge": town.bridge,
    "contours": table.contours,
    "domes": town.domes,
    "dunes": land.dunes,
    "empty-chairs": table.empty_chairs,
    "harbour": town.harbour,
    "harbour-night": town.harbour_night,
    "lanterns": table.lanterns,
    "night-sea": plains.night_sea,
    "olive-hills": land.olive_hills,
    "pagoda-hills": plains.pagoda_hills,
    "river": land.river,
    "rooftops": town.rooftops,
    "round-table": table.round_table,
    "salt-lake": plains.salt_lake,
    "savannah": land.savannah,
    "skyline": town.skyline,
    "steppe": plains.steppe,
    "terraces": land.terraces,
}

LARGEST = 38_000
"""Bytes a photo may take, so that all of them stay small in the package."""


def save(image: Image.Image, path: Path) -> int:
    """A progressive JPEG of the best quality that stays below LARGEST."""
    small = image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    for quality in (86, 80, 74, 68, 62, 56, 50, 44, 38):
        small.save(path, "JPEG", quality=quality, optimize=True, progressive=True)
        if path.stat().st_size <= LARGEST:
            break
    return path.stat().st_size


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or list(PICTURES):
        size = save(PICTURES[name](random.Random(name)), folder / f"{name}.jpg")  # noqa: S311 - pictures, not secrets
        print(f"{name}.jpg {size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
