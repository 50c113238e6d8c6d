"""What may be claimed now, and at which moments it goes: rates of providers, and editions that are spread over hours.

Each limited provider and each spread edition is a lane of its own, claimed by itself and never more than about a second
ahead; everything else goes at once. So a slow lane holds nobody else up, and where no lane is configured none is asked
for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic

from digest.delivery import pace
from digest.delivery.claims import Choice
from digest.delivery.pace import Pace
from digest.delivery.run import Run

_AHEAD = 1.2  # seconds that a lane is claimed before its moments
_AGAIN = 0.2  # seconds before the last of them; then it is claimed again
_EMPTY = 1.0  # seconds until a lane in which nothing was due is looked at again
_MANY_IN_A_ROW = 100  # sent to a provider that was slowed; then it gets twice as many a second

Spreads = Callable[[], Mapping[str, float]]
"""The keys that are spread now, and how many mails a second each then gets."""


@dataclass(eq=False)
class Lane:
    """Deliveries that wait for every one of these paces."""

    choice: Choice
    paces: tuple[Pace, ...]
    look_at: float = field(default=0.0)

    def moments(self, most: int) -> list[float]:
        """The moments at which the next may go, at most so many."""
        each = [one.take(most, within=_AHEAD) for one in self.paces]
        count = min(map(len, each))
        for one, taken in zip(self.paces, each, strict=True):
            one.give_back(taken[count:])
        return [max(together) for together in zip(*(taken[:count] for taken in each), strict=True)]

    def unused(self, moments: list[float]) -> None:
        for one in self.paces:
            one.give_back(moments)

    def claimed(self, moments: list[float]) -> None:
        self.look_at = moments[-1] - _AGAIN

    def empty(self) -> None:
        self.look_at = monotonic() + _EMPTY


class Lanes:
    """The lanes of a run, and what is left for everything else."""

    def __init__(self, run: Run, key: str | None, rates: Mapping[str, float], spreads: Spreads) -> None:
        """`key`: only that one is sent; `rates`: mails a second by provider."""
        self._run = run
        self._key = key
        self._rates = rates
        self._spreads = spreads
        self._paces: dict[str, Pace] = {}
        self._lanes: dict[tuple[str | None, str | None], Lane] = {}
        self._limited: dict[str, float] = {}
        self._spread: Mapping[str, float] = {}
        self._resting: frozenset[str] = frozenset()

    def refresh(self) -> None:
        """Looks at what was slowed, eased or begun to be spread, here or in another process."""
        run = self._run
        self._write_down()
        with run.database.read() as connection:
            slowed = pace.slowed(connection, now=run.clock())
        with run.lock:
            known = {name: until for name, until in run.slow_until.items() if name in run.slow_news}
            run.slow_until = {name: one.until for name, one in slowed.items() if one.until} | known
        run.slowness = {name: one.times for name, one in slowed.items()}
        limited = dict(self._rates)
        for name, one in slowed.items():
            limited[name] = min(one.rate, limited.get(name, one.rate))
        self._resting = frozenset(run.slow_until)
        self._limited = {name: rate for name, rate in limited.items() if name not in self._resting}
        self._spread = {key: rate for key, rate in self._spreads().items() if self._key in (None, key)}

    def _write_down(self) -> None:
        run = self._run
        with run.lock:
            news, run.slow_news = run.slow_news, []
        if news:
            with run.database.begin() as connection:
                for provider in news:
                    pace.slow_down(connection, provider, now=run.clock())
                    run.eased.pop(provider, None)
        for provider, sent in list(run.eased.items()):
            if sent >= _MANY_IN_A_ROW and provider in run.slowness:
                with run.database.begin() as connection:
                    pace.ease(connection, provider, run.slowness[provider])
                run.eased.pop(provider, None)

    close = _write_down

    @property
    def any(self) -> bool:
        return bool(self._limited or self._spread)

    def everything_else(self) -> Choice | None:
        """What goes at once; None where nothing does."""
        if self._key in self._spread:
            return None
        run = self._run
        except_keys = run.waiting | frozenset(self._spread)
        return Choice(self._key, except_keys, None, self._resting | frozenset(self._limited))

    def whatever(self) -> Choice:
        """All that this run will send, now or when its moment comes."""
        return Choice(self._key, self._run.waiting, None, self._resting)

    def open(self) -> list[Lane]:
        """The lanes to look at now."""
        if not self.any:
            return []
        wanted: dict[tuple[str | None, str | None], Lane] = {}
        waiting = self._run.waiting
        keys: list[str | None] = [key for key in self._spread if key not in waiting]
        if self._key not in self._spread:
            keys.append(None)
        for key in keys:
            for provider in (None, *self._limited):
                if key is not None or provider is not None:
                    wanted[key, provider] = self._lane(key, provider, waiting)
        self._lanes = wanted
        now = monotonic()
        return [lane for lane in wanted.values() if lane.look_at <= now]

    def _lane(self, key: str | None, provider: str | None, waiting: frozenset[str]) -> Lane:
        paces = []
        if key is not None:
            paces.append(self._pace(f"spread:{key}", self._spread[key]))
        if provider is not None:
            paces.append(self._pace(pace.provider_pace(provider), self._limited[provider]))
        choice = Choice(
            key or self._key,
            waiting if key else waiting | frozenset(self._spread),
            provider,
            frozenset() if provider else self._resting | frozenset(self._limited),
        )
        lane = self._lanes.get((key, provider)) or Lane(choice, tuple(paces))
        lane.choice = choice
        return lane

    def _pace(self, name: str, rate: float) -> Pace:
        found = self._paces.get(name)
        if found is None:
            found = self._paces[name] = Pace(self._run.database, name, rate, self._run.clock)
        found.rate = rate
        return found
