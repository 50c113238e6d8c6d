"""Two relays and a spread, by the real command."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support.smtp import Fault, Sink
from tests.support.workspace import workspace

READERS = 30


def test_a_spread_edition_through_the_relay_that_works(tmp_path: Path) -> None:
    """`digest send` spreads the edition over seconds, through the second relay when the first refuses us."""
    with Sink().serve() as second:
        settings = {
            "smtp": {
                "connections": 1,
                "spread": "2s",
                "relays": [{"host": "127.0.0.1", "port": second.port, "security": "none", "weight": 0}],
            }
        }
        first = Sink()
        with workspace(tmp_path, changes=settings, sink=first) as house:
            house.publish(6)
            house.subscribe(READERS)
            house.ready()
            first.faults["*"] = Fault("mail", "550 5.7.1 not from you")
            start = time.monotonic()
            code, _, error = house.run("send", "--now")
            assert time.monotonic() - start >= 1.5
            books = house.books()
    assert (code, books["sent"], books["state"]) == (0, READERS, "sent"), error
    assert first.received == []
    digests = [who for who in second.recipients() if who.startswith("reader-")]
    assert len(digests) == len(set(digests)) == READERS
