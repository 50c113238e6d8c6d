"""Where templates come from, and what they can say: the loader, the sandbox, the filters, and the hash of
it all."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from datetime import date, datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
from babel.dates import format_skeleton, format_time
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from digest.errors import ConfigError, DigestError
from digest.rendering import i18n
from digest.rendering.plain import safe_url, shorten


class TemplateError(DigestError):
    """A template that cannot be found, read or filled. `template` is its name, such as
    `email/digest/body.html`."""

    def __init__(self, template: str, message: str, *, mend: str = "correct the template") -> None:
        super().__init__(f"template {template}: {message}", mend=mend)
        self.template = template


@dataclass(frozen=True, slots=True)
class Templates:
    """The folders where templates are looked for, first one first; our own come last, always.

    `folder` is the operator's (`templates/` of the workspace), or None; a file in it replaces ours of the
    same name."""

    folder: Path | None = None

    @property
    def folders(self) -> tuple[Path, ...]:
        packaged = Path(str(resources.files("digest") / "_templates"))  # in a wheel
        source = packaged.parent.parent / "templates"  # in a checkout and an editable install
        ours = tuple(path for path in (packaged, source) if path.is_dir())
        return ours if self.folder is None else (self.folder, *ours)  # it may be made later

    def source(self, name: str) -> Path:
        """The file that serves a template's name. Raises TemplateError where there is none."""
        for folder in self.folders:
            if (folder / name).is_file():
                return folder / name
        raise TemplateError(name, "there is no such template", mend="see `digest doctor`")


def templates_hash(templates: Templates, mail: str = "digest", language: str = "en") -> str:
    """SHA-256 in hex over the names and bytes of every template that can reach this mail, and of its phrases.

    Approval covers it: a changed byte in any of them is another hash. The folders of other mails and of the
    web pages do not count."""
    names: set[str] = set()
    for folder in templates.folders:
        names.update(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for name in sorted(names):
        parts = name.split("/")
        foreign = parts[0] == "web" or (parts[0] == "email" and len(parts) > 2 and parts[1] != mail)
        if foreign or any(part.startswith(".") for part in parts) or name.endswith("~"):
            continue
        _feed(digest, name.encode())
        _feed(digest, templates.source(name).read_bytes())
    _feed(digest, i18n.catalogue_bytes(language))
    return digest.hexdigest()


class _Loader(jinja2.FileSystemLoader):
    """Sees a file that comes into an earlier folder, too: what is served must be what `templates_hash` covers."""

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        try:
            text, path, is_fresh = super().get_source(environment, template)
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            raise jinja2.TemplateSyntaxError("it is not UTF-8", line, template) from error
        if template.endswith(".css") and (end := text.lower().find("</")) >= 0:
            line = text[:end].count("\n") + 1  # it would end the element that it is put into
            raise jinja2.TemplateSyntaxError("a style sheet must not hold `</`", line, template)

        def still_first() -> bool:
            files = (Path(folder) / template for folder in self.searchpath)
            return is_fresh() and next((file for file in files if file.is_file()), None) == Path(path)

        return text, path, still_first


@lru_cache(maxsize=32)
def environment(templates: Templates, language: str, timezone: str) -> jinja2.Environment:
    """The sandbox that fills templates for a publication in this language and time zone (an IANA name).

    Everything but `.txt` and `.css` is escaped; an unknown name in a template is an error. Filters:
    `safe_url`, `day`, `weekday`, `short_day`, `moment`, `skeleton`, `minutes`, `joined`, `shorten`, `wrap`,
    `underline`, `paragraphs`."""
    try:
        zone = ZoneInfo(timezone)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigError("[publication] timezone", f"there is no time zone {timezone!r}") from error
    env = ImmutableSandboxedEnvironment(
        loader=_Loader([str(folder) for folder in templates.folders]),
        autoescape=jinja2.select_autoescape(
            enabled_extensions=("html", "htm", "xml", "j2"), disabled_extensions=("txt", "css"),
            default=True, default_for_string=True,
        ),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    env.install_gettext_translations(i18n.translations(language), newstyle=True)  # type: ignore[attr-defined]

    def local(value: date) -> date:
        return value.astimezone(zone).date() if isinstance(value, datetime) else value

    env.filters |= {
        "safe_url": safe_url,
        "shorten": shorten,
        "day": lambda value: i18n.format_day(local(value), language),
        "weekday": lambda value: i18n.format_weekday(local(value), language),
        "short_day": lambda value, near=None: i18n.format_short(local(value), language, near=near),
        "moment": lambda value: f"{i18n.format_day(local(value), language)}, {_time(value, zone, language)}",
        "skeleton": lambda value, pattern: _skeleton(value, pattern, zone, language),
        "minutes": lambda value: i18n.reading_time(value, language),
        "joined": lambda words: i18n.join(words, language),
        "wrap": wrap,
        "underline": lambda text, char="-": char * min(max(len(line) for line in wrap(text).split("\n")), 72),
        "paragraphs": lambda text: [part for part in str(text).split("\n\n") if part.strip()],
    }
    return env


def fill(env: jinja2.Environment, name: str, context: Mapping[str, Any]) -> str:
    """The template of that name, filled. Raises TemplateError with its name, its line and what is wrong."""
    try:
        return env.get_template(name).render(context)
    except jinja2.TemplateNotFound as error:
        raise TemplateError(str(error.name or name), "there is no such template", mend="see `digest doctor`") from error
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(f"{error.name or name}, line {error.lineno}", error.message or "syntax error") from error
    except (
        jinja2.TemplateError,
        TypeError,
        ValueError,
        ArithmeticError,
        LookupError,
        AttributeError,
    ) as error:
        raise TemplateError(f"{name}{_line(error)}", str(error)) from error


def plain(value: Any) -> Any:
    """A copy of plain values only (text, numbers, dates, lists, dictionaries): what a template may be handed.

    The sandbox calls any public method of what it gets, so nothing else may pass. Raises TypeError for the
    rest."""
    if value is None or isinstance(value, str | int | float | date | Markup):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        parts = sorted(value) if isinstance(value, set | frozenset) else value
        return [plain(inner) for inner in parts]
    raise TypeError(f"a template cannot be handed a {type(value).__name__}")


def wrap(text: str, width: int = 72, indent: str = "") -> str:
    """Plain text in lines of at most `width` characters; a word longer than that stands alone, unbroken."""
    return textwrap.fill(
        " ".join(str(text).split()), width, initial_indent=indent, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _skeleton(value: date, pattern: str, zone: ZoneInfo, language: str) -> str:
    moment = value.astimezone(zone).replace(tzinfo=None) if isinstance(value, datetime) else value
    return str(format_skeleton(pattern, moment, locale=i18n.locale_of(language)))


def _time(value: datetime, zone: ZoneInfo, language: str) -> str:
    return str(format_time(value, "short", tzinfo=zone, locale=i18n.locale_of(language)))


def _line(error: BaseException) -> str:
    """`, line 12`: the innermost template line of a traceback; Jinja2 maps its frames to template files."""
    line, trace = "", error.__traceback__
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.endswith(".py"):
            line = f", line {trace.tb_lineno}"
        trace = trace.tb_next
    return line


def _feed(digest: Any, part: bytes) -> None:
    digest.update(len(part).to_bytes(8, "big") + part)
