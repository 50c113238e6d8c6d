"""Tables, maps, chairs and lanterns."""

from __future__ import annotations

import math
import random

from brush import Colour, H, W, fill_below, glow, glow_at, layers, mix, rgb, sky, waves
from PIL import Image, ImageDraw, ImageFilter


def contours(rng: random.Random) -> Image.Image:
    image = sky("f3ead8", "e9dcc3")
    peaks = [
        (rng.uniform(0.05, 0.95), rng.uniform(0.05, 0.95), rng.uniform(0.08, 0.17), rng.uniform(0.5, 1))
        for _ in range(9)
    ]
    wide, high = W // 6, H // 6
    field = [
        [
            sum(
                h * math.exp(-(((x / wide - px) ** 2 + ((y / high - py) * 0.525) ** 2) / r**2))
                for px, py, r, h in peaks
            )
            for x in range(wide)
        ]
        for y in range(high)
    ]
    tint = Image.new("RGB", (wide, high))
    tint.putdata([mix(rgb("efe3cb"), rgb("c08a4a"), min(1.0, v * 0.5)) for line in field for v in line])
    image = Image.blend(image, tint.resize((W, H), Image.Resampling.BICUBIC), 0.85)
    draw, step = ImageDraw.Draw(image), 0.13
    for level in range(1, 28):
        z = level * step
        bold = level % 5 == 0
        colour, width = (rgb("12344d"), 6) if bold else (rgb("4d6a7c"), 3)
        for y in range(high - 1):
            for x in range(wide - 1):
                corners = (field[y][x], field[y][x + 1], field[y + 1][x + 1], field[y + 1][x])
                if max(corners) < z or min(corners) >= z:
                    continue
                cuts = []
                for (ax, ay, a), (bx, by, b) in (
                    ((x, y, corners[0]), (x + 1, y, corners[1])), ((x + 1, y, corners[1]), (x + 1, y + 1, corners[2])),
                    ((x + 1, y + 1, corners[2]), (x, y + 1, corners[3])), ((x, y + 1, corners[3]), (x, y, corners[0])),
                ):  # fmt: skip
                    if (a < z) != (b < z):
                        t = (z - a) / (b - a)
                        cuts.append(((ax + (bx - ax) * t) * 6, (ay + (by - ay) * t) * 6))
                if len(cuts) >= 2:
                    draw.line(cuts[:2], fill=colour, width=width)
    route = waves(rng, 0.3)
    for n in range(0, 60, 2):
        x1, x2 = 0.08 + 0.84 * n / 60, 0.08 + 0.84 * (n + 1) / 60
        draw.line(
            [(x1 * W, (0.55 + 0.16 * route(x1)) * H), (x2 * W, (0.55 + 0.16 * route(x2)) * H)],
            fill=rgb("a3243b"),
            width=9,
        )
    return image


def round_table(rng: random.Random) -> Image.Image:
    image = sky("12283c", "173c52")
    glow(image, 0.5, 0.5, 0.75, "f2c472", 0.55)
    draw, cx, cy = ImageDraw.Draw(image), W / 2, H / 2
    chairs, empty = 12, 0
    for n in range(chairs):
        angle = n / chairs * math.tau + 0.13
        distance = 1.0 if n != empty else 1.16
        x, y = cx + math.cos(angle) * W * 0.285 * distance, cy + math.sin(angle) * H * 0.435 * distance * 0.94
        colour = rgb("e9dcc3") if n != empty else rgb("e0a526")
        r = H * 0.062
        shadow = mix(rgb("12283c"), (0, 0, 0), 0.25)
        draw.ellipse((x - r + 12, y - r + 18, x + r + 12, y + r + 18), fill=shadow)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        bx, by = math.cos(angle) * r * 0.55, math.sin(angle) * r * 0.55
        draw.arc(
            (x - r * 1.05, y - r * 1.05, x + r * 1.05, y + r * 1.05),
            math.degrees(math.atan2(by, bx)) - 62,
            math.degrees(math.atan2(by, bx)) + 62,
            fill=mix(colour, (60, 40, 20), 0.55),
            width=20,
        )
    table = (cx - W * 0.235, cy - H * 0.345, cx + W * 0.235, cy + H * 0.345)
    draw.ellipse(tuple(v + d for v, d in zip(table, (16, 26, 16, 26), strict=True)), fill=rgb("0c1d2d"))
    draw.ellipse(table, fill=rgb("7a4a26"))
    for n in range(18):
        shrink = n / 18
        colour = mix(rgb("8a5730"), rgb("b98146"), shrink)
        draw.ellipse(
            (
                table[0] + W * 0.235 * shrink,
                table[1] + H * 0.345 * shrink,
                table[2] - W * 0.235 * shrink,
                table[3] - H * 0.345 * shrink,
            ),
            fill=colour,
        )
    draw.ellipse((cx - W * 0.10, cy - H * 0.148, cx + W * 0.10, cy + H * 0.148), outline=rgb("5d3719"), width=6)
    for n in range(chairs):
        angle = n / chairs * math.tau + 0.13
        x, y = cx + math.cos(angle) * W * 0.183, cy + math.sin(angle) * H * 0.268
        paper = Image.new("RGBA", (110, 150), (0, 0, 0, 0))
        ImageDraw.Draw(paper).rectangle((8, 8, 102, 142), fill=(*rgb("f6f0e2"), 255))
        for row in range(5):
            ImageDraw.Draw(paper).line(
                [(22, 32 + row * 22), (88 - (row == 4) * 30, 32 + row * 22)], fill=(*rgb("9a8f7a"), 255), width=4
            )
        turned = paper.rotate(
            90 - math.degrees(angle) + 180 + rng.uniform(-7, 7), expand=True, resample=Image.Resampling.BICUBIC
        )
        if n != empty:
            image.paste(turned, (round(x - turned.width / 2), round(y - turned.height / 2)), mask=turned)
    glow(image, 0.42, 0.36, 0.35, "ffe9be", 0.35)
    return image


