"""Approval is of what is sent: promise 5."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from digest.app import App
from digest.errors import RefusedError
from digest.newsroom import drafts, editing
from digest.newsroom.editing import Changes
from digest.post_office import sending
from tests.support.house import House, house
from tests.support.stories import (
    AUTOMATIC,
    COMPOSE,
    DEADLINE,
    EDITION,
    MINUTE,
    SEND,
    another_app,
    digests,
    pull,
    ring,
    row,
    titles,
    words_to_staff,
)


def _templates(folder: Path, comment: str) -> Mapping[str, Any]:
    """A folder of the operator's own templates with one file of the digest in it."""
    own = folder / "own" / "email" / "digest"
    own.mkdir(parents=True, exist_ok=True)
    bundled = Path(__file__).parents[2] / "templates" / "email" / "digest" / "body.txt"
    (own / "body.txt").write_text(bundled.read_text() + comment)
    return {"templates": {"folder": str(folder / "own")}}


def _approved(h: House, app: App | None = None) -> None:
    h.subscribe(("all@example.org", ()))
    h.publish(*(h.article(n, title=f"Case {n} at the port") for n in range(3)))
    h.clock.now = COMPOSE
    h.pull()
    drafts.compose_draft(app or h.app)
    editing.approve(app or h.app, EDITION, by="Ada")
    assert row(h).state == "approved"


def test_an_edit_voids_the_approval(tmp_path: Path, database_url: str) -> None:
    """An overlay laid over an approved edition makes it a draft again, and `send` refuses it."""
    with house(tmp_path, database_url=database_url) as h:
        _approved(h)
        assert editing.edit(h.app, EDITION, Changes(titles={"Case 1 at the port": "Other"}), by="Bo").voided
        assert row(h).state == "draft"
        assert row(h).voided_by == "Ada"
        with pytest.raises(RefusedError, match="not approved"):
            h.send(EDITION)
        assert digests(h) == {}


def test_an_edit_that_changes_nothing_voids_nothing(tmp_path: Path) -> None:
    """Composing again with nothing new leaves the approval standing."""
    with house(tmp_path) as h:
        _approved(h)
        h.pull()
        assert not drafts.compose_draft(h.app).voided
        assert row(h).state == "approved"


@pytest.mark.parametrize("what", ["a template", "a setting"])
def test_changed_templates_and_settings_void_it(tmp_path: Path, what: str) -> None:
    """A changed template, or setting that reaches the mail, voids the approval; `send` refuses and staff are told."""
    with house(tmp_path) as h:
        _approved(h)
        changes = _templates(tmp_path, "\nMore.\n") if what == "a template" else {"design": {"accent": "#7a1f1f"}}
        changed = another_app(h, changes)
        with pytest.raises(RefusedError, match="not what was approved"):
            sending.send(changed, EDITION, now=True)
        assert row(h).state == "draft"
        assert digests(h) == {}
        assert f"{EDITION} must be approved again" in words_to_staff(h, app=changed)
        editing.approve(changed, EDITION, by="Bo")
        assert sending.send(changed, EDITION, now=True).finished
        assert set(digests(h)) == {"all@example.org"}


def test_the_clock_takes_a_void_approval_back_at_once(tmp_path: Path) -> None:
    """The next look of the clock, not the send moment, shows that an approval no longer holds; told once."""
    with house(tmp_path) as h:
        _approved(h)
        changed = another_app(h, {"design": {"accent": "#7a1f1f"}})
        assert ring(h, COMPOSE + MINUTE, changed) == [f"voided {EDITION}"]
        assert ring(h, COMPOSE + 2 * MINUTE, changed) == []
        assert row(h).state == "draft"
        assert words_to_staff(h).count(f"{EDITION} must be approved again") == 1


def test_a_link_that_moved_voids_it(tmp_path: Path) -> None:
    """A page moved after the approval: the draft links to where it is now, the approval is void, staff are told why."""
    with house(tmp_path) as h:
        _approved(h)
        moved = "https://observatory.example.org/new/1/"
        h.items[1] = h.article(1, title="Case 1 at the port", link=moved)
        h.serve_feed()
        pull(h, COMPOSE + MINUTE)
        assert (row(h).state, row(h).voided_by) == ("draft", "Ada")
        assert moved in [placed.article.link for placed in row(h).edition.articles]
        assert f"{EDITION} must be approved again" in words_to_staff(h)
        editing.approve(h.app, EDITION, by="Ada")
        pull(h, SEND - MINUTE)
        ring(h, SEND)
        assert moved in digests(h)["all@example.org"].text


def test_a_feeds_edit_is_only_offered(tmp_path: Path) -> None:
    """A headline that the feed changed after the approval changes nothing of it, until `compose` takes it."""
    with house(tmp_path) as h:
        _approved(h)
        h.items[1] = h.article(1, title="Case 1, told anew")
        h.serve_feed()
        pull(h, COMPOSE + MINUTE)
        assert row(h).state == "approved"
        assert "Case 1 at the port" in titles(row(h))
        assert drafts.compose_draft(h.app).voided
        assert "Case 1, told anew" in titles(row(h))


