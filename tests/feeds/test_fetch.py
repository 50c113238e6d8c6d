"""Fetching over real HTTP: what is kept, what is refused, and that nothing waits for ever."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.errors import FetchError
from digest.feeds.fetch import fetch
from digest.feeds.guard import is_public
from digest.feeds.model import Feed, Fetched, NotModified
from tests.support.feed_server import FeedServer, feed_server, item, rss


@pytest.fixture(scope="module")
def server() -> Iterator[FeedServer]:
    with feed_server() as running:
        yield running


def failure(url: str, **options: object) -> FetchError:
    settings: dict[str, object] = {"allow_private": True, "timeout": 2, "deadline": 4, **options}
    with pytest.raises(FetchError) as caught:
        fetch(Feed(url), **settings)  # type: ignore[arg-type]
    return caught.value


def test_a_feed_comes_whole_with_its_validators(server: FeedServer) -> None:
    """What is served is what is received, with the ETag and date to ask with next time."""
    body = rss(item("One"))
    url = server.feed("/whole", body, last_modified="Mon, 02 Nov 2026 10:00:00 GMT")
    got = fetch(Feed(url), allow_private=True, contact="https://news.example.org/")
    assert isinstance(got, Fetched)
    assert (got.body.decode(), got.url, got.moved_to) == (body, url, None)
    assert got.headers["content-type"].startswith("application/rss+xml")
    assert got.last_modified == "Mon, 02 Nov 2026 10:00:00 GMT"
    asked = server.requests["/whole"][-1]
    assert "https://news.example.org/" in asked["user-agent"]
    assert "if-none-match" not in asked


@pytest.mark.parametrize("known", ["etag", "last_modified"])
def test_what_we_have_is_not_sent_again(server: FeedServer, known: str) -> None:
    """With either validator the server can answer 304, and that is no failure."""
    url = server.feed("/known", rss(), last_modified="Mon, 02 Nov 2026 10:00:00 GMT")
    first = fetch(Feed(url), allow_private=True)
    assert isinstance(first, Fetched)
    feed = replace(Feed(url), **{known: getattr(first, known)})
    assert fetch(feed, allow_private=True) == NotModified(url)


def test_a_304_that_nobody_asked_for_is_a_failure(server: FeedServer) -> None:
    """Without validators a 304 would leave us with nothing: it is shown, not taken for good."""
    assert failure(server.status("/unasked", 304)).state == "http-304"


def test_a_move_for_good_is_told_apart_from_a_detour(server: FeedServer) -> None:
    """`moved_to` is set only when every redirect on the way was permanent."""
    end = server.feed("/new", rss())
    server.redirect("/middle", "/new", status=308)
    for status, moved in ((301, end), (302, None), (307, None)):
        url = server.redirect("/old", "/middle", status=status)
        got = fetch(Feed(url), allow_private=True)
        assert isinstance(got, Fetched)
        assert (got.url, got.moved_to) == (end, moved)


def test_a_circle_of_redirects_ends(server: FeedServer) -> None:
    """Neither a circle nor an endless chain is followed for long."""
    server.redirect("/b", "/a")
    assert failure(server.redirect("/a", "/b")).state == "redirect-loop"
    for number in range(30):
        server.redirect(f"/chain{number}", f"/chain{number + 1}")
    assert failure(server.url("/chain0")).state == "redirect-loop"


@pytest.mark.parametrize(("status", "words"), [(404, "new address"), (410, "gone"), (403, "refuses"), (503, "fault")])
def test_every_refusal_says_what_and_how_to_mend_it(server: FeedServer, status: int, words: str) -> None:
    """The state names the status, and the sentence is for a person."""
    error = failure(server.status("/refused", status))
    assert error.state == f"http-{status}"
    assert words in str(error)
    assert str(error).startswith(server.url("/refused"))


def test_a_gzip_bomb_is_stopped_by_what_it_unpacks_to(server: FeedServer) -> None:
    """The cap counts decoded bytes: 64 MiB in a few kilobytes end at the cap."""
    assert failure(server.gzip_bomb("/bomb", megabytes=64), max_bytes=1 << 20).state == "too-large"


def test_nested_encodings_are_refused(server: FeedServer) -> None:
    """Gzip within gzip multiplies a bomb, and no feed needs it."""
    url = server.raw("/nested", b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 2\r\n\r\nxx")
    assert failure(url).state == "bad-encoding"


@pytest.mark.parametrize("headers_too", [False, True])
def test_a_drip_ends_at_the_deadline(server: FeedServer, headers_too: bool) -> None:
    """A byte now and then keeps every single read alive, in the body or the headers: the whole is bounded."""
    started = time.monotonic()
    assert failure(server.drip("/drip", headers_too=headers_too), deadline=0.6).state == "timeout"
    assert time.monotonic() - started < 2


def test_silence_ends_at_the_timeout(server: FeedServer) -> None:
    """A server that takes the request and says nothing costs one timeout."""
    assert failure(server.silence("/silence", seconds=1), timeout=0.3).state == "timeout"


def test_a_broken_connection_is_a_state_too(server: FeedServer) -> None:
    """A reset before, in or instead of the answer, and a port where nobody listens."""
    assert failure(server.reset("/reset")).state == "cut-off"
    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<rss"
    assert failure(server.reset("/reset", after=begun)).state == "cut-off"
    assert failure(server.raw("/short", begun)).state == "cut-off"
    assert failure(server.raw("/odd", b"220 mail.example.org ESMTP\r\n\r\n")).state == "bad-http"
    assert failure("http://127.0.0.1:1/feed").state == "unreachable"


def test_a_name_that_does_not_exist_is_said_plainly() -> None:
    """An unknown name is a state of its own."""
    assert failure("http://nowhere.invalid/feed", allow_private=False).state == "dns"


@pytest.mark.parametrize(
    "url", ["ftp://news.example.org/feed", "file:///etc/passwd", "news.example.org", "http://[::1"]
)
def test_only_web_addresses_are_fetched(url: str) -> None:
    """Nothing but http and https, and nothing malformed."""
    assert failure(url).state == "bad-url"


def test_a_redirect_to_another_scheme_is_refused(server: FeedServer) -> None:
    """A redirect cannot lead to a file."""
    assert failure(server.redirect("/to-file", "file:///etc/passwd")).state == "bad-url"


def test_our_own_network_is_not_reached(server: FeedServer) -> None:
    """Without leave, no address inside is asked, however it is written; the error names the setting."""
    url = server.feed("/inside", rss())
    port = url.rsplit(":", 1)[1]
    for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"):
        before = len(server.requests["/inside"])
        error = failure(f"http://{host}:{port}", allow_private=False)
        assert error.state == "private-address"
        assert "allow_private_addresses" in str(error)
        assert len(server.requests["/inside"]) == before


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "255.255.255.255", "192.0.0.8", "192.88.99.1", "224.0.0.1", "240.0.0.1", "::1", "::", "fe80::1%eth0",
        "fc00::1", "fec0::1", "ff02::1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1",
        "::7f00:1", "::ffff:10.0.0.1",
    ],
)  # fmt: skip
def test_addresses_that_lead_inside_are_known(address: str) -> None:
    """Private, local, multicast, reserved, and IPv4 in disguise."""
    assert not is_public(address)


@given(st.ip_addresses(network="10.0.0.0/8"))
def test_disguises_of_private_addresses_are_private(address: object) -> None:
    """A private IPv4 address stays private when it is mapped, translated or tunnelled."""
    number = int(address)  # type: ignore[call-overload]
    for disguise in (
        f"::ffff:{address}",
        f"64:ff9b::{address}",
        f"2002:{number >> 16:x}:{number & 0xFFFF:x}::",
    ):
        assert not is_public(disguise)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::6810:84e5", "::ffff:8.8.8.8"])
def test_the_public_internet_is_open(address: str) -> None:
    """Ordinary addresses pass."""
    assert is_public(address)


def test_certificates_are_checked() -> None:
    """A trusted certificate is taken; an unknown one is the state "tls", with a reason."""
    authority = trustme.CA()
    served, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(served)
    authority.configure_trust(client)
    with feed_server(served) as secure:
        url = secure.feed("/feed", rss())
        assert isinstance(fetch(Feed(url), allow_private=True, ssl_context=client), Fetched)
        error = failure(url)
    assert error.state == "tls"
    assert "certificate" in str(error)


def test_a_password_in_an_address_is_not_repeated(server: FeedServer) -> None:
    """Errors are kept and shown: they name the address without its password."""
    url = server.status("/secret", 404).replace("http://", "http://reader:hunter2@")
    error = failure(url)
    assert "hunter2" not in str(error)
    assert "hunter2" not in error.url
