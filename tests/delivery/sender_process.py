"""A sender in a process of its own, to be killed: DATABASE_URL PORT FOLDER [CONNECTIONS]."""

from __future__ import annotations

import sys
from pathlib import Path

from digest.database import Database
from tests.delivery.samples import send


def main() -> None:
    url, port, folder = sys.argv[1:4]
    connections = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    summary = send(Database(url), int(port), Path(folder), connections=connections)
    print(summary)


if __name__ == "__main__":
    main()
