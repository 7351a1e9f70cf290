"""The doctor finds what is wrong, says what to do, and where settings speak of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.description import Group
from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.synthetic import Options
from connectors.synthetic.loading import load
from gateway.answer import State
from gateway.cli.main import app
from gateway.databases.doctor import agreement, unasked_group
from gateway.databases.wiring import make_sources, planned
from gateway.runtime.clock import SystemClock
from gateway.settings import Agreement, DatabaseSettings, Xroad
from gateway.settings import load as load_settings
from tests.support.loaded import PASSWORD, Site, site
from tests.support.running import TestClock
from tests.support.servers import SERVERS, Server, apart

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
        apart(self.server.execute(*statements))

    def settings(self, more: str = "", user: str | None = None) -> None:
        here = self.server
        url = here.at(here.port, user or self.site.reader)
        (self.config.parent / "password").write_text(PASSWORD)
        secret = "" if user else 'password_file = "password"\n'
        self.config.write_text(
            f'[databases.legal_aid]\nurl = "{url}"\n{secret}group = "OPERATING"\n{more}'
        )

    def doctor(self, *arguments: str) -> tuple[int, str]:
        runner = CliRunner(env={"COLUMNS": "200"})
        ran = runner.invoke(app, ["doctor", "--config", str(self.config), *arguments])
        return ran.exit_code, ran.output

    def findings(self) -> list[dict[str, Any]]:
        status, output = self.doctor("--json", "--database", "legal_aid")
        (one,) = json.loads(output)["databases"]
        found: list[dict[str, Any]] = one["findings"]
        assert (status, one["state"]) == ((1, "WRONG") if found else (0, "WELL"))
        return found


@pytest.fixture(params=SERVERS)
def ward(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ward]:
    server: Server = request.getfixturevalue(request.param)
    with site(server, ["legal_aid"]) as here:
        targets = here.targets([LEGAL_AID])
        asyncio.run(load(targets, Options(people=150), tmp_path / "truth", processes=1))
        made = Ward(here, tmp_path / "gateway.toml")
        made.settings()
        yield made


def test_of_a_database_that_is_well_it_tells_the_server_and_the_time_of_a_look_up(
    ward: Ward,
) -> None:
    status, output = ward.doctor("--json")
    found = {one["name"]: one for one in json.loads(output)["databases"]}
    assert status == 0
    assert found["notary"]["state"] == "NOT_CONFIGURED"
    well = found["legal_aid"]
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
    found = [one for one in ward.findings() if one["about"] == "index"]
    assert found
    assert f"CREATE INDEX ON {table} ({column})" in found[0]["advice"]
    assert found[0]["where"] == "gateway.toml:1"


def test_a_renamed_column(ward: Ward) -> None:
    column = CODES.name
    ward.execute(f"ALTER TABLE {RECORD.table} RENAME COLUMN {column} TO loai_moi")
    (found,) = ward.findings()
    assert (found["about"], f"column {column} of" in found["text"]) == ("columns", True)
    assert "name the column in settings" in found["advice"]
    ward.settings(f'[databases.legal_aid.records.{RECORD.name}]\ncolumns.{column} = "loai_moi"\n')
    assert ward.findings() == []


def test_a_wrong_code(ward: Ward) -> None:
    ward.execute(f"UPDATE {RECORD.table} SET {CODES.name} = 'X-17'")
    (found,) = ward.findings()
    assert (found["about"], "X-17" in found["text"]) == ("codes", True)
    assert "say in settings which of ours they are" in found["advice"]
    ours = next(iter(CODES.field.enumeration.__members__)) if CODES.field.enumeration else ""
    table = f"[databases.legal_aid.records.{RECORD.name}.values.{CODES.name}]"
    ward.settings(f"{table}\nX-17 = '{ours}'\n")
    assert ward.findings() == []


def test_a_login_that_may_write(ward: Ward) -> None:
    reader = ward.site.reader
    user = reader if ward.server.make == "postgresql" else f"{reader}@'%'"
    ward.execute(f"GRANT INSERT ON {RECORD.table} TO {user}")
    (found,) = ward.findings()
    assert (found["about"], RECORD.table in found["text"]) == ("role", True)
    assert "REVOKE" in found["advice"]
    assert found["where"] == "gateway.toml:2"


def test_a_table_that_is_not_there(ward: Ward) -> None:
    ward.settings(f'[databases.legal_aid.records.{RECORD.name}]\ntable = "khong_co"\n')
    found = [one for one in ward.findings() if one["about"] == "tables"]
    assert "there is no table khong_co" in found[0]["text"]
    assert found[0]["where"] == "gateway.toml:6"


def test_a_server_that_does_not_answer_or_does_not_let_one_in(ward: Ward) -> None:
    ward.settings(user="nobody_at_all")
    (found,) = ward.findings()
    assert (found["about"], "does not answer" in found["text"]) == ("server", True)
    table = '[databases.legal_aid]\ngroup = "OPERATING"\n'
    ward.config.write_text(f'{table}url = "postgresql://u@127.0.0.1:9/x"\n')
    (found,) = ward.findings()
    assert found["about"] == "server"


def _settings(tmp_path: Path, text: str, *arguments: str) -> tuple[int, str]:
    config = tmp_path / "gateway.toml"
    config.write_text(text)
    ran = CliRunner(env={"COLUMNS": "400", "TERMINAL_WIDTH": "400"}).invoke(
        app, ["doctor", "--config", str(config), *arguments]
    )
    return ran.exit_code, " ".join(ran.output.replace("│", " ").split())


def test_a_wrong_url_is_said_with_its_line(tmp_path: Path) -> None:
    text = 'port = 8001\n\n[databases.notary]\ntimeout = 2.0\nurl = "postgres//geheim"\n'
    status, output = _settings(tmp_path, text)
    assert status == 1
    assert "gateway.toml:5" in output
    assert "a database URL must be written scheme://..." in output
    assert "geheim" not in output


def test_a_mapping_to_what_nobody_declares_is_said_with_its_line(tmp_path: Path) -> None:
    text = f"""[databases.legal_aid]
