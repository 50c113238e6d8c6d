"""Hills, dunes, rivers and fields."""

from __future__ import annotations

import math
import random
from itertools import pairwise

from brush import Colour, H, W, disc, fill_below, glow, layers, mix, rgb, ridge, sky, waves
from PIL import Image, ImageChops, ImageDraw, ImageFilter


def savannah(rng: random.Random) -> Image.Image:
    image = sky("f3c98b", "f6dcae", "f8e8cb")
    glow(image, 0.70, 0.38, 0.42, "fff4d6", 0.9)
    disc(image, 0.70, 0.38, 0.045, "fff7e2")
    lines = layers(image, rng, "d99a5b", "5e2a14", count=5, top=0.52, height=0.07)
    x, y = min(lines[3][45:120], key=lambda p: p[1])
    tree(ImageDraw.Draw(image), x, y + 14, H * 0.30, rgb("4a2010"))
    fill_below(image, lines[4], rgb("6d3318"), rgb("35160b"))
    return image


def tree(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, colour: Colour) -> None:
    """A flat-topped acacia."""
    trunk = size * 0.045
    draw.polygon(
        [(x - trunk, y), (x + trunk, y), (x + trunk * 0.7, y - size * 0.62), (x - trunk * 0.7, y - size * 0.62)],
        fill=colour,
    )
    for side in (-1, 1):
        draw.line(
            [(x, y - size * 0.38), (x + side * size * 0.30, y - size * 0.66)], fill=colour, width=round(trunk * 1.1)
        )
    for dx, dy, rx, ry in ((-0.26, 0.68, 0.32, 0.085), (0.24, 0.70, 0.34, 0.09), (0.0, 0.77, 0.38, 0.10)):
        draw.ellipse(
            (x + (dx - rx) * size, y - (dy + ry) * size, x + (dx + rx) * size, y - (dy - ry) * size), fill=colour
        )


def dunes(rng: random.Random) -> Image.Image:
    image = sky("8c4a3a", "d98a52", "f4c27c", "f9dcaa")
    glow(image, 0.2, 0.44, 0.5, "ffe9b8", 0.8)
    for n, (base, light, dark) in enumerate(
        [(0.56, "e9aa68", "b8703c"), (0.68, "dd9450", "9a5529"), (0.84, "c9793a", "70371a")]
    ):
        line = waves(rng, 0.35)
        points = ridge(line, base, 0.09 + 0.02 * n)
        fill_below(image, points, rgb(light), rgb(dark))
        crest = max(range(40, len(points) - 40), key=lambda i: -points[i][1])
        cx, cy = points[crest]
        shade = Image.new("L", (W, H), 0)
        edge = [
            (cx + math.sin(t * 2.4) * W * 0.03 - t * W * 0.10, cy + t * (H - cy)) for t in (i / 40 for i in range(41))
        ]
        right = [p for p in points if p[0] >= cx]
        ImageDraw.Draw(shade).polygon([*edge[::-1], *right, (W, H)], fill=120)
        keep = Image.new("L", (W, H), 0)
        ImageDraw.Draw(keep).polygon([(0, H), *points, (W, H)], fill=255)
        shade = ImageChops.multiply(shade.filter(ImageFilter.GaussianBlur(5)), keep)
        image.paste(Image.new("RGB", (W, H), mix(rgb(dark), (40, 12, 10), 0.35)), mask=shade)
    return image


def river(rng: random.Random) -> Image.Image:
    image = sky("6b3b1e", "8a5227")
    draw = ImageDraw.Draw(image)
    for n in range(26):
        line = waves(rng, 0.9)
        colour = mix(rgb("7d4a22"), rgb("3d2410"), rng.random())
        fill_below(image, ridge(line, n / 26 + 0.03, 0.05), colour, mix(colour, rgb("2c190c"), 0.4))
    line = waves(rng, 0.3)
    path = [(x / 240, 0.50 + 0.20 * line(x / 240 * 0.9)) for x in range(-8, 256)]
    for width, sand in ((0.150, "b98a52"), (0.132, "d7ae74"), (0.118, "e9cf9f"), (0.100, "f2e0bd")):
        banks = [(x * W, y * H, width * H * (1 + 0.35 * math.sin(x * 5)) * 0.9) for x, y in path]
        draw.polygon([*((x, y - r) for x, y, r in banks), *((x, y + r) for x, y, r in reversed(banks))], fill=rgb(sand))
    for _ in range(7):
        index = rng.randrange(32, 224)
        x, y = path[index]
        length, depth = rng.uniform(0.02, 0.05) * W, rng.uniform(0.010, 0.018) * H
        cy = y * H + rng.uniform(-0.05, 0.05) * H
        draw.ellipse((x * W - length, cy - depth, x * W + length, cy + depth), fill=rgb("a4773f"))
    glow(image, 0.85, 0.1, 0.6, "ffdf9e", 0.5)
    return image


