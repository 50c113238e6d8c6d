"""Which region an article is about, and the evidence. Pure: an article and the regions in, a placement out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from digest.articles.gazetteer import AREAS, Name, namesakes, phrase, shown
from digest.articles.languages import languages_of
from digest.articles.mentions import NAMESAKE, mentions
from digest.articles.model import Article, Evidence, Placement, Region
from digest.articles.region_names import Index, index_of

_WEIGHT = {"topics": 5.0, "title": 4.0, "excerpt": 1.5, "text": 1.0}
_FACTOR = {"sure": 1.0, "unsure": 0.8, "listed": 0.5, "actor": 0.25, "venue": 0.25, "weak": 0.25}
_CONFIGURED_TOPIC = 20.0
_MORE_OF_THE_SAME = 0.1  # what a second name of the same region in the same place adds, of the first one's weight
_FIELD = {"topics": "topics", "title": "headline", "excerpt": "summary", "text": "text"}
_LONGEST_BODY = 1800  # the beginning of a text says what it is about, and the rest would take long
_FEWEST_IN_BODY = 2
_SHARE_OF_BODY = 0.6
_NEWS = frozenset({"news", "headlines", "edition", "section"})
# "GENEVA (Reuters) — ", "NAIROBI, Kenya, Nov 3 (AP) - ", "Addis Ababa, 3 May 2013 – "
_DATELINE = re.compile(
    r"\s*(?:[^\W\d_a-zß-ÿ][^\W\d_a-zß-ÿ .'’/-]+[^()\n]{0,40}?\s*(?:\([^()\n]{2,30}\)\s*)?(?:[-–—]{1,2}\s|:\s|\|\s)"
    r"|[^\W\d_][\w .'’/-]{2,25}(?:, [^()\n.]{2,30})?\s*(?:\([^()\n]{2,30}\)\s*[-–—]{1,2}\s|\s[–—]{1,2}\s))"
)
_SPELLED_OUT = re.compile(r"\b(?:[A-Z][\w-]+\s+(?:(?:of|for|the|and|de|des|du)\s+)*){2,6}[A-Z]?[\w-]*")


@dataclass(frozen=True, slots=True)
class _Sign:
    """A mention, the region that it speaks for, and in which field."""

    region: str
    name: Name
    words: str
    where: str
    order: int
    standing: str

    @property
    def weight(self) -> float:
        return _CONFIGURED_TOPIC if self.name.rule == "topic" else _WEIGHT[self.where] * _FACTOR[self.standing]


def place(article: Article, regions: Sequence[Region], *, language: str = "en") -> Placement:
    """Where an article belongs by its subject, never guessed: without a sign it is global.

    First the configured topics of the regions; then names of places in the topics and the headline, in the summary,
    and last in the body, in English, in `language` (a BCP 47 tag) and in the language that the article shows. Each
    source is asked only where those before it are silent, and it bears out what they say: a tag that a headline about
    another region contradicts needs the summary's or the body's support. Several regions are ranked by the weight of
    what was found; who acts, where one meets and what is listed as an example are left away beside a subject."""
    text = f"{article.title} {article.excerpt}"
    index = index_of(tuple(regions), languages_of(text, language))
    signs = _resolved(article, list(_signs(article, index)), index)
    # A place that no region of ours has is a subject too: then the article is not about what it only mentions
    chosen = [sign for sign in _chosen(article, signs, index) if sign.region]
    if not chosen:
        return Placement()
    weights = {region: _weight([s for s in chosen if s.region == region]) for region in {s.region for s in chosen}}
    configured = {s.region for s in chosen if s.name.rule == "topic"}
    first = {region: min(s.order for s in chosen if s.region == region) for region in weights}
    ranked = sorted(weights, key=lambda r: (r not in configured, -weights[r], first[r], index.order[r]))
    by_weight = sorted(
        (s for s in [*signs, *chosen] if s.region in weights),
        key=lambda s: (ranked.index(s.region), s not in chosen, s.standing != "sure", -s.weight, s.order),
    )
    rows = tuple(dict.fromkeys(Evidence(s.region, s.words, s.where, s.name.rule) for s in by_weight))
    return Placement(ranked[0], tuple(ranked), _sentence(by_weight[0], by_weight, index), rows)


def _chosen(article: Article, signs: list[_Sign], index: Index) -> list[_Sign]:
    """The signs of the regions that the article is about."""
    configured = {s.region for s in signs if s.name.rule == "topic"}
    topics = [s for s in signs if s.where == "topics" and s.name.rule != "topic"]
    title = [s for s in signs if s.where == "title"]
    excerpt = [s for s in signs if s.where == "excerpt"]
    subjects = {s.region for s in title if s.standing in ("sure", "listed")}
    tagged = {s.region for s in topics if s.standing == "sure"}
    regions = configured | subjects | (tagged if not subjects else _borne_out(article, tagged, title, excerpt, index))
    if regions:
        told = configured | subjects | tagged
        regions |= {s.region for s in topics + title if s.standing == "unsure"} & told
        return [s for s in signs if s.region in regions]
    for source in (topics + title, excerpt):
        if found := _plain(source):
            return found
    body = list(_in_text(article, index))
    for source in (body, topics + title, excerpt):  # and then what says little, rather than nothing
        if source is body:
            if chosen := _of_the_body(body):
                return chosen
        elif weak := [s for s in source if s.standing in ("weak", "actor", "venue")]:
            best = {s.region for s in weak}
            return weak if len(best) == 1 or source is not excerpt else []
    return []


def _plain(source: list[_Sign]) -> list[_Sign]:
    """The sure signs of a source; of a summary's many only what it says at least half as often as the foremost."""
    sure = [s for s in source if s.standing == "sure"]
    counts = Counter(s.region for s in sure)
    most = max(counts.values(), default=0)
    if len(counts) > 3:
        return []
    return [s for s in sure if 2 * counts[s.region] >= most]


