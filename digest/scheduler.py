"""The clock: APScheduler rings, the routine looks. Its store is in memory; the database decides what is to be done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from digest.app import App
from digest.editions.schedule import WEEKDAYS, Weekly

SWEEP = timedelta(seconds=30)
"""How often it is looked whether a ring was missed, a configuration changed, a retry came due."""

LATE_SECONDS = int(timedelta(hours=6).total_seconds())
"""How late a job may still run. The default of one second would drop a ring on a busy machine."""

WEEKLY = ("pull", "compose", "send")
"""The jobs that the configuration's `[schedule]` decides; the sweep is always there."""


class Rings:
    """Rings `pull` at its interval, and `look` at the moments to compose and to send, and at every sweep.

    Two schedulers, a second ring when the clocks go back, a ring too many: all harmless, see `routine`. The calls come
    from threads of the scheduler, and two may come at once: a sweep at the moment to compose, or during a pull."""

    def __init__(self, *, pull: Callable[[], None], look: Callable[[], None]) -> None:
        self._pull = pull
        self._look = look
        self._plan: object = None
        self.scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": LATE_SECONDS},
        )

    def start(self, app: App) -> None:
        """Begin to ring: a look at once, after a pull, so that a draft that is late has what came meanwhile."""
        self.scheduler.add_job(self._look, IntervalTrigger(seconds=int(SWEEP.total_seconds())), id="sweep")
        self.scheduler.add_job(self._first, id="first")
        self._ring_by(app)
        self.scheduler.start()

    def _first(self) -> None:
        if self._plan is not None:
            self._pull()
        self._look()

    def follow(self, app: App) -> None:
        """Ring by this configuration from now on, with a pull at once; the same week and feeds change nothing."""
        if self._ring_by(app) and self._plan is not None:
            self.scheduler.modify_job("pull", next_run_time=datetime.now(UTC))

    def _ring_by(self, app: App) -> bool:
        """Set the jobs that `[schedule]` decides; without one only the sweep rings. False where nothing changed."""
        week, interval = app.schedule, app.config.pull_interval()
        plan = (week, interval, app.zone, app.config.feed_list()) if week else None
        if plan == self._plan:
            return False
        self._plan = plan
        for name in WEEKLY:
            if self.scheduler.get_job(name) is not None:
                self.scheduler.remove_job(name)
        if week is not None:
            self.scheduler.add_job(self._pull, IntervalTrigger(seconds=int(interval.total_seconds())), id="pull")
            self.scheduler.add_job(self._look, _weekly(week.compose, app.zone), id="compose")
            self.scheduler.add_job(self._look, _weekly(week.send, app.zone), id="send")
        return True

    def stop(self) -> None:
        """No more rings; returns when those at work are done."""
        if self.scheduler.running:
            self.scheduler.shutdown(wait=True)


def _weekly(at: Weekly, zone: ZoneInfo) -> CronTrigger:
    # Names, never numbers: APScheduler counts weekdays from Monday = 0, cron from Sunday = 0.
    return CronTrigger(day_of_week=WEEKDAYS[at.weekday], hour=at.at.hour, minute=at.at.minute, timezone=zone)
