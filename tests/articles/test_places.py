"""Places: an article stands under the region that it is about, with a reason that a person would give."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.articles.gazetteer import AREAS, NOWHERE, fold, names, tokens
from digest.articles.model import GLOBAL, Evidence, Region
from digest.articles.places import place
from tests.support.articles import article

REGIONS = (
    Region("africa", "Africa", ("africa", "sahel", "mali", "somalia", "sudan", "democratic republic of the congo")),
    Region("americas", "Americas", ("americas",)),
    Region("asia", "Asia", ("asia", "central asia", "southeast asia", "myanmar")),
    Region("europe", "Europe", ("europe",)),
    Region("middle-east", "Middle East", ("middle east", "arab spring", "egypt", "iran", "syria")),
)
OCEANIA = (*REGIONS, Region("oceania", "Oceania"))


def where(title: str = "", excerpt: str = "", *topics: str, regions: tuple[Region, ...] = REGIONS) -> tuple[str, ...]:
    return place(article(1, title=title, excerpt=excerpt, topics=topics), regions).regions


def test_a_configured_topic_decides_and_says_so() -> None:
    """What the configuration says about a topic outweighs every name in the text."""
    found = place(article(1, title="Paris and Berlin send troops", topics=("security", "sahel")), REGIONS)
    assert (found.region, found.reason) == ("africa", 'tagged "sahel", a topic of Africa')
    assert found.evidence[0] == Evidence("africa", "sahel", "topics", "topic")


def test_a_name_in_the_headline_is_the_reason() -> None:
    """Without a telling tag the headline decides, and is named as it was written."""
    found = place(article(1, title="What Kenya's courts can do", excerpt="A view.", topics=("justice",)), REGIONS)
    assert (found.region, found.reason) == ("africa", '"Kenya" in the headline')


def test_the_summary_is_the_last_to_be_asked() -> None:
    """Where tags and headline are silent, the summary speaks."""
    found = place(article(1, title="A long road", excerpt="The ceasefire in Nepal holds.", topics=()), REGIONS)
    assert (found.region, found.reason) == ("asia", '"Nepal" in the summary')


def test_about_nowhere_is_global_and_not_guessed() -> None:
    """Without a sign an article is global, and the reason says what is missing."""
    found = place(article(1, title="Calendars and leap years", excerpt="On counting.", topics=("technology",)), REGIONS)
    assert (found.region, found.regions, found.evidence) == (GLOBAL, (), ())
    assert found.reason == "no region is named in its topics, title or summary"


@pytest.mark.parametrize(
    ("title", "region"),
    [
        ("Russia beyond the Urals", "europe"),
        ("Egypt votes", "middle-east"),
        ("Turkey and its neighbours", "middle-east"),
        ("Iranians queue for bread", "middle-east"),
        ("Algeria, a year on", "africa"),
        ("Moroccan farmers wait for rain", "africa"),
        ("Sudanese generals split", "africa"),
        ("Somalia's ports", "africa"),
        ("Mauritania looks south", "africa"),
        ("Afghans at the border", "asia"),
        ("Pakistan floods", "asia"),
        ("Kazakhstan opens a pipeline", "asia"),
        ("Armenia and its diaspora", "europe"),
        ("South Africans go to the polls", "africa"),
        ("North Koreans abroad", "asia"),
    ],
)
def test_the_judgements_of_the_gazetteer(title: str, region: str) -> None:
    """Where two readings are possible, the gazetteer's judgement holds."""
    assert where(title) == (region,)


@pytest.mark.parametrize(
    ("title", "regions"),
    [
        ("Niger closes a border", ("africa",)),
        ("Nigerian women at the table", ("africa",)),
        ("Women of the woman's movement", ()),
        ("New Mexico drills for water", ("americas",)),
        ("Papua New Guinea and its mines", ()),
        ("Equatorial Guinea's oil", ("africa",)),
        ("Georgia passes a bill", ()),
        ("Georgia and Abkhazia talk in Tbilisi", ("europe",)),
        ("Chad Example wins a prize", ()),
        ("Rebels cross into Chad", ("africa",)),
        ("Chad's president speaks", ("africa",)),
        ("With Jordan Example, on peace", ()),
        ("Refugees in Jordan wait", ("middle-east",)),
        ("A cold turkey approach to debt", ()),
        ("Polish voters; how to polish a treaty", ("europe",)),
        ("The Paris Agreement, ten years on", ()),
        ("Can the Vienna deal hold?", ()),
        ("What the Doha talks left out", ()),
        ("Fires in the Amazon, in Brazil", ("americas",)),
        ("Amazon delivers", ()),
        ("What the Panama Papers changed", ()),
        ("Why the talks let us down", ()),
        ("The US and its promises", ("americas",)),
        ("U.S. aid is cut", ("americas",)),
        ("Burma's generals", ("asia",)),
        ("D.R. Congo: a map", ("africa",)),
        ("Cote d’Ivoire and Côte d'Ivoire", ("africa",)),
        ("Northern Ireland, after", ("europe",)),
        ("A lasting peace? North, Korea and others", ("asia",)),
        ("Kyrgyz-Tajik water sharing", ("asia",)),
    ],
)
def test_names_are_read_as_a_person_reads_them(title: str, regions: tuple[str, ...]) -> None:
    """Whole words, the longest first; namesakes, people's names and common words do not count by themselves."""
    assert where(title) == regions


