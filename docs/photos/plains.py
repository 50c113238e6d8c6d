"""Wide horizons: mist, steppe, salt and sea."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from brush import H, W, disc, fill_below, glow, glow_at, mix, rgb, ridge, sky, waves
from PIL import Image, ImageDraw, ImageFilter


def pagoda_hills(rng: random.Random) -> Image.Image:
    image = sky("d9b7ad", "eed6c6", "f7e9da")
    glow(image, 0.35, 0.3, 0.4, "fff6e8", 0.9)
    disc(image, 0.35, 0.28, 0.038, "fbe3d0")
    lines: list[Sequence[tuple[float, float]]] = []
    for n in range(5):
        share = n / 4
        bumps = [(rng.uniform(-0.05, 1.05), rng.uniform(0.05, 0.11), rng.uniform(0.4, 1)) for _ in range(7)]
        points = [
            (
                x,
                (
                    0.62
                    + 0.10 * n
                    - (0.30 - 0.03 * n) * max(h * math.exp(-(((x / W - c) / w) ** 2)) for c, w, h in bumps)
                )
                * H,
            )
            for x in range(0, W + 8, 8)
        ]
        colour = mix(rgb("dbaea6"), rgb("5a1a2a"), share)
        fill_below(image, points, colour, mix(colour, rgb("f6e4d6"), 0.75 * (1 - share * 0.8)))
        lines.append(points)
    x, y = min(lines[4], key=lambda p: p[1])
    draw, dark, size = ImageDraw.Draw(image), rgb("43101f"), H * 0.05
    for level in range(4):
        w = size * (1.0 - level * 0.19)
        top = y + 6 - size * 0.55 * (level + 1)
        draw.polygon(
            [(x - w, top + size * 0.22), (x + w, top + size * 0.22), (x + w * 0.45, top), (x - w * 0.45, top)],
            fill=dark,
        )
        draw.rectangle((x - w * 0.5, top + size * 0.2, x + w * 0.5, top + size * 0.62), fill=dark)
    draw.line([(x, y - size * 2.2), (x, y - size * 3.0)], fill=dark, width=7)
    return image


def steppe(rng: random.Random) -> Image.Image:
    image = sky("8d5a66", "d99a86", "f3c9a4", "f8e0bd")
    glow(image, 0.56, 0.58, 0.5, "fff0cf", 0.9)
    disc(image, 0.56, 0.56, 0.04, "fff4dc")
    fill_below(image, ridge(waves(rng, 0.8), 0.585, 0.025), rgb("b3776b"), rgb("b3776b"))
    fill_below(image, [(0, H * 0.62), (W, H * 0.615)], rgb("b98350"), rgb("5c2c22"))
    draw, far = ImageDraw.Draw(image), (0.56 * W, 0.617 * H)
    for _ in range(420):
        depth = rng.random() ** 2
        y = H * (0.63 + 0.37 * depth)
        x, length = rng.uniform(0, W), 8 + 60 * depth
        draw.line(
            [(x, y), (x + rng.uniform(-6, 6), y - length * 0.5)],
            fill=mix(rgb("d9a468"), rgb("4a211a"), rng.random()),
            width=2 + round(3 * depth),
        )
    draw.polygon([(far[0] - 2, far[1]), (far[0] + 2, far[1]), (W * 0.52, H), (W * 0.12, H)], fill=rgb("7a4a38"))
    for n in range(34):
        depth = (n / 33) ** 2.6
        y = far[1] + (H - far[1]) * depth
        left, right = far[0] + (W * 0.14 - far[0]) * depth, far[0] + (W * 0.50 - far[0]) * depth
        draw.line([(left, y), (right, y)], fill=rgb("3b1a16"), width=1 + round(16 * depth))
    for foot in (0.20, 0.44):
        draw.polygon(
            [(far[0] - 1, far[1]), (far[0] + 1, far[1]), (W * foot + 10, H), (W * foot - 10, H)], fill=rgb("f0d2a8")
        )
    for n in range(7):
        depth = 0.62**n
        x, y = far[0] + (W * 0.98 - far[0]) * depth, far[1] + (H * 0.98 - far[1]) * depth
        draw.line([(x, y), (x, y - H * 0.62 * depth)], fill=rgb("3b1a16"), width=max(2, round(14 * depth)))
        draw.line(
            [(x - 60 * depth, y - H * 0.55 * depth), (x + 60 * depth, y - H * 0.55 * depth)],
            fill=rgb("3b1a16"),
            width=max(2, round(8 * depth)),
        )
    return image


def salt_lake(rng: random.Random) -> Image.Image:
    image = sky("574a7d", "a58bb5", "e5c1c4", "f7dfc9")
    glow(image, 0.5, 0.46, 0.5, "fff1de", 0.8)
    fill_below(image, ridge(waves(rng, 0.9), 0.475, 0.05), rgb("8c74a0"), rgb("8c74a0"))
    horizon = H * 0.50
    fill_below(image, [(0, horizon), (W, horizon)], rgb("efd9d6"), rgb("8d79a8"))
    draw, rows = ImageDraw.Draw(image), 13
    lines = []
    for row in range(rows + 1):
        depth = (row / rows) ** 1.9
        y = horizon + (H * 1.04 - horizon) * depth
        columns = []
        for col in range(-12, 27):
            spread = 0.22 + 1.5 * depth
            x = W / 2 + (col - 7 + 0.5 * (row % 2)) * W * 0.115 * spread * 1.5
            columns.append((x + rng.uniform(-30, 30) * (0.2 + depth), y + rng.uniform(-12, 12) * (0.15 + 2.2 * depth)))
        lines.append(columns)
    for row, columns in enumerate(lines):
        depth = (row / rows) ** 1.9
        width = 1 + round(8 * depth)
        colour = mix(rgb("c6aeb9"), rgb("574a7d"), 0.3 + 0.6 * depth)
        draw.line(columns, fill=colour, width=width, joint="curve")
        if row < rows:
            for col in range(len(columns)):
                below = lines[row + 1][min(len(columns) - 1, col + (row % 2))]
                draw.line([columns[col], below], fill=colour, width=width)
    return image


def night_sea(rng: random.Random) -> Image.Image:
    image = sky("0d1b33", "1d3a5e", "3f6a8a", "88a5ad")
    draw = ImageDraw.Draw(image)
    for _ in range(120):
        x, y, r = rng.uniform(0, W), rng.uniform(0, H * 0.4), rng.uniform(1, 3)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=mix(rgb("1d3a5e"), rgb("e8eef2"), rng.random()))
    lamp = (W * 0.79, H * 0.335)
    beam = Image.new("L", (W, H), 0)
    ImageDraw.Draw(beam).polygon([lamp, (0, H * 0.10), (0, H * 0.42)], fill=120)
    ImageDraw.Draw(beam).polygon([lamp, (W, H * 0.30), (W, H * 0.40)], fill=120)
    image.paste(Image.new("RGB", (W, H), rgb("f7e8b8")), mask=beam.filter(ImageFilter.GaussianBlur(18)))
    fill_below(image, [(0, H * 0.66), (W, H * 0.66)], rgb("557f93"), rgb("0b1a2f"))
    for _ in range(150):
        y = H * (0.67 + 0.33 * rng.random() ** 1.3)
        x, length = rng.uniform(0, W), rng.uniform(20, 200) * (y / H)
        draw.line([(x, y), (x + length, y)], fill=mix(rgb("9fb9bd"), rgb("1a3350"), rng.random()), width=3)
    rock = [
        (W * 0.62, H * 0.72),
        (W * 0.69, H * 0.64),
        (W * 0.76, H * 0.60),
        (W * 0.84, H * 0.60),
        (W * 0.92, H * 0.66),
        (W, H * 0.68),
        (W, H * 0.74),
    ]
    draw.polygon(rock, fill=rgb("0c1729"))
    draw.polygon(
        [(W * 0.772, H * 0.61), (W * 0.808, H * 0.61), (W * 0.800, H * 0.37), (W * 0.780, H * 0.37)], fill=rgb("e8e4d8")
    )
    for k in range(2):
        top = 0.42 + 0.09 * k
        draw.polygon(
            [
                (W * (0.779 - 0.002 * k), H * top),
                (W * (0.801 + 0.002 * k), H * top),
                (W * (0.802 + 0.002 * k), H * (top + 0.04)),
                (W * (0.778 - 0.002 * k), H * (top + 0.04)),
            ],
            fill=rgb("a3353b"),
        )
    draw.rectangle((W * 0.777, H * 0.36, W * 0.803, H * 0.375), fill=rgb("16243a"))
    draw.rectangle((W * 0.783, H * 0.315, W * 0.797, H * 0.36), fill=rgb("fff3c4"))
    draw.polygon([(W * 0.780, H * 0.315), (W * 0.800, H * 0.315), (W * 0.79, H * 0.28)], fill=rgb("16243a"))
    glow_at(image, 0.79, 0.335, 0.05, "fff3c4", 0.8)
    return image
