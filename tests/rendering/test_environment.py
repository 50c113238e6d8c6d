"""Templates: where they are found, what they may do, and that approval sees every byte of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.errors import ConfigError
from digest.rendering.environment import TemplateError, Templates, environment, fill, plain, templates_hash
from digest.rendering.model import Design
from digest.rendering.plain import safe_url, shorten
from digest.rendering.render import render
from tests.support.renditions import edition, publication


def own(folder: Path, name: str, text: str) -> Templates:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Templates(folder)


def filled(folder: Path, text: str, name: str = "email/x.html", **context: object) -> str:
    env = environment(own(folder, name, text), "en", "America/New_York")
    return fill(env, name, context)


def test_an_operators_file_comes_first(tmp_path: Path) -> None:
    """A file in the operator's folder replaces ours, and the rest stays ours."""
    templates = own(tmp_path, "email/digest/subject.txt", "This week in {{ publication.name }}")
    rendition = render(edition(), publication=publication(), design=Design(), templates=templates)
    assert rendition.subject == "This week in The Harbour Review"
    assert "A Friend at the Table" in rendition.html


def test_the_hash_covers_every_byte_of_the_mail(tmp_path: Path) -> None:
    """Changing a template of the digest, the layout, or an include of one's own is another hash; other
    mails are not."""
    before = templates_hash(Templates())
    assert templates_hash(Templates(tmp_path)) == before
    for name in ("email/digest/body.txt", "email/layout.html", "email/digest/dark.css", "partials/mine.html"):
        folder = tmp_path / name.replace("/", "-")
        assert templates_hash(own(folder, name, "changed")) != before
    assert templates_hash(own(tmp_path / "a", "email/staff-held/body.txt", "changed")) == before
    assert templates_hash(own(tmp_path / "b", "web/page.html", "changed")) == before
    assert templates_hash(Templates(), language="fr") != before


def test_html_is_escaped_and_text_is_not(tmp_path: Path) -> None:
    """Everything but .txt and .css is escaped, whatever its name ends in."""
    for name in ("email/x.html", "email/x.html.j2", "email/x"):
        assert filled(tmp_path, "{{ v }}", name, v="<b>") == "&lt;b&gt;"
    assert filled(tmp_path, "{{ v }}", "email/x.txt", v="<b>") == "<b>"


@pytest.mark.parametrize(
    "text",
    [
        "{{ nothing_of_that_name }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ words.append('x') }}",
        "{% if %}",
        "{% include 'email/none.html' %}",
        "{{ 1 / 0 }}",
    ],
)
def test_a_bad_template_is_one_clear_error(tmp_path: Path, text: str) -> None:
    """A misspelt name, a way out of the sandbox, a change to a value, bad syntax: an error that names the
    template."""
    with pytest.raises(TemplateError, match=r"template email/"):
        filled(tmp_path, text, words=["a"])


def test_an_error_names_its_line(tmp_path: Path) -> None:
    """The line of the template is in the message."""
    with pytest.raises(TemplateError, match=r"email/x\.html, line 3"):
        filled(tmp_path, "one\ntwo\n{{ misspelt }}\n")


def test_a_style_sheet_cannot_end_its_element(tmp_path: Path) -> None:
    """CSS that closes the element it is put into is refused with its line: what follows would be markup."""
    with pytest.raises(TemplateError, match=r"style\.css, line 2: .*</"):
        filled(tmp_path, "p { margin: 0; }\n</STYLE><script>alert(1)</script>", "email/style.css")


def test_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    """A template that an editor saved as Latin-1 is refused by its own name and line, also where it is included."""
    own(tmp_path, "email/x.html", "one\n{% include 'email/part.html' %}")
    (tmp_path / "email/part.html").write_bytes(b"one\ntwo\ncaf\xe9\n")
    env = environment(Templates(tmp_path), "en", "UTC")
    with pytest.raises(TemplateError, match=r"part\.html, line 3: it is not UTF-8"):
        fill(env, "email/x.html", {})


def test_only_plain_values_reach_a_template() -> None:
    """What has methods of its own is refused before a template sees it."""
    assert plain({"a": (1, "x", None), "d": Design().region_colours}) == {"a": [1, "x", None], "d": {}}
    with pytest.raises(TypeError, match="PosixPath"):
        plain({"path": Path("/")})


def test_moments_are_local(tmp_path: Path) -> None:
    """A moment is shown in the publication's zone."""
    late = datetime(2013, 11, 30, 3, 30, tzinfo=UTC)
    assert filled(tmp_path, "{{ m | day }}", m=late) == "Friday, November 29, 2013"
    assert "10:30" in filled(tmp_path, "{{ m | moment }}", m=late)
    assert filled(tmp_path, "{{ m | skeleton('MMMd') }}", m=late) == "Nov 29"


def test_an_unknown_zone_is_a_clear_error() -> None:
    """A misspelt time zone names its key."""
    with pytest.raises(ConfigError, match=r"\[publication\] timezone"):
        environment(Templates(), "en", "America/Nowhere")


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org/a?b=c&d=e#f", "https://example.org/a?b=c&d=e#f"),
        ("https://example.org/a_(b)", "https://example.org/a_%28b%29"),
        ("https://example.org/caf\u00e9?q=\u00e9", "https://example.org/caf%C3%A9?q=%C3%A9"),
        ("https://example.org/caf%C3%A9", "https://example.org/caf%C3%A9"),
        ("https://b\u00fccher.example.org/", "https://xn--bcher-kva.example.org/"),
        ("https://[2001:db8::1]:8443/x", "https://[2001:db8::1]:8443/x"),
        ("mailto:editors@example.org?subject=Hi", "mailto:editors@example.org?subject=Hi"),
        ("https://example.org/a b", "https://example.org/a%20b"),
        ("javascript:alert(1)", ""),
        ("JaVaScript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//example.org/x", ""),
        ("https://", ""),
        ("https://trusted.example.org@evil.example.org/", ""),
        ("https://example.org:port/", ""),
        ("", ""),
    ],
)
def test_safe_url(url: str, safe: str) -> None:
    """Only http, https and mailto, in ASCII, with what would end an address in a text escaped."""
    assert safe_url(url) == safe
    assert safe_url(safe) == safe


def test_shorten_keeps_whole_sentences_and_words() -> None:
    """Whole sentences where they fill half the room, whole words otherwise."""
    text = "The wells are dry. The council meets on Monday to decide."
    assert shorten(text, 100) == text
    assert shorten(text, 30) == "The wells are dry."
    assert shorten(text, 50) == "The wells are dry. The council meets on Monday to…"
    assert shorten("Donaudampfschifffahrt", 10) == "Donaudamp…"
