"""Where a key stands in a TOML text: tomllib gives the values, a person needs the line."""

from __future__ import annotations

import re
from collections.abc import Iterator

Path = tuple[str | int, ...]
"""Keys and list positions from the root: ("feeds", 1, "url")."""

_PART = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)\s*""")
_OPENINGS = ('"""', "'''", '"', "'")


def key_lines(text: str) -> dict[Path, int]:
    """The line, counted from 1, of every table header and key of a TOML text that tomllib has accepted.

    Keys inside inline tables have no entry: ask `line_of`, which falls back to what holds them."""
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    here: Path = ()
    for line, statement in _statements(text):
        if statement.startswith("["):
            many = statement.startswith("[[")
            names = _names(statement.lstrip("["))
            here = _inside(names[:-1], counts)
            if many:
                table = (*here, names[-1])
                counts[table] = counts.get(table, -1) + 1
                lines.setdefault(table, line)
            here = _inside(names, counts)
            lines.setdefault(here, line)
        else:
            path = here
            for name in _names(statement):
                path = (*path, name)
                lines.setdefault(path, line)
    return lines


def line_of(path: Path, lines: dict[Path, int]) -> int | None:
    """The line of that key, or of the nearest thing around it; None at the root."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


def _inside(names: list[str], counts: dict[Path, int]) -> Path:
    """The path of a header's names: a name that is a list of tables means its last table so far."""
    path: Path = ()
    for name in names:
        path = (*path, name)
        if path in counts:
            path = (*path, counts[path])
    return path


def _names(text: str) -> list[str]:
    """The parts of a dotted key at the start of the text."""
    names = []
    position = 0
    while match := _PART.match(text, position):
        part = match[1]
        names.append(part[1:-1] if part[0] in "\"'" else part)
        position = match.end()
        if text[position : position + 1] != ".":
            break
        position += 1
    return names


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each header and each `key = value` with the line where it begins; a value may take many lines."""
    position, start, depth = 0, 0, 0
    while position < len(text):
        character = text[position]
        opening = next((o for o in _OPENINGS if text.startswith(o, position)), None)
        if opening:
            position = _after_string(text, position, opening)
            continue
        if character == "#":
            newline = text.find("\n", position)
            position = len(text) if newline < 0 else newline
            continue
        depth += (character in "[{") - (character in "]}")
        if character == "\n" and depth == 0:
            yield from _statement(text, start, position)
            start = position + 1
        position += 1
    yield from _statement(text, start, len(text))


def _statement(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    body = text[start:end]
    stripped = body.lstrip()
    if stripped and not stripped.startswith("#"):
        yield text.count("\n", 0, start + len(body) - len(stripped)) + 1, stripped


def _after_string(text: str, position: int, opening: str) -> int:
    """The position after the string that opens here. Literal strings know no escapes."""
    position += len(opening)
    while position < len(text) and not text.startswith(opening, position):
        position += 2 if text[position] == "\\" and opening[0] == '"' else 1
    position += len(opening)
    while len(opening) == 3 and text.startswith(opening[0], position):  # a string may end in a quote of its own
        position += 1
    return position
