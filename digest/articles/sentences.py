"""Whole sentences of a text, in many scripts, and an excerpt made of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

TARGET = 280
"""Characters an excerpt aims at."""
LONGEST = 340
"""Characters that no excerpt exceeds: a first sentence may be so long; a short one takes the next along."""

_SHORTEST = 100
# An end mark, what closes after it, and then a space or the end; CJK marks need no space.
_END = re.compile(r"(?:[.!?…؟۔।॥։።။។]+[\"'”’»)\]›]*(?=\s|$))|(?:[。！？｡][」』”’）]*)")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ABBREVIATIONS = _words(
    """mr mrs ms dr prof rev hon st messrs mme mlle mgr gen col maj capt cpl sgt lt cmdr adm gov pres sen rep
    amb supt insp vs v cf ca approx viz dept ft mt e.g i.e bzw z.b d.h u.a usw hr fr sra srta т.е ул им"""
)
_BEFORE_NUMBERS = _words(
    """no nos nr art arts para paras p pp ch fig figs vol vols sec op est jan feb mar apr jun jul aug sep sept
    oct nov dec pág núm стр"""
)
# These end a sentence as readily as they stand inside one, as initials do: the next word decides.
_EITHER = _words("etc inc ltd corp co bros jr sr al u.s u.k u.n e.u a.m p.m d.c ee.uu г гг др")
_OPENERS = _words(
    """the a an this that these those it its he she they we i but and in on at as for from with when while
    after before however meanwhile yet still there his her their our what who how why if since although
    according last next le la les un une il elle el los las der die das ein eine"""
)
_UNSPACED = frozenset("。！？｡」』”’）")
_INITIAL = re.compile(r"(?:^|[\s(\"“‘-])[^\W\d_]$")
_TRUNCATED = re.compile(r"\s*(?:\[\s*(?:…|\.{3,})\s*\]|…|\.{3,})\s*$")


def sentences(paragraph: str) -> list[str]:
    """The sentences of one paragraph, in order; joined with what lay between, they are the paragraph.

    A full stop after an abbreviation ("Mr.", "U.S.", "No. 7") or an initial ends nothing, unless the next
    word can only open a sentence. The last one may lack its end mark."""
    found, start = [], 0
    for end in _END.finditer(paragraph):
        number = paragraph[start : end.start()].strip().isdigit()  # "1. In August" counts, it says nothing yet
        if end.start() >= start and not number and _ends(paragraph, end):
            found.append(paragraph[start : end.end()].strip())
            start = end.end()
    if rest := paragraph[start:].strip():
        found.append(rest)
    return [sentence for sentence in found if sentence]


def _ends(text: str, end: re.Match[str]) -> bool:
    following = text[end.end() : end.end() + 40].lstrip()
    if not following or end[0][0] in "。！？｡؟۔।॥։።။។":
        return True
    first = following.lstrip("\"'“‘«„(‹[¿¡")[:1]
    if first.islower():  # "… he said", "v. the state": the sentence goes on
        return False
    if end[0][0] != "." or end[0].startswith(".."):
        return True
    before = text[max(0, end.start() - 12) : end.start()]
    word = re.split(r"[\s(\"“‘«/-]", before)[-1].lower()
    if word in _ABBREVIATIONS:
        return False
    if word in _BEFORE_NUMBERS:
        return not first.isdigit()
    if word in _EITHER or _INITIAL.search(before) or re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", word):
        next_word = re.match(r"[\"'“‘«„(]*(\w+)", following)
        return next_word is not None and next_word[1].lower() in _OPENERS
    return True


def is_whole(sentence: str) -> bool:
    """Whether it closes with an end mark, and not with the dots of a text that was cut off."""
    return not _TRUNCATED.search(sentence) and any(m.end() == len(sentence) for m in _END.finditer(sentence))


def excerpt(paragraphs: Iterable[str], *, target: int = TARGET, longest: int = LONGEST) -> str:
    """The first whole sentences of a text, about `target` characters of them and never more than `longest`.

    Headings and other lines without an end mark are passed over as long as a whole sentence follows. Where
    there is none that fits, the first words of the text, up to a word's end, with an ellipsis."""
    lines = list(paragraphs)
    whole = _whole(lines)
    first = next(whole, "")
    if not first or len(first) > longest:
        return shortened(first or " ".join(lines), target)
    taken = first
    for sentence in whole:
        unspaced = taken[-1] in _UNSPACED and sentence[0] > "\u2e7f"
        more = taken + ("" if unspaced else " ") + sentence
        if len(more) > (longest if len(taken) < _SHORTEST else target):
            break
        taken = more
    return taken


def _whole(lines: list[str]) -> Iterator[str]:
    return (sentence for line in lines for sentence in sentences(line) if is_whole(sentence))


def shortened(text: str, longest: int) -> str:
    """The text, or its first words with an ellipsis: at most `longest` characters, never cut inside a word.

    Only one word, or a script without spaces, that fills over half of the room is cut between letters."""
    text = _TRUNCATED.sub("…", text.strip())
    if len(text) <= longest:
        return "" if text == "…" else text
    room = text[:longest]
    words = room.rpartition(" ")[0].rstrip(" ,;:–—-…")
    if len(words) * 2 < longest:
        words = room[:-1]
        while words and unicodedata.combining(text[len(words)]):  # an accent stays with its letter
            words = words[:-1]
    return words.rstrip(" ,;:–—-…") + "…"
