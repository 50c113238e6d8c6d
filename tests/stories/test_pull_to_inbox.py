"""From the feed to the inbox, through the whole house."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.house import House, house
from tests.support.stories import EDITION, Read, books, digests, mails, row

READERS = {
    "all@example.org": (),
    "africa@example.org": ("africa",),
    "two@example.org": ("africa", "asia"),
    "europe@example.org": ("europe",),
    "twin@example.org": ("europe",),
}
SECTIONS = ("africa", "asia", "europe", "middle-east")


def _published(h: House) -> dict[str, list[str]]:
    """Three articles of the focus and two of each region; headlines by section."""
    wanted: dict[str, list[str]] = {"focus": [f"Who sits at table {n}" for n in range(3)]}
    h.publish(
        *(
            h.article(n, title=title, categories=["mediation", "asia"], content=f"<p>Table {n} was full.</p>")
            for n, title in enumerate(wanted["focus"])
        )
    )
    for at, region in enumerate(SECTIONS):
        wanted[region] = [f"Notes {n} from desk {at}" for n in range(2)]
        topic = region.replace("-", " ")
        h.publish(*(h.article(10 * (at + 1) + n, title=t, region=topic) for n, t in enumerate(wanted[region])))
    return wanted


def _headlines(mail: Read, wanted: dict[str, list[str]]) -> dict[str, list[str]]:
    found = {s: [t for t in titles if t in mail.text] for s, titles in wanted.items()}
    return {section: titles for section, titles in found.items() if titles}


def test_each_reader_has_the_focus_and_their_regions(tmp_path: Path, database_url: str) -> None:
    """A reader who chose regions gets the focus and these regions only, each headline once, the focus first."""
    with house(tmp_path, database_url=database_url) as h:
        wanted = _published(h)
        h.subscribe(*READERS.items())
        h.ready()
        report = h.send()
        assert report.finished
        got = digests(h)
        assert set(got) == set(READERS)
        for address, regions in READERS.items():
            expected = {"focus", *(regions or SECTIONS)}
            mail = got[address]
            assert {s: sorted(t) for s, t in _headlines(mail, wanted).items()} == {
                s: sorted(t) for s, t in wanted.items() if s in expected
            }
            for section in expected:
                for title in wanted[section]:
                    assert len(re.findall(rf"<h[1-6][^>]*>[^§]{{0,200}}?{title}", mail.html)) == 1
                    assert mail.text.count(title) == 1
            first = min(mail.html.index(f">{title}<") for titles in wanted.values() for title in titles
                        if f">{title}<" in mail.html)  # fmt: skip
            assert any(mail.html.startswith(f">{title}<", first) for title in wanted["focus"])
        found = books(h)
        assert (found.candidates, found.sent) == (len(READERS), len(READERS))


def test_the_text_part_has_every_headline_and_link(tmp_path: Path) -> None:
    """Whoever reads the text part misses no headline and no link of the HTML."""
    with house(tmp_path) as h:
        _published(h)
        h.subscribe(*READERS.items())
        h.ready()
        h.send()
        for mail in digests(h).values():
            links = set(re.findall(r'href="(https?://[^"]+)"', mail.html))
            assert len(links) > 5
            for link in links:
                assert link.replace("&amp;", "&") in mail.text
            for headline in re.findall(r"<h[23][^>]*>(?:\s*<[^>]+>)*\s*([^<]+?)\s*<", mail.html):
                assert headline.lower() in " ".join(mail.text.lower().split())


def test_sending_again_changes_nothing(tmp_path: Path, database_url: str) -> None:
    """A second `send`, and a third, mail nobody and leave the books as they were."""
    with house(tmp_path, database_url=database_url) as h:
        _published(h)
        h.subscribe(*READERS.items())
        h.ready()
        h.send()
        before, number = books(h), len(mails(h))
        for _ in range(2):
            assert h.send(EDITION).finished
        assert books(h) == before
        assert len(digests(h)) == len(READERS)
        assert len(mails(h)) == number
        assert row(h).state == "sent"
