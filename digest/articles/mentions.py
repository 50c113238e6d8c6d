"""The places that a text names, and how each stands in it: as its subject, as who acts, as where one meets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Literal

from digest.articles.gazetteer import NOWHERE, Name, Token, tokens

Standing = Literal["sure", "unsure", "weak", "actor", "venue", "listed"]
"""sure: about it. unsure: a namesake's or a person's name, true beside a sure one. weak: a seat or an alliance. actor:
who acts elsewhere. venue: where others meet. listed: one of several examples. All but sure may be passing mentions."""

NAMESAKE = "namesake"
"""The rule of a name that several places have; its `place` is then the name itself."""

STEMS = ""
"""A key of `Names` that is there where some of them are stems."""

Names = Mapping[str, Sequence[Name]]
"""Names by their first word, the longest first."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a text: the words as written, how it stands, and the first and last of its tokens."""

    name: Name
    words: str
    standing: Standing
    first: int
    last: int


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_BETWEEN_WORDS = frozenset(" \u00a0-‐‑–'’.&")
_PREPOSITIONS = _set(
    "in to from across inside near of over against into within throughout for on with between outside leaves visits"
    " enters off around and versus v vs like why how"
) | _set("en au aux du de des vers nach aus desde hacia dans y e und et")
# "The Vienna deal", "the Doha talks": the city gave its name and is not the subject.
_EVENTS = _set(
    "talks deal deals accord accords agreement agreements conference process summit declaration communique convention"
    " protocol consensus framework round statement treaty meeting meetings negotiations forum peace ceasefire based"
)
_MEETING = _set(
    "talks summit meeting meet meets met conference negotiations negotiators negotiate forum sign signs signed signing"
    " ceremony gather gathers gathered convene convenes delegates donors mediators"
)
_AT = _set("in at")
# "The US envoy to Yemen", "French troops in Mali": who is sent is not the subject.
_SENT = _set(
    "envoy envoys ambassador ambassadors diplomat diplomats emissary mediator mediators mission troops forces soldiers"
    " peacekeepers peacekeeper drone drones airstrike airstrikes strike strikes raid raids jets warplanes marines"
    " military army navy aid charity charities journalist journalists tourist tourists doctors missionaries advisers"
    " trainers mercenaries contractors contractor bombers bombing helicopter helicopters commandos hostage hostages"
    " reporter photographer embassy consulate expats volunteers"
)
_WHERETO = _set("to in on over for against near off into from inside across")
_ALSO_WORDS = frozenset({("car",), ("ph",), ("au",)})  # abbreviations that are words where all is written small
_RELATIONS = _set("relations ties talks trade summit border treaty alliance dialogue cooperation")
_PAPERS = _set("post times daily tribune herald gazette telegraph chronicle")
# What may follow a place's name in a headline where every word is written large, and seldom follows a first name
_AFTER_A_PLACE = _set(
    "and or to is in on at with as the of a has was are will after says say said faces face seeks seek votes vote"
    " goes opens open closes close calls call signs sign sends send holds hold bans ban accuses denies backs warns"
    " vows wants needs must can should could may becomes gets takes makes puts keeps rejects approves expels"
    " recalls launches hits struggles braces welcomes hosts agrees joins leaves cuts raises arrests frees executes"
    " deports shuts floods burns waits looks turns moves plans tries hopes fears mourns celebrates king queen"
    " president prime minister government parliament army military police rebels rebel border crisis election"
    " elections refugees refugee camp camps protests economy court opposition leader leaders talks war conflict"
    " famine valley river basin under over through from for against amid during while when where what how why who"
    " not still no now before without between"
)


def mentions(text: str, names: Names, *, topic: bool = False) -> list[Mention]:
    """Every name in a text, the longest at each word. A `topic` is lower-case and short."""
    found = tokens(text)
    if not found:
        return []
    letters = _Letters(text, found, topic)
    here = list(_found(letters, names))
    here = [m for n, m in enumerate(here) if not _is_overruled(letters, here, n)]
    if topic:
        return here
    return [_standing(letters, here, mention) for mention in _lists_apart(letters, here)]


