"""An edition becomes a rendition: complete, fitting, the same every time."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from digest.editions.model import Edition, Section
from digest.rendering.environment import TemplateError, Templates
from digest.rendering.fit import ENCODED_LIMIT, HTML_LIMIT, encoded_size
from digest.rendering.inline import style_blocks
from digest.rendering.model import PLACES, Design, Rendition, place
from digest.rendering.render import FittingError, render
from tests.support.renditions import DAY, REGIONS, article, edition, picture, placed, publication

TEMPLATES = Templates()


def rendered(
    given_edition: Edition, *, language: str = "en", regions: tuple[str, ...] = (), test: bool = False
) -> Rendition:
    return render(
        given_edition.for_regions(regions),
        publication=publication(language),
        design=Design(),
        templates=TEMPLATES,
        regions=regions,
        test=test,
    )


def tree(html: str) -> etree._Element:
    return etree.fromstring(html, etree.HTMLParser())


def links(html: str) -> list[str]:
    return [str(href) for href in tree(html).xpath("//a/@href")]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def visible(html: str) -> str:
    body = tree(html).find("body")
    for hidden in body.xpath(".//div[contains(@style, 'display:none')]"):
        hidden.getparent().remove(hidden)
    return " ".join(str(part) for part in body.xpath(".//text()[not(parent::style)]"))


def test_same_input_same_bytes() -> None:
    """The same edition gives the same bytes, also after another was rendered in between."""
    first = rendered(edition())
    rendered(edition(photos=False), language="ar")
    assert rendered(edition()) == first
    assert rendered(edition()).hash == first.hash


def test_every_article_is_in_both_parts() -> None:
    """Each headline, link, author and excerpt stands in the HTML and in the text."""
    full = edition()
    rendition = rendered(full)
    seen = " ".join(visible(rendition.html).split())
    text = " ".join(rendition.text.split())
    for section in full.sections:
        for one in section.articles:
            assert one.article.title in seen
            assert one.article.title in text
            assert one.article.link in links(rendition.html)
            assert f"\n{one.article.link}\n" in rendition.text
        for event in section.events:
            assert event.title in seen
            assert event.title in text
    for one in full.articles:
        assert one.article.author in seen
        assert one.article.excerpt in seen
        assert one.article.excerpt in text


def test_the_text_part_holds_every_link_and_nine_words_in_ten() -> None:
    """A reader of the text part misses no link and next to no word of the HTML."""
    rendition = rendered(edition())
    lines = rendition.text.splitlines()
    assert set(links(rendition.html)) <= set(lines)
    spoken = words(visible(rendition.html))
    heard = set(words(rendition.text))
    assert sum(word in heard for word in spoken) / len(spoken) >= 0.9


def test_lines_of_the_text_part_fit_a_terminal() -> None:
    """No line of prose is longer than 72 characters, and every address stands alone, in ASCII."""
    for line in rendered(edition(), language="fr").text.splitlines():
        if "://" in line or "DIGESTPLACE" in line:
            assert line.isascii() or "DIGESTPLACE" in line
            assert " " not in line or "DIGESTPLACE" in line
        else:
            assert len(line) <= 72


def test_the_footer_says_who_why_and_how_to_leave() -> None:
    """Postal address, sender, reason, and the two personal links are in both parts; every place is still
    open."""
    rendition = rendered(edition(), regions=("africa", "asia"))
    for part in (" ".join(visible(rendition.html).split()), " ".join(rendition.text.split())):
        assert "You get Africa and Asia , every Friday" in part or "You get Africa and Asia, every Friday" in part
        assert "Harbour Institute, 1 Sample Plaza, New York, NY 10017" in part
        assert "Sent by The Harbour Review" in part
        assert "Unsubscribe" in part
    for name in PLACES:
        assert place(name) in rendition.html
        assert place(name) in rendition.text
    assert "https://roundup.example.org/e/2013-11-29?regions=africa,asia" in links(rendition.html)


def test_only_the_chosen_regions() -> None:
    """A reader of Africa and Asia gets these, the focus and what goes to everyone, and no other region."""
    rendition = rendered(edition(), regions=("africa", "asia"))
    headings = [" ".join("".join(h.itertext()).split()) for h in tree(rendition.html).iter("h2")]
    assert headings == [
        "Peace Processes",
        "Africa",
        "Asia",
        "What to Watch",
        "Key Global Events in November and December",
        "Further Reading",
    ]
    assert rendition.regions == ("africa", "asia")


def test_one_style_for_every_choice_of_regions() -> None:
    """A region keeps its colour whatever else is chosen."""
    alone = rendered(edition(), regions=("middle-east",))
    everything = rendered(edition())
    assert style_blocks(alone.html) == style_blocks(everything.html)
    assert "#6b3fa0" in alone.html


@pytest.mark.parametrize("language", ["en", "ar"])
def test_sixty_articles_fit(language: str) -> None:
    """Sixty long articles stay below the size at which Gmail clips, and none of their headlines is lost."""
    text = "في الشمال سكتت المدافع ولم تُصلح الآبار بعد. " * 12 if language == "ar" else "The wells wait. " * 40
    full = edition(per_region=10)
    longer = replace(
        full,
        sections=tuple(
            replace(s, articles=tuple(replace(p, article=replace(p.article, excerpt=text)) for p in s.articles))
            for s in full.sections
        ),
    )
    rendition = rendered(longer, language=language)
    assert len(rendition.html.encode()) <= HTML_LIMIT
    assert encoded_size(rendition.html) <= ENCODED_LIMIT
    shown = links(rendition.html)
    for one in longer.articles:
        assert one.article.link in rendition.text
        if language == "en":
            assert one.article.link in shown


def test_too_many_articles_go_online_from_the_bottom() -> None:
    """Where even headlines do not fit, the lowest go online, each region says how many, the text keeps them
    all."""
    full = edition(per_region=60)
    rendition = rendered(full)
    assert len(rendition.html.encode()) <= HTML_LIMIT
    assert "more articles online" in rendition.html
    for section in full.sections:
        if section.kind == "region":
            assert section.articles[0].article.link in links(rendition.html)
            assert section.articles[-1].article.link not in links(rendition.html)
            assert section.articles[-1].article.link in rendition.text


def test_what_cannot_fit_is_refused() -> None:
    """An introduction too long for any mail is a clear error, not a clipped mail."""
    with pytest.raises(FittingError, match="larger than mail clients show"):
        rendered(replace(edition(), introduction="Word after word. " * 9000))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("body.html", "", "no HTML document"),
        ("body.html", "<html></html>", "no HTML document"),
        ("body.html", "<html><body><p>Hello</p></body></html>", "lost from the mail"),
        ("body.txt", "Hello", "lost from the text"),
    ],
)
def test_a_template_that_shows_nothing_is_refused(tmp_path: Path, name: str, text: str, says: str) -> None:
    """A template that is empty, or leaves the articles out, is one clear error and no mail."""
    folder = tmp_path / "email/digest"
    folder.mkdir(parents=True)
    (folder / name).write_text(text)
    with pytest.raises((FittingError, TemplateError), match=says):
        render(edition(), publication=publication("en"), design=Design(), templates=Templates(tmp_path))


def test_a_subject_of_nothing_is_the_publication_s_name(tmp_path: Path) -> None:
    """A mail without a subject looks like spam, whatever the first headline was."""
    folder = tmp_path / "email/digest"
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text("\u200b \n")
    made = render(edition(), publication=publication("en"), design=Design(), templates=Templates(tmp_path))
    assert made.subject == publication("en").name


def test_style_sheets_are_small_and_keep_important() -> None:
    """Dark mode and phone rules survive inlining, with !important, within Gmail's limits; inline styles
    have none."""
    rendition = rendered(edition())
    blocks = style_blocks(rendition.html)
    assert len(blocks) == 2
    assert "prefers-color-scheme:dark" in blocks[0]
    assert "[data-ogsc]" in blocks[1]
    assert "[data-ogsc]" not in blocks[0]
    assert all(0 < len(block.encode()) <= 8192 for block in blocks)
    body = rendition.html.partition("<body")[2]
    assert "!important" not in body
    assert not re.search(r"#[0-9a-f]{3}\b(?![0-9a-f])", body), "colours have six digits"


def test_many_regions_have_styles_that_fit() -> None:
    """Twenty regions still make a style sheet that Gmail keeps."""
    names = {f"region-{number}": f"Region {number}" for number in range(20)}
    sections = tuple(
        Section(slug, name, "region", articles=placed(article(at))) for at, (slug, name) in enumerate(names.items())
    )
    rendition = render(
        Edition(DAY, sections),
        publication=publication(region_names=names),
        design=Design(),
        templates=TEMPLATES,
    )
    assert all(len(block.encode()) <= 8192 for block in style_blocks(rendition.html))
    assert len(set(re.findall(r"<h2 [^>]*color:(#[0-9a-f]{6})", rendition.html))) == 20


def test_structure() -> None:
    """One article landmark with a language and a direction, one h1, no skipped heading, layout tables
    only."""
    root = tree(rendered(edition(), language="ar").html)
    assert (root.get("lang"), root.get("dir")) == ("ar", "rtl")
    (wrapper,) = root.findall("body/*")
    assert wrapper.get("role") == "article"
    assert wrapper.get("aria-roledescription") == "email"
    assert (wrapper.get("lang"), wrapper.get("dir")) == ("ar", "rtl")
    assert wrapper.get("aria-label")
    levels = [int(h.tag[1]) for h in root.iter("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for table in root.iter("table"):
        assert table.get("role") == "presentation"
        assert (table.get("cellpadding"), table.get("cellspacing")) == ("0", "0")
    for image in root.iter("img"):
        assert image.get("src").startswith("https://")
        assert image.get("alt").strip()
        assert int(image.get("width")) > 1
        assert int(image.get("height")) > 1


def test_only_good_photos() -> None:
    """A photo is shown over https and at a size that does not blur; an icon, a ribbon and http are left
    out."""
    shapes = {
        1: (picture(1), True),
        2: (replace(picture(2), url="http://review.example.org/plain.jpg"), False),
        3: (picture(3, 48, 48), False),
        4: (picture(4, 1200, 120), False),
        5: (picture(5, 700, 1000), True),
        6: (replace(picture(6), width=None, height=None), True),
    }
    one = Section(
        "asia",
        "Asia",
        "region",
        articles=placed(*(article(n, image=image) for n, (image, _) in shapes.items())),
    )
    html = rendered(Edition(DAY, (one,))).html
    for image, good in shapes.values():
        assert (image.url in html) is good
    assert 'width="144" height="96"' in html
    assert "Ana Ruiz/Harbour" in html


def test_no_photo_says_what_it_shows_by_its_headline() -> None:
    """A photo without an alt gets one from the headline: never none."""
    one = article(1, "Three Rivers, One Treaty", image=replace(picture(1), alt=""))
    html = rendered(Edition(DAY, (Section("asia", "Asia", "region", articles=placed(one)),))).html
    assert 'alt="Photo: Three Rivers, One Treaty"' in html


def test_hostile_texts_stay_texts() -> None:
    """Markup, script links, control and directional characters in a feed do nothing in the mail."""
    nasty = article(
        1,
        'Quiet <script>alert(1)</script> "{{ 7*7 }}" \u202e& loud\x85',
        link="javascript:alert(1)",
        author="<img src=x onerror=alert(1)>",
        excerpt="</p></td></table><h1>Mine</h1>",
    )
    rendition = rendered(Edition(DAY, (Section("asia", "Asia", "region", articles=placed(nasty, article(2))),)))
    root = tree(rendition.html)
    assert not root.xpath("//script|//*[@onerror]|//a[starts-with(@href, 'javascript')]")
    assert len(root.xpath("//h1")) == 1
    assert "{{ 7*7 }}" in visible(rendition.html)
    assert not re.search("[\x80-\x9f\u202a-\u202e]", rendition.html + rendition.text + rendition.subject)
    assert "javascript" not in rendition.text


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=80))
def test_subject_and_preheader_keep_their_limits(title: str, introduction: str, name: str) -> None:
    """Whatever the feed says: a subject of 1 to 70 seen characters, a preheader of 40 to 140, no control in
    either."""
    week = Edition(
        DAY,
        (Section("asia", "Asia", "region", articles=placed(article(1, title or "x"))),),
        None,
        introduction,
    )
    rendition = render(
        week,
        publication=publication(name=name or "x"),
        design=Design(),
        templates=TEMPLATES,
        test=True,
    )
    assert rendition.subject.startswith("[Test] ")
    assert 7 < len(rendition.subject) <= 70
    assert 40 <= len(rendition.preheader) <= 140
    assert not re.search("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]", rendition.subject)


@pytest.mark.parametrize("title", ["RE: the treaty", "Fwd: news", "ALL OF IT IS LOUD"])
def test_no_misleading_subject(title: str) -> None:
    """A headline that looks like a reply, or shouts, is not the subject."""
    week = Edition(DAY, (Section("asia", "Asia", "region", articles=placed(article(1, title))),))
    assert rendered(week).subject == "The Harbour Review, Friday, November 29, 2013"


def test_an_edition_of_nothing_but_a_region() -> None:
    """No focus, no photos, no events: still a whole mail."""
    rendition = rendered(edition(photos=False, regions=("asia",)), regions=("asia",))
    week = Edition(date(2013, 12, 6), (Section("asia", "Asia", "region", articles=placed(article(1))),))
    bare = rendered(week, regions=("asia",))
    assert "<img" not in rendition.html
    assert "This Month" not in bare.html
    assert place("UNSUBSCRIBE") in bare.html


def test_regions_of_the_builder_are_all_there() -> None:
    """With no choice every region and global are shown, in the configured order."""
    html = rendered(edition()).html
    places = [html.index(f">{name}</span>") for name in REGIONS.values()]
    assert places == sorted(places)
