"""Which language a page speaks: the reader's, the address's, the browser's, or the publication's."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from babel import Locale

from digest.rendering.i18n import locale_of

_LONGEST = 500
"""Characters of `Accept-Language` that are looked at."""


def offered(publication: str) -> dict[str, str]:
    """The languages that pages speak, tag → its own name (`fr` → `français`), the publication's first."""
    own = locale_of(publication).language
    tags = [publication, *(tag for tag in _catalogues() if tag != own)]
    return {tag: str(locale_of(tag).get_language_name() or tag) for tag in tags}


@lru_cache(maxsize=1)
def _catalogues() -> tuple[str, ...]:
    folder = resources.files("digest.web") / "locale"
    found = (file.name.removesuffix(".po") for file in folder.iterdir() if file.name.endswith(".po"))
    return ("en", *sorted(found))


def match(wanted: str, publication: str) -> str:
    """The offered tag of the same language as `wanted`, or ""."""
    tag = wanted.strip().lower().partition("-")[0].partition("_")[0]
    if not tag.isalpha() or not tag.isascii():
        return ""
    return next((one for one in offered(publication) if Locale.parse(one, sep="-").language == tag), "")


def choose(publication: str, *, reader: str = "", asked: str = "", accepted: str = "") -> str:
    """The language of one page: `reader` is what they chose, `asked` the address's, `accepted` an Accept-Language."""
    for wanted in (reader, asked, *_by_preference(accepted)):
        found = match(wanted, publication)
        if found:
            return found
    return publication


def _by_preference(accepted: str) -> list[str]:
    """The tags of an Accept-Language header (RFC 9110, 12.5.4), the dearest first; refused ones left out."""
    weighed: list[tuple[float, str]] = []
    for part in accepted[:_LONGEST].split(","):
        tag, _, quality = part.partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=")) if quality else 1.0
        except ValueError:
            continue
        if 0 < weight <= 1:
            weighed.append((weight, tag))
    return [tag for _, tag in sorted(weighed, key=lambda one: -one[0])]
