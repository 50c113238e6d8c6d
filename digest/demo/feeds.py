"""The demo's documents: RSS 2.0 as WordPress writes it, Atom for the partners, and an iCalendar file."""

from __future__ import annotations

import zlib
from datetime import datetime, time, timedelta
from email.utils import format_datetime
from html import escape
from urllib.parse import urlsplit

from icalendar import Calendar, Event, vRecur

from digest.demo.content import SITE, Story, happenings, partners, stories

MAIN = "main"
ITEMS = 40
"""As many items as a feed shows: the newest."""

PHOTO_SIZE = (1200, 630)
_TITLES = {MAIN: "The Global Observatory", "interviews": "The Global Observatory » Interviews"}


def rss(name: str, now: datetime, *, at: datetime | None = None, public: str = SITE) -> bytes:
    """The feed `main` or `interviews` (RSS 2.0) as it was `at` that moment, dates counted back from `now`.

    `public` is the site's address, for links and photos."""
    at = at or now
    shown = [s for s in stories(now) if s.appears <= at and (name == MAIN or name in s.also_in)][:ITEMS]
    site = public.rstrip("/")
    host = urlsplit(site).netloc
    items = "".join(_item(story, at, site, host, second=name != MAIN) for story in shown)
    built = format_datetime(shown[0].appears) if shown else format_datetime(at)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"'
        ' xmlns:atom="http://www.w3.org/2005/Atom" xmlns:slash="http://purl.org/rss/1.0/modules/slash/">\n'
        f"<channel>\n<title>{escape(_TITLES[name])}</title>\n<link>{site}/</link>\n"
        f"<description>Analysis of peace and security</description>\n<language>en-US</language>\n"
        f'<lastBuildDate>{built}</lastBuildDate>\n<atom:link href="{site}/feed/" rel="self"'
        f' type="application/rss+xml"/>\n{items}</channel>\n</rss>\n'
    ).encode()


def atom(name: str, now: datetime, *, at: datetime | None = None) -> bytes:
    """A partner's feed (Atom 1.0) as it was `at` that moment."""
    at = at or now
    partner = next(p for p in partners(now) if p.name == name)
    shown = [piece for piece in partner.pieces if piece.published <= at]
    updated = (shown[0].published if shown else at).isoformat(timespec="seconds")
    entries = "".join(
        f"<entry><id>{partner.site}/{piece.slug}</id><title>{escape(piece.title)}</title>"
        f'<link href="{partner.site}/{piece.slug}"/><author><name>{escape(piece.author)}</name></author>'
        f"<published>{piece.published.isoformat(timespec='seconds')}</published>"
        f"<updated>{piece.published.isoformat(timespec='seconds')}</updated>"
        f'<summary type="text">{escape(piece.summary)}</summary></entry>\n'
        for piece in shown
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">\n'
        f"<id>{partner.site}/</id><title>{escape(partner.title)}</title>"
        f'<link href="{partner.site}/"/><updated>{updated}</updated>\n{entries}</feed>\n'
    ).encode()


def calendar(now: datetime, *, public: str = SITE) -> bytes:
    """The events of the coming weeks (RFC 5545): some at an hour, some all day, one weekly, one cancelled."""
    made = Calendar()
    made.add("prodid", "-//The Global Observatory//Events//EN")
    made.add("version", "2.0")
    today = now.date()
    for number, happening in enumerate(happenings(), 1):
        event = Event()
        day = today + timedelta(days=happening["day"])
        event.add("uid", f"event-{number}@{urlsplit(public).netloc}")
        event.add("dtstamp", now.replace(microsecond=0))
        event.add("summary", happening["title"])
        event.add("url", f"{public.rstrip('/')}/events/{number}/")
        if "days" in happening:
            event.add("dtstart", day)
            event.add("dtend", day + timedelta(days=happening["days"]))
        else:
            start = datetime.combine(day, time(happening["hour"]), tzinfo=now.tzinfo)
            event.add("dtstart", start)
            event.add("dtend", start + timedelta(hours=happening["hours"]))
        if "every" in happening:
            event.add("rrule", vRecur.from_ical(happening["every"]))
        if happening.get("cancelled"):
            event.add("status", "CANCELLED")
        made.add_component(event)
    return bytes(made.to_ical())


