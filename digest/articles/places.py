"""Which region an article is about, and the evidence. Pure: an article and the regions in, a placement out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from digest.articles.gazetteer import AREAS, NOWHERE, Name, Token, names, phrase, tokens
from digest.articles.model import Article, Evidence, Placement, Region

# What regions are called in configurations, and the areas of the gazetteer that they then have by default.
_AREAS_BY_NAME: dict[str, tuple[str, ...]] = {
    "africa": ("africa",), "afrique": ("africa",), "afrika": ("africa",), "sub saharan africa": ("africa",),
    "americas": ("americas",), "the americas": ("americas",), "america": ("americas",), "ameriques": ("americas",),
    "latin america": ("americas",), "latin america and the caribbean": ("americas",), "amerika": ("americas",),
    "asia": ("asia",), "asie": ("asia",), "asien": ("asia",), "asia pacific": ("asia", "oceania"),
    "asia and the pacific": ("asia", "oceania"), "asia and pacific": ("asia", "oceania"),
    "europe": ("europe",), "europa": ("europe",), "europe and central asia": ("europe",),
    "middle east": ("middle-east",), "mena": ("middle-east",), "moyen orient": ("middle-east",),
    "middle east and north africa": ("middle-east",), "near east": ("middle-east",), "naher osten": ("middle-east",),
    "oriente medio": ("middle-east",), "oriente proximo": ("middle-east",), "medio oriente": ("middle-east",),
    "oceania": ("oceania",), "oceanie": ("oceania",), "ozeanien": ("oceania",), "pacific": ("oceania",),
    "the pacific": ("oceania",), "australasia": ("oceania",),
}  # fmt: skip
_MAGHREB = ("DZ", "LY", "MA", "TN", "EH")
# Regions that take single countries from the area that would have them otherwise.
_COUNTRIES_BY_NAME: dict[str, tuple[str, ...]] = {
    "mena": _MAGHREB,
    "middle east and north africa": _MAGHREB,
    "maghreb": _MAGHREB,
    "north africa": (*_MAGHREB, "EG"),
    "north america": ("US", "CA", "BM", "GL", "PM"),
    "central asia": ("KZ", "KG", "TJ", "TM", "UZ"),
    "europe and central asia": ("KZ", "KG", "TJ", "TM", "UZ"),
    "caucasus": ("AM", "AZ", "GE"),
    "south caucasus": ("AM", "AZ", "GE"),
}
_PREPOSITIONS = frozenset(
    {"in", "to", "from", "across", "inside", "near", "of", "over", "against", "into", "within", "throughout"}
    | {"en", "au", "aux", "du", "de", "des", "vers", "nach", "aus", "desde", "hacia"}
)
# "The Vienna deal", "the Doha talks": the city gave its name and is not the subject.
_EVENTS = frozenset(
    {"talks", "deal", "deals", "accord", "accords", "agreement", "agreements", "conference", "process", "summit"}
    | {"declaration", "communique", "convention", "protocol", "consensus", "framework", "round", "statement", "treaty"}
)
_BETWEEN_WORDS = frozenset(" \u00a0-‐‑–'’.&")
_WEIGHT = {"topics": 5.0, "title": 4.0, "excerpt": 1.5}
_CONFIGURED_TOPIC = 8.0
# The people of a place act and travel; an abbreviation is mostly whoever acts ("US envoy to Yemen").
_FACTOR = {"people": 0.8, "city": 0.9, "abbreviation": 0.5, "venue": 0.25}
_ALSO = 0.3  # a region with less than this share of the strongest one's weight is a passing mention
_FIELD = {"topics": "topics", "title": "headline", "excerpt": "summary"}


@dataclass(frozen=True, slots=True)
class _Sign:
    """A name found, the region that it speaks for ("" for none of ours), and how much it says."""

    region: str
    name: Name
    words: str
    where: str
    order: int
    sure: bool

    @property
    def weight(self) -> float:
        if self.name.rule == "topic":
            return _CONFIGURED_TOPIC
        return _WEIGHT[self.where] * _FACTOR.get(self.name.care or self.name.rule, 1.0)


@dataclass(frozen=True, slots=True)
class _Index:
    """The names by their first word, longest first, and the region of each."""

    by_first_word: dict[str, tuple[tuple[Name, str], ...]]
    topics: dict[tuple[str, ...], str]
    order: dict[str, int]
    region_names: dict[str, str]


def place(article: Article, regions: Sequence[Region], *, language: str = "en") -> Placement:
    """Where an article belongs by its subject, never guessed: without a sign it is global.

    First the configured topics of the regions, on the article's topics; then names of places on the topics, in the
    headline and in the summary, in English and in `language`. Several regions are ranked by the weight of what was
    found; passing mentions are left away."""
    index = _index(tuple(regions), language)
    signs = _believed(list(_signs(article, index)))
    weights: dict[str, float] = defaultdict(float)
    first: dict[str, int] = {}
    counted: set[tuple[str, str, str]] = set()
    configured = {sign.region for sign in signs if sign.name.rule == "topic"}
    for sign in signs:
        first.setdefault(sign.region, sign.order)
        if (sign.name.place, sign.where, sign.region) not in counted:  # said twice is not twice as true
            counted.add((sign.name.place, sign.where, sign.region))
            weights[sign.region] += sign.weight
    weights.pop("", None)
    if not weights:
        return Placement()
    strongest = max(weights.values())
    ranked = sorted(
        (slug for slug in weights if slug in configured or weights[slug] >= _ALSO * strongest),
        key=lambda slug: (slug not in configured, -weights[slug], first[slug], index.order[slug]),
    )
    found = sorted(
        (s for s in signs if s.region in ranked), key=lambda s: (ranked.index(s.region), not s.sure, -s.weight, s.order)
    )
    rows = tuple(dict.fromkeys(Evidence(s.region, s.words, s.where, s.name.rule) for s in found))
    return Placement(ranked[0], tuple(ranked), _sentence(rows[0], index.region_names), rows)


def _sentence(evidence: Evidence, region_names: dict[str, str]) -> str:
    if evidence.rule == "topic":
        return f'tagged "{evidence.words}", a topic of {region_names[evidence.region]}'
    if evidence.where == "topics":
        return f'tagged "{evidence.words}"'
    return f'"{evidence.words}" in the {_FIELD[evidence.where]}'


def _signs(article: Article, index: _Index) -> Iterator[_Sign]:
    order = 0
    for topic in article.topics:
        bare = phrase(topic)
        if (slug := index.topics.get(bare)) is not None:
            yield _Sign(slug, Name(bare, topic, slug, "topic"), topic, "topics", order, sure=True)
            order += 1
    for where, texts in (("topics", article.topics), ("title", (article.title,)), ("excerpt", (article.excerpt,))):
        for text in texts:
            if where == "topics" and phrase(text) in index.topics:
                continue
            for name, region, words, sure in _names_in(text, index, is_topic=where == "topics"):
                shown = text if where == "topics" else words
                yield _Sign(region, name, shown, where, order, sure)
                order += 1


def _believed(signs: list[_Sign]) -> list[_Sign]:
    """Without the weak signs that nothing bears out."""
    firm = {sign.region for sign in signs if sign.sure}
    kept = [sign for sign in signs if sign.sure or (sign.name.care != "venue" and sign.region in firm)]
    return kept or [sign for sign in signs if sign.name.care == "venue"]


def _names_in(text: str, index: _Index, *, is_topic: bool) -> Iterator[tuple[Name, str, str, bool]]:
    """Each name in a text, the longest at each word: the name, its region, the words as written, whether it is sure."""
    found = tokens(text)
    shouting = not is_topic and text.isupper()
    at = 0
    while at < len(found):
        for name, region in _names_at(found[at].folded, index):
            last = at + len(name.words) - 1
            if not _is_here(text, found, at, name, is_topic=is_topic, shouting=shouting):
                continue
            following = found[last + 1].folded if last + 1 < len(found) else ""
            if name.area != NOWHERE and not (name.rule == "city" and following in _EVENTS):
                words = text[found[at].start : found[last].end]
                yield name, region, words, _is_sure(text, found, at, last, name, is_topic=is_topic)
            at = last
            break
        at += 1


def _names_at(word: str, index: _Index) -> Iterator[tuple[Name, str]]:
    yield from index.by_first_word.get(word, ())
    if word[0] in "وبلفك" and len(word) > 3:  # Arabic writes "and", "in", "to" onto the word
        yield from ((n, r) for n, r in index.by_first_word.get(word[1:], ()) if len(n.words) == 1)
    if word.endswith("s") and len(word) > 4:  # "Kenyans"; and "Rwandas", which lost its apostrophe on the way
        yield from ((n, r) for n, r in index.by_first_word.get(word[:-1], ()) if len(n.words) == 1 and not n.care)


def _is_here(text: str, found: list[Token], at: int, name: Name, *, is_topic: bool, shouting: bool) -> bool:
    if len(name.words) > 1:
        here = found[at : at + len(name.words)]
        folded = tuple(token.folded for token in here)
        if folded != name.words and (name.care or folded != (*name.words[:-1], name.words[-1] + "s")):
            return False
        if any(set(text[a.end : b.start]) - _BETWEEN_WORDS for a, b in pairwise(here)):
            return False  # a comma or a colon between: no name
    if is_topic:
        return name.care != "abbreviation" or at == 0  # "us politics", but not "about us"
    raw = found[at].raw
    if name.care == "abbreviation":
        return raw.isupper() and not shouting
    return not raw[0].islower()  # "turkey" and "polish" are other things than Turkey and Polish


def _is_sure(text: str, found: list[Token], at: int, last: int, name: Name, *, is_topic: bool) -> bool:
    if name.care in ("namesake", "venue"):
        return False
    if name.care != "person" or is_topic:
        return True
    following = found[last + 1] if last + 1 < len(found) else None
    if following is not None and text[found[last].end : following.start] in ("'", "’"):
        return following.raw == "s"
    if following is not None and following.raw[0].isupper() and text[found[last].end : following.start] == " ":
        return False  # "with Jordan Smith"
    return at > 0 and found[at - 1].folded in _PREPOSITIONS


@lru_cache(maxsize=32)
def _index(regions: tuple[Region, ...], language: str) -> _Index:
    topics: dict[tuple[str, ...], str] = {}
    by_area: dict[str, str] = {}
    by_place: dict[str, str] = {}
    for region in regions:
        own = {phrase(region.name), phrase(region.slug)} - {()}
        for words in own:
            for area in _AREAS_BY_NAME.get(" ".join(words), ()):
                by_area.setdefault(area, region.slug)
            by_place.update((code, region.slug) for code in _COUNTRIES_BY_NAME.get(" ".join(words), ()))
        for words in [phrase(topic) for topic in region.topics] + sorted(own):
            if words:
                topics.setdefault(words, region.slug)
    known = names(language)
    # A configured topic that names a country takes along every other name of that country
    by_place.update((name.place, topics[name.words]) for name in known if name.words in topics and name.rule != "area")
    rows = [(name, topics.get(name.words) or by_place.get(name.place) or by_area.get(name.area, "")) for name in known]
    have = {name.words for name in known}
    rows += [
        (Name(words, " ".join(words), slug, "topic word"), slug) for words, slug in topics.items() if words not in have
    ]
    by_first: dict[str, list[tuple[Name, str]]] = defaultdict(list)
    for name, slug in sorted(rows, key=lambda row: -len(row[0].words)):
        by_first[name.words[0]].append((name, slug))
    return _Index(
        {word: tuple(rows) for word, rows in by_first.items()},
        topics,
        {region.slug: position for position, region in enumerate(regions)},
        {region.slug: region.name for region in regions},
    )


__all__ = ["AREAS", "place"]
