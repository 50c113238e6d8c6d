"""Parsing in a child process that can be killed: a hostile feed costs seconds and memory, never the program.

The child is trusted less than we are: it gets no secrets, may open next to nothing, and answers in JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from digest.feeds.errors import FeedError, NotAFeedError, ParseLimitError
from digest.feeds.model import Entry, Image, Parsed

MAX_ANSWER = 64 << 20
"""Bytes that the child may write; the kernel holds it to that."""

_ROOT = str(Path(__file__).resolve().parents[2])
_START = """
import sys
if sys.argv[1] not in sys.path:
    sys.path.insert(0, sys.argv[1])
from digest.feeds.child import main
main()
"""
_MEND = "ask the publisher for a smaller or simpler feed"


def parse_safely(
    body: bytes,
    headers: Mapping[str, str],
    url: str,
    *,
    cpu_seconds: int = 10,
    memory_mb: int = 300,
    wall_seconds: float | None = None,
) -> Parsed:
    """`parse`, bounded: processor time in seconds, address space in MB, and time by the clock in seconds.

    Raises what `parse` raises, and ParseLimitError when a limit stopped it."""
    wall = wall_seconds or cpu_seconds * 3
    question = json.dumps({"headers": dict(headers), "url": url, "cpu": cpu_seconds, "memory": memory_mb})
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as answer:
        given.write(question.encode("ascii") + b"\n" + body)
        given.seek(0)
        child = subprocess.Popen(  # noqa: S603 - our own interpreter, on our own module
            [sys.executable, "-I", "-c", _START, _ROOT],
            stdin=given,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        try:
            status = child.wait(wall)
        except subprocess.TimeoutExpired as error:
            raise ParseLimitError(
                url, "too-slow", f"reading it took more than {wall:g} s and was stopped", mend=_MEND
            ) from error
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        answer.seek(0)
        told = answer.read(MAX_ANSWER + 1)
    return _understood(told, status, url, cpu_seconds, memory_mb)


def _environment() -> dict[str, str]:
    """What an interpreter needs to start; our secrets are not among it."""
    return {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}


def _understood(told: bytes, status: int, url: str, cpu_seconds: int, memory_mb: int) -> Parsed:
    died = ParseLimitError(url, "parser-died", "the program that reads feeds broke on it", mend=_MEND)
    if status < 0:
        what = f"reading it took more than {cpu_seconds} s of work and was stopped"
        raise ParseLimitError(url, "too-slow", what, mend=_MEND)
    if status > 0:
        raise died
    try:
        reply = json.loads(told)
        if "parsed" in reply:
            return _from_plain(reply["parsed"])
        raise _failure(reply, url, memory_mb)
    except (ValueError, TypeError, KeyError, AttributeError) as error:  # not an answer of ours
        raise died from error


def _failure(reply: Mapping[str, Any], url: str, memory_mb: int) -> FeedError:
    if reply["error"] == "memory":
        return ParseLimitError(url, "too-large", f"reading it needs more than {memory_mb} MB of memory", mend=_MEND)
    state, message, mend = str(reply["state"]), str(reply["message"]), str(reply["mend"])
    if reply["error"] == "not-a-feed":
        return NotAFeedError(url, message, mend=mend, found=tuple(map(str, reply["found"])), state=state)
    return FeedError(url, state, message, mend=mend)


def main() -> None:
    """The child: a line of JSON and a body on stdin; the feed, or what is wrong with it, as JSON out."""
    question = json.loads(sys.stdin.buffer.readline())
    _limit(question["cpu"], question["memory"])
    try:
        reply = _reply(question)
    except MemoryError:
        reply = {"error": "memory"}
    data = json.dumps(reply, default=_plain).encode("ascii")
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    os._exit(0)  # nothing to tidy up, and freeing thousands of entries takes time


def _reply(question: Mapping[str, Any]) -> dict[str, Any]:
    from digest.feeds.parse import parse  # after the limits: its imports are bounded too

    try:
        parsed = parse(sys.stdin.buffer.read(), question["headers"], question["url"])
    except NotAFeedError as error:
        return {"error": "not-a-feed", "found": error.found, **_told(error)}
    except FeedError as error:
        return {"error": "feed", **_told(error)}
    except RecursionError:
        return {
            "error": "feed",
            "state": "too-deep",
            "message": "its elements are nested too deeply",
            "mend": _MEND,
        }
    return {"parsed": asdict(parsed)}


def _told(error: FeedError) -> dict[str, str]:
    return {"state": error.state, "message": error.detail, "mend": error.mend}


def _limit(cpu_seconds: int, memory_mb: int) -> None:
    import resource

    limits = (
        ("RLIMIT_CPU", cpu_seconds),
        ("RLIMIT_AS", memory_mb << 20),
        ("RLIMIT_FSIZE", MAX_ANSWER),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_NOFILE", 64),
    )
    for name, most in limits:
        try:
            resource.setrlimit(getattr(resource, name), (most, most))
        except (ValueError, OSError, AttributeError):
            continue  # a system that knows no such limit (macOS: RLIMIT_AS), or has a lower one already


def _plain(value: Any) -> Any:
    """Datetimes for JSON."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _from_plain(plain: Mapping[str, Any]) -> Parsed:
    entries = tuple(_entry(entry) for entry in plain["entries"])
    return Parsed(**{**plain, "entries": entries, "older": (), "warnings": tuple(plain["warnings"])})


def _entry(plain: Mapping[str, Any]) -> Entry:
    image = plain["image"]
    return Entry(
        **{
            **plain,
            "categories": tuple(plain["categories"]),
            "published": _moment(plain["published"]),
            "updated": _moment(plain["updated"]),
            "image": Image(**image) if image else None,
        }
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
