"""Memory and cost against the number of subscribers: the whole `digest send`, from SQLite into smtp-sink."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench import meter
from bench.house import build
from bench.race import Lap, digest_send

CONNECTIONS = 8


@dataclass(frozen=True)
class Sizes:
    """The same send to few and to many. Cost is what the delivery phase takes a subscriber, in time and in CPU."""

    few: Lap
    many: Lap

    @property
    def memory(self) -> float:
        return self.many.memory / self.few.memory

    @property
    def seconds(self) -> float:
        return self.few.rate / self.many.rate

    @property
    def cpu(self) -> float:
        return self.many.cpu_each / self.few.cpu_each

    @property
    def whole(self) -> float:
        """The whole command, freezing and start-up with it."""
        return self.many.whole / self.many.count / (self.few.whole / self.few.count)


def against_size(scratch: Path, few: int, many: int) -> Sizes:
    laps = []
    for readers in (few, many):
        print(f"  {readers} subscribers", flush=True)
        house = build(scratch / f"size-{readers}", readers=readers, articles=33)
        with meter.smtp_sink() as port:
            laps.append(digest_send(house, CONNECTIONS)(port, scratch / f"lap-{readers}"))
    return Sizes(*laps)
