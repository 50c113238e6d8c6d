"""The pure heart: articles in, an edition out. No clock, no database; the order of the input never shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from digest.articles.model import GLOBAL, Article, Placement, Region
from digest.editions.focus import matches
from digest.editions.model import Edition, Event, Focus, Overlay, Period, Pin, Placed, Section, Waiting
from digest.editions.order import newest, once, pin_rank, turn

HEADINGS: Mapping[str, str] = {
    "focus": "This Month’s Focus",
    "global": "Global",
    "pinned": "What to Watch",
    "events": "Key Events",
    "reading": "Further Reading",
}
"""English headings by section; `focus` is the small line above the focus' own title."""


def compose(
    articles: Sequence[Article],
    *,
    place: Callable[[Article], Placement],
    period: Period,
    focus: Focus | None,
    regions: Sequence[Region],
    overlay: Overlay | None = None,
    section_limit: int = 8,
    focus_limit: int | None = None,
    pins: Iterable[Pin] = (),
    events: Iterable[Event] = (),
    event_days: int = 28,
    reading: Iterable[Article] = (),
    reading_limit: int = 8,
    reading_per_source: int = 2,
    waited: Collection[str] = (),
    headings: Mapping[str, str] = HEADINGS,
) -> Edition:
    """Each article in one place, with its reason: the focus before its region, an editor's hand before both.

    Sections stand in the order focus, regions as configured, global, pinned, events, reading; empty ones are
    dropped. In a section come the pinned first, then the newest; the feed's order decides ties. An article
    over the focus limit stands in its region, one over both waits. `waited`: the ids that could have stood in
    an earlier edition; they are let in before newer ones, the longest waiting first, so that none waits for
    ever. `articles` are ours, `reading` are partners'. A `focus_limit` of None is that of any section."""
    overlay = overlay or Overlay()
    titles = {**HEADINGS, **headings}
    names = {region.slug: region.name for region in regions} | {GLOBAL: titles["global"]}
    ours = once(articles)
    our_ids = {article.id for article in ours}
    partners = [article for article in once(reading) if article.id not in our_ids]

    candidates = [_decide(a, place(a), focus, names, overlay) for a in ours if a.id not in overlay.excluded]
    candidates.sort(key=lambda c: (not c.by_hand, *turn(c.article, waited)))
    limits = dict.fromkeys(names, section_limit)
    limits["focus"] = section_limit if focus_limit is None else focus_limit
    standing, left_over = _choose(candidates, limits, names)

    def stand(slug: str) -> tuple[Placed, ...]:
        here = sorted(standing[slug], key=lambda c: (*pin_rank(c.article, overlay), *newest(c.article)))
        return tuple(Placed(_edit(c.article, overlay), c.reason, c.regions, c.pinned) for c in here)

    sections = [
        *([_focus_section(focus, titles["focus"], stand("focus"))] if focus else []),
        *(Section(r.slug, r.name, "region", r.link, articles=stand(r.slug)) for r in regions),
        Section(GLOBAL, titles["global"], "global", articles=stand(GLOBAL)),
        Section("pinned", titles["pinned"], "pinned", pins=_pins_on(period.day, pins)),
        Section("events", titles["events"], "events", events=_events_from(period.day, events, event_days)),
        Section(
            "reading",
            titles["reading"],
            "reading",
            articles=tuple(_read(partners, overlay, reading_limit, reading_per_source)),
        ),
    ]
    excluded = [a for a in (*ours, *partners) if a.id in overlay.excluded]
    return Edition(
        day=period.day,
        sections=tuple(s for s in sections if s.articles or s.events or s.pins),
        focus=focus,
        introduction=overlay.introduction,
        waiting=(
            *(Waiting(_edit(c.article, overlay), why) for c, why in left_over),
            *(Waiting(_edit(a, overlay), "an editor excluded it from this edition") for a in excluded),
        ),
    )


