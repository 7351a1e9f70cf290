"""The layout of the tests: where a test stands, and that every module has tests that are found.

``tests/unit`` needs nothing beyond Python. What starts or needs a server (PostgreSQL, MariaDB,
Redis, PgBouncer, a gateway) or a file system of its own stands in ``tests/integration``; what needs
a whole gateway stands in ``tests/acceptance``. Each mirrors the packages: the tests of
``gateway/limits/rates.py`` are ``tests/unit/gateway/limits/test_rates.py``. A module without such a
namesake is named in the docstring of a test file that covers it, in a sentence that begins with
"Covers": by its dotted name in double backquotes, or with ``.*`` behind the name of a package for
all modules of it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
KINDS = ("unit", "integration", "acceptance")
PACKAGES = [
    name
    for name in ("gateway", "connectors", "disclosure", "rules", "reconcile")
    if (ROOT / name).is_dir()
]
#: What starts or reaches a server, or mounts a file system.
SERVERS = {
    f"tests.support.{name}"
    for name in (
        "backend_servers",
        "event_logs",
        "loaded",
        "server_processes",
        "nats_server",
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
_NAME = re.compile(r"``((?:gateway|connectors|disclosure|rules|reconcile)(?:\.\w+)*(?:\.\*)?)``")


def _server_uses(tree: ast.AST) -> Iterator[str]:
    """Yield what a test file takes of servers: imports, fixtures, the marker."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in SERVERS:
            yield node.module
        elif isinstance(node, ast.Attribute) and node.attr == "services":
            yield "pytest.mark.services"
        elif isinstance(node, ast.arg) and node.arg in FIXTURES:
            yield f"the fixture {node.arg}"


@pytest.mark.parametrize(
    "path", sorted((TESTS / "unit").rglob("*.py")), ids=lambda path: str(path.relative_to(TESTS))
)
def test_a_unit_test_needs_no_server(path: Path) -> None:
    uses = sorted(set(_server_uses(ast.parse(path.read_text("utf-8")))))
    assert not uses, f"move {path.relative_to(TESTS)} to tests/integration: it uses {uses}"


def _modules() -> Iterator[str]:
    """Yield the dotted names of all modules that define something."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            defines = any(isinstance(n, (ast.FunctionDef, ast.ClassDef)) for n in tree.body)
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            if path.name not in ("__init__.py", "__main__.py") or defines:
                yield name.removesuffix(".__init__")


@cache
def _covered() -> dict[str, str]:
    """Return the modules and packages that test files name in their docstrings, with the file."""
    covered: dict[str, str] = {}
    for kind in KINDS:
        for path in sorted((TESTS / kind).rglob("test_*.py")):
            text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
            covered |= {name: str(path.relative_to(ROOT)) for name in _NAME.findall(text)}
    return covered


def _has_namesake(module: str) -> bool:
    *folders, name = module.split(".")
    return any(TESTS.joinpath(kind, *folders, f"test_{name}.py").is_file() for kind in KINDS)


@pytest.mark.parametrize("module", list(_modules()))
def test_every_module_has_tests_that_are_found_by_its_name(module: str) -> None:
    covered = _covered()
    path = module.replace(".", "/")
    assert (
        _has_namesake(module) or module in covered or f"{module.rpartition('.')[0]}.*" in covered
    ), (
        f"{module} has no tests that can be found. Mend it in one of two ways: write (or rename) "
        f"tests/unit/{path.rpartition('/')[0]}/test_{path.rpartition('/')[2]}.py, or end the "
        f"docstring of the test file that covers it with 'Covers ``{module}``.'. A module that was "
        f"renamed: rename it there too."
    )


def test_only_modules_that_exist_are_said_to_be_covered() -> None:
    missing_modules = {
        name: file
        for name, file in _covered().items()
        if not (ROOT / name.removesuffix(".*").replace(".", "/")).is_dir()
        and not (ROOT / f"{name.replace('.', '/')}.py").is_file()
        and not _is_attribute(name)
    }
    assert not missing_modules, (
        "docstrings name modules that are not there: take them out, or rename them"
    )


def _is_attribute(name: str) -> bool:
    """Whether ``name`` is of something within a module rather than of a module."""
    return (ROOT / f"{name.rpartition('.')[0].replace('.', '/')}.py").is_file()
