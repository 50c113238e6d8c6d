"""The pages of a reader's own: a pause, the language, their data; over the whole house."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa

from digest.database import Database
from subscribers import store, tables, tokens
from subscribers.model import Subscriber
from tests.support.databases import create_all
from tests.support.subscribers import KEYS, NOW, Site, add_reader, consents_of, running


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    database = Database(f"sqlite:///{tmp_path / 'digest.sqlite3'}")
    create_all(database)
    yield Site(database)
    database.close()


@pytest.fixture
def http(site: Site) -> Iterator[httpx2.Client]:
    with running(site) as server, httpx2.Client(base_url=server.url, trust_env=False, timeout=20) as client:
        yield client


@pytest.fixture
def ann(site: Site) -> Subscriber:
    return add_reader(site.database, "ann@example.org", ["africa", "asia"])


def own(reader: Subscriber) -> str:
    return f"/p/{tokens.make(KEYS, 'preferences', reader.id)}"


def now_of(site: Site, reader: Subscriber) -> Subscriber:
    with site.database.read() as connection:
        found = store.get(connection, reader.id)
    assert found is not None
    return found


@pytest.mark.parametrize("weeks", [2, 4, 8, 12])
def test_pausing(http: httpx2.Client, site: Site, ann: Subscriber, weeks: int) -> None:
    """A pause of so many weeks is one press; the page says until when, and one press ends it."""
    path = own(ann)
    assert f'value="{weeks}"' in http.get(f"{path}/pause").text
    answer = http.post(f"{path}/pause", data={"weeks": str(weeks)})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}/pause")
    assert now_of(site, ann).paused_until == NOW + timedelta(weeks=weeks)
    day = f"{NOW + timedelta(weeks=weeks):%B} {(NOW + timedelta(weeks=weeks)).day}, "
    assert day in http.get(f"{path}/pause").text
    assert day in http.get(path).text
    assert http.post(f"{path}/resume").status_code == 303
    assert now_of(site, ann).paused_until is None
    assert "Resume now" not in http.get(path).text


def test_pausing_until_resumed(http: httpx2.Client, site: Site, ann: Subscriber) -> None:
    """A pause without an end lasts for years, and ends when its reader says so."""
    http.post(f"{own(ann)}/pause", data={"weeks": "resume"})
    site.now = NOW + timedelta(days=3_000)
    assert "until you resume it" in http.get(own(ann)).text
    http.post(f"{own(ann)}/resume")
    assert "until you resume it" not in http.get(own(ann)).text


@pytest.mark.parametrize("weeks", ["", "0", "-2", "3", "520", "2.0", "resume'--", "\0"])
def test_no_other_pause(http: httpx2.Client, site: Site, ann: Subscriber, weeks: str) -> None:
    """A length that no button offers changes nothing, and says so."""
    answer = http.post(f"{own(ann)}/pause", data={"weeks": weeks, "a": "b"})
    assert answer.status_code == 422
    assert now_of(site, ann).paused_until is None


@pytest.mark.parametrize(("language", "direction", "words"), [
    ("fr", "ltr", "Votre revue de la semaine"), ("es", "ltr", "Su resumen semanal"), ("ar", "rtl", "نشرتك الأسبوعية"),
])  # fmt: skip
def test_the_language_of_ones_pages(
    http: httpx2.Client, site: Site, ann: Subscriber, language: str, direction: str, words: str
) -> None:
    """The language that a reader chose holds on every page of theirs, whatever their browser asks for."""
    http.post(own(ann), data={"region": "asia", "language": language})
    assert now_of(site, ann).language == language
    for path in (own(ann), f"{own(ann)}/pause", f"{own(ann)}/address", own(ann).replace("/p/", "/c/")):
        page = http.get(path, headers={"Accept-Language": "en"}, params={"lang": "en"}).text
        assert f'<html lang="{language}" dir="{direction}">' in page
    assert words in http.get(own(ann)).text
    http.post(own(ann), data={"region": "asia", "language": "tlh"})
    assert '<html lang="en"' in http.get(own(ann)).text


@pytest.mark.parametrize(("asked", "accepted", "spoken"), [
    ("", "", "en"), ("fr", "", "fr"), ("", "fr-CA,fr;q=0.8,en;q=0.5", "fr"), ("", "de,es;q=0.7", "es"),
    ("", "fr;q=0,ar;q=0.1", "ar"), ("", "fr;q=0.5,es;q=0.9", "es"), ("es", "fr", "es"), ("", "*", "en"),
    ("xx", "garbage;;q=;,,", "en"), ("en_US", "fr", "en"), ("../../etc", "fr;q=nan", "en"), ("é", "é", "en"),
])  # fmt: skip
def test_the_language_of_a_page(http: httpx2.Client, asked: str, accepted: str, spoken: str) -> None:
    """What the address asks for goes before what the browser would like, and the publication's language is the rest."""
    headers = {"Accept-Language": accepted.encode("latin-1")} if accepted else {}
    answer = http.get("/archive", params={"lang": asked}, headers=headers)  # type: ignore[arg-type]
    assert f'<html lang="{spoken}"' in answer.text
    assert answer.headers["content-language"] == spoken
    assert "Accept-Language" in answer.headers["vary"]


def test_a_page_in_two_languages(http: httpx2.Client, site: Site) -> None:
    """What stands in the publication's language on a page of another is marked as such, for those who listen to it."""
    page = http.get("/archive?lang=ar").text
    assert '<p class="name" lang="en" dir="ltr">' in page
    assert '<a href="/e/2026-11-20?lang=ar" lang="en" dir="ltr">Who keeps the peace' in page
    assert http.get("/archive").text.count('lang="en" dir="ltr"') == 1  # that of the page itself


