"""The doctor finds faults, gives advice, and cites the setting.

Covers ``gateway.settings.faults``.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from connectors.changes.outbox_tables import outbox_statements
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Group
from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.tables import metadata_of
from gateway.cli.main import app
from gateway.databases.doctor import agreement_findings, change_findings, group_findings
from gateway.settings import (
    Agreement,
    DatabaseSettings,
    FollowSettings,
    RecordSettings,
    Settings,
    Xroad,
)
from tests.support.running import TestClock

RECORD = LEGAL_AID.records[0]


def _settings(tmp_path: Path, text: str, *arguments: str) -> tuple[int, str]:
    config = tmp_path / "gateway.toml"
    config.write_text(text)
    result = CliRunner(env={"COLUMNS": "400", "TERMINAL_WIDTH": "400"}).invoke(
        app, ["doctor", "--config", str(config), *arguments]
    )
    return result.exit_code, " ".join(result.output.replace("│", " ").split())


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
    ("text", "expected"),
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
    tmp_path: Path, text: str, expected: str
) -> None:
    status, output = _settings(tmp_path, text)
    assert status == 2
    assert expected in output


def test_the_gateway_does_not_start_with_them_and_says_the_same(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    runner = CliRunner(env={"COLUMNS": "400", "TERMINAL_WIDTH": "400"})
    config.write_text("")
    assert runner.invoke(app, ["keys", "--config", str(config)]).exit_code == 0
    for text, expected in (
        ('[databases.notary]\n\nurl = "postgres//x"\n', "gateway.toml:3: databases.notary.url: "),
        ("[databases.notary]\ntimeuot = 2\n", "gateway.toml:2: databases.notary.timeuot: "),
    ):
        config.write_text(text)
        result = runner.invoke(app, ["serve", "--config", str(config)])
        assert result.exit_code == 2
        assert expected in " ".join(result.output.replace("│", " ").split())


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
    ("expires", "expected"),
    [
        (date(2026, 11, 22), "NOT_OPERATING"),
        (date(2026, 11, 23), "in 0 days"),
        (date(2027, 1, 4), "in 42 days"),
        (date(2027, 1, 5), None),
    ],
)
def test_an_agreement_is_told_of_weeks_before_it_ends(expires: date, expected: str | None) -> None:
    settings = DatabaseSettings(
        xroad=Xroad(
            server="https://security-server.example",
            client="VN/GOV/MOJ/gateway",
            service="VN/GOV/MPS/people/records",
            agreement=Agreement(legal_basis="Nghị định 47/2020/NĐ-CP", expires=expires),
        )
    )
    findings = list(agreement_findings(settings, TestClock()))
    assert [finding.topic for finding in findings] == (["agreement"] if expected else [])
    assert expected is None or expected in findings[0].text


def test_a_url_of_a_database_that_is_not_operating_is_told(tmp_path: Path) -> None:
    """Its lists are NOT_OPERATING, which looks like everything else that is not there."""
    settings = DatabaseSettings(url="sqlite:///notary.sqlite")
    (finding,) = group_findings(replace(LEGAL_AID, group=Group.BUILT_NOT_OPERATING), settings)
    assert "BUILT_NOT_OPERATING" in finding.text
    assert "OPERATING" in finding.advice


@pytest.mark.parametrize("group", [Group.OPERATING, Group.PLANNED])
def test_a_group_that_settings_name_is_the_operators_word(group: Group) -> None:
    settings = DatabaseSettings(url="sqlite:///notary.sqlite", group=group)
    assert list(group_findings(replace(LEGAL_AID, group=Group.PLANNED), settings)) == []
    assert list(group_findings(LEGAL_AID, DatabaseSettings())) == []


def test_a_wrong_mapping_is_told_before_there_is_a_url(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text("[databases.legal_aid.records.cases]\ncolumns = { case_nr = 'SoVu' }\n")
    runner = CliRunner(env={"COLUMNS": "200"})
    arguments = ["doctor", "--config", str(config), "--database", "legal_aid"]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 1
    assert "case_nr" in result.output


async def test_an_outbox_that_is_not_there_is_told_until_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ho_tich.sqlite"
    followed = DatabaseSettings(url=f"sqlite:///{path}", changes=FollowSettings(source="outbox"))
    settings = Settings(databases={"civil_status": followed})
    with closing(sqlite3.connect(path)) as file:
        for table in metadata_of(CIVIL_STATUS).sorted_tables:
            file.execute(str(sa.schema.CreateTable(table)))
        (finding,) = await change_findings(settings, CIVIL_STATUS)
        assert finding.topic == "changes"
        file.executescript(";".join(outbox_statements(CIVIL_STATUS, "sqlite")))
        assert await change_findings(settings, CIVIL_STATUS) == []
        file.execute("DROP TRIGGER justice_gateway_outbox_deaths_c")
        file.commit()
    (finding,) = await change_findings(settings, CIVIL_STATUS)
    assert finding.text == "trigger justice_gateway_outbox_deaths_c of deaths is missing"
    assert finding.advice.endswith("justice-gateway changes ddl civil_status")
    applied = FollowSettings(source="outbox", written_by="application")
    written = followed.model_copy(update={"changes": applied})
    assert await change_findings(Settings(databases={"civil_status": written}), CIVIL_STATUS) == []


async def test_a_kind_of_event_that_a_table_can_never_tell_is_named(tmp_path: Path) -> None:
    followed = DatabaseSettings(
        url=f"sqlite:///{tmp_path / 'ho_tich.sqlite'}",
        records={"births": RecordSettings(missing=("registration_kind",))},
        changes=FollowSettings(source="outbox"),
    )
    settings = Settings(databases={"civil_status": followed})
    untold, _ = await change_findings(settings, CIVIL_STATUS)
    assert untold.text == (
        "there never is an event BIRTH of births, for want of births.registration_kind"
    )
    assert untold.setting == ("records", "births", "missing")