def _borne_out(article: Article, tagged: set[str], title: list[_Sign], excerpt: list[_Sign], index: Index) -> set[str]:
    """The tagged regions that the text speaks of, though the headline names another."""
    seen = {s.region for s in title + excerpt}
    doubtful = tagged - seen
    if doubtful and not article.text and not article.excerpt:
        return tagged
    if doubtful:
        seen |= {s.region for s in _in_text(article, index)}
    return tagged & seen


def _of_the_body(body: list[_Sign]) -> list[_Sign]:
    """The one region that a body speaks of again and again; what it only mentions is none."""
    counts = Counter(s.region for s in body if s.standing == "sure")
    for region, count in counts.most_common(1):
        if count >= _FEWEST_IN_BODY and count >= _SHARE_OF_BODY * counts.total():
            return [s for s in body if s.region == region]
    return []


def _weight(signs: list[_Sign]) -> float:
    """Said twice is not twice as true: each field's strongest sign, and a little for further places."""
    total = 0.0
    for where in _WEIGHT:
        here = [s for s in signs if s.where == where]
        strongest = max((s.weight for s in here), default=0.0)
        total += strongest * (1 + _MORE_OF_THE_SAME * (len({s.name.place for s in here}) - 1 if here else 0))
    return total


def _signs(article: Article, index: Index) -> Iterator[_Sign]:
    order = 0
    for topic in article.topics:
        words = phrase(topic)
        if (slug := index.topics.get(words)) is not None:
            yield _Sign(slug, Name(words, topic, slug, "topic"), topic, "topics", order, "sure")
            order += 1
            continue
        for found in mentions(topic, index.names, topic=True):
            of_a_section = bool(words) and words[-1] in _NEWS
            standing = "weak" if of_a_section else found.standing
            yield _Sign(index.region(found.name), found.name, topic, "topics", order, standing)
            order += 1
        if _AMERICAN_TOWN.search(topic) and (slug := index.region_of("US", "americas")):
            yield _Sign(slug, Name(words, "US", "americas", "city"), topic, "topics", order, "sure")
            order += 1
    dateline = _DATELINE.match(article.excerpt)
    start = dateline.end() if dateline else 0
    texts = (("title", article.title), ("excerpt", article.excerpt[start:]), ("dateline", article.excerpt[:start]))
    for where, text in texts:
        for found in mentions(text, index.names):
            if where != "dateline":
                yield _Sign(index.region(found.name), found.name, found.words, where, order, found.standing)
            elif found.name.care != "weak":  # "GENEVA (Reuters) —" tells nothing, "MANILA (AFP) -" a little
                yield _Sign(index.region(found.name), found.name, found.words, "excerpt", order, "weak")
            order += 1


