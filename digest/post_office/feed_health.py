"""The state of the feeds, for holding an edition and for telling staff."""

from __future__ import annotations

from digest.app import App
from digest.feeds import store as feeds
from digest.feeds.store import FeedState


def states(app: App) -> list[FeedState]:
    """Every configured feed with its health, by its recent pulls."""
    with app.database.read() as connection:
        return feeds.states(connection, now=app.now, stale_after=app.config.fetching.stale_after)


def broken(app: App) -> list[FeedState]:
    """The feeds of articles that hold the edition."""
    return [state for state in states(app) if state.health.holds]


def name_of(state: FeedState) -> str:
    return state.feed.title or state.feed.url


def episode(app: App, state: FeedState) -> str:
    """Names this break of the feed: the same at every look until the feed has been well again.

    A feed that lost its items goes on being pulled well, so its break is dated by the last pull that had them."""
    since = state.last_good_at
    if state.health.state in ("emptied", "dropped"):
        with app.database.read() as connection:
            good = [pull for pull in feeds.pulls(connection, state.feed.url) if pull.ok]
        since = next((pull.at for pull in good if pull.items > 4 * good[0].items), since)
    return f"feed-{state.feed.url}-{state.health.state}-{since.isoformat() if since else 'never'}"


def tell_staff(app: App) -> None:
    """A word to staff for each feed that holds the edition: once, until it has been good again."""
    from digest.post_office import staff_mail, staff_words  # they render: `digest status` does not

    for state in broken(app):
        with app.database.begin() as connection:
            staff_mail.tell(app, connection, "staff-feed", key=episode(app, state), context=staff_words.feeds([state]))
