"""The sign-up pages: where a form may come from, how old it may be, who is held back, what a frame may show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
import structlog

from subscribers import wishes
from tests.support.house import House, house
from tests.support.signups import FILLED, confirm_path, deliver, fields, mails_to, pages, sign_up

ANN = "ann@example.org"
OURS = "https://roundup.example.org"
SITE = "https://observatory.example.org"
ALLOWED = {"publication": {"public_url": OURS}, "signup": {"origins": [SITE]}}


def waiting(h: House) -> list[wishes.Wish]:
    with h.app.database.read() as connection:
        return wishes.waiting(connection, after=0, limit=10)


def post(http: httpx2.Client, data: dict[str, Any], path: str = "/subscribe", **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.post(path, data={"email": ANN, **data}, headers=named)


def test_what_is_written_down(tmp_path: Path) -> None:
    """A wish holds what was typed, the choice, the page's language, and the proof: address, browser, form and the exact
    words that stood on the page, button included."""
    with house(tmp_path, changes={"web": {"proxies": ["127.0.0.0/8"]}}) as h, pages(h.app) as http:
        page = http.get("/?lang=fr").text
        h.clock.now += FILLED
        headers = {"X_Forwarded_For": "192.0.2.66, 198.51.100.9", "User_Agent": "A browser"}
        answer = post(http, {**fields(page), "region": ["asia", "africa", "atlantis"]}, **headers)
        assert answer.headers["Content-Language"] == "fr"
        (wish,) = waiting(h)
        assert (wish.address, wish.regions, wish.language) == (ANN, ("africa", "asia"), "fr")
        assert (wish.evidence["ip"], wish.evidence["user_agent"]) == ("198.51.100.9", "A browser")
        sentence, _, button = wish.evidence["wording"].partition(" [")
        assert sentence.replace("’", "&#8217;") in page.replace("’", "&#8217;").replace("&#39;", "'")
        assert f">{button.rstrip(']')}</button>" in page


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec_Fetch_Site": "same-origin", "Origin": "null"}, 200),
        ({"Origin": OURS}, 200),
        ({}, 200),
        ({"Origin": "https://evil.example.net"}, 403),
        ({"Origin": f"{SITE}.evil.example.net"}, 403),
        ({"Origin": SITE.replace("https", "http")}, 403),
        ({"Origin": f"{SITE}:8443"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "same-site", "Origin": "https://shop.example.org"}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Origin": SITE}, "once more"),
        ({"Origin": SITE.upper()}, "once more"),
    ],
)
def test_where_a_form_may_come_from(tmp_path: Path, headers: dict[str, str], status: int | str) -> None:
    """Only a form of our own page is written down; that of a named site leads to our page, filled; any other to 403."""
    with house(tmp_path, changes=ALLOWED) as h, pages(h.app) as http:
        form = fields(http.get("/").text)
        h.clock.now += FILLED
        answer = post(http, form, **headers)
        assert answer.status_code == (200 if status == "once more" else status)
        assert len(waiting(h)) == (1 if status == 200 else 0)
        assert ("One more press" in answer.text) == (status == "once more")


def test_a_form_on_the_publications_own_site(tmp_path: Path) -> None:
    """A bare form there needs no script and no stamp: its reader sees what they typed, and presses once more."""
    with house(tmp_path, changes=ALLOWED) as h, pages(h.app) as http:
        page = post(http, {"region": ["asia"]}, Origin=SITE, Sec_Fetch_Site="cross-site").text
        assert f'value="{ANN}"' in page
        assert page.count(" checked") == 1
        h.clock.now += timedelta(seconds=1)
        assert "Look into your mail" in post(http, {**fields(page), "region": ["asia"]}).text
        (wish,) = waiting(h)
        assert (wish.regions, wish.evidence["form"]) == (("asia",), "site")


@pytest.mark.parametrize(
    ("after", "kept"), [(2, 0), (3, 1), (7_200, 1), (7_201, 0), (400_000, 0)], ids=str
)  # fmt: skip
def test_how_old_a_form_may_be(tmp_path: Path, after: int, kept: int) -> None:
    """Sent within three seconds, or after two hours, a form asks for one more press, which then counts: no person is
    turned away."""
    with house(tmp_path) as h, pages(h.app) as http:
        form = fields(http.get("/").text)
        h.clock.now += timedelta(seconds=after)
        answer = post(http, form)
        assert len(waiting(h)) == kept
        if not kept:
            assert "One more press" in answer.text
            h.clock.now += timedelta(seconds=1)
            post(http, fields(answer.text))
            assert len(waiting(h)) == 1


@pytest.mark.parametrize(
    "change",
    [{"message": "Buy now"}, {"stamp": "1-" + "0" * 40}, {"stamp": "now"}, {"stamp": "9" * 30}],
    ids=["honeypot", "forged", "malformed", "huge"],
)
def test_a_program_is_told_nothing(tmp_path: Path, change: dict[str, str]) -> None:
    """Whoever fills the field that nobody sees, or makes a stamp of their own, gets the usual answer and no mail."""
    with house(tmp_path) as h, pages(h.app) as http:
        form = fields(http.get("/").text)
        h.clock.now += FILLED
        caught = post(http, {**form, **change})
        assert waiting(h) == []
        genuine = post(http, form)
        assert (caught.status_code, caught.text) == (genuine.status_code, genuine.text)


def test_too_many_from_one_network(tmp_path: Path) -> None:
    """From one address, or one /64 of IPv6, only so many; the 429 looks at nothing else, and others go on."""
    with house(tmp_path, changes={"web": {"proxies": ["127.0.0.1"]}}) as h, pages(h.app) as http:
        form = fields(http.get("/").text)
        h.clock.now += FILLED

        def codes(sources: list[str], address: str = ANN) -> list[int]:
            return [post(http, {**form, "email": address}, X_Forwarded_For=one).status_code for one in sources]

        assert codes(["198.51.100.1"] * 11) == [200] * 10 + [429]
        assert codes(["198.51.100.1"], "nobody") == [429]
        assert codes([f"2001:db8::{n:x}" for n in range(11)]) == [200] * 10 + [429]
        assert codes(["2001:db8:0:1::1", "198.51.100.2", "203.0.113.9, 198.51.100.1"]) == [200, 200, 429]
        assert codes(["198.51.100.1, 198.51.100.3"]) == [200], "only what our own proxy says is believed"


def test_a_machine_that_is_no_proxy_is_not_believed(tmp_path: Path) -> None:
    """Without `[web] proxies` nobody's X-Forwarded-For counts, as evidence or otherwise."""
    with house(tmp_path) as h, pages(h.app) as http:
        form = fields(http.get("/").text)
        h.clock.now += FILLED
        post(http, form, X_Forwarded_For="198.51.100.1")
        assert waiting(h)[0].evidence["ip"] == "127.0.0.1"


