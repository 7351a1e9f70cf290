"""``justice-gateway audit verify`` as an auditor runs it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from gateway.audit.commands import audit_app
from gateway.key_files import create_missing
from gateway.keys import load_ring, load_signing, private_half
from gateway.settings import Settings, load
from tests.support.journals import filled, segments


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "gateway.toml").write_text("")
    found = load(tmp_path / "gateway.toml")
    create_missing(found, demo=False)
    return found


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
    kept = (journal / "checkpoints.jsonl").rename(journal.parent / "kept.jsonl")
    assert "0 checkpoints good" in _verify(settings).stdout
    assert "1 checkpoint good" in _verify(settings, ["--checkpoints", str(kept)]).stdout
    result = _verify(settings, ["--checkpoints", "nowhere"])
    assert result.exit_code == 2
    assert "no file nowhere" in result.output


def test_a_journal_brought_from_elsewhere_is_verified_there(
    settings: Settings, journal: Path, tmp_path: Path
) -> None:
    moved = journal.rename(tmp_path / "brought")
    assert _verify(settings).exit_code == 2, "there is none where the settings say"
    assert _verify(settings, ["--folder", str(moved)]).exit_code == 0


def test_without_keys_nothing_is_claimed(settings: Settings, journal: Path) -> None:
    settings.path(settings.keys.audit_chain).unlink()
    result = _verify(settings)
    assert result.exit_code == 2
    assert "is no key" in result.output
