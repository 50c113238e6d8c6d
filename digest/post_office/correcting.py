"""Putting right what has gone out: a corrected edition, for those alone who have the faulty one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.engine import Connection

from digest.app import App
from digest.delivery import received
from digest.delivery import store as outbox
from digest.delivery.model import Status
from digest.editions import corrections
from digest.editions import store as editions
from digest.editions.amend import Amendments, amended
from digest.editions.approval import canonical_hash
from digest.editions.corrections import Correction
from digest.editions.model import Edition
from digest.editions.store import EditionRow
from digest.errors import RefusedError, UsageError
from digest.post_office import sending
from digest.post_office.content import content_hash, correction_rendition, rendition
from digest.post_office.mail import sender_domain
from digest.post_office.settling import SendReport
from digest.post_office.starting import EMPTY
from digest.rendering import store as renditions
from digest.rendering.model import Rendition
from digest.which import current


@dataclass(frozen=True, slots=True)
class Reach:
    """Who would get a correction: readers by subject, those whose mail is not another, those for whom it is empty."""

    readers: dict[str, int] = field(default_factory=dict)
    unchanged: int = 0
    empty: int = 0

    @property
    def total(self) -> int:
        return sum(self.readers.values())


def draft(app: App, slug: str | None, changes: Amendments, *, reason: str, by: str) -> Correction:
    """Lay the changes over what the edition is by now, or over the draft of a correction; nothing goes out.

    Raises RefusedError where the edition has not gone out, UsageError where nothing is said to be changed."""
    row = current(app, slug)
    if row.state not in ("sent", "sending", "paused"):
        raise RefusedError(f"{row.slug} is {row.state}: it has not gone out", mend=f"use `digest edit {row.slug}`")
    with app.database.begin() as connection:
        before = corrections.draft_of(connection, row.slug)
        if changes.empty and (before is None or not reason):
            raise UsageError(
                "nothing is said to be another", mend="give --drop, --title, --link, --excerpt or --introduction"
            )
        said = reason or (before.reason if before else "")
        if not said:
            raise UsageError("readers are told what was wrong", mend="give --reason TEXT")
        edition = amended(before.edition if before else edition_now(connection, row), changes)
        return corrections.save(connection, row.slug, edition, reason=said, by=by, at=app.now)


def drafted(app: App, slug: str | None) -> tuple[EditionRow, Correction]:
    """The edition, and the draft of its correction. Raises RefusedError where there is none."""
    row = current(app, slug)
    with app.database.read() as connection:
        found = corrections.draft_of(connection, row.slug)
    if found is None:
        raise RefusedError(f"{row.slug} has no draft of a correction", mend="make one: `digest correct --help`")
    return row, found


def discard(app: App, slug: str | None) -> str:
    """Forget the draft."""
    row, _ = drafted(app, slug)
    with app.database.begin() as connection:
        corrections.discard(connection, row.slug)
    return row.slug


def approve(app: App, slug: str | None) -> Correction:
    """A person's word for exactly this correction. Raises RefusedError where it is another by now."""
    _, found = drafted(app, slug)
    covered = covered_hash(app, found)
    with app.database.begin() as connection:
        if not corrections.approve(connection, found, covered):
            raise RefusedError(f"{found.key} has been changed meanwhile", mend="look at it again")
    return replace(found, approved_hash=covered)


def covered_hash(app: App, correction: Correction) -> str:
    """What an approval covers: the corrected content, and the words to the readers."""
    return canonical_hash({"edition": content_hash(app, correction.edition), "reason": correction.reason})


def reach(app: App, slug: str | None) -> tuple[Correction, Reach]:
    """Who would get the draft; nothing is written."""
    row, found = drafted(app, slug)
    readers: dict[str, int] = {}
    unchanged = empty = 0
    with app.database.read() as connection:
        for version in _versions(connection, row, before=found):
            for had, count in received.renditions(connection, version.key, later=version.later).items():
                answer = _answer(app, connection, version, found, had)
                if isinstance(answer, Rendition):
                    readers[answer.subject] = readers.get(answer.subject, 0) + count
                elif answer is None:
                    empty += count
                else:
                    unchanged += count
    return found, Reach(readers, unchanged, empty)


def send(app: App, slug: str | None, *, stop: threading.Event | None = None) -> SendReport:
    """Begin the correction, if it has not begun, and deliver it until nothing is due. Again is harmless."""
    app.refuse_unlawful()
    row = current(app, slug)
    with app.database.read() as connection:
        waiting = corrections.draft_of(connection, row.slug)
        gone = corrections.in_force(connection, row.slug)
    if waiting is not None:
        start(app, row, waiting)
        gone = waiting
    if gone is None:
        raise RefusedError(f"{row.slug} has no correction", mend="make one: `digest correct --help`")
    return sending.deliver_all(app, row.slug, gone.key, stop=stop or threading.Event())