def test_a_setting_that_does_not_reach_the_mail_voids_nothing(tmp_path: Path) -> None:
    """Another number of connections is no other mail."""
    with house(tmp_path) as h:
        _approved(h)
        other = another_app(h, {"smtp": {"connections": 1}, "fetching": {"timeout": "30s"}})
        ring(h, SEND, other)
        assert row(h).state == "sent"


def test_unapproved_is_held_and_staff_are_told(tmp_path: Path, database_url: str) -> None:
    """At the send moment an edition that nobody approved is held, and staff are told why, once."""
    with house(tmp_path, database_url=database_url) as h:
        h.subscribe(("all@example.org", ()))
        h.publish(*(h.article(n) for n in range(3)))
        pull(h, COMPOSE)
        ring(h, COMPOSE)
        ring(h, SEND)
        assert row(h).state == "held"
        assert "nobody has approved it" in row(h).held_reason
        for hours in range(1, 4):
            pull(h, SEND + timedelta(hours=hours))
            ring(h, SEND + timedelta(hours=hours))
        assert row(h).state == "held"
        assert digests(h) == {}
        assert sum(subject.startswith("Held:") for subject in words_to_staff(h)) == 1


def test_approved_late_but_in_time_it_goes(tmp_path: Path, database_url: str) -> None:
    """Approved after the send moment and before the deadline, without any reason, it goes at the next ring."""
    with house(tmp_path, database_url=database_url) as h:
        h.subscribe(("all@example.org", ()))
        h.publish(*(h.article(n) for n in range(3)))
        pull(h, COMPOSE)
        ring(h, COMPOSE)
        ring(h, SEND)
        pull(h, DEADLINE - timedelta(hours=1))
        editing.approve(h.app, None, by="Ada")
        ring(h, DEADLINE - MINUTE)
        assert row(h).state == "sent"
        assert set(digests(h)) == {"all@example.org"}


def test_a_hold_is_overridden_by_name_and_with_a_reason(tmp_path: Path) -> None:
    """A held edition is approved only with a reason; then it goes, whatever rule held it."""
    with house(tmp_path) as h:
        h.subscribe(("all@example.org", ()))
        h.publish(h.article(1))
        pull(h, COMPOSE)
        ring(h, COMPOSE)
        assert row(h).state == "held"
        with pytest.raises(RefusedError, match="reason"):
            editing.approve(h.app, EDITION, by="Ada")
        with pytest.raises(RefusedError, match="held"):
            h.send(EDITION)
        editing.approve(h.app, EDITION, by="Ada", reason="one, but what a one")
        assert (row(h).approved_by, row(h).override_reason) == ("Ada", "one, but what a one")
        pull(h, SEND - MINUTE)
        ring(h, SEND)
        assert set(digests(h)) == {"all@example.org"}


def test_a_persons_hold_stays_until_a_person_ends_it(tmp_path: Path) -> None:
    """What an editor holds no pull and no ring lets go; an approval with a reason does."""
    with house(tmp_path) as h:
        _approved(h)
        editing.hold(h.app, EDITION, by="Bo", reason="wait for the lawyers")
        for at in (COMPOSE + MINUTE, SEND, SEND + MINUTE):
            pull(h, at)
            ring(h, at)
        assert (row(h).state, row(h).held_reason) == ("held", "by Bo: wait for the lawyers")
        editing.approve(h.app, EDITION, by="Bo", reason="they agree")
        ring(h, SEND + 2 * MINUTE)
        assert row(h).state == "sent"


def test_automatic_approval_needs_no_word(tmp_path: Path) -> None:
    """Where approval is automatic the edition goes at its moment, even when a template changed since the draft."""
    with house(tmp_path, changes=AUTOMATIC) as h:
        h.subscribe(("all@example.org", ()))
        h.publish(*(h.article(n) for n in range(3)))
        pull(h, COMPOSE)
        ring(h, COMPOSE)
        assert row(h).state == "draft"
        changed = another_app(h, {**AUTOMATIC, **_templates(tmp_path, "\nA last line.\n")})
        ring(h, SEND, changed)
        assert row(h).state == "sent"
        assert "A last line." in digests(h)["all@example.org"].text


def test_send_refuses_before_its_moment_and_after_its_deadline(tmp_path: Path) -> None:
    """Without --now an approved edition goes neither early nor late."""
    with house(tmp_path) as h:
        _approved(h)
        with pytest.raises(RefusedError, match="goes on Friday 27 November at 09:00"):
            sending.send(h.app, EDITION)
        h.clock.now = DEADLINE + MINUTE
        with pytest.raises(RefusedError, match="deadline"):
            sending.send(h.app, EDITION)
        assert digests(h) == {}
        pull(h, DEADLINE)
        assert sending.send(h.app, EDITION).finished
