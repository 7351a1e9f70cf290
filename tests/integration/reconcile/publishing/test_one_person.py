"""A correction is followed for one person: ``conflicts`` of now beside the last run.

The document is that of ``docs/how-to/follow-a-correction.md``.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.backends.server import ServerOptions
from connectors.backends.sql import SqlBackend
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Database, Group
from connectors.population import DATABASE as POPULATION
from connectors.reconciliation import DATABASE as RECONCILIATION
from gateway.procedures.procedure import UNIFIED
from gateway.settings import DatabaseSettings
from reconcile.publishing.connection import run_in_database
from reconcile.publishing.request import request_correction
from reconcile.publishing.run_findings import ReportedFinding, ReportedSide
from rules.registry import RULES
from rules.row_program import RowProgram
from tests.support.backend_samples import write_file
from tests.support.people import LAN
from tests.support.published_runs import NOW, manifest_of, publish
from tests.support.rule_people import findings_of
from tests.support.running import Running, running
from tests.support.worlds import ALL, EVERY, LIVE, world

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "how-to" / "follow-a-correction.md"
DATABASES = tuple({each.name: each for each in (*ALL, RECONCILIATION)}.values())
SETTINGS = {
    **LIVE,
    "reconciliation": DatabaseSettings(timeout=120, group=Group.OPERATING),
}
FINDINGS_SCOPES = (
    "reconciliation:read",
    "reconciliation:sensitive",
    "reconciliation.reconciliation_rule:find",
)
SCOPES = (*EVERY, "person:read", *FINDINGS_SCOPES)
RULE = "MARITAL_STATUS"
_PROGRAM = RowProgram(RULES)


@dataclass(frozen=True)
class Registers:
    """The registers of Lan, who is single in one and married in the other, in SQLite."""

    folder: Path

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.sqlite"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path('reconciliation')}"

    def write(self) -> None:
        identity: dict[str, object] = {
            "citizen_id": LAN,
            "life_status": "ALIVE",
            "marital_status": "SINGLE",
        }
        marriage: dict[str, object] = {
            "event_id": "M1",
            "wife_citizen_id": LAN,
            "effective_from": "2015-01-01",
            "status": "VALID",
        }
        _write(self.path("population"), POPULATION, identity=identity)
        _write(self.path("civil_status"), CIVIL_STATUS, marriages=marriage)

    def correct(self) -> None:
        """The population database follows the book."""
        with closing(sqlite3.connect(self.path("population"))) as file, file:
            file.execute("UPDATE identity SET marital_status = 'MARRIED'")

    def rows(self, database: Database) -> dict[tuple[str, str], list[dict[str, object]]]:
        with closing(sqlite3.connect(self.path(database.name))) as file:
            file.row_factory = sqlite3.Row
            return {
                (database.name, record.name): [
                    dict(row) for row in file.execute(f"SELECT * FROM {record.table}")
                ]
                for record in database.records
            }

    async def run(self, day: int) -> None:
        """Check the rules over the registers as they are, and publish what they find."""
        tables = {**self.rows(POPULATION), **self.rows(CIVIL_STATUS)}
        found = list(_reported(tables))
        await self.in_findings(lambda c: publish(c, manifest_of(day), *found))

    async def in_findings(self, work: Any) -> Any:
        return await run_in_database(self.url, ServerOptions(), work)


def _write(path: Path, database: Database, **rows: dict[str, object]) -> None:
    """Write a register with one row of each record named."""
    records = {
        record.name: [rows[record.name]] if record.name in rows else []
        for record in database.records
    }
    write_file(path, records, described=database)


def _reported(tables: dict[tuple[str, str], list[dict[str, object]]]) -> Iterator[ReportedFinding]:
    for number, finding in findings_of(_PROGRAM, tables, date(2026, 12, 1)):
        rule, case = finding.rule, finding.case
        sides = tuple(
            ReportedSide(
                side.row.read.database,
                side.row.record.name,
                f"hash-of-{row}",
                place == case.prevails,
            )
            for place, (side, row) in enumerate(zip(case.sides, finding.record_ids(), strict=True))
        )
        place = rule.cases.index(case)
        name = f"{rule.name}-{place}-{number}"
        yield ReportedFinding(
            name, number, rule.name, rule.severity.name, place, f"hash-of-{number}", sides
        )


@pytest.fixture
def registers(tmp_path: Path) -> Registers:
    registers = Registers(tmp_path)
    registers.write()
    return registers


def backends(registers: Registers) -> Any:
    databases = world({})
    for database in (POPULATION, CIVIL_STATUS, RECONCILIATION):
        url = f"sqlite:///{registers.path(database.name)}"
        databases[database.name] = SqlBackend(database, url)
    return databases


async def ask(gateway: Running, scopes: tuple[str, ...] = SCOPES) -> dict[str, Any]:
    (document,) = re.findall(r"```gql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    token = gateway.token(*scopes, purposes=[UNIFIED])
    reply = await gateway.post(document, {"id": LAN}, token, x_purpose=UNIFIED)
    body: dict[str, Any] = reply.json()
    return body


def now(body: dict[str, Any]) -> list[str]:
    value = body["data"]["person"]["conflicts"]["value"]
    assert value["unchecked"] == []
    return [finding["rule"] for finding in value["findings"]]


def last_run(body: dict[str, Any]) -> list[tuple[str, str]]:
    listed = body["data"]["person"]["reconciliation"]["findings"]
    assert listed["source"]["state"] == "ANSWERED"
    return [(item["rule"], item["state"]) for item in listed["items"]]


async def test_a_correction_is_seen_now_and_by_the_next_run(
    registers: Registers, tmp_path: Path
) -> None:
    async with running(tmp_path / "gateway", backends(registers), DATABASES, SETTINGS) as gateway:
        before = await ask(gateway)
        listed = before["data"]["person"]["reconciliation"]["findings"]
        assert (listed["items"], listed["source"]["state"]) == (None, "UNAVAILABLE")
        await registers.run(1)
        body = await ask(gateway)
        assert (now(body), last_run(body)) == ([RULE], [(RULE, "OPEN")])
        rule = body["data"]["reconciliationRule"]["item"]
        assert (rule["coverage"], rule["run"]) == ("EVERYBODY", manifest_of(1).run)
        (item,) = body["data"]["person"]["reconciliation"]["findings"]["items"]
        assert item["findingSides"]["items"] == [
            {"sourceDatabase": "population", "sourceRecord": "identity", "prevails": False},
            {"sourceDatabase": "civil_status", "sourceRecord": "marriages", "prevails": True},
        ]
        await registers.in_findings(
            lambda c: request_correction(c, [item["findingId"]], "12/CV-BTP", NOW)
        )
        registers.correct()
        body = await ask(gateway)
        assert (now(body), last_run(body)) == ([], [(RULE, "REQUESTED")])
        await registers.run(2)
        body = await ask(gateway)
        assert (now(body), last_run(body)) == ([], [(RULE, "CORRECTED")])
        (item,) = body["data"]["person"]["reconciliation"]["findings"]["items"]
        assert (item["correctedOn"], item["requestReference"]) == ("2026-12-02", "12/CV-BTP")


@pytest.mark.parametrize(
    "scopes",
    [EVERY_OTHER := tuple(name for name in SCOPES if not name.startswith("reconciliation"))],
)
async def test_all_other_scopes_tell_nothing_of_findings(
    registers: Registers, tmp_path: Path, scopes: tuple[str, ...]
) -> None:
    await registers.run(1)
    async with running(tmp_path / "gateway", backends(registers), DATABASES, SETTINGS) as gateway:
        body = await ask(gateway, scopes)
    assert body["data"]["person"]["reconciliation"]["findings"]["source"]["state"] == "DENIED"
    assert body["data"]["person"]["reconciliation"]["findings"]["items"] is None


async def test_the_scope_of_findings_tells_no_value_of_any_record(
    registers: Registers, tmp_path: Path
) -> None:
    await registers.run(1)
    with closing(sqlite3.connect(registers.path("reconciliation"))) as file:
        stored = "\n".join(file.iterdump())
    assert LAN in stored
    assert not {"SINGLE", "2015-01-01", "M1", "ALIVE"} & set(re.findall(r"[\w-]+", stored))
    async with running(tmp_path / "gateway", backends(registers), DATABASES, SETTINGS) as gateway:
        body = await ask(gateway, ("population:read", *FINDINGS_SCOPES))
    assert last_run(body) == [(RULE, "OPEN")]
    assert not {"SINGLE", "2015-01-01", "M1"} & set(re.findall(r"[\w-]+", str(body)))