def start(app: App, row: EditionRow, correction: Correction) -> int:
    """Its deliveries, in one transaction: one for each reader who has, or may have, a faulty mail that is another now.

    Exactly one process wins; the others get RefusedError. Returns how many readers it goes to."""
    if correction.approved_hash is None and not app.approves_itself:
        raise RefusedError(
            f"{correction.key} is not approved", mend=f"look at it, then `digest correct {row.slug} --approve`"
        )
    if correction.approved_hash not in (None, covered_hash(app, correction)):
        raise RefusedError(
            f"{correction.key} is not what was approved: the templates or the settings have changed since",
            mend=f"look at it, then `digest correct {row.slug} --approve` again",
        )
    _ = app.keys
    now = app.now
    with app.database.begin() as connection:
        if not corrections.begin(connection, correction, at=now):
            raise RefusedError(f"{correction.key} has been started, or changed, meanwhile")
        state = editions.head_of(connection, row.slug).state
        if state != "sent":
            raise RefusedError(f"{row.slug} is {state}", mend=f"let it end first, or `digest stop {row.slug}`")
        written = 0
        for version in _versions(connection, row, before=correction):
            answers: dict[str, str | None] = {}
            for had in received.renditions(connection, version.key, later=version.later):
                made = _answer(app, connection, version, correction, had)
                answers[had] = _attach(app, connection, row.slug, made) if isinstance(made, Rendition) else made
            rows = _deliveries(connection, version, correction.key, answers)
            written += outbox.enqueue(connection, rows, domain=sender_domain(app), now=now)
        _put_into_archive(app, connection, row, correction)
        if not written:
            raise RefusedError(f"{correction.key} changes nothing that anybody has got")
        editions.reopen(connection, row.slug)
    return written


def _put_into_archive(app: App, connection: Connection, row: EditionRow, correction: Correction) -> None:
    """Every choice that the archive has a page for: also one whose readers have all gone since."""
    latest = _versions(connection, row, before=correction)[-1]
    for had in renditions.for_edition(connection, row.slug).values():
        made = _answer(app, connection, latest, correction, had)
        if isinstance(made, Rendition):
            _attach(app, connection, row.slug, made)


def _attach(app: App, connection: Connection, slug: str, made: Rendition) -> str:
    """Kept, and what the archive shows for its choice of regions from now on."""
    return renditions.attach(connection, slug, made, now=app.now)


def _deliveries(
    connection: Connection, version: Version, key: str, answers: dict[str, str | None]
) -> Iterator[outbox.NewDelivery]:
    for subscriber, address, had in received.readers(connection, version.key, later=version.later):
        hash_ = answers[had]
        if hash_ == _SAME:
            continue
        yield outbox.NewDelivery(
            mail="digest",
            key=key,
            address=address,
            subscriber=subscriber,
            rendition=hash_ or "",
            status=Status.PENDING if hash_ else Status.EXCLUDED,
            reason="" if hash_ else EMPTY,
        )


_SAME = "same"


@dataclass(frozen=True, slots=True)
class Version:
    """What an edition was at one time: the key it went by, its content, and the keys that came after."""

    key: str
    edition: Edition
    later: tuple[str, ...]


def _versions(connection: Connection, row: EditionRow, *, before: Correction) -> list[Version]:
    gone = [one for one in corrections.every(connection, row.slug) if one.number < before.number]
    content = [(row.slug, row.edition), *((one.key, one.edition) for one in gone)]
    keys = [key for key, _ in content]
    return [Version(key, edition, tuple(keys[at + 1 :])) for at, (key, edition) in enumerate(content)]


def _answer(
    app: App, connection: Connection, version: Version, correction: Correction, had: str
) -> Rendition | str | None:
    """The corrected mail for whoever has that rendition; "same" where nothing in theirs is another, None where it would
    be empty.

    Both are rendered as of now, so that a changed template alone corrects nobody."""
    regions = renditions.load(connection, had).regions
    before, after = rendition(app, version.edition, regions), rendition(app, correction.edition, regions)
    if after is None:
        return None
    if before is not None and before.hash == after.hash:
        return _SAME
    return correction_rendition(app, correction.edition, correction.reason, regions)


def preview_of(app: App, slug: str | None, regions: tuple[str, ...] = ()) -> tuple[EditionRow, Rendition]:
    """The draft of the correction as a reader of these regions would get it."""
    row, found = drafted(app, slug)
    made = correction_rendition(app, found.edition, found.reason, regions)
    if made is None:
        raise RefusedError(f"{found.key} has no article for {', '.join(regions) or 'anybody'}")
    return replace(row, edition=found.edition), made


def page_of(app: App, connection: Connection, row: EditionRow, regions: tuple[str, ...]) -> Rendition | None:
    """An edition as it is by now, for a choice of regions that nobody was sent."""
    found = corrections.in_force(connection, row.slug)
    before = rendition(app, row.edition, regions)
    if found is None:
        return before
    after = rendition(app, found.edition, regions)
    same = before is not None and after is not None and before.hash == after.hash
    return before if same else correction_rendition(app, found.edition, found.reason, regions)


def edition_now(connection: Connection, row: EditionRow) -> Edition:
    """What an edition is by now: as it was last corrected."""
    found = corrections.in_force(connection, row.slug)
    return found.edition if found else row.edition


def summary(app: App, found: Correction, whom: Reach) -> dict[str, Any]:
    """The shape of `digest correct --json`."""
    return {
        "correction": found.key,
        "reason": found.reason,
        "approved": found.approved_hash is not None and found.approved_hash == covered_hash(app, found),
        "readers": whom.readers,
        "unchanged": whom.unchanged,
        "empty": whom.empty,
    }