class _Letters:
    """A text with its tokens, and what its capitals are worth."""

    def __init__(self, text: str, found: list[Token], topic: bool) -> None:
        self.text, self.tokens, self.topic = text, found, topic

    @cached_property
    def shouting(self) -> bool:
        """Whether all is written large: then an abbreviation is not known from a word."""
        return not self.topic and self.text.isupper()

    @cached_property
    def title_case(self) -> bool:
        """Whether every word is written large, as in "Rebels Close In on Capital": capitals tell nothing there."""
        long = [t.raw for t in self.tokens[1:] if len(t.raw) > 3]
        return bool(long) and sum(raw[0].isupper() for raw in long) >= 0.7 * len(long)

    def folded(self, at: int) -> str:
        return self.tokens[at].folded if 0 <= at < len(self.tokens) else ""

    def between(self, left: int, right: int) -> str:
        """What stands between two tokens; what follows the last one."""
        end = self.tokens[right].start if right < len(self.tokens) else len(self.text)
        return self.text[self.tokens[left].end : end]

    def is_large(self, at: int) -> bool:
        return 0 <= at < len(self.tokens) and self.tokens[at].raw[0].isupper()


def _found(letters: _Letters, names: Names) -> Iterator[Mention]:
    at = -1
    while (at := at + 1) < len(letters.tokens):
        word = letters.tokens[at].folded
        if word not in names and word.isascii() and STEMS not in names and word[:-1] not in names:
            continue  # nearly every word
        following = letters.folded(at + 1)
        for name in _names_at(word, names):
            if len(name.words) > 1 and not following.startswith(name.words[1]):
                continue
            last = at + len(name.words) - 1
            if _is_here(letters, at, name):
                words = letters.text[letters.tokens[at].start : letters.tokens[last].end]
                if name.area != NOWHERE:
                    yield Mention(name, words, _by_itself(letters, at, last, name), at, last)
                at = last
                break


def _names_at(word: str, names: Names) -> Iterator[Name]:
    yield from names.get(word, ())
    if STEMS in names:
        for length in range(len(word) - 1, max(1, len(word) - 5), -1):
            yield from (n for n in names.get(word[:length], ()) if n.stem and len(n.words) == 1)
    if word.isascii():
        if word.endswith("s") and len(word) > 4:  # "Kenyans"; and "Rwandas", which lost its apostrophe on the way
            yield from (n for n in names.get(word[:-1], ()) if len(n.words) == 1 and not n.care)
    elif "\u0620" <= word[0] <= "\u064a" and len(word) > 3:  # Arabic writes "and", "in", "to" onto the word
        shorter = [word[1:]] if word[0] in "وبلفك" else []
        shorter += ["ال" + word[2:]] if word.startswith("لل") else []
        yield from (n for other in shorter for n in names.get(other, ()))


def _is_here(letters: _Letters, at: int, name: Name) -> bool:
    here = letters.tokens[at : at + len(name.words)]
    if len(name.words) > 1:
        folded = tuple(token.folded for token in here)
        if folded[:-1] != name.words[:-1] or len(folded) != len(name.words):
            return False
        if folded[-1] != name.words[-1] and not _is_form(folded[-1], name):
            return False
        if any(set(letters.text[a.end : b.start]) - _BETWEEN_WORDS for a, b in pairwise(here)):
            return False  # a comma or a colon between: no name
    raw = here[0].raw
    if letters.topic:
        if name.care != "abbreviation":
            return True
        if name.rule == "power" or name.words in _ALSO_WORDS:
            return len(letters.tokens) == 1 and name.words not in _ALSO_WORDS
        return at == 0 or letters.folded(at - 1) in _PREPOSITIONS  # "us politics", but not "about us"
    if name.stem:
        return True
    if name.care == "abbreviation":
        return (raw.isupper() or not raw[:-1].islower()) and not raw[0].islower() and not letters.shouting
    return not raw[0].islower()  # "turkey" and "polish" are other things than Turkey and Polish


def _is_form(word: str, name: Name) -> bool:
    if name.stem:
        return word.startswith(name.words[-1]) and len(word) <= len(name.words[-1]) + 4
    return not name.care and word == name.words[-1] + "s"


def _by_itself(letters: _Letters, at: int, last: int, name: Name) -> Standing:
    """How a name stands by its own kind and its nearest neighbours."""
    if name.care == "weak":
        return "weak"
    if name.rule == NAMESAKE:
        return "unsure"
    if name.care == "person":
        return "sure" if _is_a_place(letters, at, last) else "unsure"
    return "sure"


