"""Settings from the environment: DIGEST_SMTP__PORT goes over `[smtp] port`."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from digest.config.locate import Path
from digest.config.tables import Tables
from digest.config.wording import Problem, known_keys, table_at

PREFIX = "DIGEST_"


@dataclass
class Variables:
    """What the environment sets: values nested like the file, and the variable's name for each path."""

    values: dict[str, Any] = field(default_factory=dict)
    names: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def from_environment(environ: Mapping[str, str]) -> Variables:
    """Read every variable of ours. Lists and tables are written as JSON, a list of words also with commas.

    DIGEST_CONFIG and DIGEST_TESTS_… are not settings; any other unknown DIGEST_… is a problem."""
    found = Variables()
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name == "DIGEST_CONFIG" or name.startswith("DIGEST_TESTS_"):
            continue
        path: Path = tuple(part.lower() for part in name[len(PREFIX) :].split("__"))
        found.names[path] = name
        if not _is_known(path):
            near = difflib.get_close_matches(name, _all_names(), n=1, cutoff=0.6)
            hint = f"did you mean {near[0]}?" if near else "unset it: two underscores part table and key"
            found.problems.append(Problem(path, "no such setting", hint))
            continue
        inner = found.values
        for part in path[:-1]:
            inner = inner.setdefault(str(part), {})
        inner[str(path[-1])] = _value(path, environ[name])
    return found


def _is_known(path: Path) -> bool:
    table = table_at(path[:-1])
    if table is not None:
        return path[-1] in known_keys(table)
    return len(path) == 2 and path[0] in ("kinds", "links")


def _all_names() -> list[str]:
    names = []
    for key in known_keys(Tables):
        table = table_at((key,))
        names += (
            [f"{PREFIX}{key}__{inner}".upper() for inner in known_keys(table)] if table else [f"{PREFIX}{key}".upper()]
        )
    return names


def _value(path: Path, text: str) -> Any:
    """The text itself, or the list or table that it writes; pydantic makes numbers of texts."""
    if text.lstrip().startswith(("[", "{")):
        try:
            return json.loads(text)
        except ValueError:
            return text
    if path in (("staff", "mail"), ("schedule", "skip")):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text
