"""CSS onto the elements: premailer, once a rendition, with the settings that mail clients need."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from threading import Lock
from typing import Any

_STYLE_BLOCK = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
_TAG = re.compile(r'<[a-z][a-z0-9]*(?: [a-z-]+(?:="[^"<>]*")?)*>')
_STYLE = re.compile(r' style="([^"]*)"')
_CLASS = re.compile(r' class="([^"]*)"')
_lock = Lock()  # cssutils keeps its state in the module


def inline(html: str) -> str:
    """The document with its first style sheet on its elements; `<style data-premailer="ignore">` stays byte
    for byte.

    White space at line starts goes (a mail has no `pre`), as do the classes that no remaining sheet names."""
    with _lock:
        done: str = _inliner()(re.sub(r"\n\s+", "\n", html)).transform(pretty_print=False)
    kept = frozenset(re.findall(r"\.([A-Za-z][\w-]*)", " ".join(style_blocks(done))))
    head, mark, body = done.partition("<body")
    return head + _TAG.sub(lambda tag: _slim(tag[0], kept), mark + body).strip() + "\n"


def style_blocks(html: str) -> list[str]:
    """The style sheets that are left in a document, for the limits on their size."""
    return _STYLE_BLOCK.findall(html)


def _slim(tag: str, kept: frozenset[str]) -> str:
    """A start tag without what no client needs; only what premailer and our templates write looks like
    this."""

    def classes(found: re.Match[str]) -> str:
        names = " ".join(name for name in found[1].split() if name in kept)
        return f' class="{names}"' if names else ""

    tag = _CLASS.sub(classes, tag, count=1)
    return _STYLE.sub(lambda found: f' style="{_tight(found[1])}"', tag, count=1)


@lru_cache(maxsize=2048)
def _tight(style: str) -> str:
    return style.replace("; ", ";").replace(", ", ",")


@lru_cache(maxsize=1)
def _inliner() -> Any:
    """The class that inlines: premailer, which parses a sheet anew for each document, with that
    remembered."""
    os.environ.setdefault("PREMAILER_CACHE_MAXSIZE", "4096")  # read at its import: 128 are fewer than our rules
    import cssutils
    from premailer import Premailer

    cssutils.ser.prefs.minimizeColorHash = False  # mail clients want all six digits

    remembered: dict[tuple[str, int], tuple[list[Any], list[Any]]] = {}

    class Inliner(Premailer):  # type: ignore[misc]
        def _parse_style_rules(self, css_body: str, ruleset_index: int) -> tuple[list[Any], list[Any]]:
            key = (css_body, ruleset_index)
            if key not in remembered:
                if len(remembered) >= 32:
                    remembered.clear()
                remembered[key] = super()._parse_style_rules(css_body, ruleset_index)
            return remembered[key]

    def inliner(html: str) -> Premailer:
        return Inliner(
            html,
            strip_important=False,
            keep_style_tags=False,
            remove_classes=False,
            disable_validation=True,
            allow_network=False,
            disable_link_rewrites=True,
            disable_basic_attributes=["width", "height", "bgcolor", "align", "valign"],
            include_star_selectors=False,
            align_floating_images=False,  # nothing floats, and it parses the style of each image anew
            method="html",
        )

    return inliner
