"""Which entries are the same article: by guid, by canonical link, or by title with date.

Any one match is enough: content systems rename guids, move links and edit headlines, seldom all at once."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode, urlsplit

from digest.feeds.model import Entry

_TRACKING = frozenset({
    "amp", "amp_markup", "isamp", "outputtype", "fbclid", "gclid", "gclsrc", "dclid",
    "gbraid", "wbraid", "msclkid", "yclid", "twclid", "ttclid", "li_fat_id", "igshid",
    "igsh", "mc_cid", "mc_eid", "mkt_tok", "_ga", "_gl", "_hsenc", "_hsmi",
    "__hstc", "__hssc", "__hsfp", "hsctatracking", "vero_id", "vero_conv", "oly_anon_id", "oly_enc_id",
    "wickedid", "s_cid", "icid", "ocid", "ncid", "cmpid", "cmp", "ito",
    "xtor", "smid", "smtyp", "sr_share", "spm", "wt_mc", "rb_clickid", "ref",
    "ref_src", "ref_url", "nocache",
})  # fmt: skip
_TRACKING_PREFIXES = ("utm_", "at_", "ns_", "pk_", "mtm_", "piwik_", "matomo_", "wt.", "hsa_", "stm_", "sc_")
_ORIGIN = frozenset({"from", "source", "src", "partner", "emc", "via", "medium", "campaign", "rss"})
_OTHER_FACES = ("www.", "m.", "mobile.", "amp.", "touch.")
_INDEX = re.compile(r"/(?:index|default)\.(?:html?|php\d?|aspx?|jsp)$", re.IGNORECASE)
_AMP_PATH = re.compile(r"(?:/amp(?:/|\.html?)?|\.amp)$|\.amp(?=\.html?$)", re.IGNORECASE)
_AMP_SEGMENT = re.compile(r"/amp(?=/.)", re.IGNORECASE)
_SESSION = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/?#]*", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LONGEST_KEY = 200


def canonical_link(url: str) -> str:
    """One spelling for all the addresses of a page, for comparing; not an address to hand to a reader.

    Taken away: the scheme's http, userinfo, default ports, www. and mobile and AMP faces, index pages, a
    trailing slash, the fragment (unless it is a route, "#!…" or "#/…"), tracking and session parameters. The
    rest of the query is sorted; escapes are written by RFC 3986, section 6.2.2. What is no http(s) address is
    only stripped."""
    url = url.strip().encode("utf-8", "replace").decode()
    for _ in range(4):  # taking one thing away can lay another bare ("/amp/index.html")
        before, url = url, _canonical_once(url)
        if url == before:
            break
    return url


_TELLS_ON_READERS = re.compile(
    r"utm_.*|mtm_.*|pk_.*|hsa_.*|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|igshid|mc_cid|mc_eid|mkt_tok|_hsenc|_hsmi",
    re.IGNORECASE,
)


def without_tracking(url: str) -> str:
    """The address that a reader is given: the same, but for parameters that only tell where they came from.

    All else stays to the letter, since a server may care for it; see `canonical_link` for comparing."""
    base, mark, rest = url.partition("?")
    if not mark:
        return url
    query, hash_mark, fragment = rest.partition("#")
    kept = [part for part in query.split("&") if not _TELLS_ON_READERS.fullmatch(part.partition("=")[0])]
    return base + (f"?{'&'.join(kept)}" if kept else "") + hash_mark + fragment


def _canonical_once(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a port or an IPv6 address that is none
        return url
    if parts.scheme not in ("http", "https") or not host:
        return url
    host = host.rstrip(".")
    path = _tidy_path(parts.path)
    cached = host.endswith(".cdn.ampproject.org") or (host.startswith("www.google.") and path.startswith("/amp/"))
    if cached and (inner := re.match(r"/(?:[a-z]/|amp/)(?:s/)?([^/]+\.[^/]+(?:/.*)?)$", path)):
        return f"https://{inner[1]}" + (f"?{parts.query}" if parts.query else "")
    host = _plain_host(host)
    if ":" in host:
        host = f"[{host}]"
    where = host if port in (None, 80, 443) else f"{host}:{port}"
    path = _AMP_SEGMENT.sub("", _AMP_PATH.sub("", _INDEX.sub("", path)), count=1).rstrip("/")
    pairs = parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape")  # bytes of any encoding survive
    query = urlencode(sorted(p for p in pairs if not _is_tracking(*p)), errors="surrogateescape")
    route = parts.fragment if parts.fragment.startswith(("!", "/")) and len(parts.fragment) > 1 else ""
    return f"https://{where}{path}" + (f"?{query}" if query else "") + (f"#{route}" if route else "")


def _plain_host(host: str) -> str:
    for face in _OTHER_FACES:
        if host.startswith(face) and "." in host[len(face) :]:
            return host[len(face) :]
    return host


def _tidy_path(path: str) -> str:
    path = re.sub(r"/{2,}", "/", _SESSION.sub("", path))
    return "/".join(quote(unquote_to_bytes(part), safe="!$&'()*+,;=:@~") for part in path.split("/"))


def _is_tracking(name: str, value: str) -> bool:
    name = name.lower()
    if name in _TRACKING or name.startswith(_TRACKING_PREFIXES):
        return True
    return name in _ORIGIN and any(word in value.lower() for word in ("rss", "feed", "atom"))


def normalised_title(title: str) -> str:
    """The words of a title, case and punctuation and spacing aside."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", title).casefold()))


