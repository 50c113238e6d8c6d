"""The clock: APScheduler rings, the routine looks. Its store is in memory; the database decides what is to be done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from digest.app import App
from digest.editions.schedule import WEEKDAYS, Weekly

SWEEP = timedelta(seconds=30)
"""How often it is looked whether a ring was missed, a configuration changed, a retry came due."""

LATE_SECONDS = int(timedelta(hours=6).total_seconds())
"""How late a job may still run. The default of one second would drop a ring on a busy machine."""


def _weekly(at: Weekly, zone: object) -> CronTrigger:
    # Names, never numbers: APScheduler counts weekdays from Monday = 0, cron from Sunday = 0.
    return CronTrigger(day_of_week=WEEKDAYS[at.weekday], hour=at.at.hour, minute=at.at.minute, timezone=zone)


def start(app: App, *, pull: Callable[[], None], look: Callable[[], None]) -> BackgroundScheduler:
    """Ring `pull` at its interval, and `look` at the moments to compose and to send, and at every sweep.

    Two schedulers, a second ring when the clocks go back, a ring too many: all harmless, see `routine`."""
    scheduler = BackgroundScheduler(
        timezone=app.zone,
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": LATE_SECONDS},
    )
    soon = datetime.now(UTC) + timedelta(seconds=1)
    scheduler.add_job(look, IntervalTrigger(seconds=SWEEP.total_seconds()), id="sweep", next_run_time=soon)
    plan = app.schedule
    if plan is not None:
        every = app.config.pull_interval()
        scheduler.add_job(pull, IntervalTrigger(seconds=every.total_seconds()), id="pull", next_run_time=soon)
        scheduler.add_job(look, _weekly(plan.compose, app.zone), id="compose")
        scheduler.add_job(look, _weekly(plan.send, app.zone), id="send")
    scheduler.start()
    return scheduler
