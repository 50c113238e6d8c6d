"""A wrong configuration is one clear line: the file, the line, the key, what is wrong and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from digest.config import load
from digest.errors import ConfigError

EXAMPLE = (Path(__file__).parents[2] / "config.toml").read_text()


def refused(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> str:
    """The one line for this text."""
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load(file, environ or {})
    line = str(raised.value)
    assert "\n" not in line
    assert raised.value.exit_code == 2
    return line.replace(str(tmp_path) + "/", "")


def changed(old: str, new: str) -> tuple[str, int]:
    """The example with one thing changed, and the line where that is."""
    assert EXAMPLE.count(old) >= 1
    at = EXAMPLE.index(old)
    return EXAMPLE.replace(old, new, 1), EXAMPLE.count("\n", 0, at) + 1


MISTAKES = [
    ("timezone = ", "timezon = ", "[publication] timezon", "did you mean `timezone`?"),
    ("[schedule] ", "[shedule] ", "[shedule]", "did you mean `schedule`?"),
    ('colour = "#1f6b4a"', 'color = "#1f6b4a"', "[[regions]] color", "did you mean `colour`?"),
    ("America/New_York", "America/NewYork", "[publication] timezone", "did you mean 'America/New_York'?"),
    ('language = "en"', 'language = "english"', "[publication] language", "no language"),
    ("roundup@news.example.org>", "roundup>", "[publication] from", "no mail address"),
    ('"https://roundup.example.org"', '"roundup.example.org"', "[publication] public_url", "no URL"),
    ('url = "https://observatory.example.org/feed/"', 'url = "ftp://example.org"', "[[feeds]] url", "no URL"),
    ('role = "reading"', 'role = "readin"', "[[feeds]] role", "must be 'articles' or 'reading'"),
    ("minimum = 3", 'minimum = "few"', "[editions] minimum", "whole number"),
    ("section_limit = 8", "section_limit = 0", "[editions] section_limit", "at least 1"),
    ('lookback = "7d"', 'lookback = "a week"', "[editions] lookback", '"7d"'),
    ('lookback = "7d"', "lookback = 7", "[editions] lookback", "no duration"),
    ('approval = "required"', "approval = true", "[editions] approval", "'required' or 'automatic'"),
    ('send = "fri 09:00"', 'send = "friyay 09:00"', "[schedule] send", '"fri 09:00"'),
    ('send = "fri 09:00"', 'send = "fri 25:00"', "[schedule] send", "no weekly moment"),
    ('pull = "every 1h"', 'pull = "1h"', "[schedule] pull", '"every 1h"'),
    ('deadline = "12h"', 'deadline = "7d"', "[schedule] deadline", "two editions"),
    ("2027-01-01", "2027-13-01", "[schedule] skip", "no date"),
    ('["2026-12-25", "2027-01-01"]', "[20261225]", "[schedule] skip", "no date"),
    ('[focus."2013-11"]', '[focus."2013-13"]', '[focus."2013-13"]', "no month"),
    ('topics = ["peace processes", "mediation"]', "topics = []", '[focus."2013-11"] topics', "at least 1"),
    ('name = "Asia"', 'name = "Africa"', "[[regions]] name", "two regions 'Africa'"),
    ('name = "Asia"', 'name = "Global"', "[[regions]] name", "another section"),
    ("#2a5a9c", "blue", "[[regions]] colour", "no colour"),
    ('until = "2026-12-31"', 'until = "2025-12-31"', "[[pinned]] until", "before it begins"),
    ('analysis = "Analysis"', "analysis = 1", "[kinds] analysis", "text in quotes"),
    ("[events]\n", '[events]\ncalender = "x.ics"\n', "[events] calender", "did you mean `calendar`?"),
    ('"https://observatory.example.org/events.ics"', '"no-such.ics"', "[events] calendar", "is no file"),
    ("# folder", 'folder = "none" #', "[templates] folder", "is no folder"),
    ('listen = "127.0.0.1:8000"', 'listen = "8000"', "[web] listen", "127.0.0.1:8000"),
    ('# proxies = ["127.0.0.1"]', 'proxies = ["nginx"]', "[web] proxies", "no address of a machine or a network"),
    ("port = 25", "port = 250000", "[smtp] port", "at most 65535"),
    ('security = "starttls"', 'security = "ssl"', "[smtp] security", "'none', 'starttls' or 'tls'"),
    ("port = 25", 'password = "tiger"', "[smtp] password", "DIGEST_SMTP__PASSWORD"),
    ('rate = "unlimited"', 'rate = "fast"', "[smtp] rate", '"600/min"'),
    ("# password_file", "password_file", "[smtp] password_file", "cannot be read"),
    ("[dkim] ", '[[dkim.keys]]\nselector = "a b"\nkey_file = "x" #', "[[dkim.keys]] selector", "rsa2026"),
    ('# domain = "example.org" ', 'domain = "example.com"', "[dkim] domain", "news.example.org"),
    ('# domain = "example.org" ', 'domain = "org"', "[dkim] domain", "nor its parent"),
    ('# domain = "example.org" ', 'domain = "ample.org"', "[dkim] domain", "nor its parent"),
    ('# address = "bounces@', 'address = "bounces+here@', "[bounces] address", "at most 20"),
    ('# address = "bounces@', f'address = "{"b" * 21}@', "[bounces] address", "at most 20"),
    ("sqlite:///var/digest.sqlite3", "mysql://host/name", "[database] url", "'mysql'"),
    ("sqlite:///var/digest.sqlite3", "sqlite://", "[database] url", "names no file"),
    ("sqlite:///var/digest.sqlite3", "postgresql://u:tiger@h/d", "[database] url", "url_file"),
    ("[web]\n", '[web]\ntimezone = "UTC"\n', "[web] timezone", "it belongs in [publication]"),
    ('# logo = "', 'logo = "', "[design] logo", "logo_width"),
]


@pytest.mark.parametrize(("old", "new", "where", "says"), MISTAKES, ids=[m[2] + " " + m[1][:24] for m in MISTAKES])
def test_a_mistake_is_one_clear_line(tmp_path: Path, old: str, new: str, where: str, says: str) -> None:
    """The line names the file, the line number, the table with the key, and the mend; it never shows a secret."""
    text, line = changed(old, new)
    told = refused(tmp_path, text)
    file, _, rest = told.partition(":")
    number, _, rest = rest.partition(" ")
    assert file == "config.toml"
    assert abs(int(number) - line) <= 1  # a key that was added below its header is on the next line
    assert rest.startswith(where + ":")
    assert says in rest
    assert "tiger" not in rest


def test_the_same_feed_twice_is_refused(tmp_path: Path) -> None:
    """A feed that is listed twice is a slip, and the second one is named."""
    text = EXAMPLE.replace("https://eastdesk.example.org/feed.xml", "https://sahelnotes.example.org/atom.xml")
    assert "listed twice" in refused(tmp_path, text)


def test_a_missing_key_names_its_table(tmp_path: Path) -> None:
    """A required key that is missing is told with the line of its table."""
    text = EXAMPLE.replace('url = "https://observatory.example.org" ', "")
    assert refused(tmp_path, text).startswith("config.toml:6 [publication] url: `url` is missing")


def test_the_mistyped_key_comes_before_the_missing_one(tmp_path: Path) -> None:
    """A typo in a required key is told as the typo, with the count of what follows from it."""
    told = refused(tmp_path, EXAMPLE.replace('name = "The Global', 'nmae = "The Global', 1))
    assert "did you mean `name`?" in told
    assert told.endswith("(and 1 more)")


def test_bad_toml_names_line_and_column(tmp_path: Path) -> None:
    """A syntax error is told with its place."""
    assert refused(tmp_path, EXAMPLE.replace("[staff]", "[staff", 1)).startswith("config.toml:17:7: not TOML")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A missing file, a folder, and a file in another encoding each have their own line."""
    with pytest.raises(ConfigError, match=r"no such file; make one with `digest init`"):
        load(tmp_path / "none.toml", {})
    with pytest.raises(ConfigError, match="is a folder"):
        load(tmp_path, {})
    (tmp_path / "latin.toml").write_bytes('name = "Café"'.encode("latin-1"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "latin.toml", {})


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("DIGEST_SMTP_PORT", "26", "did you mean DIGEST_SMTP__PORT?"),
        ("DIGEST_SMTP__PROT", "26", "did you mean DIGEST_SMTP__PORT?"),
        ("DIGEST_SMTP__PORT", "many", "must be a whole number"),
        ("DIGEST_NONSENSE", "1", "no such setting"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, variable: str, value: str, says: str) -> None:
    """A mistake in the environment names the variable, and not the file."""
    told = refused(tmp_path, EXAMPLE, {variable: value})
    assert told.startswith(f"environment variable {variable}: ")
    assert says in told
