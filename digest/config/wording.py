"""What a person is told about a setting that cannot be taken."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from digest.config.locate import Path
from digest.config.tables import Tables
from digest.config.values import SettingError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where in the document, what, and how to mend it."""

    path: Path
    message: str
    mend: str = ""
    rank: int = 0
    """The lowest is told first: a mistyped key explains the missing one."""


def problems(error: ValidationError) -> list[Problem]:
    """What pydantic found, one problem a setting, in words for a person."""
    found: dict[Path, Problem] = {}
    for detail in error.errors(include_url=False):
        path = _path(detail["loc"])
        if path in found and detail["type"] == "literal_error":  # the "" beside a real type says nothing
            continue
        problem = _problem(path, detail)
        found.setdefault(path, problem)
    return list(found.values())


def label(path: Path) -> str:
    """A path as it is written in TOML: `[smtp] port`, `[[feeds]] url`, `[focus."2013-11"] title`."""
    depth = next(n for n in range(len(path), -1, -1) if n == 0 or _is_table(path[:n]))
    table, rest = path[:depth], [part for part in path[depth:] if isinstance(part, str)]
    if not table:
        return f"[{rest[0]}]" if rest else ""
    names = (part if part.replace("-", "").isidentifier() else f'"{part}"' for part in table if isinstance(part, str))
    header = f"[{'.'.join(names)}]"
    header = f"[{header}]" if isinstance(table[-1], int) else header
    return f"{header} {rest[0]}" if rest else header


def _is_table(path: Path) -> bool:
    inner: Any = Tables
    for part in path:
        inner = _step(inner, part)
    return table_at(path) is not None or get_origin(_bare(inner)) is dict


def _path(loc: tuple[int | str, ...]) -> Path:
    """pydantic's location without what it adds of its own: the branches of unions and "[key]"."""
    path: list[int | str] = []
    model: Any = Tables
    for part in loc:
        if part == "[key]":
            continue
        inner = _step(model, part)
        if inner is _NOTHING and isinstance(part, str) and ("[" in part or part in ("tuple", "constrained-str")):
            continue  # the name of a union's branch
        path.append(part)
        model = inner
    return tuple(path)


_NOTHING: Any = object()


def _step(model: Any, part: str | int) -> Any:
    """The type below this one by that key or position, or _NOTHING."""
    model = _bare(model)
    if isinstance(model, type) and issubclass(model, BaseModel):
        for name, field in model.model_fields.items():
            if part == (field.alias or name):
                return field.annotation
        return _NOTHING
    if get_origin(model) is tuple and isinstance(part, int):
        return get_args(model)[0]
    if get_origin(model) is dict and isinstance(part, str):
        return get_args(model)[1]
    return _NOTHING


def _bare(annotation: Any) -> Any:
    """A type without Annotated and without the other branches of a union."""
    if hasattr(annotation, "__metadata__"):
        return _bare(annotation.__origin__)
    if get_origin(annotation) in (Union, types.UnionType):
        return _bare(get_args(annotation)[0])
    return annotation