def test_a_venue_is_not_the_subject() -> None:
    """A city where one meets counts only where nothing else tells."""
    assert where("Syrian factions meet in Geneva") == ("middle-east",)
    assert where("Geneva empties in August") == ("europe",)


def test_who_acts_weighs_less_than_what_it_is_about() -> None:
    """The envoy's country comes after the one he is sent to."""
    assert where("US envoy flies to Yemen")[0] == "middle-east"


def test_several_regions_are_ranked() -> None:
    """Most telling first; what is only mentioned in passing is left away."""
    assert where("India and Kenya sign", "Kenya's ministers were pleased.") == ("africa", "asia")
    assert where("Kenya votes", "Also seen in Peru.", "kenya", "nairobi") == ("africa",)


def test_the_same_countries_in_tags() -> None:
    """A tag is lower-case, and may hold the name among other words."""
    assert where("", "", "kenya elections") == ("africa",)
    assert where("", "", "us politics") == ("americas",)
    assert where("", "", "about us", "jobs") == ()


def test_a_region_lists_what_it_will_have() -> None:
    """A country among a region's topics goes there with all its names; one that is new comes by naming it."""
    moved = (Region("africa", "Africa", ("africa", "egypt")), Region("middle-east", "Middle East"))
    assert where("Cairo after dark", regions=moved) == ("africa",)
    assert where("Egyptian bread", regions=moved) == ("africa",)
    assert where("Fiji and the sea") == ()
    assert where("Fiji and the sea", regions=OCEANIA) == ("oceania",)
    mena = (Region("africa", "Africa"), Region("mena", "Middle East and North Africa"))
    assert where("Tunisian olives", regions=mena) == ("mena",)
    assert where("Ghanaian cocoa", regions=mena) == ("africa",)


def test_names_in_the_publications_language() -> None:
    """A French publication's headlines are read in French, and in English too; so in scripts of every kind."""
    for language, title in (
        ("zh", "关于叙利亚和谈"), ("ar", "محادثات بسوريا"), ("de", "Der Libanon wählt"), ("ru", "Сирия ждёт"),
    ):  # fmt: skip
        other = article(1, title=title, excerpt="", topics=())
        assert place(other, REGIONS, language=language).region == "middle-east", title
    french = article(1, title="Élections en Allemagne et au Pérou", excerpt="", topics=())
    assert set(place(french, REGIONS, language="fr").regions) == {"europe", "americas"}
    assert (
        place(article(1, title="Le Kenya", excerpt="", topics=()), REGIONS, language="no such tag").region == "africa"
    )


@pytest.mark.parametrize("area", AREAS)
def test_every_name_of_the_gazetteer_places_a_sentence(area: str) -> None:
    """Every country, people and city that stands by itself is found in a sentence, and placed in its area."""
    failed = []
    for name in names("en"):
        if name.area != area or name.care:
            continue
        shown = " ".join(word.capitalize() for word in name.words)
        overridden = {"egypt", "iran", "syria", "mali", "myanmar"}
        if where(f"What the mayor of {shown} said", regions=OCEANIA) != (area,) and not overridden & set(name.words):
            failed.append(shown)
    assert failed == []


def test_the_gazetteer_is_of_one_mind() -> None:
    """Every name has an area that exists, and no name stands for two."""
    assert {name.area for name in names("en")} <= {*AREAS, NOWHERE}
    found = [name.words for name in names("en")]
    assert len(found) == len(set(found))
    assert all(words and all(words) for words in found)


@given(st.text(max_size=200), st.text(max_size=200), st.lists(st.text(max_size=30), max_size=4))
def test_any_text_has_a_placement(title: str, excerpt: str, topics: list[str]) -> None:
    """Whatever the words, there is one region and a reason, and the evidence speaks for the regions named."""
    found = place(article(1, title=title, excerpt=excerpt, topics=tuple(topics)), REGIONS)
    assert found.reason
    assert found.region == (found.regions[0] if found.regions else GLOBAL)
    assert {row.region for row in found.evidence} == set(found.regions)


@given(st.text(max_size=60))
def test_tokens_point_into_the_text(text: str) -> None:
    """Each token's place is where it stands in the text."""
    for token in tokens(text):
        assert fold(text[token.start : token.end].replace(".", "")) == fold(token.raw)


def test_ten_thousand_articles_in_seconds() -> None:
    """Placing is fast enough to be done again at every look."""
    excerpt = "The delegations of Kenya and France met on Monday in the capital. They will meet again in spring. " * 3
    many = [article(n, title=f"Talks number {n} on the water of the Nile", excerpt=excerpt) for n in range(2000)]
    start = process_time()
    for one in many:
        place(one, REGIONS)
    assert process_time() - start < 2
