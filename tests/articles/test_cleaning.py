"""Cleaning: what comes out is plain, whole, and by the hand of an editor."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.articles.boilerplate import without_boilerplate
from digest.articles.cleaning import LONGEST_TEXT, LeftOut, article_from, author, topic, usable_link
from digest.articles.model import Article
from digest.articles.plain import label, one_line, paragraphs
from digest.articles.sentences import LONGEST, excerpt, is_whole, sentences, shortened
from digest.feeds.model import Image
from tests.support.articles import FEED, NOW, entry

MARKUP = re.compile(r"<(?:/?[a-zA-Z]|!)[^<>]*>")
INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")

MEAN = """<p> </p> <script> </script> <b~onclick=x> < > &lt; &gt; &amp;lt; &#60; script javascript: <!--
--> <![CDATA[ ]]> </ <svg/onload= <style> &#x202e; <a~href=' " img~src=x~onerror=alert(1)"""
mean = [piece.replace("~", " ") for piece in MEAN.split()]
pieces = st.lists(
    st.sampled_from([*mean, "One sentence. ", " ", "\n", "\x00", "\u202e", "\ud800"]) | st.text(max_size=10),
    max_size=25,
).map("".join)


def made(**changes: Any) -> Article:
    article = left(**changes)
    assert isinstance(article, Article)
    return article


def left(**changes: Any) -> Article | LeftOut:
    kinds = {"analysis": "Analysis", "interviews": "Interview"}
    return article_from(
        entry(1, **changes), feed=FEED.url, source="A <b>feed</b>", role="articles", kinds=kinds, now=NOW
    )


@given(pieces, pieces, pieces)
@example("", "", "&lt;script<p>>")
@example("", "", "&lt;a&lt;b<p>5 &lt; 6<p>x > y")
@example("", "Ann <a href='<>> Lee", "")
def test_nothing_scriptable_comes_out(title: str, summary: str, content: str) -> None:
    """Whatever a feed holds, every text of the article is free of tags and of what is not to be seen."""
    article = left(
        title=title, summary_html=summary, content_html=content, author=summary, categories=(content, title),
        image=Image(url="https://example.org/a.jpg", alt=summary, credit=title),
    )  # fmt: skip
    texts = [article.title]
    if isinstance(article, Article):
        assert article.image is not None
        texts += [article.author, article.excerpt, article.text, article.source, *article.topics]
        texts += [article.image.alt, article.image.credit]
    for text in texts:
        assert not MARKUP.search(text)
        assert not INVISIBLE.search(text)
        assert text == " ".join(text.split())


SENTENCE = st.builds(
    lambda words, end: " ".join(words).capitalize() + end,
    st.lists(st.text("abcdefghijklmnopqrstuvwxyzéüñ", min_size=2, max_size=12), min_size=2, max_size=30),
    st.sampled_from([".", "!", "?", ".”"]),
)


@given(st.lists(st.lists(SENTENCE, min_size=1, max_size=6), min_size=1, max_size=5))
def test_an_excerpt_is_whole_sentences_of_the_text(text: list[list[str]]) -> None:
    """Whole sentences from the beginning, in order, and no longer than it may be; else words with an ellipsis."""
    source = [" ".join(paragraph) for paragraph in text]
    every = [sentence for paragraph in text for sentence in paragraph]
    result = excerpt(source)
    assert len(result) <= LONGEST
    if result.endswith("…"):
        assert len(every[0]) > LONGEST
        assert every[0].startswith(result[:-1])
        assert every[0][len(result) - 1] in " ."
    else:
        assert result in [" ".join(every[:count]) for count in range(1, len(every) + 1)]


