"""Messages with which ``justice-gateway generate`` refuses, and that it writes nothing then."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.registry import installed_databases
from gateway.cli.main import app
from gateway.settings import LOADER_VARIABLE

RECORD = LEGAL_AID.records[0]
TABLES = "[databases.legal_aid.records.{record}]\n{setting}\n"
FILE = '[databases.legal_aid]\nurl = "sqlite:///legal_aid.sqlite"\n'
SERVER = '[databases.legal_aid]\nurl = "postgresql://u@127.0.0.1:9/x"\nconnect_timeout = 0.5\n'
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


def assert_refused(folder: Path, settings: str, expected: str, *arguments: str) -> None:
    status, output = generate(folder, settings, *arguments)
    assert expected in output
    assert status == 2
    assert [path.name for path in folder.iterdir()] == ["gateway.toml"]


def of_record(setting: str) -> str:
    return TABLES.format(record=RECORD.name, setting=setting)


@pytest.mark.parametrize(
    "settings",
    ["", '[databases.notary]\ngroup = "OPERATING"\n'],
    ids=["no settings", "no url"],
)
def test_settings_without_a_url_are_refused(tmp_path: Path, settings: str) -> None:
    expected = "no database has a URL: give --folder, or --config with URLs"
    assert_refused(tmp_path, settings, expected)


def test_a_url_that_cannot_be_read_is_refused_without_its_text(tmp_path: Path) -> None:
    settings = '[databases.legal_aid]\nurl = "postgresql:/u:secret@host"\n'
    assert_refused(tmp_path, settings, "legal_aid: its url cannot be read")
    assert "secret" not in generate(tmp_path, settings)[1]


@pytest.mark.parametrize(
    ("url", "make"),
    [("oracle://u@host/x", "oracle"), ("mysql://u@host/x", "mysql"), ("sqlite://", "sqlite")],
    ids=["another make", "a driver's name", "a database in memory"],
)
def test_a_database_that_no_loader_serves_is_refused(tmp_path: Path, url: str, make: str) -> None:
    settings = f'[databases.legal_aid]\nurl = "{url}"\n'
    assert_refused(tmp_path, settings, f"legal_aid: {make} databases cannot be loaded")


@pytest.mark.parametrize("url", ["sqlite:///legal_aid.sqlite", "postgresql://u@127.0.0.1:9/x"])
@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("columns", "columns = { case_number = 'so_vu' }"),
        ("values", "values = { status = { X = 'OPEN' } }"),
        ("constants", "constants = { status = 'OPEN' }"),
        ("missing", "missing = ['case_number']"),
        ("dates", "dates = { received_on = ['ngay', 'thang', 'nam'] }"),
        ("join", "join = { full_name = ['ho', 'ten'] }"),
        ("columns, missing", "columns = { case_number = 'so_vu' }\nmissing = ['status']"),
    ],
)
def test_columns_and_values_of_settings_are_refused(
    tmp_path: Path, url: str, name: str, setting: str
) -> None:
    settings = f'[databases.legal_aid]\nurl = "{url}"\n{of_record(setting)}'
    expected = (
        f"databases.legal_aid.records.{RECORD.name}: {name}: rows are made in declared columns "
        "only. Load with settings that give tables at most (table, mapped), and map columns in "
        "views over them"
    )
    assert_refused(tmp_path, settings, expected)


@pytest.mark.parametrize("setting", ["table = 'vu_viec'", "mapped = false"])
def test_other_tables_in_a_file_are_refused(tmp_path: Path, setting: str) -> None:
    expected = (
        "legal_aid: files are made with the declared tables: take table and mapped out of the "
        "settings that you generate with, or load a server"
    )
    assert_refused(tmp_path, f"{FILE}{of_record(setting)}", expected)


@pytest.mark.parametrize("other", [f"{way}legal_aid.sqlite" for way in ("", "./", "x/../")])
def test_one_file_for_two_databases_is_refused(tmp_path: Path, other: str) -> None:
    settings = f'{FILE}[databases.notary]\nurl = "sqlite:///{other}"\n'
    expected = "notary and legal_aid have the same file: give each a file of its own"
    assert_refused(tmp_path, settings, expected)


def test_a_server_that_does_not_answer_is_said_and_ends_with_1(tmp_path: Path) -> None:
    status, output = generate(tmp_path, SERVER)
    assert output.startswith("left out: ")
    assert "legal_aid: ConnectionRefusedError" in output
    assert status == 1
    assert [path.name for path in tmp_path.iterdir()] == ["gateway.toml"]


def test_what_is_left_out_is_said_with_the_reason(tmp_path: Path) -> None:
    settings = f"""{FILE}[databases.population.xroad]
server = "http://127.0.0.1:9"
client = "VN/GOV/MOJ/gateway"
service = "VN/GOV/MPS/people/records"
agreement = {{ legal_basis = "x", expires = 2099-01-01 }}
"""
    status, output = generate(tmp_path, settings)
    assert status == 0
    assert "left out: population: it is reached over X-Road" in output
    assert "left out: notary: it has no url" in output
    before = (tmp_path / "legal_aid.sqlite").read_bytes()
    status, output = generate(tmp_path, settings, "--keep", "--seed", "7")
    assert status == 0
    assert "left out: legal_aid: its file is there" in output
    assert (tmp_path / "legal_aid.sqlite").read_bytes() == before
