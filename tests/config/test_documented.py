"""The example and the reference say all there is to say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from digest.config import bundled, load
from digest.config.locate import key_lines
from digest.config.tables import SECRETS, Tables

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "config.toml").read_text()
REFERENCE = (ROOT / "docs/reference/configuration.md").read_text()


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every table that a type can hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation) if get_origin(annotation) else ():
        yield from models(inner)


def settings() -> list[tuple[str, str]]:
    """Every key of the configuration with the table it stands in."""
    found = []
    for table, field in Tables.model_fields.items():
        for model in models(field.annotation):
            found += [(table, inner.alias or name) for name, inner in model.model_fields.items()]
    return found


def part(text: str, table: str) -> str:
    """The lines of a document about that table."""
    headings = re.split(r"(?m)^## ", text)
    return "\n".join(h for h in headings if re.search(rf"\[{table}[\].]", h.splitlines()[0]) if h)


@pytest.mark.parametrize(("table", "key"), settings(), ids=lambda value: str(value))
def test_every_setting_is_explained(table: str, key: str) -> None:
    """The reference has every key, under the heading of its table."""
    assert f"`{key}`" in part(REFERENCE, table)


def test_the_reference_explains_nothing_that_does_not_exist() -> None:
    """Each row of the reference is a setting."""
    known = set(settings())
    for heading in re.split(r"(?m)^## ", REFERENCE)[1:]:
        table = re.match(r"\[+([a-z_]+)", heading)
        if table:
            for key in re.findall(r"(?m)^\| `([a-z_]+)` \|", heading):
                assert (table[1], key) in known


@pytest.mark.parametrize(("table", "key"), [s for s in settings() if s not in SECRETS], ids=lambda value: str(value))
def test_every_setting_stands_in_the_example(table: str, key: str) -> None:
    """The example names every key, commented out where it has no value that would fit; only secrets are left out."""
    uncommented = re.sub(r"(?m)^# (?=\[+[a-z.]+\]|[a-z_\"]+ = )", "", EXAMPLE)
    uncommented = re.sub(r'(?m)^"example.net" = .*$', "", uncommented)
    paths = {tuple(str(p) for p in path if not isinstance(p, int)) for path in key_lines(uncommented)}
    assert any(path[0] == table and key in path[1:] for path in paths)


def test_the_example_is_valid_and_needs_no_file() -> None:
    """The configuration at the root loads as it is, also without an environment, and names no file."""
    config = load(ROOT / "config.toml", {})
    assert config.lawful_for_sending is None
    assert [region.slug for region in config.region_list()] == ["africa", "americas", "asia", "europe", "middle-east"]
    assert "2013-11" in {focus.month for focus in config.focus_calendar()}
    assert bundled().tables == config.tables


def test_the_example_is_about_nobody_real() -> None:
    """Every address and URL in the example is on a name that is reserved for examples."""
    for host in re.findall(r"(?:https?://|@)([a-z0-9.-]+)", EXAMPLE):
        assert host.endswith("example.org"), host


def test_the_example_has_the_defaults_it_says() -> None:
    """A setting of the example that says nothing of its default has the default."""
    example = tomllib.loads(EXAMPLE)
    differing = {("editions", "focus_limit"), ("schedule", "skip")}
    for table, field in Tables.model_fields.items():
        for model in models(field.annotation):
            if table not in ("fetching", "editions", "schedule", "web", "smtp", "database"):
                continue
            for name, inner in model.model_fields.items():
                if name in example[table] and not inner.is_required() and (table, name) not in differing:
                    loaded = getattr(getattr(load(ROOT / "config.toml", {}).tables, table), name)
                    assert loaded == inner.default, f"[{table}] {name}"
