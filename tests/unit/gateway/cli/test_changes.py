"""The commands ``justice-gateway changes``."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from typer.testing import CliRunner

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.tables import metadata_of
from gateway.changes.log import FollowState, SourceStatus
from gateway.cli.changes import status_line
from gateway.cli.main import app

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)


def test_without_followed_databases_the_status_says_so(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text("", "utf-8")
    result = CliRunner().invoke(app, ["changes", "status", "--config", str(config)])
    assert result.exit_code == 0
    assert result.output.endswith("settings follow the changes of no database\n")


def test_the_status_says_how_far_events_are_complete() -> None:
    complete_until = NOW - timedelta(seconds=2)
    status = SourceStatus("notary", FollowState.FOLLOWED, NOW, "1", complete_until, "")
    assert status_line("notary", status, NOW) == (
        "notary: followed since 2026-11-30T10:00:00+07:00, events are complete until "
        "2026-11-30T09:59:58+07:00, 2.0 s ago"
    )


def test_a_database_that_nobody_followed_yet_is_told_from_one_without_events() -> None:
    assert "not followed yet" in status_line("notary", None, NOW)
    status = SourceStatus("notary", FollowState.INTERRUPTED, NOW, None, None, "")
    assert "a moment that is not known" in status_line("notary", status, NOW)


def test_the_outbox_of_a_file_is_made_by_the_printed_statements(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text('[databases.civil_status]\nurl = "sqlite:///ho_tich.sqlite"\n', "utf-8")
    command = ["changes", "ddl", "civil_status", "--config", str(config)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0
    script = result.output[result.output.index("CREATE TABLE") :]
    with closing(sqlite3.connect(tmp_path / "ho_tich.sqlite")) as file:
        for table in metadata_of(CIVIL_STATUS).sorted_tables:
            file.execute(str(sa.schema.CreateTable(table)))
        file.executescript(script)
        file.execute("INSERT INTO deaths (event_id, citizen_id) VALUES ('KT1', '001090012345')")
        written = "SELECT record, operation, identity FROM justice_gateway_outbox"
        assert file.execute(written).fetchall() == [("deaths", "c", "KT1")]
    refused = CliRunner().invoke(app, [*command, "--listen"])
    assert refused.exit_code == 2
