"""The mail that the demo's readers received, as they read it."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import pytest

from digest.rendering.fit import ENCODED_LIMIT, HTML_LIMIT
from digest.rendering.inline import style_blocks
from tests.support.demo_mail import Mail, Received


def every(received: Received) -> tuple[Mail, ...]:
    return received.readers + received.staff


def test_it_is_not_clipped(received: Received) -> None:
    """The HTML is at most 100,000 bytes, and 102,400 as it travels."""
    for mail in every(received):
        encoded = mail.raw[mail.raw.index(b"Content-Type: text/html") :]
        assert len(mail.html.encode()) <= HTML_LIMIT
        assert len(encoded) <= ENCODED_LIMIT
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", mail.html)


def test_style_sheets_are_small(received: Received) -> None:
    """At most 16 KB of style sheets, 8 KB in one, each brace closed."""
    for mail in every(received):
        blocks = style_blocks(mail.html)
        assert sum(len(block.encode()) for block in blocks) <= 16_384
        for block in blocks:
            assert len(block.encode()) <= 8_192
            assert block.count("{") == block.count("}")


def test_subject_and_preheader(received: Received) -> None:
    """A subject of at most 70 characters, not shouted and no false reply; a preheader of 40 to 140 that says more."""
    for mail in every(received):
        subject = str(mail.message["Subject"])
        assert 0 < len(subject) <= 70
        assert subject != subject.upper()
        assert not re.match(r"(re|fwd?)\s*:", subject, re.IGNORECASE)
        assert 40 <= len(mail.preheader) <= 140, mail.preheader
        assert mail.preheader != subject


def test_the_text_has_it_all(received: Received) -> None:
    """The text part holds every link and headline of the HTML, and nine in ten of its words."""
    for mail in every(received):
        lines = mail.text.split("\n")
        for href, words in mail.reading.links:
            assert href in lines, (mail.name, words)
        flat = " ".join(mail.text.split())
        for heading in mail.reading.headings:
            assert heading in flat, (mail.name, heading)
        shown, told = (Counter(re.findall(r"\w+", text.lower())) for text in (mail.reading.text, mail.text))
        assert (shown & told).total() >= 0.9 * shown.total(), mail.name


def test_the_text_is_laid_out(received: Received) -> None:
    """No line of the text part is wider than 78 but an address, which stands alone on its line, in ASCII."""
    for mail in every(received):
        for line in mail.text.split("\n"):
            if "://" in line:
                assert re.fullmatch(r"https?://[!-'*-~]+", line), line
            else:
                assert len(line) <= 78, line


def test_links(received: Received) -> None:
    """Every link is https, names a host, follows nobody, and where its words look like an address it goes there."""
    for mail in received.readers:
        assert mail.reading.links
        for href, words in mail.reading.links:
            assert re.match(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+(/|$)", href), href
            assert words, href
            assert not re.search(r"[?&](utm_\w+|fbclid|gclid|mc_eid)=", href), href
            assert not re.match(r"(https?://|www\.)", words), words


def test_images(received: Received) -> None:
    """Every image is https, says what it shows, has integer sides in CSS pixels, and is no tracking pixel."""
    for mail in received.readers:
        assert mail.reading.images
        for image in mail.reading.images:
            assert image["src"].startswith("https://")
            assert len(image["alt"]) > 3
            assert image["alt"] != image["src"].rpartition("/")[2]
            assert image["width"].isdecimal()
            assert image["height"].isdecimal()
            assert int(image["width"]) > 32
            assert int(image["height"]) > 32
        local = str(mail.message["To"]).partition("@")[0]
        assert not [image for image in mail.reading.images if local in image["src"] or "?" in image["src"]]


def test_readers_of_the_same_regions_get_the_same(received: Received) -> None:
    """Nothing in the mail but the personal links tells one reader from another."""

    def impersonal(mail: Mail) -> str:
        return re.sub(r"https://roundup\.example\.org/[up]/[\w-]+", "", mail.html)

    by_choice: dict[str, set[str]] = {}
    for mail in received.readers:
        by_choice.setdefault(re.sub(r".*You get (.*?), every.*", r"\1", mail.reading.text), set()).add(impersonal(mail))
    assert {len(versions) for versions in by_choice.values()} == {1}


def test_who_sends_it_and_why(received: Received) -> None:
    """One sentence says why, one who sends it from where, and both ways out stand below."""
    for mail in received.readers:
        assert re.search(
            r"You get [^.]+, every Friday, because you signed up on November 2\d, 2026\.", mail.reading.text
        )
        assert "Sent by The Global Observatory, 12 Harbour Walk, Example City, EX 10017" in mail.reading.text
        assert [words for _, words in mail.reading.links if words in ("Choose your regions", "Unsubscribe")] == [
            "Choose your regions",
            "Unsubscribe",
        ]


def test_structure(received: Received) -> None:
    """A doctype, the language and direction twice, layout tables that say so, headings without gaps, and nothing
    that mail clients drop."""
    for mail in every(received):
        assert mail.html.startswith("<!DOCTYPE html>")
        elements = mail.reading.elements
        roots = [values for tag, values in elements if tag == "html" or values.get("role") == "article"]
        assert [(root["lang"], root["dir"]) for root in roots] == [("en", "ltr")] * 2
        assert roots[1]["aria-roledescription"] == "email"
        tables = [values for tag, values in elements if tag == "table"]
        assert {(t["role"], t["cellpadding"], t["cellspacing"]) for t in tables} == {("presentation", "0", "0")}
        levels = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
        assert levels.count(1) == 1
        assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
        assert not {tag for tag, _ in elements} & {"link", "script", "form", "iframe", "svg", "picture", "video"}
        assert not [values for _, values in elements if "target" in values or "srcset" in values]


@pytest.mark.parametrize(
    "dropped",
    [r"flex", r"display:grid", r"float:", r"position:", r"var\(", r"calc\(", r"\d+rem", r"margin-inline", r"@import",
     r"@font-face", r"#[0-9a-fA-F]{8}\b", r"opacity", r"gap:", r"data:image", r"\.webp"],
)  # fmt: skip
def test_nothing_that_clients_drop(received: Received, dropped: str) -> None:
    """The mail uses no CSS that a large part of its readers would not see."""
    for mail in (received.everything, received.staff_mail("Sent")):
        css = " ".join(style_blocks(mail.html) + re.findall(r'style="([^"]*)"', mail.html))
        assert not re.search(dropped, css), dropped
        assert not re.search(r'(src|href)="[^"]*' + dropped, mail.html)


def test_typography(received: Received) -> None:
    """Text of 14 pixels or more, hyphenation off, links underlined unless they are buttons, and a border on those."""
    mail = received.everything
    styles = [values.get("style", "") for _, values in mail.reading.elements]
    sizes = [int(size) for style in styles for size in re.findall(r"font-size:(\d+)px", style)]
    assert min(size for size in sizes if size > 1) >= 14
    assert any("hyphens:none" in style for style in styles)
    for tag, values in mail.reading.elements:
        if tag == "a" and "text-decoration:underline" not in values["style"]:
            assert "border:2px solid" in values["style"] or "display:inline-block" not in values["style"]
