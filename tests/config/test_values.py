"""What a right configuration gives to the rooms."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import date, timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import pytest
from email_validator import validate_email
from hypothesis import given
from hypothesis import strategies as st

from digest.config import Config, load, slug
from digest.config.locate import key_lines, line_of
from digest.config.values import PLAIN_ADDRESS, SHORT_ADDRESS

SMALL = """
[publication]
name = "The Small Review"
url = "https://review.example.org"
from = "The Small Review <mail@news.example.org>"
postal_address = "1 Example Street"
public_url = "{public}"
[[feeds]]
url = "https://review.example.org/feed/"
"""

Write = Callable[..., Config]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(more: str = "", public: str = "https://r.example.org", **environ: str) -> Config:
        (tmp_path / "config.toml").write_text(SMALL.format(public=public) + more)
        return load(tmp_path / "config.toml", environ)

    return written


def test_five_keys_and_a_feed_are_enough(write: Write, tmp_path: Path) -> None:
    """A publication needs to say only what nobody else can know."""
    config = write()
    assert config.schedule is None
    assert config.list_id() == "roundup.news.example.org"
    assert config.database_url() == f"sqlite:///{tmp_path}/var/digest.sqlite3"
    assert config.key_path() == tmp_path / "var/keys"
    assert config.templates_folder() is None


def test_the_environment_goes_over_the_file(write: Write) -> None:
    """A variable replaces a key of the file, in the key's own type; lists may be written with commas or as JSON."""
    config = write(
        '[smtp]\nport = 25\nusername = "u"\n',
        DIGEST_SMTP__PORT="2525",
        DIGEST_SMTP__PASSWORD="tiger",
        DIGEST_STAFF__MAIL="a@example.org, b@example.org",
        DIGEST_FEEDS='[{"url": "https://other.example.org/feed/"}]',
        DIGEST_FETCHING__ALLOW_PRIVATE_ADDRESSES="true",
        DIGEST_CONFIG="elsewhere.toml",
        DIGEST_TESTS_SKIP_NOTHING="1",
    )
    assert (config.relay().port, config.relay().password) == (2525, "tiger")
    assert config.staff.mail == ("a@example.org", "b@example.org")
    assert [feed.url for feed in config.feed_list()] == ["https://other.example.org/feed/"]
    assert config.fetching.allow_private_addresses is True


@pytest.mark.parametrize(
    "name", ["Example, Inc.", "The [New] Post", "War; Peace", 'The "Post"', "C:\\Post", "News @ Nine"]
)
def test_a_quoted_name_of_the_sender(write: Write, name: str) -> None:
    """A name with characters that mean something in an address header is the same name when it is read again."""
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    config = write(DIGEST_PUBLICATION__FROM=f"{quoted} <news@example.org>")
    assert parseaddr(config.publication.sender) == (name, "news@example.org")


def test_a_secret_is_never_printed(write: Write) -> None:
    """The configuration as a text shows no password."""
    assert "tiger" not in repr(write('[smtp]\nusername = "u"\n', DIGEST_SMTP__PASSWORD="tiger"))


def test_secrets_come_from_files_too(write: Write, tmp_path: Path) -> None:
    """A file with the password or the database's URL counts from the configuration's folder; line ends do not."""
    (tmp_path / "pass").write_text("tiger\n")
    (tmp_path / "db").write_text("postgresql://u:tiger@db.example.org/roundup\n")
    config = write('[smtp]\nusername = "u"\npassword_file = "pass"\n[database]\nurl_file = "db"\n')
    assert config.relay().password == "tiger"
    assert config.database_url() == "postgresql://u:tiger@db.example.org/roundup"
    assert config.key_path() == tmp_path / "var/keys"


@pytest.mark.parametrize(
    ("public", "host", "lawful"),
    [
        ("https://r.example.org", "relay.example.org", True),
        ("http://r.example.org", "relay.example.org", False),
        ("http://r.example.org", "127.0.0.1", True),
        ("http://r.example.org", "localhost", True),
        ("http://r.example.org", "::1", True),
        ("http://r.example.org", "10.0.0.1", False),
    ],
)
def test_sending_without_https_is_lawful_to_this_machine_only(
    write: Write, public: str, host: str, lawful: bool
) -> None:
    """A public_url without https is refused for every relay but a loopback one, naming the key."""
    config = write(f'[smtp]\nhost = "{host}"\n', public=public)
    why = config.lawful_for_sending
    assert (why is None) is lawful
    assert why is None or "[publication] public_url" in why


def test_an_override_goes_over_all(tmp_path: Path) -> None:
    """What the program sets itself goes over file and environment, and keeps the other keys of its table."""
    (tmp_path / "config.toml").write_text(
        SMALL.format(public="https://r.example.org") + '[smtp]\nport = 25\nhost = "h.example.org"\n'
    )
    config = load(tmp_path / "config.toml", {"DIGEST_SMTP__PORT": "26"}, overrides={"smtp": {"port": 27}})
    assert (config.relay().host, config.relay().port) == ("h.example.org", 27)


