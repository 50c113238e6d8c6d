"""The editor's hand: arranging a draft, approving, holding, skipping it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sqlalchemy.engine import Connection

from digest.app import App
from digest.articles import store as articles
from digest.editions import store as editions
from digest.editions.model import Overlay
from digest.editions.store import EditionRow
from digest.errors import NotFoundError, RefusedError, UsageError
from digest.logger import Logger
from digest.newsroom.drafts import Drafted, arranged
from digest.post_office import holding
from digest.post_office.content import content_hash
from digest.which import current

log = Logger("digest.newsroom")


@dataclass(frozen=True, slots=True)
class Changes:
    """What an editor asks for. Articles are named by id, link or words of the title."""

    pin: tuple[str, ...] = ()
    unpin: tuple[str, ...] = ()
    move: dict[str, str] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    titles: dict[str, str] = field(default_factory=dict)
    excerpts: dict[str, str] = field(default_factory=dict)
    introduction: str | None = None


def edit(app: App, slug: str | None, changes: Changes, *, by: str) -> Drafted:
    """Lay the changes over the draft and compose it anew. Raises UsageError for an unknown section, NotFoundError or
    RefusedError for an article that cannot be told; nothing is changed then."""
    row = current(app, slug)
    sections = {"focus", *app.publication.region_names}
    for section in changes.move.values():
        if section not in sections:
            raise UsageError(f"there is no section {section!r}", mend=f"the sections are {', '.join(sorted(sections))}")
    with app.database.begin() as connection:
        overlay = _laid_over(connection, row.overlay, changes)
        dropped = _ids(connection, changes.drop)
        for article in dropped:
            articles.drop(connection, article, by, app.now)
        editions.set_overlay(connection, row.slug, overlay)
        kept = replace(row, material=tuple(a for a in row.material if a.id not in dropped))
        saved = arranged(app, connection, kept, overlay)
    return Drafted(holding.look(app, row.slug), saved.voided)


def _laid_over(connection: Connection, overlay: Overlay, changes: Changes) -> Overlay:
    pinned = [i for i in overlay.pinned if i not in _ids(connection, changes.unpin)]
    pinned += [i for i in _ids(connection, changes.pin) if i not in pinned]
    return replace(
        overlay,
        introduction=overlay.introduction if changes.introduction is None else changes.introduction,
        pinned=tuple(pinned),
        moved=overlay.moved | {_id(connection, a): section for a, section in changes.move.items()},
        excluded=(overlay.excluded | set(_ids(connection, changes.exclude))) - set(_ids(connection, changes.include)),
        titles=overlay.titles | {_id(connection, a): text for a, text in changes.titles.items()},
        excerpts=overlay.excerpts | {_id(connection, a): text for a, text in changes.excerpts.items()},
    )


def _ids(connection: Connection, names: Iterable[str]) -> list[str]:
    return [_id(connection, name) for name in names]


def _id(connection: Connection, name: str) -> str:
    found = articles.find(connection, name)
    if not found:
        raise NotFoundError(f"no article has the id, the link or the words {name!r}", mend="look at `digest show`")
    if len(found) > 1:
        raise RefusedError(
            f"{name!r} may be {len(found)} articles",
            mend=f"name one by its id: {', '.join(a.id for a in found[:5])}",
        )
    return found[0].id


def approve(app: App, slug: str | None, *, by: str, reason: str = "") -> EditionRow:
    """Approve the exact content as it stands. A held edition needs a reason, unless it waits for nothing but this word.

    Raises RefusedError where the state, or an empty edition, forbids it."""
    row = current(app, slug)
    if row.edition.is_empty:
        raise RefusedError(f"{row.slug} has no article to approve", mend="`digest compose` again after a pull")
    with app.database.begin() as connection:
        if row.held_by_rule and row.held_reason == holding.UNAPPROVED.sentence:
            editions.release(connection, row.slug)
        if content_hash(app, row.edition) != row.content_hash:  # templates or settings have changed since
            arranged(app, connection, row, row.overlay)
        fresh = holding.fresh(connection, row.slug)
        editions.approve(connection, row.slug, content_hash=fresh.content_hash, by=by, at=app.now, reason=reason)
        return holding.fresh(connection, row.slug)


def hold(app: App, slug: str | None, *, by: str, reason: str = "") -> EditionRow:
    """Hold an edition until somebody approves it; one that is going is paused."""
    row = current(app, slug)
    said = f"by {by}" + (f": {reason}" if reason else "")
    with app.database.begin() as connection:
        if row.state == "sending":
            editions.pause(connection, row.slug, reason=said, at=app.now)
        else:
            editions.hold(connection, row.slug, said, app.now, by=by)
        return holding.fresh(connection, row.slug)


def skip(app: App, slug: str | None, *, by: str) -> EditionRow:
    """A week without this edition; its articles are free for the next one."""
    row = current(app, slug)
    with app.database.begin() as connection:
        editions.skip(connection, row.slug, app.now)
        log.info("skip", edition=row.slug, by=by)
        return holding.fresh(connection, row.slug)