@given(st.text(max_size=600), st.integers(min_value=20, max_value=300))
def test_shortened_is_never_too_long(text: str, room: int) -> None:
    """A shortened text keeps within its room."""
    assert len(shortened(text, room)) <= room


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        (
            "Mr. Smith met Dr. J. R. Example. They agreed.",
            ["Mr. Smith met Dr. J. R. Example.", "They agreed."],
        ),
        ("The U.S. State Dept. spoke. So did others.", ["The U.S. State Dept. spoke.", "So did others."]),
        ("He lives in the U.S. The talks began.", ["He lives in the U.S.", "The talks began."]),
        (
            "It rose by 3.5 percent in Jan. 2013. Then it fell.",
            ["It rose by 3.5 percent in Jan. 2013.", "Then it fell."],
        ),
        ("“Will it hold?” she asked. “No.” He left.", ["“Will it hold?” she asked.", "“No.”", "He left."]),
        ("See No. 7 of the list. There is no end.", ["See No. 7 of the list.", "There is no end."]),
        ("1. In May it rose. 2. Then it fell.", ["1. In May it rose.", "2. Then it fell."]),
        ("Smith v. the State… Then silence", ["Smith v. the State…", "Then silence"]),
        ("他们开会了。然后离开！「好。」", ["他们开会了。", "然后离开！", "「好。」"]),
        ("هل انتهت الحرب؟ نعم. ربما", ["هل انتهت الحرب؟", "نعم.", "ربما"]),
        ("बैठक हुई। सब गए।", ["बैठक हुई।", "सब गए।"]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_says(paragraph: str, expected: list[str]) -> None:
    """Abbreviations, initials, numbers and quotes end nothing; marks of other scripts do."""
    assert sentences(paragraph) == expected


def test_a_cut_off_summary_gives_way_to_the_body() -> None:
    """Where the summary breaks off, the excerpt is made of the body; where it is whole, of the summary."""
    body = "<p>The talks opened on Monday. Both sides came with maps, and left with them.</p>"
    cut = made(summary_html="<p>The talks opened on Monday. Both sides came [&hellip;]</p>", content_html=body)
    assert cut.excerpt == "The talks opened on Monday. Both sides came with maps, and left with them."
    assert made(summary_html="<p>What the maps say.</p>", content_html=body).excerpt == "What the maps say."


def test_a_cut_off_summary_alone_loses_its_stump() -> None:
    """Without a body the whole sentences are kept and the half one goes; a single half one keeps its ellipsis."""
    assert made(summary_html="The talks opened. Both sides came [&#8230;]").excerpt == "The talks opened."
    assert made(summary_html="Both sides came with [...]").excerpt == "Both sides came with…"


def test_a_summary_that_repeats_the_headline_is_dropped() -> None:
    """The headline once more is no excerpt."""
    assert made(title="Talks Stall", summary_html="<h1>Talks stall!</h1>").excerpt == ""
    assert made(title="Talks Stall", summary_html="Talks stall", content_html="They did.").excerpt == "They did."


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("They met. The post Talks appeared first on The Observatory.", ["They met."]),
        ("L’article Les pourparlers est apparu en premier sur Observatoire.", []),
        ("Der Beitrag Gespräche erschien zuerst auf Beispiel.", []),
        ("La entrada Diálogo se publicó primero en Ejemplo.", []),
        ("Continue reading →", []),
        ("Read more", []),
        ("They met. Read more »", ["They met."]),
        ("They met and… Continue reading Talks stall →", ["They met and[…]"]),
        ("Share this: Facebook Twitter", []),
        ("Filed under: Mali, Elections", []),
        ("Related: What we know", []),
        ("3 comments", []),
        ("Sign up for our newsletter", []),
        ("Related conflicts broke out in spring.", ["Related conflicts broke out in spring."]),
        ("More than forty came.", ["More than forty came."]),
        ("The post of envoy stays open.", ["The post of envoy stays open."]),
        ("Print workers went on strike.", ["Print workers went on strike."]),
    ],
)
def test_boilerplate_goes_and_text_stays(line: str, kept: list[str]) -> None:
    """What a system adds is removed, and a sentence that only resembles it is not."""
    assert without_boilerplate([line]) == kept


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Protected: A draft", "summary_html": ""},
        {"title": "Geschützt: Ein Entwurf", "summary_html": "<p>Passwort</p>"},
        {"summary_html": "<p>There is no excerpt because this is a protected post.</p>"},
        {"content_html": '<form action="x"><input name="post_password" type="password"></form>'},
    ],
)
def test_protected_posts_are_left_out(changes: dict[str, Any]) -> None:
    """By the title, by the sentence in place of an excerpt, or by the password form."""
    assert left(**changes) == LeftOut(
        "it is protected by a password", changes.get("title", entry(1).title), entry(1).link
    )


