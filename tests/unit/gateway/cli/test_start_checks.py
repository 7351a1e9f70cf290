"""Commands act on the settings that are given, and report what prevents them.

Covers ``gateway.cli.main``, ``gateway.cli.keys``.
"""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.audit.journal.files import lock
from gateway.cli.main import app
from gateway.cli.start_checks import port_fault, start_faults
from gateway.settings import Audit, OperationSettings, load

CHANGING = [
    ("token", "revoke", "abc"),
    ("maintenance", "plan", "notary"),
    ("maintenance", "end", "abc"),
    ("cache", "invalidate", "--database", "notary"),
    ("keys",),
    ("keys", "rotate", "token"),
]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize("command", CHANGING, ids=" ".join)
def test_what_changes_something_refuses_without_settings_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*command)
    assert result.exit_code == 2
    assert "no settings are given" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_changes_something_says_on_which_settings_it_acts(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.touch()
    result = run("token", "revoke", "abc", "--config", str(config))
    assert result.exit_code == 0
    assert str(config) in result.stderr
    assert str(tmp_path / "revoked" / "tokens.jsonl") in result.stdout


def test_settings_of_the_environment_are_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUSTICE_GATEWAY_ACCESS__REVOCATIONS", str(tmp_path / "revoked.jsonl"))
    result = run("token", "revoke", "abc")
    assert result.exit_code == 0
    assert "settings: the environment" in result.stderr


@pytest.mark.parametrize(
    ("option", "name", "expected"),
    [
        ("--scope", "popluation:read", "population:read"),
        ("--scope", "notary.preventive_info:raed", "notary.preventive_infos:read"),
        ("--purpose", "1.00894", "1.000894"),
        ("--purpose", "violation-handing", "violation-handling"),
    ],
)
def test_a_token_is_not_issued_for_what_means_nothing(
    tmp_path: Path, option: str, name: str, expected: str
) -> None:
    config = tmp_path / "gateway.toml"
    config.touch()
    issue = ("token", "issue", "--subject", "a", "--client", "b", "--config", str(config))
    result = run(*issue, option, name)
    assert result.exit_code == 2
    assert expected in result.stderr


def test_a_token_for_published_operations_needs_no_scope(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.touch()
    run("keys", "--config", str(config))
    issue = ("token", "issue", "--subject", "a", "--client", "b", "--config", str(config))
    token = run(*issue, "--purpose", "1.000894.H29").stdout.strip()
    report = json.loads(run("token", "inspect", token, "--config", str(config)).stdout)
    assert report["accepted"] is True
    assert report["claims"]["purposes"] == ["1.000894.H29"]


def test_the_version_is_told() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("justice-gateway 0.")


def test_a_plan_is_made_of_the_body_of_a_request_too() -> None:
    body = json.dumps({
        "query": "query($id: PersonNumber!) { person(id: $id) { id } }",
        "variables": {"id": "001090012345"},
    })  # fmt: skip
    assert run("plan", body).stdout.startswith("query (without a name)")
    assert run("plan", '{"variables": {}}').exit_code == 2


def test_a_port_that_somebody_listens_on_is_said() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        assert f"port {port} of 127.0.0.1 is in use" in (port_fault("127.0.0.1", port) or "")
    assert port_fault("127.0.0.1", 0) is None


def test_a_missing_folder_of_operations_is_said_with_its_line(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text('[operations]\nfolder = "nowhere"\n', "utf-8")
    (fault,) = start_faults(load(config), config)
    assert fault == f"gateway.toml:2: there is no folder {tmp_path / 'nowhere'}"


def test_a_secret_that_cannot_be_read_is_said_with_its_line(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text('[sign_in]\nclient_secret_file = "nowhere"\n', "utf-8")
    (fault,) = start_faults(load(config), config)
    assert fault == "gateway.toml:2: the secret cannot be read: No such file or directory"


def test_a_journal_in_use_is_said(tmp_path: Path) -> None:
    settings = load(folder=tmp_path, audit=Audit(folder=Path("journal")))
    assert start_faults(settings, None) == []
    descriptor = lock(tmp_path / "journal")
    try:
        (fault,) = start_faults(settings, None)
    finally:
        os.close(descriptor)
    assert "in use by another gateway" in fault


def test_a_journal_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = load(folder=tmp_path, audit=Audit(folder=Path("file/journal")))
    (fault,) = start_faults(settings, None)
    assert "cannot be written" in fault


def test_operations_that_are_a_file_are_no_folder(tmp_path: Path) -> None:
    (tmp_path / "operations").touch()
    settings = load(folder=tmp_path, operations=OperationSettings(folder=Path("operations")))
    (fault,) = start_faults(settings, None)
    assert "there is no folder" in fault
