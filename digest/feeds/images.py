"""The lead image of an entry: what the feed offers as such, else the first decent picture in its content."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from digest.feeds.links import absolute
from digest.feeds.model import Image
from digest.feeds.plain import feedable, line

WIDE_ENOUGH = 600
"""CSS pixels of the column that a mail has: of several sizes the smallest that fills it is taken."""

_IMAGE_FILE = re.compile(r"\.(jpe?g|png|gif|webp|avif)$", re.IGNORECASE)
_NOT_A_PICTURE = re.compile(
    r"/(smil(ies|eys?)|emoji|emoticons?)/|gravatar\.com/|/~(r|ff|at)/|feedsportal|/(pixel|spacer|blank|1x1|transparent|"
    r"tracking|beacon|count(er)?|clear)\.(gif|png|php|aspx?)|//(pixel|stats|beacon|track(er|ing)?|ads?)\.|"
    r"doubleclick|/b\.gif|/wp-content/plugins/|\.svg$|share-?(icon|button)|addtoany|rss-?icon|facebook\.com/tr",
    re.IGNORECASE,
)
_SMILEY = re.compile(r"\b(wp-smiley|emoji|avatar|icon|smiley)\b")
_LAZY = ("data-src", "data-lazy-src", "data-original", "data-orig-file")
_SMALLEST = 50
_CREDIT = re.compile(
    r"[(\[]?\b(photo(graph)?(er)?s?|image|picture|credit|courtesy of|foto|crédit)\b( credit)?( by|:|/| ©)"
    r"[^()\[\]]{2,100}[)\]]?"
    r"|[(\[]?©[^()\[\]]{2,100}[)\]]?|\([^()]{0,60}(/|\b)(AP|AFP|Reuters|Getty Images|UN Photo)\b[^()]{0,60}\)",
    re.IGNORECASE,
)
"""How captions name who took the photo: "(Photo by …)", "Credit: …", "© …", "(name/AFP)"."""


def lead_image(entry: Mapping[str, Any], markup: str, base: str) -> Image | None:
    """From media:content, media:thumbnail, enclosures, the entry's own image, else from its `markup`.

    `entry` is feedparser's; where the same picture stands in the content, its alt text is taken from there.
    https://www.rssboard.org/media-rss"""
    inside = content_images(markup, base)
    offered = _offered(entry, base)
    if offered is None:
        return inside[0] if inside else None
    twin = next((image for image in inside if _name(image.url) == _name(offered.url)), None)
    if twin is None:
        return offered
    same = twin.url == offered.url
    return replace(
        offered,
        alt=offered.alt or twin.alt,
        credit=offered.credit or twin.credit,
        width=offered.width or (twin.width if same else None),
        height=offered.height or (twin.height if same else None),
    )


def content_images(markup: str, base: str) -> list[Image]:
    """The decent pictures of some HTML in their order: no tracking pixels, smileys, avatars, icons."""
    reader = _Pictures(base)
    reader.feed(feedable(markup[:200_000]))  # never closed: see `discover`
    return reader.found


def is_picture(url: str) -> bool:
    """Whether this may be a picture that says something, judged by its address."""
    return bool(url) and not _NOT_A_PICTURE.search(url)


def pixels(value: object) -> int | None:
    """A width or height as markup tells it; a percentage or nonsense is None."""
    match = re.fullmatch(r"\s*(\d{1,5})(?:\.\d*)?\s*(?:px)?\s*", str(value or ""))
    return int(match[1]) if match and int(match[1]) > 0 else None


def _offered(entry: Mapping[str, Any], base: str) -> Image | None:
    credit = next((_text(part.get("content")) for part in entry.get("media_credit") or ()), "")
    alt = _text(entry.get("media_caption"))
    groups = (
        [part for part in entry.get("media_content") or () if _is_image(part)],
        [part for part in entry.get("media_thumbnail") or () if part.get("url")],
        [{**part, "url": part.get("href")} for part in entry.get("enclosures") or () if _is_image(part)],
        [{"url": (entry.get("image") or {}).get("href")}],
    )
    for group in groups:
        images = [
            Image(
                url=absolute(str(part.get("url") or ""), base),
                alt=_text(part.get("caption")) or alt,
                width=pixels(part.get("width")),
                height=pixels(part.get("height")),
                credit=_text(part.get("credit")) or credit,
            )
            for part in group
        ]
        decent = [image for image in images if is_picture(image.url) and not _tiny(image)]
        if decent:
            return _fitting(decent)
    return None


def _fitting(images: list[Image]) -> Image:
    """The smallest that fills the column, else the largest; the first where sizes are not told."""
    first = images[0]
    sizes = [image for image in images if image.width and image.alt in ("", first.alt)]
    if first.width is None or len(sizes) < 2:
        return first
    filling = [image for image in sizes if (image.width or 0) >= WIDE_ENOUGH]
    if filling:
        return min(filling, key=lambda image: image.width or 0)
    return max(sizes, key=lambda image: image.width or 0)


def _is_image(part: Mapping[str, Any]) -> bool:
    kind, medium = str(part.get("type") or ""), str(part.get("medium") or "")
    if medium or kind:
        if medium == "image" or kind.startswith("image/"):
            return not kind.startswith("image/svg")
        if medium or "/" in kind:
            return False
    address = str(part.get("url") or part.get("href") or "")
    return bool(_IMAGE_FILE.search(address.partition("?")[0]))


def _tiny(image: Image) -> bool:
    return any(size is not None and size < _SMALLEST for size in (image.width, image.height))


def _name(url: str) -> str:
    """The file's name, without the size that WordPress adds: one picture in two sizes has one name."""
    return re.sub(r"-\d{2,4}x\d{2,4}(?=\.\w+$)", "", urlsplit(url).path.rpartition("/")[2])


def _text(value: object) -> str:
    return line(value)[:500]


class _Pictures(HTMLParser):
    """Collects the decent `img` elements. The caption of a figure tells who took the photo, and what is on it."""

    def __init__(self, base: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Image] = []
        self._base = base
        self._caption: list[str] | None = None
        self._captioning = ""

    def handle_starttag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "img":
            self._picture(given)
        elif tag == "figcaption" or "wp-caption-text" in given.get("class", ""):
            self._caption, self._captioning = [], tag

    def handle_endtag(self, tag: str) -> None:
        if self._caption is None or tag != self._captioning:
            return
        caption, self._caption = _text(" ".join(self._caption)), None
        if self.found and caption:
            image = self.found[-1]
            credit = _CREDIT.search(caption)
            told = credit[0].strip(" ()[]") if credit else ""
            rest = caption.replace(credit[0], "").strip(" .()[]") if credit else caption
            self.found[-1] = replace(image, credit=image.credit or told, alt=image.alt or rest)

    def handle_data(self, data: str) -> None:
        if self._caption is not None:
            self._caption.append(data)

    def _picture(self, given: dict[str, str]) -> None:
        source = given.get("src", "")
        if not source or source.startswith("data:"):
            source = next((given[name] for name in _LAZY if given.get(name)), "")
        image = Image(
            url=absolute(source, self._base),
            alt=_text(given.get("alt")),
            width=pixels(given.get("width")),
            height=pixels(given.get("height")),
        )
        if is_picture(image.url) and not _tiny(image) and not _SMILEY.search(given.get("class", "")):
            self.found.append(image)
