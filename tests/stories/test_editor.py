"""An editor's hand outlives the feed: promise 4."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.editions.model import Overlay
from digest.errors import NotFoundError, RefusedError, UsageError
from digest.newsroom import drafts, editing
from digest.newsroom.editing import Changes
from digest.newsroom.explain import explain
from tests.support.house import House, house
from tests.support.stories import (
    AUTOMATIC,
    COMPOSE,
    EDITION,
    NEXT,
    SEND,
    WEEK,
    digests,
    pull,
    ring,
    row,
    section_of,
    titles,
)


def _drafted(h: House) -> None:
    h.publish(*(h.article(n, title=f"Letter {n} from the coast") for n in range(5)))
    h.publish(h.article(9, title="Letter from the delta", region="asia"))
    h.pull()
    drafts.compose_draft(h.app)


def _edited(h: House, **changes: object) -> None:
    editing.edit(h.app, EDITION, Changes(**changes), by="Ada")  # type: ignore[arg-type]


def test_pulling_again_undoes_nothing(tmp_path: Path, database_url: str) -> None:
    """Pins, moves, headlines, excerpts, introduction: all stand after the feed has changed and a new `compose`."""
    with house(tmp_path, database_url=database_url) as h:
        h.subscribe(("all@example.org", ()))
        _drafted(h)
        _edited(
            h,
            pin=("Letter 4 from the coast",),
            move={"Letter from the delta": "europe"},
            titles={"Letter 1 from the coast": "What the coast wrote"},
            excerpts={"Letter 2 from the coast": "An excerpt of our own."},
            introduction="Good morning from the newsroom.",
        )
        h.items[4] = h.article(1, title="Letter 1 from the coast", description="The feed says something else now.")
        h.publish(h.article(20, title="A new letter"))
        h.pull()
        found = drafts.compose_draft(h.app).row
        africa = next(s for s in found.edition.sections if s.slug == "africa")
        assert africa.articles[0].article.title == "Letter 4 from the coast"
        assert africa.articles[0].pinned
        assert section_of(found, "Letter from the delta") == "europe"
        assert "What the coast wrote" in titles(found)
        assert "Letter 1 from the coast" not in titles(found)
        assert "A new letter" in titles(found)
        assert any(p.article.excerpt == "An excerpt of our own." for p in found.edition.articles)
        editing.approve(h.app, EDITION, by="Ada")
        h.send()
        text = digests(h)["all@example.org"].text
        assert "Good morning from the newsroom." in text
        assert "What the coast wrote" in text
        assert "Letter 1 from the coast" not in text


def test_explain_tells_the_editors_hand(tmp_path: Path) -> None:
    """Where an editor moved an article, `explain` says so."""
    with house(tmp_path) as h:
        _drafted(h)
        _edited(h, move={"Letter from the delta": "focus"})
        assert section_of(row(h), "Letter from the delta") == "focus"
        assert "an editor moved it to the focus" in explain(h.app, "Letter from the delta")[0]["sentence"]


def test_excluded_comes_next_week_and_dropped_never(tmp_path: Path, database_url: str) -> None:
    """An excluded article is in the next edition; a dropped one in none, whatever is pulled."""
    with house(tmp_path, database_url=database_url, changes=AUTOMATIC) as h:
        _drafted(h)
        _edited(h, exclude=("Letter 1 from the coast",), drop=("Letter 2 from the coast",))
        assert not {"Letter 1 from the coast", "Letter 2 from the coast"} & set(titles(row(h)))
        h.pull()
        drafts.compose_draft(h.app)
        assert not {"Letter 1 from the coast", "Letter 2 from the coast"} & set(titles(row(h)))
        assert "Ada dropped it for good" in explain(h.app, "Letter 2 from the coast")[0]["sentence"]
        ring(h, SEND)
        h.publish(*(h.article(30 + n, region="asia") for n in range(3)))
        pull(h, COMPOSE + WEEK)
        ring(h, SEND + WEEK)
        assert "Letter 1 from the coast" in titles(row(h, NEXT))
        assert "Letter 2 from the coast" not in titles(row(h, NEXT))


def test_an_edit_can_be_taken_back(tmp_path: Path) -> None:
    """Unpin and include put things where they were."""
    with house(tmp_path) as h:
        _drafted(h)
        before = titles(row(h))
        _edited(h, pin=("Letter 4 from the coast",), exclude=("Letter 0 from the coast",))
        assert titles(row(h)) != before
        _edited(h, unpin=("Letter 4 from the coast",), include=("Letter 0 from the coast",))
        assert titles(row(h)) == before


def test_no_article_enters_while_the_draft_is_arranged(tmp_path: Path) -> None:
    """After `compose`, a pull and an edit bring no new article into the draft, and no new text either."""
    with house(tmp_path) as h:
        _drafted(h)
        h.items[1] = h.article(4, title="Letter 4, edited later")
        h.publish(h.article(20, title="A new letter"))
        h.pull()
        _edited(h, introduction="A word.")
        assert "A new letter" not in titles(row(h))
        assert "Letter 4, edited later" not in titles(row(h))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"move": {"Letter from the delta": "atlantis"}}, UsageError),
        ({"pin": ("no such thing at all",)}, NotFoundError),
        ({"pin": ("Letter",)}, RefusedError),
    ],
)
def test_a_wrong_edit_changes_nothing(tmp_path: Path, changes: dict[str, object], error: type[Exception]) -> None:
    """An unknown section, an unknown article, words that fit several: one error, and the draft as it was."""
    with house(tmp_path) as h:
        _drafted(h)
        before = row(h)
        with pytest.raises(error):
            _edited(h, introduction="Lost", **changes)
        assert row(h) == before
        assert before.overlay == Overlay()
