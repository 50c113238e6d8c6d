"""Harbours, bridges, roofs and domes."""

from __future__ import annotations

import math
import random

from brush import Colour, H, W, disc, fill_below, glow, glow_at, layers, mix, reflect, rgb, sky
from PIL import Image, ImageDraw


def harbour(rng: random.Random) -> Image.Image:
    image = sky("c9d4d6", "e6dccb", "f5d9b4", "f1bd86")
    glow(image, 0.32, 0.62, 0.4, "fff1cf", 0.9)
    disc(image, 0.32, 0.60, 0.035, "fff6e0")
    draw = ImageDraw.Draw(image)
    for tint, scale, places in (("b59a86", 0.62, (0.10, 0.24, 0.50, 0.62)), ("4b4a55", 1.0, (0.64, 0.80, 0.93))):
        for place in places:
            crane(draw, place * W, H * 0.74, H * 0.52 * scale, rgb(tint))
    fill_below(image, [(0, H * 0.74), (W, H * 0.74)], rgb("a7875f"), rgb("54524f"))
    reflect(image, 0.74, 0.5)
    for n in range(26):
        y = H * (0.76 + 0.23 * (n / 26) ** 1.4)
        x = W * (0.32 + rng.uniform(-0.5, 0.5) * (0.05 + n / 60))
        draw.line([(x - 30 - n * 5, y), (x + 30 + n * 5, y)], fill=rgb("f7dcae"), width=3 + n // 8)
    colours = ("7b3f2c", "a8642f", "5a6a6b", "8d8155", "3f4a57")
    x = W * 0.52
    while x < W:
        for level in range(rng.choice((1, 2, 2, 3))):
            draw.rectangle(
                (x, H * 0.74 - (level + 1) * 34, x + 104, H * 0.74 - level * 34 - 3), fill=rgb(rng.choice(colours))
            )
        x += 110
    return image


def crane(draw: ImageDraw.ImageDraw, x: float, ground: float, size: float, colour: Colour) -> None:
    wide = max(4, round(size * 0.018))
    top = ground - size * 0.62
    for leg in (-0.13, 0.13):
        draw.line([(x + leg * size, ground), (x + leg * size * 0.75, top)], fill=colour, width=wide * 2)
    draw.line([(x - 0.12 * size, ground - size * 0.3), (x + 0.12 * size, ground - size * 0.3)], fill=colour, width=wide)
    draw.line([(x - 0.13 * size, ground), (x + 0.11 * size, ground - size * 0.3)], fill=colour, width=wide // 2 + 1)
    draw.line([(x - size * 0.62, top), (x + size * 0.36, top)], fill=colour, width=wide * 2)
    apex = (x + 0.06 * size, top - size * 0.30)
    draw.line([(x + 0.10 * size, top), apex], fill=colour, width=wide * 2)
    draw.line([(x - 0.06 * size, top), apex], fill=colour, width=wide)
    for end in (-0.58, -0.32, 0.34):
        draw.line([apex, (x + end * size, top)], fill=colour, width=max(2, wide // 2))
    draw.line([(x - 0.42 * size, top), (x - 0.42 * size, top + size * 0.2)], fill=colour, width=max(2, wide // 3))


def skyline(rng: random.Random) -> Image.Image:
    image = sky("3f6f6a", "8fb79b", "dbe3bd", "f4ecd0")
    glow(image, 0.30, 0.56, 0.45, "fffbe2", 0.8)
    disc(image, 0.30, 0.44, 0.04, "fdf8e1")
    draw = ImageDraw.Draw(image)
    for tint, base, low, high, wide in (
        ("9dbb9f", 0.80, 0.12, 0.40, 60),
        ("5f8f7c", 0.84, 0.08, 0.48, 84),
        ("2e5f52", 0.9, 0.05, 0.40, 104),
    ):
        x = -20.0
        while x < W:
            w = wide * rng.uniform(0.7, 1.5)
            centre = abs((x / W) - 0.62)
            h = H * (low + (high - low) * rng.random() * max(0.15, 1 - centre * 1.7))
            draw.rectangle((x, H * base - h, x + w, H), fill=rgb(tint))
            if rng.random() < 0.3:
                draw.rectangle((x + w * 0.3, H * base - h - 26, x + w * 0.7, H * base - h), fill=rgb(tint))
            if rng.random() < 0.12:
                draw.line([(x + w / 2, H * base - h), (x + w / 2, H * base - h - 80)], fill=rgb(tint), width=5)
            x += w + rng.uniform(2, 30)
    for row, tint in ((0.90, "24513f"), (0.96, "173a2d")):
        for _ in range(90):
            x, y, r = rng.uniform(0, W), H * row + rng.uniform(-14, 30), rng.uniform(34, 74)
            draw.ellipse((x - r, y - r * 0.8, x + r, y + r * 1.4), fill=rgb(tint))
    draw.rectangle((0, H * 0.985, W, H), fill=rgb("173a2d"))
    return image


def bridge(rng: random.Random) -> Image.Image:
    image = sky("5d83b5", "a9c1d9", "e6e6df", "f6e7cf")
    glow(image, 0.8, 0.5, 0.4, "fff6e0", 0.8)
    layers(image, rng, "a9bdd2", "6f8fb3", count=3, top=0.46, height=0.06)
    water = round(H * 0.68)
    draw, stone = ImageDraw.Draw(image), rgb("1f3f6b")
    mask = Image.new("L", (W, H), 0)
    shape = ImageDraw.Draw(mask)
    deck = [(x, (0.50 - 0.05 * math.sin(x / W * math.pi)) * H) for x in range(0, W + 8, 8)]
    shape.polygon([(0, water), *deck, (W, water)], fill=255)
    for centre, half in ((0.14, 0.115), (0.385, 0.115), (0.63, 0.115), (0.875, 0.115)):
        rise = H * 0.165 + H * 0.02 * math.sin(centre * math.pi)
        shape.ellipse(((centre - half) * W, water - rise, (centre + half) * W, water + rise), fill=0)
    mask.paste(0, (0, water, W, H))
    fill_below(image, [(0, water), (W, water)], rgb("8fabc9"), rgb("2d5080"))
    image.paste(Image.new("RGB", (W, H), stone), mask=mask)
    for x in range(60, W, 300):
        y = (0.50 - 0.05 * math.sin(x / W * math.pi)) * H
        draw.line([(x, y), (x, y - 66)], fill=stone, width=6)
        draw.ellipse((x - 12, y - 84, x + 12, y - 60), fill=rgb("fff0c9"))
    draw.line(deck, fill=rgb("34588a"), width=12)
    reflect(image, 0.68, 0.72)
    for _ in range(70):
        left, y, length = rng.uniform(0, W), H * rng.uniform(0.70, 1), rng.uniform(30, 160)
        draw.line([(left, y), (left + length, y)], fill=mix(rgb("dfe7ea"), rgb("5f80a8"), rng.random()), width=2)
    return image


def rooftops(rng: random.Random) -> Image.Image:
    image = sky("7a94b8", "c3cfdb", "f2e4cf")
    glow(image, 0.2, 0.35, 0.5, "fff5e0", 0.8)
    fill_below(image, [(0, H * 0.46), (W, H * 0.46)], rgb("a9bfd4"), rgb("7f9cbd"))
    draw = ImageDraw.Draw(image)
    for row in range(6):
        share = row / 5
        base = H * (0.50 + 0.11 * row)
        x = -rng.uniform(0, 120)
        while x < W:
            w = (110 + 90 * share) * rng.uniform(0.8, 1.35)
            h = (60 + 70 * share) * rng.uniform(0.7, 1.4)
            slope = base + math.sin(x / W * 3 + row) * 26 - (x / W) * H * 0.10 * (1 - share) * -1
            wall = mix(mix(rgb("e9dfcf"), rgb("9fb0c8"), rng.random()), rgb("1d3357"), share * 0.72)
            roof = mix(mix(rgb("c98f6c"), rgb("7d8fb0"), rng.random() * 0.8), rgb("14264a"), share * 0.72)
            draw.rectangle((x, slope - h, x + w, H), fill=wall)
            draw.polygon([(x - 8, slope - h), (x + w / 2, slope - h - w * 0.42), (x + w + 8, slope - h)], fill=roof)
            if rng.random() < 0.5:
                cx = x + w * 0.7
                draw.rectangle((cx, slope - h - w * 0.40, cx + w * 0.1, slope - h - w * 0.08), fill=roof)
            for k in range(rng.randrange(0, 3)):
                lit = rng.random() < 0.5
                wx, wy = x + w * (0.22 + 0.32 * k), slope - h * 0.72
                draw.rectangle(
                    (wx, wy, wx + w * 0.13, wy + h * 0.26), fill=rgb("fbe2a6") if lit else mix(wall, (20, 30, 60), 0.5)
                )
            x += w + rng.uniform(-4, 14)
    tower = W * 0.71
    draw.rectangle((tower - 34, H * 0.22, tower + 34, H * 0.62), fill=rgb("4a6690"))
    draw.polygon([(tower - 44, H * 0.22), (tower + 44, H * 0.22), (tower, H * 0.03)], fill=rgb("2b4673"))
    return image


def domes(rng: random.Random) -> Image.Image:
    image = sky("4b3a6d", "8d6b9c", "d7a3ae", "f6d2b0")
    glow(image, 0.68, 0.62, 0.5, "ffeccb", 0.9)
    disc(image, 0.68, 0.55, 0.045, "fff1d8")
    draw = ImageDraw.Draw(image)
    for tint, base, size in (("a67fa6", 0.72, 0.62), ("6c4a83", 0.82, 0.85), ("362350", 0.94, 1.1)):
        colour, x = rgb(tint), -60.0
        while x < W:
            w = 150 * size * rng.uniform(0.7, 1.5)
            h = H * 0.10 * size * rng.uniform(0.6, 1.5)
            top = H * base - h
            draw.rectangle((x, top, x + w, H), fill=colour)
            kind = rng.random()
            if kind < 0.34:
                r = w * 0.42
                draw.pieslice((x + w / 2 - r, top - r * 0.95, x + w / 2 + r, top + r * 1.05), 180, 360, fill=colour)
                draw.line([(x + w / 2, top - r * 0.9), (x + w / 2, top - r * 1.35)], fill=colour, width=5)
            elif kind < 0.46:
                t = w * 0.13
                draw.rectangle((x + w / 2 - t, top - h * 1.9, x + w / 2 + t, top), fill=colour)
                draw.rectangle((x + w / 2 - t * 1.5, top - h * 1.45, x + w / 2 + t * 1.5, top - h * 1.33), fill=colour)
                draw.polygon(
                    [(x + w / 2 - t, top - h * 1.9), (x + w / 2 + t, top - h * 1.9), (x + w / 2, top - h * 2.4)],
                    fill=colour,
                )
            for k in range(2):
                if rng.random() < 0.35 and tint != "a67fa6":
                    wx = x + w * (0.25 + 0.35 * k)
                    draw.rectangle((wx, top + h * 0.3, wx + 14, top + h * 0.3 + 24), fill=rgb("f7cf8f"))
            x += w
    return image


def harbour_night(rng: random.Random) -> Image.Image:
    image = sky("150f2a", "2c1c3f", "5a2c4b", "8c4552")
    draw = ImageDraw.Draw(image)
    for place in (0.12, 0.30, 0.74, 0.90):
        crane(draw, place * W, H * 0.60, H * 0.42, rgb("170f24"))
    x = 0.0
    while x < W:
        w, h = rng.uniform(50, 150), H * rng.uniform(0.03, 0.16)
        draw.rectangle((x, H * 0.60 - h, x + w, H * 0.60), fill=rgb("1b1229"))
        for _ in range(round(h / 18)):
            wx, wy = x + rng.uniform(6, w - 12), H * 0.60 - rng.uniform(8, h - 4)
            draw.rectangle((wx, wy, wx + 8, wy + 10), fill=rgb(rng.choice(("f7c873", "ffe3a6", "e58a5a"))))
        x += w
    fill_below(image, [(0, H * 0.60), (W, H * 0.60)], rgb("3a1f3b"), rgb("0b0816"))
    reflect(image, 0.60, 0.75)
    for _ in range(34):
        x, colour = rng.uniform(0, W), rng.choice(("f7c873", "ffe3a6", "e58a5a", "d8616b"))
        glow_at(image, x / W, 0.595, 0.012, colour, 0.9)
        y = H * 0.615
        while y < H * rng.uniform(0.78, 0.97):
            length = rng.uniform(6, 26)
            draw.line(
                [(x - length, y), (x + length, y)],
                fill=mix(rgb(colour), rgb("150f2a"), 0.25 + 0.7 * (y / H - 0.6) * 2),
                width=4,
            )
            y += rng.uniform(12, 24)
    return image
