"""Settings: from a file and the environment; misspelt names are refused.

Covers ``gateway.settings.part``, ``gateway.settings.limits``, ``gateway.settings.storage``,
``gateway.settings.freshness``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.description import Group
from gateway.settings import CONFIG_VARIABLE, load

PREFIX = "JUSTICE_GATEWAY_"


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Write a settings file and return its path."""

    def write(text: str) -> Path:
        path = tmp_path / "etc" / "gateway.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return write


def test_without_any_settings_the_defaults_count() -> None:
    settings = load()
    assert (settings.host, settings.port, settings.demo) == ("127.0.0.1", 8000, False)
    assert settings.limits.depth == 12
    assert settings.databases == {}
    assert settings.folder == Path()


def test_a_file_says_what_is_different(write: Callable[[str], Path]) -> None:
    path = write(
        """
        port = 9000
        [limits]
        depth = 7
        [databases.population]
        url = "sqlite:///population.sqlite"
        timeout = 0.5
        maintenance = true
        [databases.civil_status]
        group = "UNDER_CONSTRUCTION"
        provinces = ["01", "79"]
        since = 2016-01-01
        """
    )
    settings = load(path)
    assert settings.port == 9000
    assert settings.limits.depth == 7
    assert settings.limits.tokens == 600
    assert settings.databases["population"].timeout == 0.5
    assert settings.databases["population"].maintenance
    civil_status = settings.databases["civil_status"]
    assert civil_status.group is Group.UNDER_CONSTRUCTION
    assert civil_status.provinces == ("01", "79")
    assert civil_status.since == date(2016, 1, 1)
    assert civil_status.url is None


def test_the_environment_wins_over_the_file_name_by_name(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(
        """
        port = 9000
        host = "0.0.0.0"
        [limits]
        depth = 7
        tokens = 700
        [databases.population]
        url = "sqlite:///old.sqlite"
        timeout = 0.5
        """
    )
    monkeypatch.setenv(f"{PREFIX}PORT", "9001")
    monkeypatch.setenv(f"{PREFIX}LIMITS__DEPTH", "8")
    monkeypatch.setenv(f"{PREFIX}DATABASES__POPULATION__URL", "sqlite:///new.sqlite")
    monkeypatch.setenv(f"{PREFIX}DATABASES__CIVIL_STATUS__MAINTENANCE", "true")
    settings = load(path)
    assert (settings.port, settings.host) == (9001, "0.0.0.0")
    assert (settings.limits.depth, settings.limits.tokens) == (8, 700)
    assert settings.databases["population"].url == "sqlite:///new.sqlite"
    assert settings.databases["population"].timeout == 0.5
    assert settings.databases["civil_status"].maintenance


def test_arguments_win_over_both(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}PORT", "9001")
    assert load(write("port = 9000"), port=9002).port == 9002


def test_the_environment_may_name_the_file(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(CONFIG_VARIABLE, str(write("port = 9000")))
    assert load().port == 9000
    other = tmp_path / "other.toml"
    other.write_text("port = 9003")
    assert load(other).port == 9003, "the argument wins"
    monkeypatch.setenv(CONFIG_VARIABLE, "")
    assert load().port == 8000


def test_a_file_that_is_named_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "missing.toml"
    with pytest.raises(FileNotFoundError, match=r"missing\.toml"):
        load(missing)
    monkeypatch.setenv(CONFIG_VARIABLE, str(missing))
    with pytest.raises(FileNotFoundError):
        load()
    with pytest.raises(FileNotFoundError):
        load(tmp_path)


def test_a_file_that_is_no_toml_is_refused(write: Callable[[str], Path]) -> None:
    with pytest.raises(ValueError, match="line 1"):
        load(write("port: 9000"))


@pytest.mark.parametrize(
    "text",
    [
        "prot = 9000",
        "[limits]\ndeep = 3",
        "[limit]\ndepth = 3",
        "[databases.population]\nurls = 'x'",
        "[access]\nsecret = 'x'",
        "[audit]\nfile = 'x'",
    ],
)
def test_a_misspelt_name_in_the_file_is_refused(write: Callable[[str], Path], text: str) -> None:
    with pytest.raises(ValidationError):
        load(write(text))


@pytest.mark.parametrize(
    "name",
    ["PROT", "LIMITS__DEEP", "LIMTS__DEPTH", "DATABASE__POPULATION__URL",
     "DATABASES__POPULATION__URLS", "CONFIGURATION"],
)  # fmt: skip
def test_a_misspelt_name_in_the_environment_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"{PREFIX}{name}", "3")
    with pytest.raises(ValidationError, match=r"(?i)" + name.rpartition("__")[2]):
        load()


def test_other_programs_variables_are_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUSTICE_GATEWAYS", "3")
    monkeypatch.setenv("PORT", "3")
    monkeypatch.setenv("GATEWAY_PORT", "3")
    assert load().port == 8000


@pytest.mark.parametrize(
    "text",
    [
        "port = -1",
        "port = 65536",
        "port = 'http'",
        "[limits]\ndepth = 0",
        "[limits]\nbody_bytes = -5",
        "[limits]\ndeadline = 0",
        "[access]\nleeway = 61",
        "[databases.population]\ntimeout = 0",
        "[databases.population]\ncalls_in_flight = 0",
        "[databases.population]\nstale_if_error = -1",
        "[databases.population]\nsince = 'yesterday'",
        "databases = []",
    ],
)
def test_a_value_that_makes_no_sense_is_refused(write: Callable[[str], Path], text: str) -> None:
    with pytest.raises(ValidationError):
        load(write(text))


def test_a_group_that_is_none_is_told_which_there_are(write: Callable[[str], Path]) -> None:
    with pytest.raises(ValidationError, match="BUILT_NOT_OPERATING"):
        load(write("[databases.notary]\ngroup = 'BUILT'"))


def test_settings_do_not_change_while_they_are_used() -> None:
    settings = load()
    with pytest.raises(ValidationError):
        settings.port = 1
    with pytest.raises(ValidationError):
        settings.limits.depth = 1


def test_relative_paths_start_at_the_files_folder(
    write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Wherever the gateway is started from, and also when the file is named relative to that."""
    path = write("[audit]\nfolder = 'log'\n[keys]\ntoken = '/keys/token.jwk'")
    monkeypatch.chdir(tmp_path)
    for settings in (load(path), load(path.relative_to(tmp_path))):
        monkeypatch.chdir("/")
        assert settings.path(settings.audit.folder) == path.parent / "log"
        assert settings.path(settings.keys.token) == Path("/keys/token.jwk")
        monkeypatch.chdir(tmp_path)


def test_without_a_file_relative_paths_start_where_it_is_said(tmp_path: Path) -> None:
    settings = load(folder=tmp_path)
    assert settings.path(settings.audit.folder) == tmp_path / "journal"