def test_the_rooms_get_their_own_types(write: Write) -> None:
    """Topics and categories are lower-case, months in order, days are dates, rates are messages a second."""
    config = write(
        """
[focus."2027-01"]
title = "Water"
topics = ["Water  Sharing"]
[focus."2026-12"]
title = "Courts"
topics = ["justice"]
[kinds]
Interviews = "Interview"
[[regions]]
name = "Middle East"
topics = ["Middle East"]
colour = "#63418F"
[[events.listed]]
date = 2026-12-10
title = "A day"
[[pinned]]
title = "Evergreen"
link = "https://review.example.org/e/"
until = "2026-12-31"
[links]
rss = "https://review.example.org/feed/"
"Our Archive" = "https://review.example.org/a/"
[schedule]
compose = "Thursday 16:00"
send = "FRI 9:00"
[smtp]
rate = "600/min"
"""
    )
    assert [focus.month for focus in config.focus_calendar()] == ["2026-12", "2027-01"]
    assert config.focus_calendar()[1].topics == ("water sharing",)
    assert config.kinds == {"interviews": "Interview"}
    assert config.region_list()[0].topics == ("middle east",)
    assert config.design_view().region_colours == {"middle-east": "#63418f"}
    assert config.listed_events()[0].day == date(2026, 12, 10)
    assert config.pin_list()[0].last == date(2026, 12, 31)
    assert list(config.publication_view().links) == ["RSS", "Our Archive"]
    assert config.schedule is not None
    assert (config.schedule.compose, config.schedule.send) == ("thu 16:00", "fri 09:00")
    assert config.pull_interval() == timedelta(hours=1)
    assert config.smtp.rate_per_second() == 10


@given(st.text(min_size=1))
def test_a_slug_is_always_fit_for_a_url(name: str) -> None:
    """Whatever the name: lower-case ASCII letters, digits and hyphens, never empty, and the same each time."""
    made = slug(name)
    assert made
    assert all(part.isalnum() and part.isascii() and part == part.lower() for part in made.split("-"))
    assert slug(name) == made


def test_names_in_any_script_have_different_slugs() -> None:
    """Latin names are readable; others are told apart."""
    assert slug("Côte d’Ivoire & Łódź") == "cote-divoire-lodz"
    assert len({slug(name) for name in ("Европа", "Азия", "中东", "亚洲", "Asia 中", "Asia 亚")}) == 6


KEYS = st.text("abcdefgh", min_size=1, max_size=4)
VALUES = st.sampled_from(
    ['"#x"', "'a = 1'", "[\n1,\n2, # c = 3\n]", '"""\nkey = 2\n[t]\n"""', "'''\n\"\n'''", "{ a = 1 }", "3", '"\\""']
)


@given(st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=4), max_size=4))
def test_every_key_is_found_on_its_line(tables: dict[str, dict[str, str]]) -> None:
    """The line told for a key is the one that begins with it, whatever stands in the values before."""
    text = ""
    wanted: dict[tuple[str, str], int] = {}
    for table, keys in tables.items():
        text += f"# about {table}\n[{table}]\n"
        for key, value in keys.items():
            wanted[table, key] = text.count("\n") + 1
            text += f"{key} = {value} # = [x]\n"
    read: dict[str, Any] = tomllib.loads(text)
    lines = key_lines(text)
    assert read.keys() == tables.keys()
    assert {path: lines[path] for path in wanted} == wanted


def test_tables_in_lists_are_counted() -> None:
    """The second of two tables has its own lines, also inside another table, and what is not there falls back."""
    lines = key_lines('[[a]]\nx = 1\n[[a]]\nx = 2\n[[b.c]]\n[[b.c]]\ny.z = 1\n[d."e.f"]\n')
    assert lines["a", 0, "x"] == 2
    assert lines["a", 1, "x"] == 4
    assert lines["b", "c", 1, "y", "z"] == 7
    assert lines["d", "e.f"] == 8
    assert line_of(("a", 1, "missing"), lines) == 3
    assert line_of(("none",), lines) is None


def test_relays(write: Write, tmp_path: Path) -> None:
    """The relay of [smtp] comes first, with its password; the others bring files, weights and rates of their own."""
    config = write(
        '[smtp]\nhost = "one.example.net"\nusername = "u"\nweight = 3\nrate = "600/min"\ntimeout = "2m"\n'
        '[[smtp.relays]]\nhost = "two.example.net"\nport = 587\nusername = "v"\npassword_file = "two"\nweight = 0\n'
        '[[smtp.relays]]\nhost = "three.example.net"\nsecurity = "tls"\ntoken_file = "three"\nconnections = 9\n',
        DIGEST_SMTP__PASSWORD="tiger",
    )
    one, two, three = config.relays()
    assert (one.name, one.password, one.weight) == ("one.example.net:25", "tiger", 3)
    assert (one.rate, one.command_timeout) == (10, 120)
    assert (two.name, two.password, two.weight) == ("two.example.net:587", "", 0)
    assert two.password_file == str(tmp_path / "two")
    assert (three.security, three.token_file) == ("tls", str(tmp_path / "three"))
    assert (three.connections, three.rate) == (9, None)
    assert config.relay() == one
    assert not config.relay_is_loopback


def test_rates_are_a_provider_s(write: Write) -> None:
    """A rate for a domain holds for its whole provider; of two the lower holds, and "unlimited" is none."""
    config = write('[smtp]\nrates = { "gmail.com" = "600/min", "googlemail.com" = "2/s", "x.example" = "unlimited" }\n')
    assert config.provider_rates() == {"google": 2}
    assert write().provider_rates() == {}


@given(st.from_regex(PLAIN_ADDRESS, fullmatch=True).filter(lambda address: len(address) <= SHORT_ADDRESS))
def test_a_plain_address_needs_no_asking(address: str) -> None:
    """What is taken without the validator's rules is what these would take, and as they would write it."""
    assert validate_email(address, check_deliverability=False).normalized == address
