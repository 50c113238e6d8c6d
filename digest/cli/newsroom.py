"""Commands that look: pull, compose, show, explain, try, preview."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.context import AsJson, EditionArgument, console, load_config, opened, print_json

if TYPE_CHECKING:
    from digest.app import App


def register(app: typer.Typer) -> None:
    for command in (pull, compose, show, explain, preview):
        app.command()(command)
    app.command("try")(try_feed)


def pull(context: typer.Context, as_json: AsJson = False) -> None:
    """Fetch the feeds once: per feed the status, new, changed, unchanged."""
    from dataclasses import asdict

    from digest.newsroom.intake import pull as pull_feeds

    with opened(context) as app:
        if as_json:
            reports = list(pull_feeds(app))
        else:
            from digest.cli.pulling import follow

            reports = follow(console(), pull_feeds(app), len(app.config.feed_list()))
    if as_json:
        print_json([asdict(report) for report in reports])
    if not all(report.ok for report in reports):
        raise typer.Exit(1)


def compose(
    context: typer.Context,
    date: Annotated[str | None, typer.Option("--date", metavar="DATE", help="Its local date, e.g. 2026-11-27.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make or refresh the draft of the edition due."""
    from digest.newsroom.drafts import compose_draft
    from digest.newsroom.views import edition_json
    from digest.which import parse_day

    with opened(context) as app:
        drafted = compose_draft(app, parse_day(date) if date else None)
        row = drafted.row
        if as_json:
            print_json(edition_json(row))
            return
        out = console()
        count = len(row.edition.articles)
        out.print(f"{row.slug}: {row.state}, {count} article{'' if count == 1 else 's'}", markup=False)
        if drafted.voided:
            out.print(
                "Its approval is void: the content has changed since. Look again, then `digest approve`.",
                markup=False,
            )
        if row.state == "held":
            out.print(f"Held: {row.held_reason}", markup=False)
        for warning in drafted.warnings:
            out.print(f"Warning: {warning}", markup=False)


def show(
    context: typer.Context,
    edition: EditionArgument = None,
    changes: Annotated[bool, typer.Option("--changes", help="What moved since the editor looked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sections and articles, and what waits."""
    from digest.newsroom.views import edition_json
    from digest.which import current

    with opened(context) as app:
        if changes:
            _show_changes(app, edition, as_json=as_json)
            return
        row = current(app, edition)
        if as_json:
            print_json(edition_json(row))
            return
        from digest.newsroom.views import print_edition

        print_edition(console(), row, app.zone)


def _show_changes(app: App, edition: str | None, *, as_json: bool) -> None:
    from digest.newsroom.changes import changes_json, moved_since, print_changes

    row, changes = moved_since(app, edition)
    if as_json:
        print_json(changes_json(row, changes))
    else:
        print_changes(console(), row, changes)


def explain(
    context: typer.Context,
    article: Annotated[str, typer.Argument(metavar="ARTICLE", help="Its id, its link, or words of its title.")],
    as_json: AsJson = False,
) -> None:
    """Why an article stands where it stands."""
    from digest.newsroom.explain import explain as explain_article

    with opened(context) as app:
        found = explain_article(app, article)
    if as_json:
        print_json(found)
        return
    for line in found:
        console().print(f"{line['id']}  {line['title']}\n  {line['sentence']}", markup=False)


def try_feed(
    context: typer.Context,
    feed: Annotated[str, typer.Argument(metavar="FEED", help="A URL or a file.")],
    as_json: AsJson = False,
) -> None:
    """What would be made of a feed; stored nowhere."""
    from digest.cli.context import config_path
    from digest.config import bundled
    from digest.newsroom.trial import print_trial, try_out

    named = context.obj.config is not None
    config = load_config(context) if named or config_path(context).exists() else bundled()
    trial = try_out(config, feed)
    if as_json:
        print_json(trial)
    else:
        print_trial(console(), trial)


def preview(
    context: typer.Context,
    edition: EditionArgument = None,
    regions: Annotated[str, typer.Option(metavar="a,b", help="Slugs of the regions a reader chose; none: all.")] = "",
    output: Annotated[Path, typer.Option(metavar="DIR", help="Where to write it.")] = Path("preview"),
    correction: Annotated[bool, typer.Option("--correction", help="Of the correction that is being made.")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Show it in the browser until Ctrl-C.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the preview (index.html, edition.html, edition.txt, edition.eml), or serve it."""
    from digest.newsroom.preview import make, write

    with opened(context) as app:
        made = make(app, edition, tuple(slug for slug in regions.split(",") if slug), correction=correction)
        files = write(app, made, output)
    if as_json:
        print_json([str(file) for file in files])
    else:
        console().print(f"The preview is {output / 'index.html'}", markup=False)
    if serve:
        from digest.cli.serving import serve_folder

        serve_folder(output)
