"""The layout of the tests: ``unit`` (no server), ``integration``, ``acceptance``.

``tests/unit`` needs nothing beyond Python. What starts or needs a server (PostgreSQL, MariaDB,
Redis, PgBouncer, a gateway) or a file system of its own stands in ``tests/integration``, under the
same path; what needs a whole gateway stands in ``tests/acceptance``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
#: What starts or reaches a server, or mounts a file system.
SERVERS = {
    f"tests.support.{name}"
    for name in (
        "backend_servers",
        "loaded",
        "own_servers",
        "pgbouncer",
        "process",
        "redis_server",
        "servers",
        "small_disk",
        "sockets",
        "topology",
    )
}
FIXTURES = {"postgresql", "mariadb", "services"}


def _test_files(folder: str) -> list[Path]:
    return sorted((TESTS / folder).rglob("*.py"))


def _server_uses(tree: ast.AST) -> Iterator[str]:
    """Yield what a test file takes of servers: imports, fixtures, the marker."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in SERVERS:
            yield node.module
        elif isinstance(node, ast.Attribute) and node.attr == "services":
            yield "pytest.mark.services"
        elif isinstance(node, ast.arg) and node.arg in FIXTURES:
            yield f"the fixture {node.arg}"


@pytest.mark.parametrize("path", _test_files("unit"), ids=lambda path: path.stem)
def test_a_unit_test_needs_no_server(path: Path) -> None:
    uses = sorted(set(_server_uses(ast.parse(path.read_text("utf-8")))))
    assert not uses, f"move {path.relative_to(TESTS)} to tests/integration: it uses {uses}"
