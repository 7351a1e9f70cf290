"""What the gateway hands to commands of other packages.

Covers ``reconcile.host``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli.audit import audit_app
from gateway.cli.command_host import CommandDatabase, CommandHost
from gateway.keys.files import create_missing
from gateway.settings import load
from reconcile.host import Host
from tests.support.running import TestClock

SETTINGS = """
[databases.population]
url = "sqlite:///data/population.db"
[databases.notary]
url = "postgresql://reader@notary.example/notary"
password = "secret-of-the-notary"
zone = "Asia/Ho_Chi_Minh"
[databases.notary.records.wills]
table = "di_chuc"
[databases.legal_aid.xroad]
server = "http://localhost:1"
client = "VN/GOV/MOJ"
service = "VN/GOV/LAW/records/legal_aid"
agreement = { legal_basis = "x", expires = 2099-01-01 }
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "gateway.toml"
    file.write_text("")
    create_missing(load(file), demo=False)
    return file


def _by_name(config: Path, text: str) -> dict[str, CommandDatabase]:
    config.write_text(text)
    host = CommandHost()
    _structural: Host = host  # mypy compares the two
    return {access.database.name: access for access in host.databases(config)}


def test_databases_are_reached_as_settings_say(config: Path) -> None:
    databases = _by_name(config, SETTINGS)
    assert len(databases) == 7
    assert databases["population"].url == f"sqlite:///{config.parent}/data/population.db"
    notary = databases["notary"]
    assert notary.url == "postgresql://reader@notary.example/notary"
    assert notary.server.password is not None
    assert notary.server.password() == "secret-of-the-notary"
    assert (notary.zone, notary.maps["wills"].table) == ("Asia/Ho_Chi_Minh", "di_chuc")
    assert databases["legal_aid"].behind_xroad
    assert databases["legal_aid"].url is None
    assert (databases["civil_status"].url, databases["civil_status"].behind_xroad) == (None, False)
    assert "secret-of-the-notary" not in repr(notary)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[databases.notary]\nurl = 'oracle://x/y'", "databases.notary.url"),
        ("[databases.nobody]\nzone = 'UTC'", "databases.nobody: nobody declares it"),
        ("[databases.notary.records.nothing]\ntable = 'x'", "nothing"),
    ],
)
def test_faults_of_settings_are_said(config: Path, text: str, fault: str) -> None:
    with pytest.raises(typer.BadParameter, match=fault):
        _by_name(config, text)


def test_entries_are_in_a_journal_that_audit_verify_checks(config: Path) -> None:
    folder = config.parent / "runs" / "audit"
    host = CommandHost(TestClock(datetime(2026, 11, 30, tzinfo=UTC)))
    host.record(config, folder, {"event": "begins", "rows": 12, "reason": "for 001190000017"})
    host.record(config, folder, {"event": "ends", "databases": ["notary"], "numbers": False})
    lines = (folder / "audit-00000001.jsonl").read_text().splitlines()
    first, second = (json.loads(line) for line in lines[1:])
    assert (first["event"], first["rows"], first["at"][:10]) == ("begins", 12, "2026-11-30")
    assert "001190000017" not in first["reason"]
    assert first["reason"].startswith("for …")
    assert (second["databases"], second["numbers"]) == (["notary"], False)
    arguments = ["verify", "--config", str(config), "--folder", str(folder)]
    result = CliRunner().invoke(audit_app, arguments)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (
        0,
        "2 entries in 1 segment, chain unbroken up to entry 2 at 2026-11-30T00:00:00.000000+00:00, "
        "2 checkpoints good",
    )


def test_checkpoints_are_brought_to_the_folder_that_settings_name(config: Path) -> None:
    witness = config.parent / "elsewhere"
    witness.mkdir()
    config.write_text('[audit]\ncheckpoint_folder = "elsewhere"')
    CommandHost().record(config, config.parent / "audit-of-runs", {"event": "begins"})
    assert len(list(witness.glob("checkpoints-*.jsonl"))) == 1


def test_an_entry_that_cannot_be_written_is_an_error(config: Path) -> None:
    (config.parent / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        CommandHost().record(config, config.parent / "file" / "audit", {"event": "begins"})


def test_without_the_keys_of_the_journal_there_is_no_entry(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text("")
    with pytest.raises(OSError, match="the keys of the journal cannot be used"):
        CommandHost().record(tmp_path / "gateway.toml", tmp_path / "audit", {"event": "begins"})
