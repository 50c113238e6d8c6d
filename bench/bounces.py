"""Reads every .eml of a folder as the bounce mailbox would, and prints what is made of each.

    python -m bench.bounces FOLDER [--all]

A table of kinds and verdicts, then what stays unknown and why, then the slowest."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

from digest.bounces.judging import judge
from digest.bounces.model import Kind
from digest.bounces.reading import read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="one line a message")
    arguments = parser.parse_args()
    files = sorted(arguments.folder.glob("*.eml"))
    table: Counter[tuple[str, str]] = Counter()
    unknown: list[tuple[str, str]] = []
    slowest: list[tuple[float, str]] = []
    for file in files:
        raw = file.read_bytes()
        began = time.perf_counter()
        report = read(raw)
        judgement = judge(report)
        slowest.append((time.perf_counter() - began, file.name))
        verdict = judgement.verdict.value if judgement.verdict else "-"
        table[report.kind.value, verdict] += 1
        if report.kind is Kind.UNKNOWN or (report.kind is Kind.BOUNCE and judgement.verdict is None):
            unknown.append((file.name, judgement.why or report.why))
        if arguments.all:
            said = f"{judgement.status:8} [{report.reader}] {judgement.diagnostic[:140]}"
            print(f"{file.name:32} {report.kind:11} {verdict:12} {said}")
    for (kind, verdict), count in sorted(table.items(), key=lambda item: -item[1]):
        print(f"{kind:12} {verdict:12} {count:5}")
    print(f"{len(unknown)} of {len(files)} stay unknown ({100 * len(unknown) / max(1, len(files)):.1f} %)")
    for name, why in unknown:
        print(f"  {name}: {why}")
    print(
        "slowest: "
        + ", ".join(f"{name} {seconds * 1000:.1f} ms" for seconds, name in sorted(slowest, reverse=True)[:3])
    )


if __name__ == "__main__":
    main()
