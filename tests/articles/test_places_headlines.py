"""The placing of hard headlines, each a trap of its own kind, labelled by hand before they were first placed."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import pytest

from digest.articles.blanket import without_blanket_categories
from digest.articles.gazetteer import AREAS, NOWHERE, areas_by_code, names, namesakes
from digest.articles.languages import languages_of
from digest.articles.model import GLOBAL, Placement, Region
from digest.articles.places import place
from tests.support.articles import article, entry

HEADLINES = Path(__file__).parent / "headlines.tsv"
REGIONS = tuple(Region(area, area.replace("-", " ").title()) for area in AREAS if area != "oceania")
WITH_OCEANIA = (*REGIONS, Region("oceania", "Oceania"))


def placed(title: str = "", excerpt: str = "", *topics: str, text: str = "", language: str = "en") -> Placement:
    """One article of these words, among the five usual regions."""
    return place(article(1, title=title, excerpt=excerpt, topics=topics, text=text), REGIONS, language=language)


def _rows() -> Iterator[dict[str, str]]:
    with HEADLINES.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def test_hard_headlines_stand_where_a_person_puts_them() -> None:
    """Of the labelled headlines, at least 95 in a hundred are right: all regions wanted, and none besides."""
    rows = list(_rows())
    wrong = []
    for row in rows:
        topics = tuple(row["categories"].lower().replace("&amp;", "&").replace("&#039;", "'").split(" || "))
        found = set(placed(row["title"], row["summary"], *filter(None, topics)).regions) or {GLOBAL}
        slots = [{name.lower().replace(" ", "-") for name in slot.split("|")} for slot in row["regions"].split(";")]
        if not (all(found & slot for slot in slots) and found <= set().union(*slots)):
            wrong.append((row["title"], row["regions"], found))
    assert len(rows) >= 300
    assert len(wrong) <= 0.05 * len(rows), wrong


def test_no_headline_is_labelled_twice() -> None:
    """The set is as large as it looks."""
    seen = [(row["title"], row["summary"], row["categories"]) for row in _rows()]
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    ("title", "regions"),
    [
        ("The US envoy to Yemen resigns", ("middle-east",)),
        ("French troops in Mali begin to leave", ("africa",)),
        ("France sells jets to Qatar", ("middle-east", "europe")),
        ("US sends troops to Poland", ("europe", "americas")),
    ],
)
def test_who_is_sent_is_not_the_subject(title: str, regions: tuple[str, ...]) -> None:
    """An envoy's or a soldier's country is left away; a country that acts itself is not."""
    assert set(placed(title).regions) == set(regions)


@pytest.mark.parametrize(
    ("title", "regions"),
    [
        ("Geneva talks on Syria end", ("middle-east",)),
        ("The Vienna deal, a year later", ()),
        ("Taliban negotiators meet in Doha", ("asia",)),
        ("Colombia and its rebels hold talks in Norway", ("americas",)),
        ("Doha's skyline", ("middle-east",)),
    ],
)
def test_a_venue_is_no_subject(title: str, regions: tuple[str, ...]) -> None:
    """Where others meet is not what is written about, unless nobody else is."""
    assert placed(title).regions == regions


def test_a_dateline_says_where_it_was_written() -> None:
    """The city before the dash counts only where nothing else tells, and a seat of offices not even then."""
    assert placed("Hunger rises", "GENEVA (Reuters) — The number of hungry people grew.").region == GLOBAL
    assert placed("Police fire on marchers", "MANILA (AFP) - Police fired on Monday.").region == "asia"
    assert placed("A truce holds", "NAIROBI, Kenya (AP) — A truce in Yemen held.").regions == ("middle-east",)


def test_an_abbreviation_is_what_the_article_spells_out() -> None:
    """DRC is Congo, and the Danish Refugee Council where the article says so."""
    assert placed("DRC: a vote without voters").region == "africa"
    assert placed("DRC opens a centre", "For the displaced of Ukraine.", "danish refugee council").regions == (
        "europe",
    )
    spelled = placed("DRC at sixty", "A history.", text="The Danish Refugee Council was founded long ago.")
    assert spelled.region == GLOBAL


@pytest.mark.parametrize(
    "title",
    ["The Washington Post moves", "Bank of America opens", "China Daily's editor", "The Hague tribunal's archive",
     "The Paris Agreement", "A woman in Roman law", "The Kenya Times returns"],
)  # fmt: skip
def test_what_bears_a_places_name_is_not_the_place(title: str) -> None:
    """Newspapers, banks, courts and treaties are named after places and are not about them."""
    assert placed(title).region == GLOBAL


def test_namesakes_are_told_apart_by_their_company() -> None:
    """Georgia is a state beside its Senate and a country beside Tbilisi; alone it is neither, as a tag the country."""
    assert placed("Georgia counts again", "The Senate runoff was close.").region == "americas"
    assert placed("Georgia counts again", "Tbilisi's streets were full.").region == "europe"
    assert placed("Georgia counts again").region == GLOBAL
    assert placed("Counting again", "", "georgia").region == "europe"
    assert placed("Paris, Texas").regions == ("americas",)


def test_a_tag_needs_the_text_where_the_headline_contradicts_it() -> None:
    """A tag beside a headline about another region counts if the text bears it out; without a headline, alone."""
    assert placed("Switzerland signs with China", "Bern agreed.", "swaziland news").regions == ("europe", "asia")
    backed = placed("Switzerland signs", "Bern and Hanoi agreed.", "vietnam")
    assert set(backed.regions) == {"europe", "asia"}
    assert placed("A long wait", "Nobody knows.", "vietnam").regions == ("asia",)


def test_a_list_of_examples_is_no_subject() -> None:
    """Countries told off as examples in a summary make an article about none of them."""
    assert placed("Counting well", "With lessons from Norway, Peru and Nepal.").region == GLOBAL
    assert placed("Counting well", "Peru and Nepal compared notes.").regions == ("americas", "asia")


def test_the_body_is_asked_last_and_must_insist() -> None:
    """A body that speaks of one region again and again places an article, where nothing else does."""
    insisting = placed("A long night", "It rained.", text="In Lima it rained. Peru's ministers met. Peruvians waited.")
    assert insisting.region == "americas"
    assert insisting.reason == '"Lima" (Peru) in the text, which speaks of Americas 3 times'
    assert placed("A long night", "It rained.", text="A cousin in Peru called.").region == GLOBAL


def test_a_subject_outside_our_regions_is_not_replaced_by_a_mention() -> None:
    """What is about a region that the publication does not have is global, whatever else its summary names."""
    assert placed("Fiji rebuilds", "With cement from Japan.").region == GLOBAL
    moved = place(article(1, title="Fiji rebuilds", excerpt="With cement from Japan.", topics=()), WITH_OCEANIA)
    assert moved.regions == ("oceania",)


def test_the_reason_says_whom_a_name_stands_for() -> None:
    """A leader, a city or an armed group is explained by its country."""
    assert placed("Netanyahu's week").reason == '"Netanyahu" (Israel) in the headline'
    assert placed("Harvest", "", "mogadishu").reason == 'tagged "mogadishu" (Somalia)'
    assert placed("Kenya's week").reason == '"Kenya" in the headline'


@pytest.mark.parametrize(
    ("text", "language"),
    [("Le président et les élections dans le pays", "fr"), ("La guerra y los vecinos de la ciudad", "es"),
     ("Der Streit um das Geld und die Bahn", "de"), ("O governo não sabe o que fazer com a seca", "pt"),
     ("Мир", "ru"), ("سلام", "ar"), ("和平", "zh")],
)  # fmt: skip
def test_an_article_shows_its_language(text: str, language: str) -> None:
    """Small words or the script tell in which language names are to be looked for; English needs nothing more."""
    assert language in languages_of(text, "en")
    assert languages_of("The state of the union, and of the island of La Palma", "en") == ()
    assert languages_of("Peace", f"{language}-XX") == (language,)


@pytest.mark.parametrize(
    ("language", "title"),
    [("fr", "La présidente taïwanaise et les députés"), ("es", "Los japoneses y el mar"), ("ru", "В Китае и в Японии"),
     ("de", "Die chinesischen Städte und das Meer"), ("pt", "Os japoneses e o mar"),
     ("zh", "中国与日本"), ("ar", "الصين وآسيا")],
)  # fmt: skip
def test_names_are_inflected_in_their_own_way(language: str, title: str) -> None:
    """Peoples and countries are found in the forms that other languages give them, without being told the language."""
    assert placed(title).regions == ("asia",)
    assert placed(title, language=language).regions == ("asia",)


def test_every_careful_name_counts_where_it_may() -> None:
    """Names that prove little place a sentence in which nothing speaks against them."""
    failed = []
    for name in names("en"):
        if not name.care or name.area == NOWHERE:
            continue
        written = [word.upper() if name.care == "abbreviation" else word.capitalize() for word in name.words]
        found = place(article(1, title=f"Life in {' '.join(written)}", excerpt="", topics=(), text=""), WITH_OCEANIA)
        if found.regions != (name.area,):
            failed.append((name, found.regions))
    assert failed == []


def test_every_namesake_has_its_words() -> None:
    """Each word that speaks for one of a name's places brings the article there."""
    for namesake in namesakes():
        for code, words in namesake.choices:
            area = areas_by_code().get(code)
            for word in words if area else ():
                shown = " ".join(namesake.words).title()
                only = sum(word in others for _, others in namesake.choices) == 1
                found = place(article(1, title=f"{shown} and the {word}", excerpt="", topics=(), text=""), REGIONS)
                assert not only or area == "oceania" or area in found.regions, (shown, word, found)


