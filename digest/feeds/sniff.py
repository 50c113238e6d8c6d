"""What a document is that is no feed: named, so that staff know where to look."""

from __future__ import annotations

from digest.feeds.discover import discover
from digest.feeds.errors import NotAFeedError

_KNOWN = {
    "opml": ("is an OPML list of feeds", "configure the feeds that it lists, one by one"),
    "urlset": ("is a sitemap", "look on the site for its RSS or Atom feed"),
    "sitemapindex": ("is a sitemap", "look on the site for its RSS or Atom feed"),
    "error": ("is an error message in XML", "look at the address in a browser"),
    "svg": ("is a picture", "look on the site for its RSS or Atom feed"),
    "opensearchdescription": ("describes a search", "look on the site for its RSS or Atom feed"),
}
_STARTS = (
    ("%PDF", "is a PDF document"),
    ("PK\x03\x04", "is a ZIP archive"),
    ("\x89PNG", "is a picture"),
    ("GIF8", "is a picture"),
    ("BEGIN:VCALENDAR", "is a calendar"),
)


def why_no_feed(text: str, root: str, url: str) -> NotAFeedError:
    """The error that says what the document is instead of a feed."""
    kind = root.rpartition(":")[2].lower()
    if kind in ("html", "head", "body", "title", "meta", "div", "script", "p", "h1"):
        site = discover(text.encode("utf-8", "replace"), url)
        title = f" (“{site.name[:80]}”)" if site.name else ""
        if site.feeds:
            mend = f"its feed is {site.feeds[0].url}"
        else:
            mend = "look on it for a link named RSS or Atom, and use that address"
        return NotAFeedError(
            url,
            f"is a web page{title}, not a feed",
            mend=mend,
            found=tuple(link.url for link in site.feeds),
            state="html",
        )
    if kind in _KNOWN:
        what, mend = _KNOWN[kind]
        return NotAFeedError(url, f"{what}, not a feed", mend=mend)
    if root:
        return NotAFeedError(
            url,
            f"is XML of another kind (<{root[:40]}>), not a feed",
            mend="look on the site for its RSS or Atom feed",
        )
    what = next((words for start, words in _STARTS if text.startswith(start)), "is neither XML nor JSON")
    return NotAFeedError(url, f"{what}, not a feed", mend="look on the site for its RSS or Atom feed")
