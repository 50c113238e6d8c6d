"""One million readers in: how long it takes, how much memory at its most, and what a second time does.

`python -m bench.importing [ROWS]` imports a made-up file by the real command, in a process of its own; and again."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from digest.config import bundled


def write(file: Path, rows: int) -> None:
    with file.open("w", encoding="utf-8") as out:
        out.write("Email Address,First Name,Last Name,OPTIN_TIME\n")
        out.writelines(
            f'reader-{n}@mail{n % 5_000}.example.org,Ann,"Lee, {n}",2019-03-02 10:11:12\n' for n in range(rows)
        )


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "readers.csv"
        write(file, rows)
        shutil.copy(bundled().path, folder / "config.toml")
        print(f"{rows:,} rows, {file.stat().st_size / 1e6:.0f} MB of CSV")
        command = [str(Path(sys.executable).with_name("digest")), "subscribers", "import", str(file)]
        for what, more in (("dry run", ["--dry-run", "--json"]), ("first", []), ("again", [])):
            began = time.monotonic()
            with (folder / "out").open("w+") as out:
                subprocess.run([*command, *more], cwd=folder, check=True, stdout=out)
                took = time.monotonic() - began
                out.seek(max(0, out.tell() - 250))
                said = " ".join(out.read().split())
            most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            print(f"{what}: {took:.0f} s, {rows / took:,.0f} rows/s; at its most {most:.0f} MB so far\n  {said}")


if __name__ == "__main__":
    main()