def test_a_dropped_region(http: httpx2.Client, site: Site) -> None:
    """Whoever chose only regions that are no more sees that they get all, and that they can choose."""
    bo = add_reader(site.database, "bo@example.org", ["atlantis"])
    page = http.get(own(bo)).text
    assert "are no more" in page
    assert page.count(" checked") == len(site.publication.region_names)
    cy = add_reader(site.database, "cy@example.org", ["atlantis", "asia"])
    page = http.get(own(cy)).text
    assert "One of the regions" in page
    assert page.count(" checked") == 1
    http.post(own(bo), data={"region": "asia"})
    assert "no more" not in http.get(own(bo)).text


def test_ones_own_data(http: httpx2.Client, site: Site, ann: Subscriber) -> None:
    """The download has the profile, the whole consent record and every mail, of this reader and of nobody else."""
    add_reader(site.database, "bo@example.org")
    http.post(own(ann), data={"region": "europe"})
    answer = http.post(f"{own(ann)}/data")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["cache-control"] == "no-store"
    found = json.loads(answer.text)
    assert found["profile"]["address"] == "ann@example.org"
    assert found["profile"]["regions"] == ["europe"]
    assert [one["event"] for one in found["consent_record"]] == ["added", "chose"]
    assert found["deliveries"] == []
    assert "bo@" not in answer.text
    columns = {column.name for column in tables.subscribers.columns} - {"match_key"}
    assert set(found["profile"]) == columns, "a new column of the table is in the download"


def test_looking_carries_no_data_away(http: httpx2.Client, ann: Subscriber) -> None:
    """Whatever follows links gets neither the data nor the whole address."""
    for method in ("GET", "HEAD", "OPTIONS", "PUT"):
        answer = http.request(method, f"{own(ann)}/data")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    for path in (own(ann), f"{own(ann)}/pause", f"{own(ann)}/address"):
        assert "ann@" not in http.get(path).text


ACTIONS = ("", "/pause", "/resume", "/data", "/address", "/stay", "/leave")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("headers", [
    {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example.org"},
    {"Origin": "https://elsewhere.example.org", "Host": "elsewhere.example.org"},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://roundup.example.org"},
])  # fmt: skip
def test_no_other_site_presses_a_button(
    http: httpx2.Client, site: Site, ann: Subscriber, action: str, headers: dict[str, str]
) -> None:
    """No form on another site does anything for a reader, with whatever Host."""
    answer = http.post(own(ann) + action, data={"region": "asia", "weeks": "4", "address": "x@y.org"}, headers=headers)
    assert answer.status_code == 403
    assert consents_of(site.database, ann.id) == ["added"]


@pytest.mark.parametrize("action", ACTIONS)
def test_one_404_everywhere(http: httpx2.Client, site: Site, ann: Subscriber, action: str) -> None:
    """A guessed, cut or borrowed token gets one and the same answer from every button and page, and changes nothing."""
    good = tokens.make(KEYS, "preferences", ann.id)
    bad = [tokens.make(KEYS, "unsubscribe", ann.id), tokens.make(KEYS, "preferences", 10**9), good[:-1], good + "A",
           "1-" + "A" * 28, "%00", "..%2f..", "' OR 1=1 --", "é" * 40, "a" * 6_000]  # fmt: skip
    data = {"region": "asia", "weeks": "4", "address": "x@example.net"}
    pages = set()
    for token in bad:
        answer = http.post(f"/p/{token}{action}", data=data)
        assert answer.status_code == 404, token
        pages.add(answer.text)
    assert len(pages) == 1
    assert consents_of(site.database, ann.id) == ["added"]


NASTY = ["'; DROP TABLE subscribers; --", "\" OR \"\"=\"", "%27%20OR%201=1", "<script>alert(1)</script>", "\0",
         "\r\nBcc: x", "{{ 7*7 }}", "a" * 5_000, "\ud7ff\u202e", "../../etc/passwd"]  # fmt: skip


@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_typed_is_believed(http: httpx2.Client, site: Site, ann: Subscriber, nasty: str) -> None:
    """Whatever stands in a field of any form, or in the address: no error of ours, no page that shows it, no row is
    lost."""
    path = own(ann)
    answers = [http.post(path + action, data={"region": nasty, "language": nasty, "weeks": nasty, "address": nasty})
               for action in ("", "/pause", "/address")]  # fmt: skip
    answers += [http.get(where, params={"regions": nasty, "lang": nasty, "saved": nasty, "asked": nasty})
                for where in (path, "/archive", "/e/2026-11-20", f"{path}/address")]  # fmt: skip
    for answer in answers:
        assert answer.status_code < 500
        assert "<script" not in answer.text
        assert ">49<" not in answer.text
        assert "evil" not in str(answer.headers)
    with site.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.subscribers)).scalar() == 1
    assert now_of(site, ann).regions == ("africa", "asia")


@pytest.mark.parametrize("action", ["", "/pause", "/address"])
@pytest.mark.parametrize(("content_type", "body", "status"), [
    ("application/x-www-form-urlencoded", b"a=" + b"b" * 20_000, 413), ("application/json", b"{}", 415),
    ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 600), 400),
    ("application/x-www-form-urlencoded", b"\xff\xfe=\x00", 400), ("", b"weeks=4", 415),
])  # fmt: skip
def test_odd_bodies(
    http: httpx2.Client, site: Site, ann: Subscriber, action: str, content_type: str, body: bytes, status: int
) -> None:
    """A body that no form of ours sends is refused before anything is looked at."""
    answer = http.post(own(ann) + action, content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert consents_of(site.database, ann.id) == ["added"]
