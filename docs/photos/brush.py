"""What the pictures are drawn with: gradients, light, hills and water."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter

WIDTH, HEIGHT = 1200, 630
SCALE = 2
W, H = WIDTH * SCALE, HEIGHT * SCALE

Colour = tuple[int, int, int]


def rgb(text: str) -> Colour:
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    return tuple(round(x + (y - x) * share) for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def sky(*stops: str) -> Image.Image:
    """A vertical gradient through the colours, evenly spaced."""
    colours = [rgb(stop) for stop in stops]
    column = Image.new("RGB", (1, H))
    for y in range(H):
        place = y / (H - 1) * (len(colours) - 1)
        step = min(int(place), len(colours) - 2)
        column.putpixel((0, y), mix(colours[step], colours[step + 1], place - step))
    return column.resize((W, H))


def glow(image: Image.Image, x: float, y: float, radius: float, colour: str, strength: float = 0.6) -> None:
    """Light around a point, screened over what is there."""
    small = (W // 8, H // 8)
    light = Image.new("L", small, 0)
    draw = ImageDraw.Draw(light)
    for step in range(60, 0, -1):
        r = radius * W / 8 * step / 60
        level = round(255 * strength * (1 - step / 60) ** 2)
        draw.ellipse((x * small[0] - r, y * small[1] - r, x * small[0] + r, y * small[1] + r), fill=level)
    light = light.filter(ImageFilter.GaussianBlur(4)).resize((W, H), Image.Resampling.BICUBIC)
    tint = Image.new("RGB", (W, H), rgb(colour))
    image.paste(ImageChops.screen(image, tint), mask=light)


def disc(image: Image.Image, x: float, y: float, radius: float, colour: str) -> None:
    r = radius * W
    ImageDraw.Draw(image).ellipse((x * W - r, y * H - r, x * W + r, y * H + r), fill=rgb(colour))


def waves(rng: random.Random, rough: float = 1.0) -> Callable[[float], float]:
    """A smooth random line: a sum of sines, about -1 to 1."""
    parts = [
        (rng.uniform(0.6, 1.4) * 2**n * 1.4, rng.uniform(0, math.tau), 0.5 ** (n / max(rough, 0.2))) for n in range(5)
    ]
    total = sum(weight for *_, weight in parts)
    return lambda x: sum(math.sin(x * f * math.tau / 1.6 + phase) * w for f, phase, w in parts) / total * 1.6


def ridge(line: Callable[[float], float], base: float, height: float) -> list[tuple[float, float]]:
    return [(x, (base - height * line(x / W)) * H) for x in range(0, W + 8, 8)]


def fill_below(image: Image.Image, points: Sequence[tuple[float, float]], top: Colour, bottom: Colour) -> None:
    """Everything below the line, in a gradient from its highest point down."""
    mask = Image.new("L", (W, H), 0)
    ImageDraw.Draw(mask).polygon([(0, H), *points, (W, H)], fill=255)
    first = min(y for _, y in points)
    column = Image.new("RGB", (1, H))
    for y in range(H):
        share = min(1.0, max(0.0, (y - first) / (H - first + 1)))
        column.putpixel((0, y), mix(top, bottom, share))
    image.paste(column.resize((W, H)), mask=mask)


def layers(
    image: Image.Image, rng: random.Random, far: str, near: str, *, count: int, top: float, height: float,
    rough: float = 1.0,
) -> list[list[tuple[float, float]]]:  # fmt: skip
    """Hills one behind the other, from pale and far to dark and near."""
    lines = []
    for n in range(count):
        share = n / max(count - 1, 1)
        base = top + (1.0 - top) * (share**1.25) * 0.86
        points = ridge(waves(rng, rough), base, height * (0.55 + 0.45 * share))
        colour = mix(rgb(far), rgb(near), share)
        fill_below(image, points, mix(colour, rgb(far), 0.08), mix(colour, rgb(near), 0.55))
        lines.append(points)
    return lines


def glow_at(image: Image.Image, x: float, y: float, radius: float, colour: str, strength: float) -> None:
    """Light in a small square only, for many little lights."""
    r = max(8, round(radius * W))
    light = Image.new("L", (64, 64), 0)
    draw = ImageDraw.Draw(light)
    for step in range(32, 0, -1):
        draw.ellipse((32 - step, 32 - step, 32 + step, 32 + step), fill=round(255 * strength * (1 - step / 32) ** 2))
    box = (round(x * W) - r, round(y * H) - r)
    image.paste(
        Image.new("RGB", (2 * r, 2 * r), rgb(colour)), box, mask=light.resize((2 * r, 2 * r), Image.Resampling.BICUBIC)
    )


def reflect(image: Image.Image, line: float, strength: float) -> None:
    """What stands above the line, upside down and blurred in the water below it."""
    y = round(H * line)
    depth = H - y
    above = image.crop((0, y - depth, W, y)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    above = above.filter(ImageFilter.GaussianBlur(7))
    fade = Image.linear_gradient("L").resize((W, depth)).point(lambda v: round((255 - v) * strength))
    image.paste(above, (0, y), mask=fade)
