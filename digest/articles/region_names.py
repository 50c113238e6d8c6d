"""Which places belong to which of a publication's regions: by their topics, by their names, by default."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from digest.articles.gazetteer import NOWHERE, Name, areas_by_code, names, namesakes, phrase
from digest.articles.mentions import NAMESAKE, STEMS
from digest.articles.model import Region

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


@dataclass(frozen=True, slots=True)
class Index:
    """The names by their first word, longest first, and what belongs to which region (a slug; "" is none of ours)."""

    names: dict[str, tuple[Name, ...]]
    topics: dict[tuple[str, ...], str]
    order: dict[str, int]
    region_names: dict[str, str]
    by_place: dict[str, str]
    by_area: dict[str, str]

    def region(self, name: Name) -> str:
        """Where a name belongs: by a configured topic of these very words, by its country, or by its area."""
        return self.topics.get(name.words) or self.region_of(name.place, name.area)

    def region_of(self, code: str, area: str) -> str:
        """Where a country belongs, given by its code; the area where the code is none."""
        return self.by_place.get(code) or self.by_area.get(areas_by_code().get(code, area), "")


@lru_cache(maxsize=64)
def index_of(regions: tuple[Region, ...], languages: tuple[str, ...]) -> Index:
    """What is known of these regions, with names in English and these languages."""
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
    known = [name for language in ("en", *languages) for name in names(language)]
    # A configured topic that names a country takes along every other name of that country
    by_place.update((name.place, topics[name.words]) for name in known if name.words in topics and name.rule != "area")
    rows = known + [Name(n.words, " ".join(n.words), "", NAMESAKE) for n in namesakes()]
    have = {name.words for name in rows}
    rows += [Name(words, " ".join(words), slug, "topic word") for words, slug in topics.items() if words not in have]
    by_first: dict[str, list[Name]] = defaultdict(list)
    for name in sorted(rows, key=lambda name: -len(name.words)):
        by_first[name.words[0]].append(name)
    if any(name.stem for name in known):
        by_first[STEMS] = []
    return Index(
        {word: tuple(rows) for word, rows in by_first.items()},
        topics,
        {region.slug: position for position, region in enumerate(regions)},
        {region.slug: region.name for region in regions},
        by_place,
        by_area,
    )


__all__ = ["NOWHERE", "Index", "index_of"]
