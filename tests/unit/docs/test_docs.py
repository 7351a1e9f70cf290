"""The documentation matches the code: links, settings, queries and examples are checked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from graphql import parse, validate
from pydantic import BaseModel

from connectors.backends.memory import MemoryBackend
from connectors.description import Group
from connectors.registry import installed_databases
from gateway.cli.plan import explain_lines
from gateway.settings import DatabaseSettings, Settings, load
from reconcile.settings import ReconcileSettings, SourceRate, load_reconcile_settings
from tests.support.people import HOA, population_rows
from tests.support.running import built, running

ROOT = Path(__file__).parents[3]
PAGES = [
    ROOT / "README.md",
    *(ROOT / f"{name}.md" for name in ("CONTRIBUTING", "SECURITY", "CHANGELOG")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
RUNS = "# runs as it stands\n"
RECONCILE_SETTINGS = "# reconcile.toml\n"
NO_SETTINGS = re.compile(r"# \S*pyproject\.toml\n")

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_QUERY_IN_SHELL = re.compile(r'"query": "(.*?)"}|\bask \w+ \'(.*?)\'', re.DOTALL)
_SETTING = re.compile(r"^\| `([\w.<>]+)` \| (.+?) \| `(\w[\w<>]*)` \|", re.MULTILINE)


@dataclass(frozen=True)
class Snippet:
    """A fenced block of a page, and the block that follows it."""

    page: Path
    language: str
    text: str
    following: str


def snippets(*languages: str) -> list[Snippet]:
    """Return the fenced blocks of all pages in one of ``languages``."""
    all_snippets = []
    for page in PAGES:
        blocks = [match.groups() for match in _FENCE.finditer(page.read_text("utf-8"))]
        for (language, text), (_, following) in pairwise([*blocks, ("", "")]):
            if language in languages:
                all_snippets.append(Snippet(page, language, text, following))
    return all_snippets


def snippet_name(snippet: Snippet) -> str:
    return f"{snippet.page.relative_to(ROOT)}:{snippet.text.strip().splitlines()[0][:30]}"


def queries() -> list[tuple[str, str]]:
    """Return (page, document) of every query shown, in blocks of its own or in commands."""
    sent_queries = [
        Snippet(snippet.page, "graphql", match[1] or match[2], "")
        for snippet in snippets("sh")
        for match in _QUERY_IN_SHELL.finditer(snippet.text.replace("'$ID'", HOA))
    ]
    return [
        (str(snippet.page.relative_to(ROOT)), snippet.text)
        for snippet in (*snippets("graphql"), *sent_queries)
    ]


def settings_of(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield each setting below ``model``, by its name in the file, and its default."""
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from settings_of(type(field.default), f"{prefix}{name}.")
        elif name == "databases":
            yield from settings_of(DatabaseSettings, "databases.<name>.")
        else:
            yield prefix + name, field.default


def default_text(default: object) -> str:
    """Return a default as the page writes it."""
    if default is None:
        return "none"
    return str(default).lower() if isinstance(default, bool) else str(default)


def test_every_setting_is_documented_with_its_default_and_its_environment_name() -> None:
    page = (ROOT / "docs/reference/settings.md").read_text("utf-8")
    documented = {match[1]: (match[2], match[3]) for match in _SETTING.finditer(page)}
    expected = {
        name: (
            default_text(default),
            "JUSTICE_GATEWAY_" + name.upper().replace(".", "__"),
        )
        for name, default in settings_of(Settings)
    }
    assert documented == expected


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    text = _FENCE.sub("", page.read_text("utf-8"))
    relative = [link for link in _LINK.findall(text) if not link.startswith(("http:", "https:"))]
    assert [link for link in relative if not (page.parent / link.split("#")[0]).exists()] == []


def test_every_page_is_linked_from_another() -> None:
    linked = {
        (page.parent / link).resolve()
        for page in PAGES
        for link in _LINK.findall(page.read_text("utf-8"))
    }
    assert [page for page in PAGES[1:] if page.resolve() not in linked] == []


@pytest.mark.parametrize(("page", "document"), queries())
def test_queries_fit_the_schema(page: str, document: str) -> None:
    schema = built(installed_databases())
    assert validate(schema, parse(document)) == []


def test_the_readme_shows_the_query_that_its_command_sends() -> None:
    (query,) = (document for page, document in queries() if page == "README.md")
    assert query == (ROOT / "docs" / "me.graphql").read_text("utf-8")


async def test_the_query_of_the_readme_is_answered_by_all_seven_databases(tmp_path: Path) -> None:
    (query,) = (document for page, document in queries() if page == "README.md")
    databases = installed_databases()
    people = population_rows()["identity"]
    empty = {
        database.name: MemoryBackend(
            database,
            {each.name: people if each.name == "identity" else () for each in database.records},
        )
        for database in databases
    }
    live = {database.name: DatabaseSettings(group=Group.OPERATING) for database in databases}
    async with running(tmp_path, empty, databases, live) as gateway:
        body = await gateway.ask(query, None, ("me",), subject=HOA)
    assert "errors" not in body
    sections = [part for part in body["data"]["me"].values() if isinstance(part, dict)]
    lists = [list_answer for part in sections for list_answer in part.values()]
    assert [list_answer["source"]["state"] for list_answer in lists] == ["ANSWERED"] * 7


def test_the_plan_of_the_readme_is_printed_as_the_page_shows_it() -> None:
    (query,) = (document for page, document in queries() if page == "README.md")
    printed_plan = next(
        snippet for snippet in snippets("text") if snippet.text.startswith("query ")
    )
    databases = installed_databases()
    schema = built(databases)
    lines = explain_lines(databases, Settings(), query, scopes=["me"], schema=schema)
    assert printed_plan.text == "\n".join(lines) + "\n"


@pytest.mark.parametrize("snippet", snippets("json"), ids=snippet_name)
def test_json_is_json(snippet: Snippet) -> None:
    assert json.loads(snippet.text)


@pytest.mark.parametrize(
    "snippet",
    [snippet for snippet in snippets("toml") if not NO_SETTINGS.match(snippet.text)],
    ids=snippet_name,
)
def test_settings_shown_can_be_loaded(snippet: Snippet, tmp_path: Path) -> None:
    is_of_runs = snippet.text.startswith(RECONCILE_SETTINGS)
    file = tmp_path / ("reconcile.toml" if is_of_runs else "gateway.toml")
    file.write_text(snippet.text, "utf-8")
    (load_reconcile_settings if is_of_runs else load)(file)


def test_every_setting_of_national_runs_is_documented_with_its_default() -> None:
    page = (ROOT / "docs/reference/reconcile.md").read_text("utf-8")
    for name, field in ReconcileSettings.model_fields.items():
        if name not in {"source", "sources", "spark"}:
            assert f"| `{name}` | `{field.default}` |" in page, name
    for name in SourceRate.model_fields:
        assert f"`sources.<name>.{name}`" in page, name


@pytest.mark.parametrize(
    "snippet",
    [snippet for snippet in snippets("python") if snippet.text.startswith(RUNS)],
    ids=snippet_name,
)
def test_examples_run_and_print_what_is_shown(snippet: Snippet, tmp_path: Path) -> None:
    file = tmp_path / "example.py"
    file.write_text(snippet.text, "utf-8")
    result = subprocess.run(
        [sys.executable, file],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == snippet.following
