"""How long a command takes that does next to nothing: milliseconds, with bytecode compiled."""

from __future__ import annotations

import statistics
from pathlib import Path

from bench import meter
from bench.house import House

COMMANDS = (("--help",), ("status",))


def starting_up(house: House, scratch: Path, times: int) -> dict[str, float]:
    """The median by command. The first run, which compiles, is not counted."""
    environment = house.environment(PYTHONPYCACHEPREFIX=str(scratch / "bytecode"))
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    found = {}
    for arguments in COMMANDS:
        command = house.command(*arguments) if arguments != ("--help",) else [house.command()[0], "--help"]
        meter.run(command, env=environment, cwd=house.folder)
        laps = [meter.run(command, env=environment, cwd=house.folder).seconds for _ in range(times)]
        found[f"digest {arguments[0]}"] = statistics.median(laps) * 1000
    return found
