"""The lead image of an entry: what the feed offers, else the first decent picture in its text."""

from __future__ import annotations

import pytest

from digest.feeds.model import Image
from tests.support.feed_server import item, rss
from tests.support.reading import only

PHOTO = "https://news.example.org/photo.jpg"
VOTERS = "<media:description>Voters</media:description><media:credit>Ama Doe</media:credit>"


def sized(name: str, width: int) -> str:
    return f"<media:content url='https://news.example.org/{name}' medium='image' width='{width}'/>"


@pytest.mark.parametrize(
    ("markup", "image"),
    [
        (
            f"<media:content url='{PHOTO}' medium='image' width='800' height='600'>{VOTERS}</media:content>",
            Image(PHOTO, "Voters", 800, 600, "Ama Doe"),
        ),
        (
            f"<media:group>{sized('s.jpg', 140)}{sized('photo.jpg', 700)}{sized('l.jpg', 3000)}</media:group>",
            Image(PHOTO, width=700),
        ),
        (f"<media:thumbnail url='{PHOTO}' width='300' height='200'/>", Image(PHOTO, "", 300, 200)),
        (f"<enclosure url='{PHOTO}' type='image/jpeg' length='1'/>", Image(PHOTO)),
        ("<enclosure url='https://news.example.org/talk.mp3' type='audio/mpeg' length='1'/>", None),
        ("<media:content url='https://news.example.org/film.mp4' medium='video'/>", None),
        ("<media:content url='https://secure.gravatar.com/avatar/1?s=96' medium='image'/>", None),
        ("<media:content url='javascript:alert(1)' medium='image'/>", None),
    ],
)
def test_the_image_that_the_feed_offers_is_taken(markup: str, image: Image | None) -> None:
    """With its alt text, size and credit; sound, film, avatars and nonsense are none."""
    assert only(rss(item("One", extra=markup))).image == image


@pytest.mark.parametrize(
    ("content", "image"),
    [
        (f"<p><img src='{PHOTO}' alt='Voters' width='640' height='427px'></p>", Image(PHOTO, "Voters", 640, 427)),
        ("<img src='/photo.jpg' width='100%'>", Image(PHOTO)),
        (f"<img src='data:image/gif;base64,R0' data-src='{PHOTO}'>", Image(PHOTO)),
        (f"<img src='https://news.example.org/x.png' width='1' height='1'><img src='{PHOTO}'>", Image(PHOTO)),
        (f"<img src='https://s.w.org/images/core/emoji/72x72/1f600.png'><img src='{PHOTO}'>", Image(PHOTO)),
        (f"<img src='https://news.example.org/s.gif' class='wp-smiley'><img src='{PHOTO}'>", Image(PHOTO)),
        ("<img src='http://feeds.feedburner.com/~r/news/~4/abc'>", None),
        ("<img src='https://pixel.wp.com/b.gif?host=x'>", None),
        ("<img alt='x'><img src=''>", None),
        (
            f"<figure><img src='{PHOTO}'><figcaption>Voters in <b>Gao</b>. (Photo: Ama Doe)</figcaption></figure>",
            Image(PHOTO, "Voters in Gao", credit="Photo: Ama Doe"),
        ),
        (
            f"<div><img src='{PHOTO}' alt='A'><p class='wp-caption-text'>Gao (Bo Roe/AFP)</p></div><p>(Reuters)</p>",
            Image(PHOTO, "A", credit="Bo Roe/AFP"),
        ),
    ],
)  # fmt: skip
def test_else_the_first_decent_picture_in_the_text(content: str, image: Image | None) -> None:
    """Pixels, smileys and feed furniture are no pictures."""
    assert only(rss(item("One", content=content))).image == image


def test_an_offered_image_takes_its_alt_text_from_the_content() -> None:
    """The same photo in another size knows what is on it."""
    entry = only(
        rss(
            item(
                "One",
                image="https://news.example.org/mali-1024x683.jpg",
                content="<img src='https://news.example.org/mali-300x200.jpg' alt='Voters queue' width='300'>",
            )
        )
    )
    assert entry.image == Image("https://news.example.org/mali-1024x683.jpg", "Voters queue")


def test_text_of_a_picture_is_not_text_of_the_entry() -> None:
    """media:description and media:title belong to the picture."""
    inside = "<media:title>t.jpg</media:title><media:description>D</media:description>"
    markup = f"<media:content url='{PHOTO}' medium='image'>{inside}</media:content>"
    entry = only(rss("<item>" + markup + "<title>One</title><description>Text</description></item>"))
    assert (entry.title, entry.summary_html, entry.content_html) == ("One", "Text", "")
