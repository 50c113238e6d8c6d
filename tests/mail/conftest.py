"""One demo for every test of its mail."""

from __future__ import annotations

import pytest

from tests.support.demo_mail import Received, receive


@pytest.fixture(scope="session")
def received(tmp_path_factory: pytest.TempPathFactory) -> Received:
    """What the demo's readers and staff received."""
    return receive(tmp_path_factory.mktemp("demo"))
