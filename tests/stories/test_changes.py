"""`digest show --changes`: what moved since the editor looked."""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from digest.feeds.probe import Probe
from digest.newsroom import drafts, editing, follow_up, intake, standing
from digest.newsroom.changes import changes_json, moved_since, print_changes
from tests.support.house import House, house
from tests.support.stories import COMPOSE, EDITION, MINUTE, another_app, pull, ring
from tests.support.workspace import workspace


def moved(h: House) -> list[tuple[str, str, str, str]]:
    """Title, what, old and new of each change; links without the site's address."""
    _, found = moved_since(h.app, EDITION)
    return [(c.title, c.what, c.old.replace(h.site.base, ""), c.new.replace(h.site.base, "")) for c in found]


def said(h: House) -> str:
    out = Console(file=io.StringIO(), width=400)
    print_changes(out, *moved_since(h.app, EDITION))
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def test_what_moved_since_the_editor_looked(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Edits are told as old and new, then moved links, withdrawn and new articles; `compose` takes what was offered."""
    monkeypatch.setattr(standing, "Probe", partial(Probe, pause=0))
    changes = {"fetching": {"check_links": True}}
    with house(tmp_path, database_url=database_url, changes=changes, now=COMPOSE) as h:
        for n in range(6):
            h.site.page(f"/{n}/", "")
        items = [h.article(n, title=f"Case {n} at the port", link=h.site.url(f"/{n}/")) for n in range(5)]
        h.publish(*items)
        h.pull()
        ring(h, COMPOSE)
        assert moved(h) == []
        assert said(h) == f"{EDITION}: nothing has moved since it was composed.\n"
        editing.approve(h.app, EDITION, by="Ada")

        edited = h.article(
            0, title="Case 0 at the harbour", link=h.site.url("/0/"), description="The talks are off. Nobody knows why."
        )
        h.items[0] = edited
        h.publish(h.article(5, title="Case 5 at the port", link=h.site.url("/5/")))
        pull(h, COMPOSE + MINUTE)
        h.site.status("/1/", 410)
        h.site.page("/there/2/", "")
        h.site.redirect("/2/", "/there/2/")
        assert follow_up.before_start(h.app, EDITION)

        assert sorted(moved(h)) == [
            ("Case 0 at the port", "excerpt", "What happened in case 0. It matters to those who live there.",
             "The talks are off. Nobody knows why."),
            ("Case 0 at the port", "title", "Case 0 at the port", "Case 0 at the harbour"),
            ("Case 1 at the port", "withdrawn", "/1/", "its page is gone (HTTP 410)"),
            ("Case 2 at the port", "link", "/2/", "/there/2/"),
            ("Case 5 at the port", "new", "", "/5/"),
        ]  # fmt: skip
        assert "  title: Case 0 at the port → Case 0 at the harbour\n" in said(h)
        assert "  withdrawn: its page is gone (HTTP 410)\n" in said(h)
        editing.edit(h.app, EDITION, editing.Changes(introduction="Good morning."), by="Ada")
        assert len(moved(h)) == 5

        h.clock.now += MINUTE
        editing.approve(h.app, EDITION, by="Ada")
        assert {what for _, what, _, _ in moved(h)} == {"title", "excerpt", "new"}
        assert said(h).startswith(f"{EDITION}: since Ada approved it\n")
        drafts.compose_draft(h.app)
        assert [(title, what) for title, what, _, _ in moved(h)] == [("Case 1 at the port", "withdrawn")]


def test_what_waits_for_the_next_edition_is_no_change_of_one_that_went(tmp_path: Path) -> None:
    """Once an edition has begun, new articles are the next one's."""
    with house(tmp_path, now=COMPOSE) as h:
        h.subscribe(("all@example.org", ()))
        h.publish(*(h.article(n) for n in range(3)))
        h.ready()
        h.send(EDITION)
        h.publish(h.article(7))
        pull(h)
        _, found = moved_since(another_app(h), EDITION)
        assert found == []


def test_the_command(tmp_path: Path) -> None:
    """`digest show --changes --json` is one object of the documented shape; without `--json` it is sentences."""
    with workspace(tmp_path) as w:
        w.publish(4)
        slug = w.ready()
        w.publish(5)
        with w.app() as app:
            assert [report.new for report in intake.pull(app)] == [1]
            row, found = moved_since(app, slug)
        code, out, error = w.run("show", "--changes", "--json", slug)
        assert code == 0, error
        told = json.loads(out)
        assert told == changes_json(row, found)
        assert ("Report 4 from the field", "new") in [(c["title"], c["what"]) for c in told["changes"]]
        code, out, error = w.run("show", "--changes")
        assert code == 0, error
        assert "new: https://observatory.example.org/4/" in out
