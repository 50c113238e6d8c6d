"""How often an article is placed right: `python bench/placing.py LABELS FEEDS`.

LABELS is a table with tabs and a heading: feed_file (below FEEDS), entry_link_or_id, title, categories (joined by
" || "), regions, optional_regions, label_note. A table with only title, summary, categories, regions is placed without
feeds. `;` joins what is all required, `|` alternatives. A prediction is right if every required slot is hit and nothing
lies outside regions and optional_regions; no region at all is "global".

Printed are the accuracy, overall, by region and by the source of the evidence that decided, then each miss with its
evidence, beside two baselines: the configured topics only, and a plain search for the names of countries (pycountry).
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from digest.articles.blanket import without_blanket_categories
from digest.articles.cleaning import LeftOut, article_from
from digest.articles.gazetteer import areas_by_code
from digest.articles.model import GLOBAL, Article, Placement, Region
from digest.articles.places import place
from digest.config import load
from digest.feeds.child import parse_safely
from digest.feeds.model import Entry

CONFIG = Path(__file__).parent.parent / "config.toml"
NOW = datetime(2100, 1, 1, tzinfo=UTC)

Placing = Callable[[Article], Placement]


@dataclass(frozen=True, slots=True)
class Labelled:
    """An article with the regions that a person gave it: every slot must be hit, one of its names each."""

    article: Article
    slots: tuple[frozenset[str], ...]
    allowed: frozenset[str]
    label: str

    def is_right(self, placement: Placement) -> bool:
        found = set(placement.regions) or {GLOBAL}
        return all(found & slot for slot in self.slots) and found <= self.allowed


def labelled(labels: Path, feeds: Path | None, names: dict[str, str]) -> Iterator[Labelled]:
    """Each row of the table with its article. `names` gives the slug for a region's name."""
    with labels.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if "feed_file" in row and feeds is not None:
                article = _in_feed(feeds / row["feed_file"], row["entry_link_or_id"], row["title"])
            else:
                categories = tuple(filter(None, (row.get("categories") or "").split(" || ")))
                entry = Entry(
                    "x", "https://example.org/x", row["title"], row.get("summary") or "", categories=categories
                )
                article = _made(entry)
            if article is None:
                print(f"not found: {row['title']}", file=sys.stderr)
                continue
            slots = tuple(_slugs(slot.split("|"), names) for slot in row["regions"].split(";"))
            optional = _slugs(re.split(r"[;|]", row.get("optional_regions") or ""), names)
            yield Labelled(article, slots, frozenset().union(*slots) | optional, row["regions"])


def _slugs(found: list[str], names: dict[str, str]) -> frozenset[str]:
    return frozenset(names.get(name.strip().lower(), name.strip().lower()) for name in found if name.strip())


def _in_feed(path: Path, key: str, title: str) -> Article | None:
    entries = _entries(path)
    # One link can stand on two entries, and feeds in the wild have links that are none: the title decides then
    same = [
        e
        for e in entries
        if key in (e.id, e.link) or (e.link and urlsplit(e.link)._replace(scheme="", netloc="").geturl() == key)
    ]
    same = same or [e for e in entries if e.title.strip() == title.strip()]
    chosen = next((e for e in same if e.title.strip() == title.strip()), same[0] if same else None)
    return _made(chosen) if chosen else None


@cache
def _entries(path: Path) -> tuple[Entry, ...]:
    return without_blanket_categories(parse_safely(path.read_bytes(), {}, "https://feed.example.org/").entries)


def _made(entry: Entry) -> Article | None:
    made = article_from(entry, feed="", source="", role="articles", kinds={}, now=NOW)
    return None if isinstance(made, LeftOut) else made


def topics_only(article: Article, regions: tuple[Region, ...]) -> Placement:
    """The first baseline: a region where a topic is one of its own, or its name."""
    found = [r.slug for r in regions if {*r.topics, r.name.lower()} & set(article.topics)]
    return Placement(found[0], tuple(found)) if found else Placement()


def country_search(article: Article, regions: tuple[Region, ...]) -> Placement:
    """The second baseline: every name of a country in topics, headline and summary."""
    by_area = {slug: slug for slug in (r.slug for r in regions)}
    text = "\n".join((article.title, article.excerpt, *article.topics)).lower()
    hits = Counter(by_area[area] for name, area in _country_names() if area in by_area for _ in name.finditer(text))
    return Placement(next(iter(hits)), tuple(hits)) if hits else Placement()


@cache
def _country_names() -> tuple[tuple[re.Pattern[str], str], ...]:
    try:
        import pycountry  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        sys.exit("the search for names of countries needs pycountry: install the dev group of pyproject.toml")
    areas = areas_by_code()
    return tuple(
        (re.compile(rf"\b{re.escape(name.lower())}\b"), areas.get(country.alpha_2, ""))
        for country in pycountry.countries
        for name in sorted({country.name, getattr(country, "common_name", country.name)})
    )


def report(rows: list[Labelled], placing: Placing) -> int:
    """Prints the tables and the misses of one way of placing; how many are right."""
    by_region: Counter[str] = Counter()
    by_source: Counter[str] = Counter()
    right_by: Counter[tuple[str, str]] = Counter()
    misses = []
    for row in rows:
        found = placing(row.article)
        first = found.evidence[0] if found.evidence else None
        source = f"{first.where}, {first.rule}" if first else "nothing found"
        by_region[row.label] += 1
        by_source[source] += 1
        if row.is_right(found):
            right_by["region", row.label] += 1
            right_by["source", source] += 1
        else:
            misses.append((row, found))
    for heading, kind, counts in (("by region", "region", by_region), ("by evidence", "source", by_source)):
        print(f"\n{heading}")
        for name, count in counts.most_common():
            print(f"  {right_by[kind, name]:4} of {count:4}  {name}")
    print(f"\n{len(misses)} misses")
    for row, found in misses:
        placed = "; ".join(found.regions) or GLOBAL
        print(f"- {row.article.title}\n    wanted {row.label}, placed {placed}: {found.reason}")
        for e in found.evidence:
            print(f"      {e.region}: “{e.words}” ({e.where}, {e.rule})")
    return len(rows) - len(misses)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path, help="the table of labels")
    parser.add_argument("feeds", type=Path, nargs="?", help="the folder that its feed_file column counts from")
    arguments = parser.parse_args()
    regions = load(CONFIG, {}).region_list()
    names = {region.name.lower(): region.slug for region in regions}
    rows = list(labelled(arguments.labels, arguments.feeds, names))
    right = report(rows, lambda article: place(article, regions))
    print(f"\n{'placed':24}{_share(right, len(rows))}")
    for title, baseline in (("configured topics only", topics_only), ("search for countries", country_search)):
        right = sum(row.is_right(baseline(row.article, regions)) for row in rows)
        print(f"{title:24}{_share(right, len(rows))}")


def _share(right: int, of: int) -> str:
    return f"{right:4} of {of}  {right / of if of else 0:6.1%}"


if __name__ == "__main__":
    main()