def _is_a_place(letters: _Letters, at: int, last: int) -> bool:
    """Whether a name that people have too stands as a place does: "in Jordan", "Chad's", not "Michael Jordan"."""
    after = letters.between(last, last + 1)
    if letters.topic:
        return (at == 0 and last + 1 == len(letters.tokens)) or letters.folded(at - 1) in _PREPOSITIONS
    before = letters.folded(at - 1)
    if at > 0 and letters.between(at - 1, at) == " " and letters.is_large(at - 1):
        a_word = before in _PREPOSITIONS or (at == 1 and before in _AFTER_A_PLACE)
        if not a_word:
            return False
    if after[:1] in ("'", "’") or (after and after != " "):
        return True
    following = letters.folded(last + 1)
    if not following or following in _AFTER_A_PLACE:
        return True
    return not letters.is_large(last + 1)


def _is_overruled(letters: _Letters, here: list[Mention], number: int) -> bool:
    """Whether a name is only a part of another one: a newspaper's, an event's, a namesake town's."""
    mention = here[number]
    following = letters.folded(mention.last + 1)
    after = letters.between(mention.last, mention.last + 1)
    if following in _PAPERS and after == " " and (letters.topic or letters.is_large(mention.last + 1)):
        return not (letters.title_case and mention.name.rule == "power")
    if mention.name.rule == "people" and after == "-" and following in ("american", "americans"):
        return letters.folded(mention.last + 2) not in _RELATIONS  # "Indian-American" is American
    city = mention.name.rule == "city" or mention.name.care == "weak" or mention.name.rule == NAMESAKE
    if not city:
        return False
    if following in _EVENTS and after in (" ", "-", "’s ", "'s "):
        return True
    if number + 1 < len(here) and here[number + 1].first == mention.last + 1:  # "Paris, Texas"
        return after in (", ", " (") and here[number + 1].name.rule in ("name", "country")
    return False


def _standing(letters: _Letters, here: list[Mention], mention: Mention) -> Mention:
    if mention.standing not in ("sure", "weak"):
        return mention
    others = [m for m in here if m.name.area != mention.name.area and m.standing == "sure"]
    if not others:
        return mention
    if _is_sent(letters, others, mention):
        return replace(mention, standing="actor")
    if letters.folded(mention.first - 1) in _AT and mention.name.rule in ("city", "country", "name"):
        meeting = any(token.folded in _MEETING for token in letters.tokens)
        elsewhere = any(m.first < mention.first and letters.folded(m.first - 1) not in _AT for m in others)
        if meeting and elsewhere:
            return replace(mention, standing="venue")
    return mention


def _is_sent(letters: _Letters, others: list[Mention], mention: Mention) -> bool:
    """ "The US envoy to Yemen": a name, within two words somebody who is sent, and then where to."""
    if mention.name.rule == "city":
        return False
    at = next((n for n in (1, 2, 3) if letters.folded(mention.last + n) in _SENT), 0)
    if not at or "," in letters.between(mention.last, mention.last + at):
        return False
    possessive = letters.between(mention.last, mention.last + 1)[:1] in ("'", "’")
    if mention.name.rule != "people" and mention.name.care != "abbreviation" and not possessive:
        return False  # "France sells jets to Qatar": the country itself is what it is about
    if any(letters.folded(mention.last + n)[-1:] == "s" for n in range(1, at)) and not possessive:
        return False  # "US sends troops to Poland"
    after = mention.last + at
    return any(m.first > after and _leads_to(letters, m.first) for m in others)


def _leads_to(letters: _Letters, first: int) -> bool:
    return any(letters.folded(first - n) in _WHERETO for n in (1, 2))


def _lists_apart(letters: _Letters, here: list[Mention]) -> Iterator[Mention]:
    """Marks the members of a list of three or more ("the pilots in Norway, Peru and Nepal") as examples."""
    listed: set[int] = set()
    run: list[int] = []
    for number, mention in enumerate(here):
        if run and _JOINT.fullmatch(letters.between(here[run[-1]].last, mention.first)):
            run.append(number)
        else:
            run = [number]
        before = letters.text[: letters.tokens[here[run[0]].first].start]
        if len(run) > 2 or (len(run) == 2 and _LIST_BEFORE.search(before)):
            listed.update(run)
    areas = {here[n].name.area for n in listed}
    for number, mention in enumerate(here):
        in_list = number in listed and len(areas) > 1 and mention.standing == "sure"
        yield replace(mention, standing="listed") if in_list else mention


_JOINT = re.compile(r"\s*(?:,|/|&|,?\s*\b(?:and|or|et|y|und|e|и)\b)\s*(?:the\s+)?")
_LIST_BEFORE = re.compile(r"[\w)]\s*,\s*(?:and\s+)?$|\b(?:such as|like|including|from)\s+$")