def _in_text(article: Article, index: Index) -> Iterator[_Sign]:
    for number, found in enumerate(mentions(article.text[:_LONGEST_BODY], index.names)):
        if found.name.rule != NAMESAKE:
            yield _Sign(index.region(found.name), found.name, found.words, "text", 1000 + number, found.standing)


_AMERICAN_TOWN = re.compile(
    r"\((?:ala|ariz|ark|calif|colo|conn|del|fla|ga|ill|ind|kan|ky|la|mass|md|mich|minn|miss|mo|mont|nj|ny|nyc|nc|neb|nev|nm|"
    r"okla|ore|pa|ri|sc|sd|tenn|tex|va|vt|wash|wis|w va|wyo|us state)\)$"
)


def _resolved(article: Article, signs: list[_Sign], index: Index) -> list[_Sign]:
    """The signs with namesakes told apart by what else is said, and without abbreviations of something else."""
    kept = []
    for sign in signs:
        if sign.name.rule == NAMESAKE:
            region = _which(article, sign, signs, index)
            sign = _Sign(region, sign.name, sign.words, sign.where, sign.order, "sure")
        elif sign.name.care == "abbreviation" and len(sign.words) > 2 and _stands_for_another(article, sign.words):
            continue
        if sign.region or sign.name.rule != NAMESAKE:
            kept.append(sign)
    return kept


def _which(article: Article, sign: _Sign, signs: list[_Sign], index: Index) -> str:
    """The region of a name that several places have, or ""."""
    own = set(sign.name.words)
    said = set(phrase(" ".join((article.title, article.excerpt, *article.topics, article.text[:1000])))) - own
    choices = next(n.choices for n in namesakes() if n.words == sign.name.words)
    scored = [(len(said & words), code) for code, words in choices]
    best = max(score for score, _ in scored)
    leading = [code for score, code in scored if score == best]
    if best and len(leading) == 1:
        return index.region_of(leading[0], "")
    if sign.where == "topics" and not best and phrase(sign.words) == sign.name.words:
        return index.region_of(choices[0][0], "")  # a tag that is nothing but the name is meant for the first
    near = {s.region for s in signs if s.standing == "sure" and s.region}
    possible = {index.region_of(code, "") for code in leading} & near
    return possible.pop() if len(possible) == 1 else ""


def _stands_for_another(article: Article, letters: str) -> bool:
    """Whether the article spells an abbreviation out as something else: "DRC", and "Danish Refugee Council"."""
    wanted = letters.lower()
    for topic in article.topics:
        if "".join(word[0] for word in topic.split() if word[0].isalpha()) == wanted and topic != wanted:
            return True
    for found in _SPELLED_OUT.finditer(f"{article.excerpt} {article.text[:_LONGEST_BODY]}"):
        initials = "".join(word[0] for word in found[0].split() if word[0].isupper()).lower()
        if wanted in initials and "republic" not in found[0].lower():
            return True
    return False


def _sentence(sign: _Sign, signs: list[_Sign], index: Index) -> str:
    if sign.name.rule == "topic":
        return f'tagged "{sign.words}", a topic of {index.region_names[sign.region]}'
    place = shown(sign.name.place) if sign.name.rule in ("power", "city", "people") else ""
    meaning = f" ({place})" if place and place.lower() not in sign.words.lower() else ""
    if sign.where == "topics":
        return f'tagged "{sign.words}"{meaning}'
    if sign.where == "text":
        count = sum(s.where == "text" and s.region == sign.region for s in signs)
        return f'"{sign.words}"{meaning} in the text, which speaks of {index.region_names[sign.region]} {count} times'
    return f'"{sign.words}"{meaning} in the {_FIELD[sign.where]}'


__all__ = ["AREAS", "place"]
