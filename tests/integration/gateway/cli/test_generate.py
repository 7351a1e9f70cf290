"""Messages with which ``justice-gateway generate`` refuses the contents of a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.notary import DATABASE as NOTARY
from connectors.registry import installed_databases
from gateway.cli.main import app
from gateway.settings import LOADER_VARIABLE
from tests.support.loaded import site
from tests.support.servers import SERVERS, Server

RECORD = LEGAL_AID.records[0]

TABLES = "[databases.legal_aid.records.{record}]\n{setting}\n"

#: What is said before of all databases but those of legal aid and the notaries.
LEFT_OUT = " ".join(
    f"left out: {database.name}: it has no url"
    for database in installed_databases()
    if database.name not in ("legal_aid", "notary")
)


def generate(folder: Path, settings: str, *arguments: str) -> tuple[int, str]:
    """Return the exit status and what was said; the settings stand in ``folder``."""
    config = folder / "gateway.toml"
    config.write_text(settings, "utf-8")
    environment = {"COLUMNS": "400", "TERMINAL_WIDTH": "400", LOADER_VARIABLE: ""}
    result = CliRunner(env=environment).invoke(
        app, ["generate", "--people", "20", "--config", str(config), *arguments]
    )
    return result.exit_code, " ".join(result.output.replace("│", " ").split())


def of_record(setting: str) -> str:
    return TABLES.format(record=RECORD.name, setting=setting)


@pytest.mark.parametrize("make", SERVERS)
def test_registers_that_would_share_a_table_or_lack_a_schema_are_refused(
    request: pytest.FixtureRequest, make: str, tmp_path: Path
) -> None:
    server: Server = request.getfixturevalue(make)
    with site(server, ["legal_aid"]) as server_site:
        url = server_site.url("legal_aid")
        two_databases = f'[databases.legal_aid]\nurl = "{url}"\n[databases.notary]\nurl = "{url}"\n'
        notary = f"[databases.notary.records.{NOTARY.records[0].name}]\n"
        shared = f"{two_databases}{notary}table = '{RECORD.table}'\n"
        expected = (
            f"legal_aid and notary would share the table {RECORD.table}: give them databases of "
            "their own, or tables of other names: "
            '[databases.notary.records.<record>] table = "..."'
        )
        assert generate(tmp_path, shared, "--user", server.user) == (1, f"{LEFT_OUT} {expected}")
        lost_table = of_record("table = 'nowhere.vu_viec'")
        without_schema = f"{two_databases}{lost_table}"
        expected = "legal_aid: no schema nowhere: have it made first"
        assert generate(tmp_path, without_schema, "--user", server.user) == (
            1,
            f"{LEFT_OUT} {expected}",
        )
        assert [path.name for path in tmp_path.iterdir()] == ["gateway.toml"]


@pytest.mark.parametrize("make", SERVERS)
def test_a_server_that_holds_tables_is_refused_unless_the_command_says_what_to_do(
    request: pytest.FixtureRequest, make: str, tmp_path: Path
) -> None:
    server: Server = request.getfixturevalue(make)
    with site(server, ["legal_aid"]) as server_site:
        settings = f'[databases.legal_aid]\nurl = "{server_site.url("legal_aid")}"\n'
        assert generate(tmp_path, settings, "--user", server.user)[0] == 0
        status, output = generate(tmp_path, settings, "--user", server.user)
        assert status == 1
        assert "legal_aid: it holds tables already (" in output
        assert output.endswith("...): --replace drops them")
        status, output = generate(tmp_path, settings, "--user", server.user, "--keep")
        assert status == 0
        assert "legal_aid: left alone, it has tables" in output
        assert generate(tmp_path, settings, "--user", server.user, "--replace")[0] == 0
