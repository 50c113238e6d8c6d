"""Colours can be read, in both schemes, whatever an operator chooses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.errors import ConfigError
from digest.rendering.colour import contrast, readable
from digest.rendering.model import Design
from digest.rendering.palette import Scheme, check_design, palette
from tests.support.renditions import REGIONS

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_contrast_is_that_of_wcag() -> None:
    """Black on white is 21, and the grey that W3C names as the last to pass is 4.54."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert contrast("#ffffff", "#767676") == contrast("#767676", "#ffffff")


@given(colours, colours)
def test_readable_is_readable(colour: str, ground: str) -> None:
    """On any one ground some colour can be read, and it is found."""
    assert contrast(readable(colour, ground), ground) >= 4.5


def test_a_readable_colour_is_left_alone() -> None:
    """What can be read is not touched."""
    assert readable("#b5481b", "#ffffff") == "#b5481b"


def texts_and_grounds(scheme: Scheme) -> list[tuple[str, str]]:
    pairs = [(text, ground) for text in (scheme.ink, scheme.text, scheme.muted, scheme.accent)
             for ground in (scheme.paper, scheme.tint, scheme.foot)]  # fmt: skip
    pairs += [(text, scheme.focus) for text in
              (scheme.focus_ink, scheme.focus_text, scheme.focus_muted, scheme.focus_accent)]  # fmt: skip
    return pairs + [(colour, scheme.paper) for colour in scheme.regions.values()]


@settings(max_examples=60, deadline=None)
@given(colours, colours, colours, colours, colours)
def test_any_design_can_be_read(ink: str, accent: str, ground: str, focus_accent: str, africa: str) -> None:
    """Any ink, accents and focus ground on white paper: every text reaches 4.5 in both schemes."""
    design = Design(ink=ink, accent=accent, focus_ground=ground, focus_accent=focus_accent,
                    region_colours={"africa": africa})  # fmt: skip
    made = palette(design, tuple(REGIONS))
    for scheme in (made.light, made.dark):
        for text, on in texts_and_grounds(scheme):
            assert contrast(text, on) >= 4.5, (text, on)


@pytest.mark.parametrize("count", [1, 5, 8, 9, 30])
def test_any_number_of_regions_is_told_apart(count: int) -> None:
    """Each of many regions has a colour of its own, in both schemes."""
    made = palette(Design(), tuple(f"region-{number}" for number in range(count)))
    assert len(set(made.light.regions.values())) == count
    assert len(set(made.dark.regions.values())) == count


def test_the_focus_is_a_panel_in_the_dark_too() -> None:
    """The focus stands out from dark paper, for any ground it was given."""
    for ground in ("", "#000000", "#17191d", "#7a1020"):
        dark = palette(Design(focus_ground=ground), ()).dark
        assert contrast(dark.focus, dark.paper) >= 1.3


def test_check_design_names_what_is_wrong() -> None:
    """Each problem is one sentence with its key and the mend; a good design has none."""
    assert check_design(Design(), REGIONS) == []
    assert check_design(Design(accent="#12324a", region_colours={"asia": "#a8203f"}), REGIONS) == []
    bad = Design(
        accent="blue", region_colours={"atlantis": "#123456"}, heading_font="x;}", logo="http://example.org/logo.png"
    )
    found = "\n".join(check_design(bad, REGIONS))
    for words in ("[design] accent: 'blue'", "no region 'atlantis'", "heading_font", "https", "logo_width"):
        assert words in found
    (pale,) = check_design(Design(accent="#ffee88"), REGIONS)
    assert "contrast of 1.2" in pale
    assert "is used instead" in pale


def test_no_colour_at_all_is_refused() -> None:
    """What is no colour never reaches a style sheet."""
    with pytest.raises(ConfigError, match="write it as #rrggbb"):
        palette(Design(ink="red;}</style>"), ())
    with pytest.raises(ConfigError, match="list of fonts"):
        palette(Design(body_font="a</style>"), ())