def test_a_headline_that_begins_with_protected_is_not() -> None:
    """With a real text behind it, it is a headline."""
    assert made(title="Protected: how a reef survived", summary_html="<p>" + "The reef is alive. " * 20).title


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"title": " ", "summary_html": "<img src=x>"}, "it has neither a headline nor a text"),
        ({"link": ""}, "it has no link that a reader could follow"),
        ({"link": "javascript:alert(1)"}, "it has no link that a reader could follow"),
    ],
)
def test_what_cannot_be_shown_is_left_out(changes: dict[str, Any], reason: str) -> None:
    """Without words or without a link there is nothing to send a reader to, and staff are told."""
    result = left(**changes)
    assert isinstance(result, LeftOut)
    assert result.reason == reason


def test_an_untitled_entry_takes_its_first_sentence() -> None:
    """A note without a headline is known by its first sentence."""
    assert made(title="", summary_html="<p>The ferry sank. Many were saved.</p>").title == "The ferry sank."


@pytest.mark.parametrize(
    ("name", "byline"),
    [
        ("By Maria Example", "Maria Example"),
        ("maria@example.org (Maria Example)", "Maria Example"),
        ("Maria Example <maria@example.org>", "Maria Example"),
        ("maria@example.org", ""),
        ("admin", ""),
        ("https://example.org/author/maria", ""),
        ("Bystander Byrne and A. Example", "Bystander Byrne and A. Example"),
        ("Ma\u202eria\u200b  <b>Example</b>\x00", "Maria Example"),
        ("", ""),
    ],
)
def test_a_byline_names_a_person(name: str, byline: str) -> None:
    """Without "by", addresses, markup, invisible signs and the names of nobody."""
    assert author(name) == byline


def test_topics_are_lower_case_once_and_tell_something() -> None:
    """Categories are opened up twice, lower-case and unique; noise goes; the one that names the kind is the kind."""
    article = made(
        categories=(
            "Peace &amp;amp; Security",
            "MALI",
            "mali ",
            "Uncategorized",
            "* Latest Posts",
            "Interviews",
            "en",
            "UN",
        )
    )
    assert article.topics == ("peace & security", "mali", "un")
    assert article.kind == "Interview"
    assert topic("Women,  Peace\nand Security") == "women, peace and security"


@pytest.mark.parametrize(("words", "minutes"), [(0, 0), (99, 1), (600, 3), (1010, 5)])
def test_reading_time_is_of_the_body(words: int, minutes: int) -> None:
    """Two hundred words a minute of the body, at least one; of a summary alone it is not known."""
    assert made(content_html="<p>" + "word " * words).reading_minutes == minutes
    assert made(summary_html="word " * 1000).reading_minutes == 0


def test_dates_are_believed_within_reason() -> None:
    """The epoch is no date; without a date of publication, the one of the last change."""
    assert made(published=datetime(1970, 1, 1, tzinfo=UTC)).published_at is None
    assert made(published=None, updated=NOW).published_at == NOW
    assert made(published=NOW + timedelta(days=1)).published_at == NOW + timedelta(days=1)


