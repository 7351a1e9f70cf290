"""The commands ``justice-gateway audit verify`` and ``audit archive``.

Covers ``gateway.audit.open``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from gateway.audit.open import AuditLog
from gateway.cli.audit import audit_app
from gateway.keys.files import create_missing
from gateway.keys.keyring import load_ring, load_signing, private_half
from gateway.runtime.clock import SystemClock
from gateway.settings import Settings, load
from tests.support.journals import filled, segments


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "gateway.toml").write_text("")
    result = load(tmp_path / "gateway.toml")
    create_missing(result, demo=False)
    return result


def _sign(settings: Settings) -> Ed25519PrivateKey:
    return private_half(load_signing(settings, "audit_sign")[0])


@pytest.fixture
async def journal(settings: Settings) -> Path:
    folder = settings.path(settings.audit.folder)
    await filled(folder, 12, chain=load_ring(settings, "audit_chain"), sign=_sign(settings))
    return folder


def _verify(settings: Settings, arguments: Sequence[str] = ()) -> Result:
    config = str(settings.folder / "gateway.toml")
    return CliRunner().invoke(audit_app, ["verify", "--config", config, *arguments])


def _output(result: Result) -> str:
    """Return an error as it reads without the box around it."""
    return re.sub(r"[│\s]+", " ", result.output)


def test_a_good_journal_is_said_to_be_good(settings: Settings, journal: Path) -> None:
    result = _verify(settings)
    assert result.exit_code == 0
    assert result.stdout == (
        "12 entries in 1 segment, chain unbroken up to entry 12, 1 checkpoint good\n"
    )


def test_the_first_fault_is_shown_and_the_status_is_1(settings: Settings, journal: Path) -> None:
    (segment,) = segments(journal)
    segment.write_bytes(segment.read_bytes().replace(b'"number":5', b'"number":6'))
    result = _verify(settings)
    assert result.exit_code == 1
    assert result.stdout == (
        "audit-00000001.jsonl, line 6, entry 5: the entry was edited: the one after it fits what "
        "it was\n4 entries before it are good\n"
    )


def test_checkpoints_kept_elsewhere_are_compared(settings: Settings, journal: Path) -> None:
    checkpoints = (journal / "checkpoints.jsonl").rename(journal.parent / "kept.jsonl")
    assert "0 checkpoints good" in _verify(settings).stdout
    assert "1 checkpoint good" in _verify(settings, ["--checkpoints", str(checkpoints)]).stdout
    result = _verify(settings, ["--checkpoints", "nowhere"])
    assert result.exit_code == 2
    assert "no file nowhere" in result.output


def test_a_journal_brought_from_elsewhere_is_verified_there(
    settings: Settings, journal: Path, tmp_path: Path
) -> None:
    moved = journal.rename(tmp_path / "brought")
    assert _verify(settings).exit_code == 2, "there is none where the settings say"
    assert _verify(settings, ["--folder", str(moved)]).exit_code == 0


def test_a_folder_without_a_journal_is_not_said_to_be_good(
    settings: Settings, journal: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    result = _verify(settings, ["--folder", str(tmp_path / "empty")])
    assert result.exit_code == 2
    assert "holds no journal: nothing was verified" in _output(result)


def test_without_keys_nothing_is_claimed(settings: Settings, journal: Path) -> None:
    settings.path(settings.keys.audit_chain).unlink()
    result = _verify(settings)
    assert result.exit_code == 2
    assert "is no key" in result.output


def _archive(settings: Settings, arguments: Sequence[str]) -> Result:
    config = str(settings.folder / "gateway.toml")
    return CliRunner().invoke(audit_app, ["archive", "--config", config, *arguments])


@pytest.fixture
async def long_journal(settings: Settings) -> Path:
    folder = settings.path(settings.audit.folder)
    chain, sign = load_ring(settings, "audit_chain"), _sign(settings)
    await filled(folder, 12, chain=chain, sign=sign, segment_bytes=500)
    return folder


def test_old_segments_are_archived_and_verified_with_the_rest(
    settings: Settings, long_journal: Path, tmp_path: Path
) -> None:
    target = tmp_path / "archives"
    assert "no folder" in _archive(settings, ["--to", str(target)]).output
    target.mkdir()
    arguments = ["--to", str(target), "--older-than", "0"]
    assert _archive(settings, arguments[:2]).stdout == "no segment is old enough\n"
    result = _archive(settings, arguments)
    assert result.exit_code == 0
    (archive,) = target.iterdir()
    assert result.stdout.startswith("segments 1 to ")
    assert result.stdout.endswith(f"are in {archive}\n")
    result = _verify(settings, ["--archives", str(target)])
    assert result.exit_code == 0
    assert "are in archives, which --archives verifies" in result.stdout
    assert result.stdout.startswith(archive.name)
    segments(archive)[0].unlink()
    result = _verify(settings, ["--archives", str(target)])
    assert result.exit_code == 1
    assert "removed: the segment is missing" in result.stdout


def test_a_journal_that_is_not_good_is_not_archived(
    settings: Settings, long_journal: Path, tmp_path: Path
) -> None:
    first = segments(long_journal)[0]
    first.write_bytes(first.read_bytes().replace(b'"number":1', b'"number":2'))
    result = _archive(settings, ["--to", str(tmp_path), "--older-than", "0"])
    assert result.exit_code == 1
    assert "nothing was archived" in result.stdout
    assert first.exists()


@pytest.fixture
def elsewhere(settings: Settings) -> Path:
    """A folder that keeps checkpoints, and a copy in SQLite."""
    audit = '[audit]\ncheckpoint_folder = "elsewhere"\ncopy_url = "sqlite:///copy.sqlite"\n'
    (settings.folder / "gateway.toml").write_text(f"{audit}timeout = 20\n")
    (settings.folder / "elsewhere").mkdir()
    return settings.folder / "elsewhere"


async def _run_gateway(settings: Settings, entries: int) -> Path:
    audit = AuditLog.from_settings(load(settings.folder / "gateway.toml"), SystemClock())
    audit.open()
    for number in range(entries):
        await audit.journal.append({"number": number})
    await audit.close()
    return audit.journal.folder


async def test_checkpoints_that_settings_keep_elsewhere_are_compared(
    settings: Settings, elsewhere: Path
) -> None:
    folder = await _run_gateway(settings, 5)
    result = await asyncio.to_thread(_verify, settings)
    assert (result.exit_code, result.stdout[-20:]) == (0, " 3 checkpoints good\n")
    (segment,) = segments(folder)
    segment.write_bytes(b"".join(segment.read_bytes().splitlines(keepends=True)[:-3]))
    (folder / "checkpoints.jsonl").unlink()
    (folder / "head.json").unlink()
    result = await asyncio.to_thread(_verify, settings)
    assert result.exit_code == 1
    assert "the end is cut off: a checkpoint of" in result.stdout
    for path in elsewhere.iterdir():
        path.unlink()
    result = await asyncio.to_thread(_verify, settings)
    assert "no checkpoint of this journal is in the folder" in result.stdout
    assert "the end is cut off: a checkpoint of" in result.stdout, "the copy knows as well"


async def test_checkpoints_elsewhere_miss_all_segments_while_anything_tells_the_journal(
    settings: Settings, elsewhere: Path, tmp_path: Path
) -> None:
    folder = settings.path(settings.audit.folder)
    chain, sign = load_ring(settings, "audit_chain"), _sign(settings)
    await filled(folder, 6, chain=chain, sign=sign, segment_bytes=500)
    await _run_gateway(settings, 1)
    (tmp_path / "archives").mkdir()
    arguments = ["--to", str(tmp_path / "archives"), "--older-than", "0"]
    archived = await asyncio.to_thread(_archive, settings, arguments)
    assert archived.exit_code == 0
    for path in (*segments(folder), folder / "head.json", folder / "checkpoints.jsonl"):
        path.unlink()
    result = await asyncio.to_thread(_verify, settings)
    assert result.exit_code == 1
    assert "the end is cut off: a checkpoint of" in result.stdout
    (folder / "archives.jsonl").unlink()
    result = await asyncio.to_thread(_verify, settings)
    assert "nothing tells which journal this is" in result.stdout


async def test_checkpoints_elsewhere_that_cannot_be_read_are_not_passed_over_in_silence(
    settings: Settings, elsewhere: Path
) -> None:
    await _run_gateway(settings, 5)
    for path in elsewhere.iterdir():
        path.unlink()
    elsewhere.rmdir()
    result = await asyncio.to_thread(_verify, settings)
    assert result.exit_code == 2
    assert "the checkpoints in the folder cannot be read" in _output(result)
    assert (await asyncio.to_thread(_verify, settings, ["--local"])).exit_code == 0


def test_an_archive_in_the_place_of_the_journal_does_not_pass_for_it(
    settings: Settings, long_journal: Path, tmp_path: Path
) -> None:
    (tmp_path / "archives").mkdir()
    _archive(settings, ["--to", str(tmp_path / "archives"), "--older-than", "0"])
    (archive,) = (tmp_path / "archives").iterdir()
    long_journal.rename(tmp_path / "moved")
    archive.rename(long_journal)
    assert "holds an archive and no journal" in _output(_verify(settings))
    assert _verify(settings, ["--folder", str(long_journal)]).exit_code == 0