def table_at(path: Path) -> type[BaseModel] | None:
    """The table at that path, if it is one."""
    model: Any = Tables
    for part in path:
        model = _step(model, part)
        if model is _NOTHING:
            return None
    model = _bare(model)
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def known_keys(model: type[BaseModel]) -> list[str]:
    """The keys of a table as they are written in the file."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _unknown(path: Path) -> Problem:
    key = str(path[-1])
    table = table_at(path[:-1]) or Tables
    known = known_keys(table)
    if len(path) > 1 and not known:
        return Problem(path, f"[{path[0]}] has no settings in this version", f"remove `{key}`")
    near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.6)
    if near:
        return Problem(path, f"unknown key `{key}`", f"did you mean `{near[0]}`?")
    homes = [name for name in known_keys(Tables) if (home := _home(name)) and key in known_keys(home)]
    if homes:
        return Problem(path, f"unknown key `{key}`", f"it belongs in [{homes[0]}]")
    far = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.3)
    if far:
        return Problem(path, f"unknown key `{key}`", f"did you mean `{far[0]}`?")
    return Problem(path, f"unknown key `{key}`", f"known here: {', '.join(known)}")


def _home(name: str) -> type[BaseModel] | None:
    return table_at((name,)) or table_at((name, 0))


_SHAPES: dict[str, str] = {
    "string_type": 'must be text in quotes: "…"',
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list: [ … ]",
    "list_type": "must be a list: [ … ]",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
}


def _problem(path: Path, detail: ErrorDetails) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown(path)
    if kind == "missing":
        missing_table = table_at(path) is not None
        what = f"the table [{path[0]}] is missing" if missing_table and len(path) == 1 else f"`{path[-1]}` is missing"
        return Problem(path, what, "it is required: see docs/reference/configuration.md", rank=1)
    if kind == "value_error" and isinstance(wrong := context.get("error"), SettingError):
        return Problem(path, wrong.message, wrong.mend)
    if kind == "literal_error":
        return Problem(path, f"is {detail['input']!r}", f"must be {context['expected']}")
    if kind in ("greater_than_equal", "less_than_equal"):
        word = "at least" if kind == "greater_than_equal" else "at most"
        return Problem(path, f"must be {word} {context['ge' if kind == 'greater_than_equal' else 'le']}")
    if kind == "too_short":
        return Problem(path, f"must name at least {context['min_length']}")
    return Problem(path, _SHAPES.get(kind, detail["msg"]))


def contradictions(tables: Tables) -> Iterator[Problem]:
    """Settings that are each well written and cannot all be meant."""
    from digest.config.aligned import disagreements
    from digest.config.slugs import slug

    seen: dict[str, str] = {}
    for index, region in enumerate(tables.regions):
        name = slug(region.name)
        if name in _TAKEN:
            yield Problem(
                ("regions", index, "name"),
                f"{region.name!r} is the name of another section",
                "choose another name",
            )
        elif name in seen:
            yield Problem(("regions", index, "name"), f"there are two regions {region.name!r}", "remove or rename one")
        seen[name] = region.name
    urls: set[str] = set()
    for index, feed in enumerate(tables.feeds):
        if feed.url in urls:
            yield Problem(("feeds", index, "url"), f"the feed {feed.url} is listed twice", "remove one")
        urls.add(feed.url)
    if all(feed.role == "reading" for feed in tables.feeds):
        yield Problem(("feeds",), 'no feed has the role "articles"', "give the publication's own feed that role")
    for index, pin in enumerate(tables.pinned):
        if pin.first and pin.last and pin.last < pin.first:
            yield Problem(
                ("pinned", index, "until"),
                f"ends ({pin.last}) before it begins ({pin.first})",
                "exchange the dates",
            )
    if tables.schedule and tables.schedule.deadline >= timedelta(days=7):
        yield Problem(
            ("schedule", "deadline"), "is a week or more, so that two editions were due at once", "write less"
        )
    if tables.schedule and tables.schedule.compose == tables.schedule.send:
        yield Problem(("schedule", "compose"), "is the same moment as `send`", "compose some hours earlier")
    if tables.design.logo and not (tables.design.logo_width and tables.design.logo_height):
        yield Problem(
            ("design", "logo"),
            "needs `logo_width` and `logo_height`",
            "write the size it is shown at, in pixels",
        )
    if tables.smtp.password.get_secret_value() and not tables.smtp.username:
        yield Problem(("smtp", "username"), "is missing, though there is a password", "write the relay's user name")
    for where, message, mend in disagreements(tables):
        yield Problem(where, message, mend)
    yield from _database(tables.database.url)


_TAKEN = frozenset({"global", "focus", "pinned", "events", "reading"})


def _database(url: str) -> Iterator[Problem]:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    where: Path = ("database", "url")
    mend = 'write "sqlite:///var/digest.sqlite3" or "postgresql://host/name"'
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        yield Problem(where, "is no database URL", mend)
        return
    if parsed.drivername not in ("sqlite", "postgresql", "postgresql+psycopg"):
        yield Problem(where, f"{parsed.drivername!r} is not a database that we support", mend)
    elif parsed.drivername == "sqlite" and parsed.database in (None, "", ":memory:"):
        yield Problem(where, "names no file, and the roles share one", mend)