def test_text_that_was_escaped_twice_is_opened_up() -> None:
    """Markup that arrives as text is markup; a lone bracket is text."""
    assert paragraphs("&lt;p&gt;One &amp;amp; two&lt;/p&gt;&lt;p&gt;Three&lt;/p&gt;") == [
        "One & two",
        "Three",
    ]
    assert paragraphs("<p>5 &lt; 6 and 7 &gt; 3</p>") == ["5 < 6 and 7 > 3"]
    assert label("Mali&amp;#8217;s <em>long</em> road") == "Mali’s long road"


def test_what_a_reader_does_not_see_is_no_text() -> None:
    """Scripts, styles, captions and shortcodes never reach an excerpt."""
    html = (
        "<style>p{}</style><script>let a = 1</script><figure><img src=x><figcaption>A caption.</figcaption></figure>"
        '[caption id="1"]<p class="wp-caption-text">Another caption.</p>[/caption]<p>The text.</p>'
    )
    assert paragraphs(html) == ["The text."]


def test_persian_keeps_its_joiners() -> None:
    """Joiners that shape a word of a joining script, or a picture sign, stay; between Latin letters they go."""
    assert one_line("می\u200cرود 👩\u200d🔬 a\u200cb") == "می\u200cرود 👩\u200d🔬 ab"


@pytest.mark.parametrize(
    "bomb",
    [
        "<div>" * 100_000,
        "".join(f"<b x={n}><p>" for n in range(20_000)),
        "".join(f"<b x={n}></i><p></p>" for n in range(20_000)),
        "&lt;" * 100_000,
        "<" * 300_000,
        "<!--" * 80_000,
        "<p class=caption>" * 20_000,
        "The post " * 40_000,
        "a. " * 100_000,
        "…" * 300_000,
    ],
    ids=lambda bomb: bomb[:12],
)
def test_no_markup_is_a_bomb(bomb: str) -> None:
    """Deep, misnested or endless markup costs a moment, not minutes."""
    start = process_time()
    left(summary_html=bomb, content_html=bomb)
    assert process_time() - start < 3


def test_the_stored_text_is_capped() -> None:
    """A book in a feed is kept as its beginning."""
    assert len(made(content_html="<p>" + "All the words of a book. " * 5000).text) == LONGEST_TEXT


@pytest.mark.parametrize(
    "url", ["ftp://example.org/a", "data:text/html,x", "https://", "https://exa mple.org/", "//example.org"]
)
def test_only_web_addresses_are_links(url: str) -> None:
    """A link is http or https with a host, and nothing that could break out of an attribute."""
    assert usable_link(url) == ""
    assert usable_link(" https://example.org/ä?b=c ") == "https://example.org/ä?b=c"


def test_dots_of_a_cut_are_no_end() -> None:
    """A sentence is whole with an end mark, and not with the dots of a text that was cut."""
    assert is_whole("They met.")
    assert not is_whole("They met […]")
    assert not is_whole("They met")


def test_a_login_in_a_link_is_not_passed_on() -> None:
    """A link with a name and a password in it is none that a reader could be sent to."""
    assert isinstance(left(link="https://ada:secret@news.example.org/a"), LeftOut)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("CÃ´te dâ€™Ivoire â€“ â€œtalksâ€\x9d resume", "Côte d’Ivoire – “talks” resume"),
        ("CÃ”TE D’IVOIRE", "CÔTE D’IVOIRE"),
        ("Peace ðŸ•Š", "Peace 🕊"),
        ("Peace ðŸ•", "Peace ðŸ•"),  # cut off: nobody knows what was meant
        ("“AMANHÔ na ONU", "“AMANHÔ na ONU"),
        ("Être en Âge: São Tomé, Đà Nẵng", "Être en Âge: São Tomé, Đà Nẵng"),
    ],
)
def test_text_encoded_twice_is_decoded(given: str, meant: str) -> None:
    """UTF-8 that a content system took for Windows-1252 is put right, and nothing else is touched."""
    assert label(given) == meant