def andes(rng: random.Random) -> Image.Image:
    image = sky("7fa79d", "c4d6bd", "f0ecd2")
    glow(image, 0.78, 0.30, 0.4, "fffdec", 0.9)
    disc(image, 0.78, 0.27, 0.034, "fffdf0")
    for n in range(6):
        share = n / 5
        points = crags(rng, 0.42 + 0.105 * n, 0.62 - 0.07 * n)
        colour = mix(rgb("b4cdbb"), rgb("143d30"), share)
        fill_below(image, points, colour, mix(colour, rgb("e3e9d2"), 0.55 * (1 - share)))
    return image


def crags(rng: random.Random, base: float, height: float) -> list[tuple[float, float]]:
    """A mountain ridge by midpoint displacement."""
    heights = [rng.uniform(-0.2, 0.6), rng.uniform(-0.2, 0.6)]
    spread = 0.75
    while len(heights) < 513:
        grown = [heights[0]]
        for a, b in pairwise(heights):
            grown += [(a + b) / 2 + rng.uniform(-spread, spread), b]
        heights, spread = grown, spread * 0.52
    return [(i * W / 512, (base - height * h * 0.6) * H) for i, h in enumerate(heights)]


def terraces(rng: random.Random) -> Image.Image:
    image = sky("e8c7b4", "f3ded0")
    glow(image, 0.15, 0.05, 0.5, "fff3e2", 0.9)
    layers(image, rng, "d9a99b", "b8705f", count=2, top=0.16, height=0.05)
    line, count = waves(rng, 0.25), 15
    for n in range(count):
        share = n / (count - 1)
        base = 0.32 + 0.68 * share**1.15
        bend = [(x, (base - (0.10 - 0.03 * share) * line(x / W + share * 0.10)) * H) for x in range(0, W + 8, 8)]
        water = mix(rgb("f0d3c0"), rgb("d58c74"), share)
        bank = mix(rgb("b65a4a"), rgb("4f1420"), share)
        fill_below(image, bend, bank, bank)
        inner = [(x, y + H * (0.006 + 0.010 * share)) for x, y in bend]
        fill_below(image, inner, water, mix(water, bank, 0.25))
    return image


def olive_hills(rng: random.Random) -> Image.Image:
    image = sky("6f5a8d", "b690ad", "edc7b4")
    glow(image, 0.2, 0.42, 0.45, "ffeccf", 0.9)
    disc(image, 0.2, 0.36, 0.04, "ffeedb")
    draw = ImageDraw.Draw(image)
    for n in range(5):
        share = n / 4
        line = waves(rng, 0.4)
        base = 0.50 + 0.12 * n
        colour = mix(rgb("b795ae"), rgb("33214d"), share)
        fill_below(image, ridge(line, base, 0.07), colour, mix(colour, rgb("2a1a40"), 0.4))
        if n < 1:
            continue
        for row in range(4):
            step, r = 46 + 26 * share, 9 + 15 * share
            x = rng.uniform(0, step)
            while x < W:
                y = (base - 0.07 * line(x / W)) * H + (row + 0.6) * (20 + 20 * share)
                crown = mix(rgb("8d7a8f"), rgb("1f1433"), min(1, share * 0.9 + 0.08 * row))
                draw.ellipse((x - r * 1.2, y - r * 1.5, x + r * 1.2, y + r * 0.4), fill=crown)
                draw.line([(x, y), (x, y + r * 0.9)], fill=crown, width=4)
                x += step * rng.uniform(0.9, 1.15)
    return image
