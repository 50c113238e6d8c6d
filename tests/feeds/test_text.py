"""Documents that are broken, mislabelled or hostile: read as far as can be, refused where it must be."""

from __future__ import annotations

import gzip
import time

import pytest

from digest.feeds.errors import FeedError
from tests.support.feed_server import item, rss
from tests.support.reading import only, read


def test_entity_bombs_are_refused_at_once() -> None:
    """Entities made of entities are an attack, in general or parameter form; nothing is expanded."""
    lol = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(12))
    far = "<!-- " + "x" * 50_000 + " <rss> -->"
    for before, subset in (
        ("", f'<!ENTITY l0 "ha">{lol}'),
        (far, f'<!ENTITY l0 "<b>ha</b>">{lol}'),
        ("", '<!ENTITY % a "x"><!ENTITY % b "%a;%a;">'),
    ):
        started = time.monotonic()
        with pytest.raises(FeedError) as caught:
            read(f"{before}<!DOCTYPE rss [{subset}]>" + rss(item("&l12;")).partition("\n")[2])
        assert caught.value.state == "entities"
        assert time.monotonic() - started < 1


def test_no_entity_reads_a_file_or_grows() -> None:
    """External entities and long ones are left out with a warning; the entries stay."""
    subset = '<!ENTITY file SYSTEM "file:///etc/hostname"><!ENTITY big "' + "x" * 1000 + '">'
    body = rss("<item><title>One&file;</title><description>" + "&big;" * 1000 + "</description></item>")
    parsed = read(f"<!DOCTYPE rss [{subset}]>" + body.partition("\n")[2])
    assert parsed.entries[0].title == "One"
    assert parsed.entries[0].summary_html == ""
    assert any("big, file" in warning for warning in parsed.warnings)


def test_names_of_html_entities_are_known() -> None:
    """A bare &nbsp; or &eacute; is not XML, and no reason to lose an entry."""
    entry = only(rss("<item><title>Caf&eacute;&nbsp;&amp; &bogus; more</title></item>"))
    assert entry.title == "Café & &bogus; more"


@pytest.mark.parametrize(
    "document",
    [
        rss("<item><title>a&#0;&#xD800;&#1114112;b</title><description>a&#0;b &#xDFFF;</description></item>"),
        ('{"version": "https://jsonfeed.org/version/1", "title": "J\\u0000", "items": [{"id": "\\ud800",'
        ' "title": "a\\u0000b", "content_html": "a\\u0000\\udfffb", "url": "https://news.example.org/\\udc00"}]}'),
    ],
)  # fmt: skip
def test_what_no_database_takes_is_left_out(document: str) -> None:
    """NUL and halves of surrogate pairs, however they are written, never get in."""
    entry = only(document)
    assert entry.title.replace(" ", "") == "ab"
    for text in (entry.id or "", entry.link, entry.title, entry.summary_html, entry.content_html):
        assert "\x00" not in text
        assert text.encode("utf-8", "strict") is not None


def test_a_truncated_feed_keeps_its_entries() -> None:
    """What arrived is taken, with a warning."""
    document = rss(item("One"), item("Two"), item("Three"))
    parsed = read(document[: document.index("Three")])
    assert [entry.title for entry in parsed.entries][:2] == ["One", "Two"]
    assert any("ends in the middle" in warning for warning in parsed.warnings)


def test_unclean_xml_is_read_with_a_warning() -> None:
    """Space before the declaration, control characters and bare ampersands."""
    document = "\n  " + rss(item("One", extra="<source url='/?a=1&b=2'>A & B</source>")).replace("One", "O\x08ne")
    parsed = read(document)
    assert parsed.entries[0].title == "One"
    assert any("control characters" in warning for warning in parsed.warnings)
    assert any("not well-formed" in warning for warning in parsed.warnings)


def test_a_gzip_body_is_unpacked_and_a_bomb_is_not() -> None:
    """A server that forgets Content-Encoding is forgiven, up to a size."""
    parsed = read(gzip.compress(rss(item("One")).encode()))
    assert parsed.entries[0].title == "One"
    assert any("gzip" in warning for warning in parsed.warnings)
    for body, state in ((gzip.compress(b" " * (40 << 20)), "too-large"), (b"\x1f\x8bnonsense", "bad-encoding")):
        with pytest.raises(FeedError) as caught:
            read(body)
        assert caught.value.state == state


@pytest.mark.parametrize(
    ("declared", "real", "by_server", "warned"),
    [
        ("utf-8", "utf-8", "", False),
        ("koi8-r", "koi8-r", "", False),
        ("windows-1251", "windows-1251", "", False),
        ("iso-8859-1", "utf-8", "", True),
        ("utf-8", "utf-8", "iso-8859-1", True),
        ("utf-8", "windows-1251", "", True),
        ("no-such-thing", "utf-8", "", False),
        ("utf-16", "utf-16", "", False),
        ("", "windows-1251", "windows-1251", False),
        ("", "windows-1251", "", True),
    ],
)
def test_every_encoding_is_read(declared: str, real: str, by_server: str, warned: bool) -> None:
    """Declared, wrongly declared, told by the server only, or told by nobody: the letters are right."""
    sentence = "Совет Безопасности обсудил положение в Мали и новые выборы президента страны"
    document = rss(*(item(sentence, link=f"https://news.example.org/{n}") for n in range(5)))
    encoding = f' encoding="{declared}"' if declared else ""
    document = document.replace(' encoding="utf-8"', encoding)
    parsed = read(document.encode(real), **({"content-type": f"text/xml; charset={by_server}"} if by_server else {}))
    assert parsed.entries[0].title == sentence
    assert any("encoding" in warning for warning in parsed.warnings) == warned
