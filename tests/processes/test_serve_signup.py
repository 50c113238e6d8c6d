"""A sign-up while `digest serve` runs: the mail comes by itself, at once, and through every role apart."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from digest.serve import Serving
from digest.serve.process import Role
from tests.support.house import SetClock
from tests.support.signups import FILLED, fields
from tests.support.workspace import PATIENCE, Workspace, workspace

ANN = "ann@example.org"


@contextmanager
def serving(house: Workspace, clock: SetClock, roles: Collection[Role]) -> Iterator[Serving]:
    """One process' worth of it, in a thread."""
    made = Serving(house.path, roles=roles, clock=clock, environ={})
    ready, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=made.run, args=(lambda _: ready.set(), stop.wait))
    thread.start()
    try:
        assert ready.wait(PATIENCE)
        yield made
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("apart", [False, True], ids=["serve", "web and worker"])
def test_the_mail_comes_by_itself(tmp_path: Path, apart: bool) -> None:
    """Sign up, find the mail, confirm: with all roles in one process, and with a web and a worker that share but
    the database."""
    processes: list[tuple[Role, ...]] = [("web",), ("worker",)] if apart else [("web", "scheduler", "worker")]
    changes = {"web": {"listen": "127.0.0.1:0"}}
    with workspace(tmp_path, changes=changes) as house, ExitStack() as stack:
        clock = SetClock(datetime.now(UTC))
        web, *_ = [stack.enter_context(serving(house, clock, roles)) for roles in processes]
        assert web.pages is not None
        with httpx2.Client(base_url=web.pages.url, trust_env=False, timeout=20) as http:
            form = fields(http.get("/").text)
            clock.now += FILLED
            assert "Look into your mail" in http.post("/subscribe", data={**form, "email": ANN}).text
            until = time.monotonic() + PATIENCE
            while ANN not in house.sink.recipients():
                assert time.monotonic() < until, "it never came"
                time.sleep(0.02)
            (mail,) = [one.data.decode() for one in house.sink.received if one.recipient == ANN]
            found = re.search(r"/confirm/[\w-]+", re.sub(r"=\r\n", "", mail))
            assert found is not None
            assert "You are subscribed" in http.post(found[0]).text