def link(story: Story, site: str = SITE) -> str:
    """The article's address on the site: year, month, slug."""
    day = story.published or story.appears
    return f"{site}/{day:%Y/%m}/{story.slug}/"


def _item(story: Story, at: datetime, site: str, host: str, *, second: bool) -> str:
    """One item. In the second feed the guid is of its own, as when two systems export the same story."""
    address = link(story, site)
    number = zlib.crc32(story.slug.encode()) % 1_000_000
    guid = f"https://{host}/?p={number}"
    if second:
        guid = f"interviews-{number}@{host}"
    if story.guid_changes and at >= story.guid_changes:
        guid = f"{site}/?post_type=article&p={number + 1_000_000}"
    shown_link = address + ("?utm_source=rss&utm_medium=feed&utm_campaign=weekly#respond" if story.tracking else "")
    dated = f"<pubDate>{format_datetime(story.published)}</pubDate>\n" if story.published else ""
    categories = "".join(f"<category><![CDATA[{c}]]></category>\n" for c in (story.kind, *story.tags))
    comments = f"<slash:comments>{story.comments}</slash:comments>\n" if story.comments is not None else ""
    return (
        f"<item>\n<title>{escape(story.title, quote=False)}</title>\n"
        f"<link>{escape(shown_link)}</link>\n{dated}"
        f"<dc:creator><![CDATA[{story.author}]]></dc:creator>\n{categories}"
        f'<guid isPermaLink="false">{escape(guid)}</guid>\n'
        f"<description><![CDATA[{_description(story, address)}]]></description>\n"
        f"<content:encoded><![CDATA[{_body(story, site, address)}]]></content:encoded>\n"
        f"{comments}{_media(story, site)}</item>\n"
    )


def _description(story: Story, address: str) -> str:
    text = f"<p>{escape(story.summary, quote=False)}</p>"
    return text + _boilerplate(story, address) if story.boilerplate else text


def _boilerplate(story: Story, address: str) -> str:
    return (
        f'\n<p>The post <a href="{address}">{story.title}</a> appeared first on '
        f'<a href="{SITE}">The Global Observatory</a>.</p>'
    )


def _body(story: Story, site: str, address: str) -> str:
    if story.protected:
        return '<form class="post-password-form" method="post"><p>This content is password protected.</p></form>'
    parts = [f"<p>{escape(text, quote=False)}</p>" for text in (story.summary, *story.paragraphs)]
    if story.photo_in_text:
        source = f'src="{_photo(story, site)}" alt="{escape(story.alt)}"'
        size = 'width="{}" height="{}"'.format(*PHOTO_SIZE)
        parts.insert(1, f"<figure><img {source} {size}/><figcaption>{escape(story.credit)}</figcaption></figure>")
    if story.pixel:
        parts.insert(0, f'<img src="{site}/stats/pixel.gif?p={story.slug}" width="1" height="1" alt=""/>')
    if story.boilerplate:
        parts.append(_boilerplate(story, address))
    return "\n".join(parts)


def _media(story: Story, site: str) -> str:
    if not story.photo or story.photo_in_text:
        return ""
    width, height = PHOTO_SIZE
    return (
        f'<media:content url="{_photo(story, site)}" medium="image" type="image/jpeg" width="{width}"'
        f' height="{height}"><media:description type="plain">{escape(story.alt)}</media:description>'
        f"<media:credit>{escape(story.credit)}</media:credit></media:content>\n"
    )


def _photo(story: Story, site: str) -> str:
    return f"{site}/photos/{story.photo}.jpg"