def published(entry: Entry) -> datetime | None:
    """When an entry says it came out; an impossible date (the epoch of a broken clock) is none."""
    moment = entry.published or entry.updated
    return moment if moment is not None and moment >= _EARLIEST else None


def keys(entry: Entry, feed_url: str, shared: Collection[str] = frozenset()) -> tuple[str, ...]:
    """The signs by which an article is known again, the most trusted first; at least one.

    The guid is scoped to its feed. A title needs a date: a telling one (20 letters, or 7 wide characters) its
    day in UTC; a short one, such as "Briefing", the very second, and at midnight, where the feed tells days
    only, it is no key. `shared` (from `shared_keys`) holds the keys that mean nothing in this document."""
    found = [key for key in (_guid_key(entry, feed_url), _link_key(entry), _title_key(entry)) if key]
    meant = tuple(key for key in found if key not in shared)
    return meant or (_last_resort(entry, feed_url),)


def shared_keys(entries: Iterable[Entry], feed_url: str) -> frozenset[str]:
    """The keys that several entries of one document share though they have nothing else in common.

    Two entries that stand side by side with another guid and another link are two articles, whatever their
    title; likewise a guid, or a link such as the front page, that a system writes into every item. An item
    that is merely repeated agrees in more than one sign and is no cause for distrust."""
    rivals: dict[str, list[tuple[object, object]]] = defaultdict(list)
    for entry in entries:
        # object(): what is missing agrees with nothing, not even with another missing one
        guid = _guid_key(entry, feed_url) or object()
        link = _link_key(entry) or object()
        title = normalised_title(entry.title) or object()
        for key, others in ((guid, (link, title)), (link, (guid, title)), (_title_key(entry), (guid, link))):
            if isinstance(key, str) and key:
                rivals[key].append(others)
    return frozenset(
        key for key, others in rivals.items() if len({a for a, _ in others}) > 1 and len({b for _, b in others}) > 1
    )


def _guid_key(entry: Entry, feed_url: str) -> str:
    guid = (entry.id or "").strip()
    return _key("guid", f"{canonical_link(feed_url)} {guid}") if guid else ""


def _link_key(entry: Entry) -> str:
    return link_key(entry.link) if entry.link else ""


def link_key(url: str) -> str:
    """The key of a link in any of its spellings."""
    return _key("link", canonical_link(url))


def left_key(url: str) -> str:
    """The key by which an article remembers an address that its page has left for good."""
    return _key("left", canonical_link(url))


def _title_key(entry: Entry) -> str:
    title, moment = normalised_title(entry.title), published(entry)
    if not title or moment is None:
        return ""
    if sum(3 if unicodedata.east_asian_width(c) in "WF" else 1 for c in title if c != " ") >= 20:
        return _key("title", f"{moment.astimezone(UTC):%Y-%m-%d} {title}")
    exact = moment.astimezone(UTC)
    if (exact.hour, exact.minute, exact.second) == (0, 0, 0):
        return ""
    return _key("title", f"{exact:%Y-%m-%dT%H:%M:%S} {title}")


def _last_resort(entry: Entry, feed_url: str) -> str:
    words = normalised_title(entry.title) or entry.summary_html or entry.content_html
    return _key("only", f"{canonical_link(feed_url)} {entry.link} {words}")


def _key(kind: str, text: str) -> str:
    """Readable while short; hashed where an index would refuse its length or a database a character."""
    if len(text) > _LONGEST_KEY or not text.isprintable():
        text = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"{kind}:{text}"
