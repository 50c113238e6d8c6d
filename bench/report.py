"""The results as a Markdown table and as a plot."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.race import Result

_MB = 1e6


@dataclass(frozen=True)
class Goal:
    """A ratio or a figure, and what it is to be: `least` or `most`."""

    what: str
    value: float
    least: float | None = None
    most: float | None = None
    unit: str = "×"

    @property
    def is_reached(self) -> bool:
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    def row(self) -> str:
        wanted = f"at least {_plain(self.least)}" if self.least is not None else f"at most {_plain(self.most or 0)}"
        answer = "reached" if self.is_reached else "**missed**"
        return f"| {self.what} | {self.value:.3g} {self.unit} | {wanted} {self.unit} | {answer} |"


def _plain(value: float) -> str:
    return f"{value:g}"


@dataclass
class Report:
    """What has been measured so far."""

    parts: list[str] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)

    def add(self, text: str) -> None:
        print(text, flush=True)
        self.parts.append(text)

    def goal(
        self, what: str, value: float, *, least: float | None = None, most: float | None = None, unit: str = "×"
    ) -> None:
        made = Goal(what, value, least, most, unit)
        print(made.row(), flush=True)
        self.goals.append(made)

    def markdown(self) -> str:
        head = "| goal | measured | wanted | |\n|---|---|---|---|"
        rows = "\n".join(goal.row() for goal in self.goals)
        return "\n\n".join([machine(), f"{head}\n{rows}", *self.parts]) + "\n"


def machine() -> str:
    """One line on where and when this was measured."""
    model = "unknown processor"
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        model = f"{len(names)} cores of {names[0].partition(':')[2].strip()}" if names else model
    system = f"{platform.system()} {platform.release().partition('-')[0]}, Python {platform.python_version()}"
    cores = "The sender has one core, who receives another."
    return f"Measured on {datetime.now(UTC):%d %B %Y}: {model}, {system}. {cores}"


def race_table(title: str, results: Sequence[Result], reference: str) -> str:
    """Rates, CPU and memory of a race, each beside the reference's."""
    base = next(result for result in results if result.name == reference)
    lines = [
        f"{title} Medians of {len(base.laps)} rounds, taken in turn.\n",
        "| sender | messages/s | CPU µs/message | peak MB | rate against smtp-source | CPU against smtp-source |",
        "|---|---|---|---|---|---|",
    ]
    for result in results:
        memory = result.median(lambda lap: lap.memory / _MB)
        lines.append(
            f"| {result.name} | {result.rate:.0f} | {result.cpu:.0f} | {memory:.0f} "
            f"| {result.rate / base.rate:.2f} | {result.cpu / base.cpu:.2f} |"
        )
    return "\n".join(lines)


def table(title: str, heads: tuple[str, str], values: dict[str, str]) -> str:
    rows = "\n".join(f"| {name} | {value} |" for name, value in values.items())
    return f"{title}\n\n| {heads[0]} | {heads[1]} |\n|---|---|\n{rows}"


def plot(races: dict[str, Sequence[Result]], path: Path) -> None:
    """Rates as bars, a panel a race."""
    import matplotlib as mpl  # only where a plot is wanted

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    bars = [len(results) for results in races.values()]
    figure, axes = plt.subplots(
        len(races), 1, figsize=(9, 1.2 + 0.42 * sum(bars)), squeeze=False, height_ratios=bars, layout="constrained"
    )
    for axis, (title, results) in zip(axes[:, 0], races.items(), strict=True):
        ordered = sorted(results, key=lambda result: result.rate)
        colours = ["#12344d" if result.name.startswith("digest") else "#a9b4bd" for result in ordered]
        made = axis.barh([result.name for result in ordered], [result.rate for result in ordered], color=colours)
        axis.bar_label(made, labels=[f"{result.rate:,.0f}" for result in ordered], padding=4)
        axis.set_xlim(right=max(result.rate for result in ordered) * 1.1)
        axis.set_title(title, loc="left", fontsize=11)
        axis.set_xlabel("messages a second")
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)