def empty_chairs(rng: random.Random) -> Image.Image:
    image = sky("3b2b22", "4a362a")
    draw = ImageDraw.Draw(image)
    for n in range(5):
        x = W * (0.05 + 0.185 * n)
        panes = (x, H * 0.06, x + W * 0.15, H * 0.60)
        part = sky("e8c48a", "f6e2b8", "dfe4d4").resize((round(W * 0.15), round(H * 0.54)))
        image.paste(part, (round(panes[0]), round(panes[1])))
        for k in range(1, 3):
            draw.line([(x + W * 0.05 * k, panes[1]), (x + W * 0.05 * k, panes[3])], fill=rgb("3b2b22"), width=9)
        for k in range(1, 4):
            draw.line(
                [(panes[0], panes[1] + H * 0.135 * k), (panes[2], panes[1] + H * 0.135 * k)],
                fill=rgb("3b2b22"),
                width=9,
            )
        draw.rectangle(panes, outline=rgb("2a1d16"), width=14)
    floor = H * 0.72
    fill_below(image, [(0, floor), (W, floor)], rgb("7a5a3e"), rgb("2b1c13"))
    light = Image.new("L", (W, H), 0)
    for n in range(5):
        x = W * (0.05 + 0.185 * n)
        ImageDraw.Draw(light).polygon(
            [(x, floor), (x + W * 0.15, floor), (x + W * 0.15 - W * 0.11, H), (x - W * 0.14, H)], fill=110
        )
    image.paste(Image.new("RGB", (W, H), rgb("e8c890")), mask=light.filter(ImageFilter.GaussianBlur(12)))
    for n in range(9):
        chair(draw, W * (0.075 + 0.106 * n) + rng.uniform(-5, 5), H * 0.90, H * 0.36, rgb("1d130e"))
    glow(image, 0.5, 0.2, 0.6, "ffe7b4", 0.45)
    return image


def chair(draw: ImageDraw.ImageDraw, x: float, ground: float, size: float, colour: Colour) -> None:
    w = size * 0.24
    seat = ground - size * 0.46
    draw.rounded_rectangle((x - w * 0.9, ground - size, x + w * 0.9, ground - size * 0.62), radius=24, fill=colour)
    draw.rectangle((x - w * 0.78, ground - size * 0.7, x - w * 0.62, seat), fill=colour)
    draw.rectangle((x + w * 0.62, ground - size * 0.7, x + w * 0.78, seat), fill=colour)
    draw.rounded_rectangle((x - w, seat, x + w, seat + size * 0.08), radius=12, fill=colour)
    for side in (-1, 1):
        draw.line([(x + side * w * 0.85, seat), (x + side * w * 0.95, ground)], fill=colour, width=13)


def lanterns(rng: random.Random) -> Image.Image:
    image = sky("0f1f3a", "1c3a5c", "27506f", "16304f")
    layers(image, rng, "24486a", "152f4d", count=2, top=0.34, height=0.05)
    fill_below(image, [(0, H * 0.46), (W, H * 0.46)], rgb("2b5676"), rgb("0c1a30"))
    draw = ImageDraw.Draw(image)
    placed = sorted(((rng.random() ** 1.6, rng.uniform(0.03, 0.97)) for _ in range(38)), key=lambda p: p[0])
    for depth, x in placed:
        y, size = 0.48 + 0.44 * depth, 0.006 + 0.020 * depth
        glow_at(image, x, y, size * 5.5, "ffb347", 0.75)
        w, h = size * W, size * W * 1.15
        for k in range(5):
            length = w * (1 - k * 0.14)
            yy = y * H + h * 0.8 + k * h * 0.34
            draw.line(
                [(x * W - length, yy), (x * W + length, yy)],
                fill=mix(rgb("f2a94a"), rgb("16304f"), 0.25 + k * 0.15),
                width=max(2, round(h * 0.10)),
            )
        draw.rounded_rectangle(
            (x * W - w * 0.8, y * H - h, x * W + w * 0.8, y * H + h * 0.55), radius=w * 0.3, fill=rgb("f7bd5f")
        )
        draw.rounded_rectangle(
            (x * W - w * 0.45, y * H - h * 0.6, x * W + w * 0.45, y * H + h * 0.4), radius=w * 0.3, fill=rgb("ffe9b0")
        )
    for _ in range(60):
        x, y = rng.uniform(0, W), rng.uniform(0, H * 0.28)
        draw.ellipse((x, y, x + 4, y + 4), fill=rgb("9fb7d0"))
    return image
