"""The files, folders and modules that the documentation names exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")),
         *sorted((ROOT / "docs").glob("*.svg")), ROOT / "Makefile",
         ROOT / ".pre-commit-config.yaml"]  # fmt: skip

_FOLDERS = "gateway|connectors|tests|tools|clients|bench|deploy|docs|graphiql"
_PATH = re.compile(rf"(?<![\w./<-])(?:{_FOLDERS})/[\w./-]*\w/?")
_MODULE = re.compile(r"(?<![\w./-])(?:gateway|connectors|tools|bench)(?:\.\w+)+\b(?!\()")
#: Files called so: gateway.toml.
_FILES = re.compile(r"\.(?:toml|py|json|service|log|example)\b")


def paths() -> Iterator[tuple[str, str]]:
    """Yield (page, path) for each path below a folder of this repository that a page names."""
    for page in PAGES:
        text = page.read_text("utf-8")
        for path in sorted(set(_PATH.findall(text))):
            yield str(page.relative_to(ROOT)), path


def modules() -> Iterator[tuple[str, str]]:
    """Yield (page, name) for each dotted name of a module, or of something in one."""
    for page in PAGES:
        for name in sorted(set(_MODULE.findall(page.read_text("utf-8")))):
            if not _FILES.search(name):
                yield str(page.relative_to(ROOT)), name


def is_there(name: str) -> bool:
    """Say whether a dotted name is a module, or is defined in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        module = ROOT.joinpath(*parts[:length])
        for file in (module.with_suffix(".py"), module / "__init__.py"):
            if file.is_file():
                text = file.read_text("utf-8")
                return all(re.search(rf"\b{part}\b", text) for part in parts[length:])
    return ROOT.joinpath(*parts).is_dir()


@pytest.mark.parametrize(("page", "path"), list(paths()))
def test_a_path_that_is_named_exists(page: str, path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize(("page", "name"), list(modules()))
def test_a_module_that_is_named_exists(page: str, name: str) -> None:
    assert is_there(name)


def test_metrics_that_are_named_exist() -> None:
    metrics = {
        name
        for path in (ROOT / "gateway").rglob("*.py")
        for name in re.findall(r'"(justice_gateway_\w+)"', path.read_text("utf-8"))
    }
    metric_names = {
        (page.name, re.sub(r"_(?:total|bucket)$", "", name))
        for page in PAGES
        if page.name != "CHANGELOG.md"  # it names what was renamed
        for name in re.findall(r"\bjustice_gateway_\w+", page.read_text("utf-8"))
    }
    assert {(page, name) for page, name in metric_names if name not in metrics} == set()