def test_categories_on_every_post_say_nothing() -> None:
    """Places of several regions on all entries of a document are a system's doing; one region's are not."""
    everywhere = [
        entry(n, categories=("Africa", "Asia", "Mediation", "Kenya" if n == 2 else "Water")) for n in range(5)
    ]
    kept = without_blanket_categories(everywhere)
    assert [e.categories for e in kept][2] == ("Mediation", "Kenya")
    assert all("Africa" not in e.categories for e in kept)
    of_africa = [entry(n, categories=("Africa", "Kenya")) for n in range(5)]
    assert without_blanket_categories(of_africa) == tuple(of_africa)
    few = everywhere[:3]
    assert without_blanket_categories(few) == tuple(few)
    assert without_blanket_categories(()) == ()


def test_the_gazetteer_loads_in_a_tenth_of_a_second() -> None:
    """The first article waits for the gazetteer no longer than 100 ms of CPU, Babel's import aside."""
    program = (
        "import babel, time, digest.articles.places as p, digest.articles.region_names as r\n"
        "from digest.articles.model import Region\n"
        "start = time.process_time()\n"
        "r.index_of((Region('africa', 'Africa'), Region('asia', 'Asia')), ())\n"
        "print(time.process_time() - start)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True) for _ in range(3)
    ]
    assert min(float(run.stdout) for run in runs) < 0.1


def test_a_body_costs_little() -> None:
    """Ten thousand articles whose body must be read take less than 10 s of CPU, and half of that without haste."""
    body = "The delegations met on Monday and spoke of water. Nobody from Lima was there, said the mayor. " * 40
    many = [article(n, title=f"Talks number {n}", excerpt="It rained. " * 9, text=body, topics=()) for n in range(500)]
    placed()
    start = process_time()
    for one in many:
        place(one, REGIONS)
    assert process_time() - start < 0.5 * 2  # the machine is shared
