"""What every test can ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from digest.database import Database
from tests.support.databases import create_all, fresh_postgres, postgres_server
from tests.support.tls import Authority, authority_in

# No test fails on a slow day; and where nobody watches (CI), the same examples are tried every time.
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def _logs_as_they_come() -> Iterator[None]:
    """A command that a test runs sets up the logs of this process; the next test finds them as they come."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One PostgreSQL for the whole run (of this test process)."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="digest-pg-") as folder:  # /tmp: readable by the server's own user
        Path(folder).chmod(0o755)
        with postgres_server(Path(folder) / "server") as url:
            yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, once on each kind that we support."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'digest.sqlite3'}"
    else:
        with fresh_postgres(request.getfixturevalue("postgres")) as url:
            yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database with all our tables, once on each kind."""
    database = Database(database_url)
    create_all(database)
    yield database
    database.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that no system knows, one for all tests."""
    return authority_in(tmp_path_factory.mktemp("tls"))
