"""The relays of a run: who takes the next mail, and who is left out because it cannot be reached or refuses us."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Literal

from digest.delivery.pace import Pace
from digest.delivery.session import RelaySettings
from digest.logger import Logger

log = Logger("digest.delivery")

_LEFT_OUT = 30.0  # times a relay's `retry_pause`; doubled each time
_LONGEST_OUT = 900.0  # seconds
_PATIENCE = 1.0  # seconds without a word from a relay; then the others wait for it no more
_AHEAD = 16  # mails that a relay may be ahead of its share

Trouble = Literal["paused", "unreachable"]


class Relay:
    """One relay in this run. What changes is guarded by the lock of `Relays`."""

    def __init__(self, settings: RelaySettings, pace: Pace | None) -> None:
        self.settings = settings
        self.pace = pace
        self.name = settings.name
        self.pipelining = True  # until it proves that it cannot, whatever it offers
        self.smtputf8 = True  # until it has said what it offers
        self.sessions = 0
        self.share = 0.0  # what it has taken, by its weight
        self.asked = 0.0
        self.at_its_rate = False
        self.times_out = 0
        self.out_until = 0.0
        self.trouble: Trouble = "unreachable"
        self.why = ""

    @property
    def is_out(self) -> bool:
        return self.out_until > monotonic()


class Relays:
    """All of them. `end` is told, once none can be had, why."""

    def __init__(self, relays: Sequence[Relay], end: Callable[[Trouble, str], None]) -> None:
        self.all = tuple(relays)
        self.sole = len(self.all) == 1
        self._end = end
        self._lock = threading.Lock()

    def may_take(self, relay: Relay) -> bool:
        """Whether it may take the next mail: it is not left out, and not ahead of its share.

        Shares are by weight. A relay at its rate, or one from which nothing was heard for a second, is not waited
        for, and does not catch up afterwards."""
        if self.sole:
            return True
        with self._lock:
            now = monotonic()
            away = now - relay.asked > _PATIENCE
            relay.asked = now
            if relay.out_until > now:
                return False
            others = [one for one in self.all if one is not relay and one.settings.weight and one.out_until <= now]
            weight = relay.settings.weight
            if not weight:
                return not any(one.times_out == 0 for one in others)
            rivals = [one.share for one in others if now - one.asked <= _PATIENCE and not one.at_its_rate]
            slowest = min(rivals, default=None)
            if slowest is None:
                return True
            if away:
                relay.share = max(relay.share, slowest)
            return relay.share <= slowest + _AHEAD / weight

    def another_with_smtputf8(self, relay: Relay) -> bool:
        return any(one.smtputf8 and not one.is_out for one in self.all if one is not relay)

    def took(self, relay: Relay) -> None:
        if not self.sole:
            with self._lock:
                relay.share += 1 / (relay.settings.weight or 1)

    def opened(self, relay: Relay) -> None:
        with self._lock:
            relay.sessions += 1

    def back(self, relay: Relay) -> None:
        """It has taken a mail: whatever was wrong with it is over."""
        with self._lock:
            if relay.times_out:
                log.info("relay is back", relay=relay.name)
            relay.times_out = 0
            relay.out_until = 0.0

    def closed(self, relay: Relay) -> None:
        with self._lock:
            relay.sessions -= 1

    def leave_out(self, relay: Relay, trouble: Trouble, why: str) -> None:
        """For a while, longer each time. Where no other can be had now, the run ends: "paused" when one refuses us."""
        with self._lock:
            if relay.is_out:
                return
            seconds = min(relay.settings.retry_pause * _LEFT_OUT * 2 ** min(relay.times_out, 20), _LONGEST_OUT)
            relay.times_out += 1
            relay.out_until = monotonic() + seconds
            relay.trouble, relay.why = trouble, why
            none_left = all(one.is_out for one in self.all)
        if not none_left:
            log.warning("relay left out", relay=relay.name, reason=why, seconds=round(seconds))
            return
        refusing = any(one.trouble == "paused" for one in self.all)
        self._end("paused" if refusing else "unreachable", "; ".join(one.why for one in self.all))