def too_small(edition: Edition, minimum: int) -> str | None:
    """Why the edition is held back: fewer articles of our own than it must have. None where it has enough."""
    count = len(edition.articles)
    if count >= minimum:
        return None
    return f"it has {count} article{'' if count == 1 else 's'}, and the minimum is {minimum}"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An article and what was decided about it so far. `by_hand`: an editor's; no limit holds it."""

    article: Article
    region: str
    reason: str
    regions: tuple[str, ...]
    focus_reason: str | None
    by_hand: bool
    pinned: bool


def _decide(
    article: Article, placement: Placement, focus: Focus | None, names: Mapping[str, str], overlay: Overlay
) -> _Candidate:
    pinned = article.id in overlay.pinned
    region, reason = placement.region, placement.reason
    if region not in names:
        region, reason = GLOBAL, f"its region, {region}, is not one of this publication's"
    why = matches(article, focus) if focus else None
    decided = _Candidate(
        article, region, reason, tuple(r for r in placement.regions if r in names), why, pinned, pinned
    )
    moved = overlay.moved.get(article.id, "")
    if moved == "focus" and focus:
        return replace(decided, focus_reason="an editor moved it to the focus", by_hand=True)
    if moved in names:
        said = f"an editor moved it to {names[moved]}"
        return replace(decided, region=moved, reason=said, focus_reason=None, by_hand=True)
    return decided


def _choose(
    candidates: Iterable[_Candidate], limits: Mapping[str, int], names: Mapping[str, str]
) -> tuple[dict[str, list[_Candidate]], list[tuple[_Candidate, str]]]:
    """Who stands where, in the order given, until a section is full; and who waits, with the reason."""
    standing: dict[str, list[_Candidate]] = {slug: [] for slug in limits}
    left_over: list[tuple[_Candidate, str]] = []
    for candidate in candidates:
        full: list[str] = []
        for slug, reason in _wishes(candidate):
            if candidate.by_hand or len(standing[slug]) < limits[slug]:
                said = f"the focus was full; {reason}" if full else reason
                standing[slug].append(replace(candidate, reason=said))
                break
            full.append("the focus" if slug == "focus" else names[slug])
        else:
            were = "was" if len(full) == 1 else "were"
            left_over.append((candidate, f"{' and '.join(full)} {were} full; it waits for the next edition"))
    return standing, left_over


def _wishes(candidate: _Candidate) -> Iterator[tuple[str, str]]:
    if candidate.focus_reason:
        yield "focus", candidate.focus_reason
    yield candidate.region, candidate.reason


def _focus_section(focus: Focus, kicker: str, articles: tuple[Placed, ...]) -> Section:
    return Section("focus", focus.title, "focus", focus.link, focus.introduction, articles=articles, kicker=kicker)


def _read(articles: Iterable[Article], overlay: Overlay, limit: int, per_source: int) -> Iterator[Placed]:
    """Partners' pieces, the newest first: so many of a source, so many in all; a pin is over both."""
    taken: dict[str, int] = {}
    for article in sorted(articles, key=lambda a: (*pin_rank(a, overlay), *newest(a))):
        pinned = article.id in overlay.pinned
        source = article.source or article.feed
        has_room = sum(taken.values()) < limit and taken.get(source, 0) < per_source
        if article.id not in overlay.excluded and (pinned or has_room):
            taken[source] = taken.get(source, 0) + 1
            yield Placed(_edit(article, overlay), f"further reading, from {source}", (), pinned)


def _pins_on(day: date, pins: Iterable[Pin]) -> tuple[Pin, ...]:
    return tuple(p for p in pins if (p.first is None or p.first <= day) and (p.last is None or day <= p.last))


def _events_from(day: date, events: Iterable[Event], days: int) -> tuple[Event, ...]:
    coming = {event for event in events if 0 <= (event.day - day).days < days}
    return tuple(sorted(coming, key=lambda e: (e.day, e.title, e.link)))


def _edit(article: Article, overlay: Overlay) -> Article:
    title = overlay.titles.get(article.id, "").strip() or article.title
    return replace(article, title=title, excerpt=overlay.excerpts.get(article.id, article.excerpt))