url = "sqlite:///x.sqlite"
[databases.legal_aid.records.{RECORD.name}.columns]
hoten = "ho_ten"
"""
    status, output = _settings(tmp_path, text)
    assert (status, "gateway.toml:4" in output) == (1, True)
    assert "there is no column hoten; there are" in output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[databases.notary]\nurl = 'sqlite:///x'\ntimeuot = 2\n", ":3: databases.notary.timeuot"),
        ("[databases.notary]\nurl = 'sqlite:///x'\ntimeuot = 2\n", "timeout is meant?"),
        (
            "port = 1\n[databases.notary]\ntimeout = -1\n",
            "gateway.toml:3: databases.notary.timeout",
        ),
        ("[databases.notary]\n[databases.legal_aid]\n[databases.notary]\n", "gateway.toml:3: "),
        ("port = \n", "gateway.toml:1: "),
        ("[databases.notery]\nurl = 'sqlite:///x'\n", "nobody declares notery; there are"),
        ("prot = 1\n", "port is meant?"),
    ],
)
def test_settings_that_cannot_be_read_are_said_by_line_with_what_was_expected(
    tmp_path: Path, text: str, said: str
) -> None:
    status, output = _settings(tmp_path, text)
    assert status == 2
    assert said in output


def test_the_gateway_does_not_start_with_them_and_says_the_same(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    runner = CliRunner(env={"COLUMNS": "400", "TERMINAL_WIDTH": "400"})
    config.write_text("")
    assert runner.invoke(app, ["keys", "--config", str(config)]).exit_code == 0
    for text, said in (
        ('[databases.notary]\n\nurl = "postgres//x"\n', "gateway.toml:3: databases.notary.url: "),
        ("[databases.notary]\ntimeuot = 2\n", "gateway.toml:2: databases.notary.timeuot: "),
    ):
        config.write_text(text)
        ran = runner.invoke(app, ["serve", "--config", str(config)])
        assert ran.exit_code == 2
        assert said in " ".join(ran.output.replace("│", " ").split())


def test_what_is_about_a_whole_database_leads_to_its_first_line(tmp_path: Path) -> None:
    text = """port = 8001
[databases.population.xroad]
server = "http://127.0.0.1:9"
client = "VN/GOV/MOJ/gateway"
service = "VN/GOV/MPS/people/records"
agreement = { legal_basis = "x", expires = 2099-01-01 }
"""
    status, output = _settings(tmp_path, text)
    assert status == 1
    assert "population: server: it does not answer" in output
    assert "gateway.toml:2: see that it runs" in output


@pytest.mark.parametrize(
    ("expires", "said"),
    [
        (date(2026, 11, 22), "NOT_OPERATING"),
        (date(2026, 11, 23), "in 0 days"),
        (date(2027, 1, 4), "in 42 days"),
        (date(2027, 1, 5), None),
    ],
)
def test_an_agreement_is_told_of_weeks_before_it_ends(expires: date, said: str | None) -> None:
    own = DatabaseSettings(
        xroad=Xroad(
            server="https://security-server.example",
            client="VN/GOV/MOJ/gateway",
            service="VN/GOV/MPS/people/records",
            agreement=Agreement(legal_basis="Nghị định 47/2020/NĐ-CP", expires=expires),
        )
    )
    found = list(agreement(own, TestClock()))
    assert [one.about for one in found] == (["agreement"] if said else [])
    assert said is None or said in found[0].text


def test_a_table_that_the_doctor_saw_and_is_gone_is_no_record_never_kept(ward: Ward) -> None:
    assert ward.findings() == []
    ward.execute(f"DROP TABLE {RECORD.table}")
    settings, clock = load_settings(ward.config), SystemClock()

    async def state() -> State:
        maintenance = planned(settings, clock)
        sources = make_sources(settings, [LEGAL_AID], {}, clock, maintenance)
        source = sources["legal_aid"]
        (answer,) = await source.fetch(RECORD, RECORD.lookups[0], ["001090000001"], 20)
        assert source.backend is not None
        await source.backend.close()
        return answer.report.state

    assert asyncio.run(state()) is State.UNAVAILABLE


def test_a_url_of_a_database_that_is_not_operating_is_told(tmp_path: Path) -> None:
    """Its lists are NOT_OPERATING, which looks like everything else that is not there."""
    own = DatabaseSettings(url="sqlite:///notary.sqlite")
    (found,) = unasked_group(replace(LEGAL_AID, group=Group.BUILT_NOT_OPERATING), own)
    assert "BUILT_NOT_OPERATING" in found.text
    assert "OPERATING" in found.advice


@pytest.mark.parametrize("group", [Group.OPERATING, Group.PLANNED])
def test_a_group_that_settings_name_is_the_operators_word(group: Group) -> None:
    own = DatabaseSettings(url="sqlite:///notary.sqlite", group=group)
    assert list(unasked_group(replace(LEGAL_AID, group=Group.PLANNED), own)) == []
    assert list(unasked_group(LEGAL_AID, DatabaseSettings())) == []


def test_a_wrong_mapping_is_told_before_there_is_a_url(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text("[databases.legal_aid.records.cases]\ncolumns = { case_nr = 'SoVu' }\n")
    runner = CliRunner(env={"COLUMNS": "200"})
    arguments = ["doctor", "--config", str(config), "--database", "legal_aid"]
    ran = runner.invoke(app, arguments)
    assert ran.exit_code == 1
    assert "case_nr" in ran.output
