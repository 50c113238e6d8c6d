"""Feeds as publishers write them, to entries: nothing lost that is there, nothing believed that is wrong."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.errors import FeedError, NotAFeedError
from digest.feeds.model import Entry, Image
from tests.support.feed_server import item, rss
from tests.support.reading import NOV_5, URL, only, read


def atom(entry: str, extra: str = "") -> str:
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0">'
        f'<title>Example</title><link href="https://news.example.org/"/>{extra}<entry>{entry}</entry></feed>'
    )


def test_an_rss_item_is_read_whole() -> None:
    """Every part of an ordinary item arrives: names, dates, categories, both texts, image and comments."""
    document = rss(
        item(
            "Elections in Mali: “What’s next?”",
            guid="post-7",
            published=NOV_5,
            description="<p>Short.</p>",
            content="<p>Long, <b>with</b> markup.</p>",
            author="Ama Doe",
            categories=["Mali", "Elections"],
            image="https://news.example.org/mali.jpg",
            extra="<slash:comments>12</slash:comments>",
        )
    )
    parsed = read(document)
    assert (parsed.title, parsed.link, parsed.version, parsed.language) == (
        "Example News", "https://news.example.org/", "rss20", "en",
    )  # fmt: skip
    assert parsed.warnings == ()
    assert parsed.entries == (
        Entry(
            id="post-7",
            link="https://news.example.org/elections-in-mali-what-s-next",
            title="Elections in Mali: “What’s next?”",
            summary_html="<p>Short.</p>",
            content_html="<p>Long, <b>with</b> markup.</p>",
            author="Ama Doe",
            categories=("Mali", "Elections"),
            published=NOV_5,
            image=Image("https://news.example.org/mali.jpg"),
            comments=12,
        ),
    )


def test_rss_1_and_rss_09_are_feeds_too() -> None:
    """Old formats are read: RDF with items beside the channel, and 0.91 with its DOCTYPE."""
    rdf = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://news.example.org/">'
        "<title>Old</title><link>https://news.example.org/</link></channel>"
        '<item rdf:about="https://news.example.org/1"><title>One</title><link>https://news.example.org/1</link>'
        "<dc:date>2013-11-05T14:00:00+02:00</dc:date><dc:subject>Syria</dc:subject></item></rdf:RDF>"
    )
    parsed = read(rdf)
    assert parsed.version == "rss10"
    assert (parsed.entries[0].published, parsed.entries[0].categories) == (NOV_5, ("Syria",))
    old = (
        '<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://my.example.org/rss.dtd">'
        '<rss version="0.91"><channel><title>Older</title><link>https://news.example.org/</link>'
        "<item><title>One</title><link>https://news.example.org/1</link></item></channel></rss>"
    )
    assert [entry.title for entry in read(old).entries] == ["One"]


def test_an_atom_entry_is_read_whole() -> None:
    """Types decide: text is escaped into markup, html is unescaped once, xhtml comes as it is."""
    entry = only(
        atom(
            "<id>tag:news.example.org,2013:1</id><title type='html'>War &amp;amp; &lt;b&gt;peace&lt;/b&gt;</title>"
            "<link rel='alternate' href='/one'/><link rel='replies' href='/one/c' thr:count='3'/>"
            "<updated>2013-11-05T12:00:00Z</updated><author><name>Ama Doe</name><email>a@example.org</email></author>"
            "<category term='un' label='United Nations'/><summary type='text'>1 &lt; 2</summary>"
            "<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>Text</p></div></content>"
        )
    )
    assert (entry.title, entry.link, entry.author) == ("War & peace", "https://news.example.org/one", "Ama Doe")
    assert (entry.categories, entry.comments, entry.published) == (("United Nations",), 3, NOV_5)
    assert entry.summary_html == "<p>1 &lt; 2</p>"
    assert "<p>Text</p>" in entry.content_html


@pytest.mark.parametrize(("version", "name"), [("1", "json1"), ("1.1", "json11")])
def test_json_feed_is_a_feed(version: str, name: str) -> None:
    """Both versions, with relative addresses, numbers as ids, and text that is not markup."""
    parsed = read(
        f'{{"version": "https://jsonfeed.org/version/{version}", "title": "J", "home_page_url": "/",'
        ' "items": [{"id": 7, "url": "/one", "title": "One", "content_text": "1 < 2\\n\\nB", "tags": ["Mali"],'
        ' "date_published": "2013-11-05T12:00:00Z", "image": "/one.jpg", "author": {"name": "Ama Doe"}}, 5]}'
    )
    assert parsed.version == name
    assert parsed.entries == (
        Entry(
            id="7",
            link="https://news.example.org/one",
            title="One",
            content_html="<p>1 &lt; 2</p><p>B</p>",
            author="Ama Doe",
            categories=("Mali",),
            published=NOV_5,
            image=Image("https://news.example.org/one.jpg"),
        ),
    )


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("<!doctype html><html><head><title>Example News</title></head></html>", "web page (“Example News”)"),
        ("<html xmlns='http://www.w3.org/1999/xhtml'><head><title>X</title></head></html>", "web page"),
        ("<opml version='2.0'><body/></opml>", "OPML"),
        ("<urlset/>", "sitemap"),
        ("<something/>", "<something>"),
        ('{"a": 1}', "JSON"),
        ("{" * 100_000, "JSON"),
        ("%PDF-1.7", "PDF"),
        ("Service unavailable", "neither XML nor JSON"),
        ("<" * 50_000, "neither"),
        ("<!--" + "--><!--" * 20_000, "neither"),
    ],
)  # fmt: skip
def test_what_is_no_feed_is_named(document: str, words: str) -> None:
    """The sentence says what it is instead, and where to look."""
    started = time.monotonic()
    with pytest.raises(NotAFeedError) as caught:
        read(document)
    assert words in str(caught.value)
    assert caught.value.mend
    assert time.monotonic() - started < 2


def test_a_web_page_tells_its_feed() -> None:
    """Whoever configured the site instead of the feed is told the feed."""
    with pytest.raises(NotAFeedError) as caught:
        read("<html><link rel=alternate type='application/rss+xml' href='rss.xml'></html>")
    assert "https://news.example.org/rss.xml" in str(caught.value)


def test_a_date_that_means_nothing_is_missing() -> None:
    """The epoch is no date; a future one is kept, for it may be meant."""
    parsed = read(
        rss(
            item("Epoch", published="Thu, 01 Jan 1970 00:00:00 GMT"),
            item("Bad", published="yesterday"),
            item("None"),
            item("Future", published="Fri, 01 Jan 2100 00:00:00 GMT"),
        )
    )
    assert [entry.published and entry.published.year for entry in parsed.entries] == [None, None, None, 2100]
    assert any(warning.startswith("1 of 4 entries are dated 1970") for warning in parsed.warnings)
    assert any(warning.startswith("2 of 4 entries are without a date") for warning in parsed.warnings)


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "java&#10;script:alert(1)", "data:text/html,x", "file:///etc/passwd",
     "http://", "http://[", "mailto:a@example.org"],
)  # fmt: skip
def test_only_web_links_are_links(link: str) -> None:
    """Anything else is no link, and the staff are told."""
    parsed = read(rss(f"<item><title>One</title><link>{link}</link><guid isPermaLink='false'>1</guid></item>"))
    assert parsed.entries[0].link == ""
    assert any("without a link" in warning for warning in parsed.warnings)


@pytest.mark.parametrize(
    ("channel", "url", "link", "expected"),
    [
        ("https://site.example.org/", URL, "/a", "https://site.example.org/a"),
        ("/", URL, "/a", "https://news.example.org/a"),
        ("", URL, "a?b=1&amp;c=2", "https://news.example.org/a?b=1&c=2"),
        ("https://site.example.org/", URL, " https://x.example.org/a b ", "https://x.example.org/a%20b"),
        ("https://site.example.org/", "", "//x.example.org/a", "https://x.example.org/a"),
        ("/", "", "/a", ""),
    ],
)
def test_links_are_absolute(channel: str, url: str, link: str, expected: str) -> None:
    """Relative links count from the site, else from the feed; without either there is none."""
    document = rss(f"<item><title>One</title><link>{link}</link></item>", link=channel)
    assert only(document, url).link == expected


def test_a_file_is_read_by_its_guids() -> None:
    """A document that nobody served and that does not tell its site may still have absolute identifiers."""
    parsed = read(rss(item("One", link="/one", guid="https://news.example.org/?p=1"), link="/"), "")
    assert parsed.entries[0].link == "https://news.example.org/one"
    assert any("identifiers" in warning for warning in parsed.warnings)


def test_a_guid_is_a_link_only_if_it_is_one() -> None:
    """A permalink guid stands in for a missing link; any other text does not."""
    permalink = "<item><title>One</title><guid>https://news.example.org/1</guid></item>"
    assert only(rss(permalink)).link == "https://news.example.org/1"
    entry = only(rss("<item><title>One</title><guid>just some words</guid></item>"))
    assert (entry.link, entry.id) == ("", "just some words")


def test_titles_are_plain_text() -> None:
    """Markup goes, script with its content; what only looks like markup stays."""
    titles = {
        "A &lt;b&gt;bold&lt;/b&gt; move": "A bold move",
        "AT&amp;amp;T &amp;#8217;s": "AT&T ’s",
        "5 &lt; 6": "5 < 6",
        "Waiting for &lt;blank&gt;": "Waiting for <blank>",
        "X&lt;script&gt;alert(1)&lt;/script&gt;Y": "XY",
        " two\n  lines ": "two lines",
    }
    for given_title, expected in titles.items():
        assert only(rss(f"<item><title>{given_title}</title></item>")).title == expected


@pytest.mark.parametrize(
    ("markup", "name"),
    [
        ("<author>ama@example.org (Ama Doe)</author>", "Ama Doe"),
        ("<author>ama@example.org</author>", ""),
        ("<dc:creator>Ama Doe</dc:creator><author>ama@example.org (Ama Doe)</author>", "Ama Doe"),
        ("<dc:creator>Ama Doe</dc:creator><dc:creator>Bo Roe</dc:creator>", "Ama Doe, Bo Roe"),
        ("<dc:creator>Ama &amp;amp; Bo</dc:creator>", "Ama & Bo"),
        ("", ""),
    ],
)
def test_an_author_is_a_name(markup: str, name: str) -> None:
    """Never an e-mail address."""
    assert only(rss(item("One", extra=markup))).author == name


def test_categories_are_clean_and_distinct() -> None:
    """Escaped twice as content systems do, repeated in another case, empty: each stands once."""
    entry = only(rss(item("One", categories=["Peace &amp; Security", "PEACE & SECURITY", " ", "Mali\n "])))
    assert entry.categories == ("Peace & Security", "Mali")


def test_categories_that_tell_nothing_are_noticed() -> None:
    """The same three or more on every entry."""
    parsed = read(rss(*(item(f"N {n}", categories=["Mali", "World", "Sport"]) for n in range(5))))
    assert any("tell nothing" in warning for warning in parsed.warnings)


def test_repeated_identifiers_are_noticed() -> None:
    """All entries stay, and the repetition is said."""
    parsed = read(rss(item("One", guid="1"), item("Two", guid="1")))
    assert len(parsed.entries) == 2
    assert "1 entry repeats the identifier of another" in parsed.warnings


@given(st.binary(max_size=400))
def test_no_bytes_break_the_parser(body: bytes) -> None:
    """Any bytes are a feed or a FeedError."""
    try:
        read(body)
    except FeedError as error:
        assert error.state  # noqa: PT017 - either outcome is right


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_text_in_a_feed_breaks_it(title: str, link: str) -> None:
    """Whatever a title or a link holds, the entry is there, and its link is http(s) or nothing."""
    entry = read(rss(item(f"x{title}", link=link)).encode("utf-8", "replace")).entries[0]
    assert entry.link == "" or entry.link.startswith(("http://", "https://"))