def test_a_closed_sign_up(tmp_path: Path) -> None:
    """With `[signup] open = false` the pages have no form and say so, and a post is refused."""
    with house(tmp_path) as h, pages(h.app) as open_http:
        form = fields(open_http.get("/").text)
        h.clock.now += FILLED
        with house(tmp_path / "closed", changes={"signup": {"open": False}}) as closed, pages(closed.app) as http:
            for path in ("/", "/embed"):
                assert "Nobody can sign up here" in http.get(path).text
                assert "<form" not in http.get(path).text
            assert post(http, form).status_code == 403
            assert waiting(closed) == []


def test_only_named_sites_frame_the_form(tmp_path: Path) -> None:
    """The frame's page may stand on the named sites and nowhere else; no other page in any frame; neither runs scripts
    or takes anything from elsewhere."""
    with house(tmp_path, changes=ALLOWED) as h, pages(h.app) as http:
        framed = http.get("/embed")
        sent = post(http, fields(framed.text), path="/embed")
        for answer in (framed, sent):
            assert f"frame-ancestors {SITE}" in answer.headers["Content-Security-Policy"].split("; ")
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "X-Frame-Options" not in answer.headers
        for path in ("/", "/subscribe", "/confirm/forged", "/archive"):
            answer = http.get(path, follow_redirects=True)
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Frame-Options"] == "DENY"


def test_by_default_the_publications_site_may_carry_the_form(tmp_path: Path) -> None:
    """Without `[signup] origins` it is the origin of `[publication] url`."""
    changes = {"publication": {"url": "https://Paper.example.org:443/news/"}}
    with house(tmp_path, changes=changes) as h, pages(h.app) as http:
        policy = http.get("/embed").headers["Content-Security-Policy"]
        assert "frame-ancestors https://paper.example.org" in policy.split("; ")


def _get(http: httpx2.Client, path: str) -> httpx2.Response:
    return http.get(path)


def _head(http: httpx2.Client, path: str) -> httpx2.Response:
    return http.head(path)


def _options(http: httpx2.Client, path: str) -> httpx2.Response:
    return http.options(path)


@pytest.mark.parametrize("ask", [_get, _head, _options])
def test_only_a_press_confirms(tmp_path: Path, ask: Callable[[httpx2.Client, str], httpx2.Response]) -> None:
    """GET, HEAD and OPTIONS of a confirmation change nothing, and keep its token to themselves: it is not stored, sent
    on, indexed or logged."""
    with house(tmp_path) as h, pages(h.app) as http, structlog.testing.capture_logs() as logs:
        sign_up(h, http, ANN)
        deliver(h)
        path = confirm_path(mails_to(h, ANN)[0])
        headers = ask(http, path).headers
        assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
        assert headers["X-Robots-Tag"].startswith("noindex")
        assert path.rpartition("/")[2] not in str(logs)
        with h.app.database.read() as connection:
            assert wishes.count(connection) == 0
        page = http.get(path).text
        assert "<script" not in page
        assert "<button" in page


def test_another_site_cannot_confirm(tmp_path: Path) -> None:
    """A press that another site's page sends is refused, with a genuine token, too."""
    with house(tmp_path) as h, pages(h.app) as http:
        sign_up(h, http, ANN)
        deliver(h)
        path = confirm_path(mails_to(h, ANN)[0])
        assert http.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert http.post(path, headers={"Origin": "https://evil.example.net"}).status_code == 403
        assert http.post(path, content=urlencode({"x": 1})).status_code == 200
