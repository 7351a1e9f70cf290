"""Plans as printed text: one file in ``explain_lines/`` for each thing that a plan can do.

A file holds a sentence, what is asked with (scopes, variables), the document, and after a line of
dashes the text that ``justice-gateway plan`` prints for it.

Covers ``gateway.cli.plan``, ``gateway.plan.explain``, ``gateway.plan.plan``,
``gateway.plan.steps``, ``gateway.plan.attributes``, ``gateway.plan.results``,
``gateway.plan.requirements``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.registry import installed_databases
from gateway.cli.plan import explain_lines
from gateway.settings import DatabaseSettings, RenderingSettings, Settings
from tests.support.running import built

FOLDER = Path(__file__).parent / "printed"
_ENTRY = re.compile(r"^# (\w+): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Printed:
    """One file: the document with its comments, and the text expected."""

    document: str
    expected: str

    def entry(self, name: str) -> str | None:
        return next(
            (match[2] for match in _ENTRY.finditer(self.document) if match[1] == name), None
        )


def _load(path: Path) -> Printed:
    document, _, expected = path.read_text("utf-8").partition("\n---\n")
    return Printed(document, expected)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_a_plan_is_printed_as_it_is_kept(path: Path) -> None:
    case = _load(path)
    scopes = case.entry("scopes")
    databases = installed_databases()
    lines = explain_lines(
        databases,
        Settings(),
        case.document,
        variables=case.entry("variables") or "{}",
        scopes=None if scopes is None else scopes.split(),
        schema=built(databases),
    )
    assert "\n".join(lines) + "\n" == case.expected


def test_a_plan_says_which_lists_postgresql_may_write() -> None:
    databases = installed_databases()
    settings = Settings(
        databases={"legal_aid": DatabaseSettings(url="postgresql://reader@127.0.0.1/legal_aid")}
    )
    query = """{ person(id: "001090012345") { legalAid {
      cases { items { caseNo } } visits: cases(order: OLDEST_FIRST) { items { caseNo } } } } }"""

    def lines(settings: Settings) -> list[str]:
        schema = built(databases)
        return [
            line.strip()
            for line in explain_lines(databases, settings, query, schema=schema)
            if "as JSON" in line
        ]

    (line,) = lines(settings)
    assert line.startswith("person.legalAid.cases ")
    assert line.endswith("as JSON for many people")
    off = settings.model_copy(update={"rendering": RenderingSettings(enabled=False)})
    assert lines(off) == []
    assert lines(Settings()) == []
