"""Fixtures that all tests share."""

from __future__ import annotations

import gc
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.support.servers import end_servers, mariadb, postgresql

__all__ = ["mariadb", "postgresql", "services"]

# Tracebacks as they are: drawn with all local values, each one takes most of a second.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.set_exc_info,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

_AUDIT = Path(__file__).parent / "acceptance" / "graphql_http" / "node_modules"


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """Take back what a command run within a test says of where logs go."""
    before, handlers = structlog.get_config(), logging.root.handlers[:]
    yield
    structlog.configure(**before)
    logging.root.handlers[:] = handlers


def pytest_collection_finish() -> None:
    """Freeze what collection made: the garbage collector traversed it again and again.

    That was 15 % of the time of the suite.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_sessionfinish() -> None:
    """End the servers that tests of this process started."""
    end_servers()


@pytest.fixture(scope="session")
def services() -> None:
    """Skip where Node.js or its packages are missing; fail if REQUIRE_SERVICES says so."""
    missing = [
        program
        for program, is_found in (
            ("node", shutil.which("node") is not None),
            ("npm packages (npm ci in tests/acceptance/graphql_http)", _AUDIT.is_dir()),
        )
        if not is_found
    ]
    if missing and os.environ.get("REQUIRE_SERVICES"):
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
