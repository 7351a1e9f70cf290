"""The settings of national runs."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from reconcile.settings import ReconcileSettings, SourceRate, load_reconcile_settings

TEXT = """
folder = "runs"
engine = "spark"
on_failure = "continue"
[source]
rows_per_second = 5000
[sources.civil_status]
begins = 22:00:00
ends = 05:30:00
"""


def test_without_a_file_there_are_defaults() -> None:
    settings = load_reconcile_settings(None)
    assert settings == ReconcileSettings()
    assert (settings.engine, settings.on_failure) == ("duckdb", "stop")


def test_settings_are_read_and_the_folder_is_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "reconcile.toml").write_text(TEXT)
    settings = load_reconcile_settings(tmp_path / "reconcile.toml")
    assert settings.folder == tmp_path / "runs"
    assert (settings.engine, settings.on_failure) == ("spark", "continue")
    assert settings.rate("civil_status") == SourceRate(begins=time(22), ends=time(5, 30))
    assert settings.rate("notary") == SourceRate(rows_per_second=5000)


@pytest.mark.parametrize(
    "text",
    [
        "fodler = 'x'",
        "engine = 'postgresql'",
        "buckets = 0",
        "memory = 1000",
        "[source]\nrows_per_second = 0",
        "[sources.notary]\nrate = 3",
        "folder = ",
    ],
)
def test_a_fault_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "reconcile.toml").write_text(text)
    with pytest.raises(ValueError):  # noqa: PT011  # of pydantic, or of TOML
        load_reconcile_settings(tmp_path / "reconcile.toml")
