"""The doctor finds faults of a database on a real server and gives advice.

Covers ``gateway.databases.wiring``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.synthetic import PopulationOptions
from connectors.synthetic.loading import load
from gateway.answer import State
from gateway.catalogue.read import Read
from gateway.cli.main import app
from gateway.databases.wiring import load_maintenance, make_sources
from gateway.runtime.clock import SystemClock
from gateway.settings import load as load_settings
from tests.support.loaded import PASSWORD, Site, site
from tests.support.servers import SERVERS, Server, run_in_thread

RECORD = LEGAL_AID.records[0]

CODES = next(c for c in RECORD.columns if c.field.enumeration is not None and not c.field.many)


@dataclass
class Ward:
    """A loaded database, its settings, and the doctor."""

    site: Site
    config: Path

    @property
    def server(self) -> Server:
        return self.site.databases["legal_aid"]

    def execute(self, *statements: str) -> None:
        run_in_thread(self.server.execute(*statements))

    def settings(self, more: str = "", user: str | None = None) -> None:
        server = self.server
        url = server.at(server.port, user or self.site.reader)
        (self.config.parent / "password").write_text(PASSWORD)
        secret = "" if user else 'password_file = "password"\n'
        self.config.write_text(
            f'[databases.legal_aid]\nurl = "{url}"\n{secret}group = "OPERATING"\n{more}'
        )

    def doctor(self, *arguments: str) -> tuple[int, str]:
        runner = CliRunner(env={"COLUMNS": "200"})
        result = runner.invoke(app, ["doctor", "--config", str(self.config), *arguments])
        return result.exit_code, result.output

    def findings(self) -> list[dict[str, Any]]:
        status, output = self.doctor("--json", "--database", "legal_aid")
        (checkup,) = json.loads(output)["databases"]
        findings: list[dict[str, Any]] = checkup["findings"]
        assert (status, checkup["state"]) == ((1, "WRONG") if findings else (0, "WELL"))
        return findings


@pytest.fixture(params=SERVERS)
def ward(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ward]:
    server: Server = request.getfixturevalue(request.param)
    with site(server, ["legal_aid"]) as server_site:
        targets = server_site.targets([LEGAL_AID])
        asyncio.run(load(targets, PopulationOptions(people=150), tmp_path / "truth", processes=1))
        doctored = Ward(server_site, tmp_path / "gateway.toml")
        doctored.settings()
        yield doctored


def test_of_a_database_that_is_well_it_tells_the_server_and_the_time_of_a_look_up(
    ward: Ward,
) -> None:
    status, output = ward.doctor("--json")
    checkups = {checkup["name"]: checkup for checkup in json.loads(output)["databases"]}
    assert status == 0
    assert checkups["notary"]["state"] == "NOT_CONFIGURED"
    well = checkups["legal_aid"]
    assert (well["state"], well["findings"]) == ("WELL", [])
    assert well["server"].lower().startswith(ward.server.make)
    assert 0 < well["lookUpSeconds"]["p50"] <= well["lookUpSeconds"]["p99"]
    assert abs(well["clockAheadSeconds"]) < 60
    status, table = ward.doctor()
    assert (status, "legal_aid" in table, "not configured" in table) == (0, True, True)


def test_a_dropped_index(ward: Ward) -> None:
    table, column = RECORD.table, RECORD.lookups[0].by[0]
    on = f" ON {table}" if ward.server.make == "mariadb" else ""
    ward.execute(f"DROP INDEX ix_{table}_{column}{on}")
    findings = [finding for finding in ward.findings() if finding["about"] == "index"]
    assert findings
    assert f"CREATE INDEX ON {table} ({column})" in findings[0]["advice"]
    assert findings[0]["where"] == "gateway.toml:1"


def test_a_renamed_column(ward: Ward) -> None:
    column = CODES.name
    ward.execute(f"ALTER TABLE {RECORD.table} RENAME COLUMN {column} TO loai_moi")
    (finding,) = ward.findings()
    assert (finding["about"], f"column {column} of" in finding["text"]) == ("columns", True)
    assert "name the column in settings" in finding["advice"]
    ward.settings(f'[databases.legal_aid.records.{RECORD.name}]\ncolumns.{column} = "loai_moi"\n')
    assert ward.findings() == []


def test_a_wrong_code(ward: Ward) -> None:
    ward.execute(f"UPDATE {RECORD.table} SET {CODES.name} = 'X-17'")
    (finding,) = ward.findings()
    assert (finding["about"], "X-17" in finding["text"]) == ("codes", True)
    assert "say in settings which of ours they are" in finding["advice"]
    own_code = next(iter(CODES.field.enumeration.__members__)) if CODES.field.enumeration else ""
    table = f"[databases.legal_aid.records.{RECORD.name}.values.{CODES.name}]"
    ward.settings(f"{table}\nX-17 = '{own_code}'\n")
    assert ward.findings() == []


def test_a_login_that_may_write(ward: Ward) -> None:
    reader = ward.site.reader
    user = reader if ward.server.make == "postgresql" else f"{reader}@'%'"
    ward.execute(f"GRANT INSERT ON {RECORD.table} TO {user}")
    (finding,) = ward.findings()
    assert (finding["about"], RECORD.table in finding["text"]) == ("role", True)
    assert "REVOKE" in finding["advice"]
    assert finding["where"] == "gateway.toml:2"


def test_a_table_that_is_not_there(ward: Ward) -> None:
    ward.settings(f'[databases.legal_aid.records.{RECORD.name}]\ntable = "khong_co"\n')
    findings = [finding for finding in ward.findings() if finding["about"] == "tables"]
    assert "there is no table khong_co" in findings[0]["text"]
    assert findings[0]["where"] == "gateway.toml:6"


def test_a_server_that_does_not_answer_or_does_not_let_one_in(ward: Ward) -> None:
    ward.settings(user="nobody_at_all")
    (finding,) = ward.findings()
    assert (finding["about"], "does not answer" in finding["text"]) == ("server", True)
    table = '[databases.legal_aid]\ngroup = "OPERATING"\n'
    ward.config.write_text(f'{table}url = "postgresql://u@127.0.0.1:9/x"\n')
    (finding,) = ward.findings()
    assert finding["about"] == "server"


def test_a_table_that_the_doctor_saw_and_is_gone_is_no_record_never_kept(ward: Ward) -> None:
    assert ward.findings() == []
    ward.execute(f"DROP TABLE {RECORD.table}")
    settings, clock = load_settings(ward.config), SystemClock()

    async def state() -> State:
        maintenance = load_maintenance(settings, clock)
        sources = make_sources(settings, [LEGAL_AID], {}, clock, maintenance)
        source = sources["legal_aid"]
        (answer,) = await source.fetch(Read(RECORD, RECORD.lookups[0]), ["001090000001"], 20)
        assert source.backend is not None
        await source.backend.close()
        return answer.report.state

    assert asyncio.run(state()) is State.UNAVAILABLE
