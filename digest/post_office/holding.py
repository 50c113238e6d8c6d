"""The rules that hold an edition, and the one place where they hold it, let it go, or take an approval back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from digest.app import App
from digest.editions import store as editions
from digest.editions.compose import too_small
from digest.editions.model import Edition
from digest.editions.store import EditionRow
from digest.post_office import feed_health, staff_mail, staff_words
from digest.post_office.content import content_hash


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an edition is held. `rule` stays the same while the sentence changes ("no good pull for 25 hours"), so that
    staff are told once."""

    rule: str
    sentence: str


UNAPPROVED = Reason("unapproved", "nobody has approved it")
"""The one hold that an approval ends without a reason of its own."""


def reasons(app: App, edition: Edition) -> list[Reason]:
    """Why this edition must not go by itself: a broken feed, or too few articles."""
    found = [
        Reason(feed_health.episode(app, state), f"{feed_health.name_of(state)}: {state.health.sentence}")
        for state in feed_health.broken(app)
    ]
    least = app.config.editions.minimum
    if edition.is_empty:
        found.append(Reason("minimum", "it has no article"))
    elif too_small(edition, least):
        count = len(edition.articles)
        few = f"it has {count} article{'' if count == 1 else 's'}, fewer than the {least} of [editions] minimum"
        found.append(Reason("minimum", few))
    return found


def hold(app: App, connection: Connection, row: EditionRow, why: Sequence[Reason]) -> EditionRow:
    """Hold it by a rule, and tell staff, once for the same rules. A person's own hold stays as it is."""
    said = [reason.sentence for reason in why]
    if editions.hold(connection, row.slug, "; ".join(said), app.now):
        key = f"{row.slug}-held-{' '.join(sorted(reason.rule for reason in why))}"
        staff_mail.tell(app, connection, "staff-held", key=key, context=staff_words.held(row, said))
    return fresh(connection, row.slug)


def look(app: App, slug: str) -> EditionRow:
    """Hold an open edition where a rule says so, release it where the rule no longer does; tell staff what is ready."""
    with app.database.begin() as connection:
        row = fresh(connection, slug)
        why = reasons(app, row.edition)
        if why and not row.override_reason:
            return hold(app, connection, row, why)
        if row.held_by_rule and not why:
            editions.release(connection, slug)
            row = fresh(connection, slug)
        if row.state == "draft":
            staff_mail.tell(app, connection, "staff-draft", key=f"{slug}-draft", context=staff_words.draft(app, row))
    return row


def approval_is_void(app: App, row: EditionRow) -> bool:
    """Whether what would go is no longer exactly what was approved: content, templates or settings have changed."""
    return row.approved_hash is not None and row.approved_hash != content_hash(app, row.edition)


def void(app: App, row: EditionRow) -> EditionRow:
    """Take back an approval that covers something else by now, and tell staff whose it was."""
    with app.database.begin() as connection:
        editions.void_approval(connection, row.slug)
        tell_void(app, connection, row, "the templates or the settings have changed")
        return fresh(connection, row.slug)


def tell_void(app: App, connection: Connection, row: EditionRow, because: str) -> None:
    """Tell staff, once for each approval, that it no longer holds; `row` as it was approved."""
    words = staff_words.notice(
        f"{row.slug} must be approved again",
        f"{row.approved_by} approved it, and since then {because}.",
        command=f"digest preview {row.slug} && digest approve {row.slug}",
    )
    staff_mail.tell(app, connection, "staff-notice", key=f"{row.slug}-void-{row.approved_at}", context=words)


def fresh(connection: Connection, slug: str) -> EditionRow:
    """The edition as it stands in this transaction."""
    row = editions.load(connection, slug)
    assert row is not None
    return row
