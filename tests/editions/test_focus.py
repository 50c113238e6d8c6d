"""The focus of a month, and which articles belong to it."""

from __future__ import annotations

from datetime import date

import pytest

from digest.editions.focus import find_phrase, focus_for, matches, missing_next
from digest.editions.model import Focus
from tests.support.editions import FOCUS, piece

DECEMBER = Focus("2013-12", "Water", ("water",))


def test_the_focus_is_that_of_the_editions_month() -> None:
    """The first and the last day of a month have its focus, the day after has the next."""
    calendar = (DECEMBER, FOCUS)
    assert focus_for(date(2013, 11, 1), calendar) == FOCUS
    assert focus_for(date(2013, 11, 30), calendar) == FOCUS
    assert focus_for(date(2013, 12, 1), calendar) == DECEMBER
    assert focus_for(date(2014, 1, 1), calendar) is None


@pytest.mark.parametrize(
    ("day", "missing"),
    [(date(2013, 12, 17), None), (date(2013, 12, 18), "2014-01"), (date(2014, 1, 5), "2014-01")],
)
def test_a_missing_month_is_told_two_weeks_ahead(day: date, missing: str | None) -> None:
    """Staff hear of a month without a focus from two weeks before it begins until it has one."""
    assert missing_next(day, (FOCUS, DECEMBER)) == missing


def test_no_calendar_is_no_omission() -> None:
    """A publication that keeps no focus calendar is not told to write one."""
    assert missing_next(date(2013, 12, 18), ()) is None


def test_topics_decide_before_words() -> None:
    """A topic of the focus is the reason, even where the headline would do as well."""
    reason = matches(piece(topics=("mali", "Mediation"), title="Peace Processes at Large"), FOCUS)
    assert reason == "its topic “Mediation” belongs to the focus, Peace Processes"


@pytest.mark.parametrize(
    ("title", "excerpt", "where"),
    [
        ("Why Peace Processes Fail", "", "headline"),
        ("PEACE-PROCESSES, again", "", "headline"),
        ("A day at the lake", "It was mediation, of a kind.", "excerpt"),
        ("Premediation and remediation", "The peace they process is another.", None),
        ("Peace Processesses", "mediations", None),
    ],
)
def test_words_decide_as_whole_phrases(title: str, excerpt: str, where: str | None) -> None:
    """The headline, then the excerpt, count where they say a topic in whole words, whatever the case."""
    reason = matches(piece(title=title, excerpt=excerpt), FOCUS)
    assert (reason is None) if where is None else (reason is not None and where in reason)


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("élections", "Les ÉLECTIONS, enfin", True),
        ("elections", "Les Élections", False),
        ("ÉLECTIONS", "e\u0301lections", True),
        ("शांत", "शांति वार्ता", False),
        ("शांति", "शांति वार्ता", True),
        ("和平", "谈判与和平进程", True),
        ("السلام", "عملية السلام، مجددا", True),
        ("straße", "An der STRASSE", True),
        ("c++", "On c++ and peace", True),
        ("", "anything", False),
        ("  ", "any thing", False),
    ],
)
def test_words_of_any_script_end_where_they_end(phrase: str, text: str, found: bool) -> None:
    """Accents, vowel signs, sharp s and scripts without spaces are each taken as their readers take them."""
    assert (find_phrase(phrase, text) is not None) is found


def test_word_forms_are_those_configured() -> None:
    """A star at the end of a topic takes every word that begins so, in topics and texts; without it none but itself."""
    focus = Focus("2013-11", "Talks", ("mediat*", "peace talks", "*"))
    assert "“mediators”" in (matches(piece(topics=(), title="What mediators know", excerpt=""), focus) or "")
    assert "topic “mediation support”" not in (
        matches(piece(topics=("mediation support",), title="", excerpt=""), focus) or ""
    )
    assert "its topic “mediation”" in (matches(piece(topics=("mediation",), title="", excerpt=""), focus) or "")
    assert matches(piece(topics=(), title="Peace-talks resume", excerpt=""), focus) is not None
    assert matches(piece(topics=(), title="Intermediate states", excerpt="The remediation of rivers."), focus) is None
