"""The colours and fonts of a rendition in both schemes, from the publication's design and our defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from digest.errors import ConfigError
from digest.rendering.colour import TEXT, contrast, from_hls, is_hex, mix, readable
from digest.rendering.model import Design

HEADING_FONT = "Georgia, Times New Roman, serif"
BODY_FONT = "Helvetica, Arial, sans-serif"
REGION_COLOURS = ("#b5481b", "#1f7a4d", "#a8203f", "#2457a6", "#6b3fa0", "#0b7285", "#8a6100", "#a5307f")
"""Told apart by hue and, for most colour-blind readers, by lightness; more regions walk around the colour
circle."""

_FONT = re.compile(r"[\w ,'-]+")
_NEUTRAL = "#5b5f66"


@dataclass(frozen=True, slots=True)
class Scheme:
    """One scheme, light or dark. `regions` is slug → colour; every text colour is readable on each of its
    grounds."""

    page: str
    paper: str
    tint: str
    foot: str
    rule: str
    ink: str
    text: str
    muted: str
    accent: str
    focus: str
    focus_ink: str
    focus_text: str
    focus_muted: str
    focus_accent: str
    focus_rule: str
    focus_frame: str
    regions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Palette:
    """Both schemes and the fonts."""

    light: Scheme
    dark: Scheme
    heading_font: str
    body_font: str


def palette(design: Design, regions: tuple[str, ...]) -> Palette:
    """The palette for these region slugs, in their order. A colour that cannot be read is moved until it can.

    Raises ConfigError for what is no colour or no font at all; `check_design` tells everything at once."""
    for key, value in _colours(design):
        if value and not is_hex(value):
            raise ConfigError(f"[design] {key}", f"{value!r} is not a colour", mend="write it as #rrggbb")
    for key, value in (("heading_font", design.heading_font), ("body_font", design.body_font)):
        if value and not _FONT.fullmatch(value):
            raise ConfigError(f"[design] {key}", f"{value!r} is not a list of fonts", mend="write it as Georgia, serif")
    named = {slug: design.region_colours.get(slug) or _default(place, slug) for place, slug in enumerate(regions)}
    paper, ink = design.paper or "#ffffff", design.ink or "#191b1f"
    light = _scheme(
        paper, ink, page=mix(paper, "#8a7b55", 0.14), focus=design.focus_ground or "#12324a",
        accent=design.accent or "#12324a", focus_accent=design.focus_accent or "#e9ab2e", regions=named,
    )  # fmt: skip
    dark = _scheme(
        "#17191d", "#f3f0e9", page="#0d0e11", focus=_raised(light.focus, "#17191d"),
        accent=light.accent, focus_accent=light.focus_accent, regions=named,
    )  # fmt: skip
    fonts = [font.replace("'", "") for font in (design.heading_font or HEADING_FONT, design.body_font or BODY_FONT)]
    return Palette(light, dark, *fonts)  # names of fonts need no quotes, and a style attribute can hold none


def check_design(design: Design, region_names: Mapping[str, str]) -> list[str]:
    """What is wrong with a design: one sentence each, none when all is well.

    Tells colours that are no colours, colours that cannot be read on their ground (in the light scheme,
    where they stand as given; in the dark one they are always moved), regions that do not exist, and a logo
    without its size."""
    problems = [
        f"[design] {key}: {value!r} is not a colour; write it as #rrggbb"
        for key, value in _colours(design)
        if value and not is_hex(value)
    ]
    problems += [
        f"[design] {key}: {value!r} is not a list of fonts; write it as Georgia, serif"
        for key, value in (("heading_font", design.heading_font), ("body_font", design.body_font))
        if value and not _FONT.fullmatch(value)
    ]
    problems += [
        f"[design] region_colours: there is no region {slug!r}; there are {', '.join(region_names)}"
        for slug in design.region_colours
        if slug not in region_names
    ]
    if design.logo and not design.logo.startswith("https://"):
        problems.append(f"[design] logo: {design.logo!r} is not an https address; mail clients load no other")
    if design.logo and not (design.logo_width > 0 and design.logo_height > 0):
        problems.append("[design] logo: logo_width and logo_height are missing; give them in CSS pixels")
    if design.logo_width > 536:
        problems.append(f"[design] logo_width: {design.logo_width} is wider than the column; 536 is the most")
    return problems or _unreadable(design, tuple(region_names))


def _unreadable(design: Design, regions: tuple[str, ...]) -> list[str]:
    light = palette(design, regions).light
    given = [
        ("ink", design.ink, light.paper, light.ink),
        ("accent", design.accent, light.paper, light.accent),
    ]
    given += [("focus_accent", design.focus_accent, light.focus, light.focus_accent)]
    given += [
        (f"region_colours.{slug}", colour, light.paper, light.regions[slug])
        for slug, colour in design.region_colours.items()
    ]
    return [
        f"[design] {key}: {colour} on {ground} has a contrast of {contrast(colour, ground):.1f}, "
        f"and text needs {TEXT}; {used} is used instead"
        for key, colour, ground, used in given
        if colour and colour != used
    ]


def _scheme(
    paper: str, ink: str, *, page: str, focus: str, accent: str, focus_accent: str, regions: Mapping[str, str]
) -> Scheme:
    ink = readable(ink, paper, page, ratio=7)
    tint, foot = mix(paper, page, 0.45), mix(page, ink, 0.04)
    light_on_focus = max("#ffffff", "#000000", key=lambda colour: contrast(colour, focus))
    away = "#000000" if light_on_focus == "#ffffff" else "#ffffff"
    frame = mix(focus, away, 0.2)  # where a picture of the focus is not loaded: sunk, and its words still read
    return Scheme(
        page=page,
        paper=paper,
        tint=tint,
        foot=foot,
        rule=mix(paper, ink, 0.17),
        ink=ink,
        text=readable(mix(ink, paper, 0.14), paper, tint, foot, ratio=7),
        muted=readable(mix(ink, paper, 0.33), paper, tint, foot, page),
        accent=readable(accent, paper, tint, foot),
        focus=focus,
        focus_ink=light_on_focus,
        focus_text=readable(mix(light_on_focus, focus, 0.14), focus),
        focus_muted=readable(mix(light_on_focus, focus, 0.3), focus),
        focus_accent=readable(focus_accent, focus),
        focus_rule=mix(focus, light_on_focus, 0.25),
        focus_frame=frame,
        regions={slug: readable(colour, paper, tint) for slug, colour in regions.items()},
    )


def _raised(focus: str, paper: str) -> str:
    """The focus panel on dark paper: lifted until it is still a panel, and white text on it can be read."""
    for step in range(30):
        lifted = mix(focus, "#6f9cc4", step / 60)
        if contrast(lifted, paper) >= 1.5:
            return lifted if contrast("#ffffff", lifted) >= TEXT else mix(focus, "#000000", 0.6)
    return focus


def _default(place: int, slug: str) -> str:
    if slug == "global":
        return _NEUTRAL
    if place < len(REGION_COLOURS):
        return REGION_COLOURS[place]
    return from_hls((place * 0.61803398875) % 1, 0.36, 0.55)  # the golden angle never comes back to where it was


def _colours(design: Design) -> list[tuple[str, str]]:
    keys = ("ink", "paper", "accent", "focus_ground", "focus_accent")
    return [(key, getattr(design, key)) for key in keys] + [
        (f"region_colours.{slug}", colour) for slug, colour in design.region_colours.items()
    ]
