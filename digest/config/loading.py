"""From config.toml and the environment to a configuration, or to one clear line that says what is wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from digest.config.environment import from_environment
from digest.config.locate import Path, key_lines, line_of
from digest.config.model import Config
from digest.config.tables import SECRETS, Tables
from digest.config.wording import Problem, contradictions, label, problems
from digest.errors import ConfigError

_TOML_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


def load(path: FilePath | None, environ: Mapping[str, str], *, overrides: Mapping[str, Any] | None = None) -> Config:
    """Read and check a configuration. Without a path: DIGEST_CONFIG, else ./config.toml.

    The environment (`DIGEST_SMTP__PORT`) goes over the file, and `overrides` (nested like the file) over
    both; a list is replaced whole. Raises ConfigError for the first thing wrong, counting the others."""
    file = path if path is not None else FilePath(environ.get("DIGEST_CONFIG") or "config.toml")
    text = _read(file)
    data = _parse(file, text)
    source = _Source(file, key_lines(text))
    variables = from_environment(environ)
    source.variables.update(variables.names)
    source.stop(_secrets_in_file(data) + variables.problems)
    merged = _over(_over(data, variables.values), dict(overrides or {}))
    source.stop(_secret_files(merged, file))
    try:
        tables = Tables.model_validate(merged)
    except ValidationError as error:
        source.stop(problems(error))
        raise AssertionError("a validation error without a problem") from error
    config = Config(file, tables)
    source.stop([*contradictions(tables), *_missing_paths(config)])
    return config


def bundled(*, overrides: Mapping[str, Any] | None = None) -> Config:
    """The example configuration that comes with the program; no environment."""
    package = FilePath(__file__).resolve().parent.parent
    installed = package / "_config.toml"
    return load(installed if installed.exists() else package.parent / "config.toml", {}, overrides=overrides)


@dataclass
class _Source:
    """Where settings came from, to say where a wrong one stands."""

    file: FilePath
    lines: dict[Path, int]
    variables: dict[Path, str] = field(default_factory=dict)

    def stop(self, found: list[Problem]) -> None:
        if not found:
            return
        first = min(found, key=lambda p: (p.rank, line_of(p.path, self.lines) or 0))
        others = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise ConfigError(self._where(first.path), first.message, mend=(first.mend + others).strip()) from None

    def _where(self, path: Path) -> str:
        for length in range(len(path), 0, -1):
            if path[:length] in self.variables:
                return f"environment variable {self.variables[path[:length]]}"
        line = line_of(path, self.lines)
        return f"{self.file}{f':{line}' if line else ''} {label(path)}".strip()


def _read(file: FilePath) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            str(file),
            "there is no such file",
            mend="make one with `digest init`, or name yours with --config",
        ) from None
    except IsADirectoryError:
        raise ConfigError(str(file), "is a folder, not a file", mend=f"name the file: {file / 'config.toml'}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(str(file), f"is not UTF-8 (byte {error.start + 1})", mend="save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(
            str(file), f"cannot be read: {error.strerror}", mend="give this user read access to it"
        ) from None


def _parse(file: FilePath, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        where = f"{file}:{place[1]}:{place[2]}" if place and place[1] else str(file)
        end = " at the end of the file" if place and not place[1] else ""
        raise ConfigError(
            where, f"not TOML: {_TOML_PLACE.sub('', str(error))}{end}", mend="correct that line"
        ) from None


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _over(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _secrets_in_file(data: Mapping[str, Any]) -> list[Problem]:
    found = [
        Problem(
            (table, key),
            f"`{key}` must not stand in the file",
            f"set DIGEST_{table.upper()}__{key.upper()} in the environment, or name a file in `{other}`",
        )
        for (table, key), other in SECRETS.items()
        if isinstance(data.get(table), dict) and key in data[table]
    ]
    for path, value in _strings(data):
        if "://" in value and _password(value):
            names = "__".join(str(p) for p in path if not isinstance(p, int)).upper()
            other = ", or name a file in `url_file`" if path[0] == "database" else ""
            if path[0] == "feeds":
                names = "FEEDS"
            found.append(Problem(path, "has a password in it", f"set DIGEST_{names} in the environment{other}"))
    return found


def _password(value: str) -> bool:
    try:
        return bool(urlsplit(value).password)
    except ValueError:
        return False


def _strings(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _strings(inner, (*path, index))


def _secret_files(data: dict[str, Any], file: FilePath) -> list[Problem]:
    """Take the secrets that `*_file` keys name into the data. A password from the environment stays."""
    found = []
    for table, key, other in (
        ("smtp", "password", "password_file"),
        ("bounces", "imap_password", "imap_password_file"),
        ("database", "url", "url_file"),
    ):
        settings = data.get(table)
        if not isinstance(settings, dict) or not isinstance(settings.get(other), str) or not settings[other]:
            continue
        name = file.absolute().parent / FilePath(settings[other]).expanduser()
        try:
            secret = name.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            found.append(
                Problem((table, other), f"{name} cannot be read: {reason}", "name a file that this user can read")
            )
            continue
        kept = settings.get(key) if table != "database" else ""
        data[table] = {**settings, key: kept or secret}
    return found


def _missing_paths(config: Config) -> list[Problem]:
    found = []
    folder = config.templates_folder()
    if folder is not None and not folder.is_dir():
        found.append(Problem(("templates", "folder"), f"{folder} is no folder", "make it, or remove the key"))
    calendar = config.events.calendar
    if calendar and "://" not in calendar and not config.resolve(calendar).is_file():
        found.append(
            Problem(
                ("events", "calendar"),
                f"{config.resolve(calendar)} is no file",
                "name an iCalendar file or a URL",
            )
        )
    elif "://" in calendar and not calendar.startswith(("http://", "https://")):
        found.append(
            Problem(("events", "calendar"), f"{calendar!r} is no URL of a calendar", "write https://… or a file")
        )
    return found
