"""Witnesses: checkpoints are stored elsewhere, each once, despite failures."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from gateway.audit.copy.database import Copy
from gateway.audit.journal.faults import FaultKind
from gateway.audit.journal.journal import Journal
from gateway.audit.journal.reading import ExternalCheckpoints
from gateway.audit.journal.recovery import ALARMS
from gateway.audit.journal.verify import verify
from gateway.audit.witnesses import CopyWitness, FolderWitness, Forwarder, Witness
from tests.support.copies import Line, database
from tests.support.faulty_disk import Disk, hold
from tests.support.journals import CHAIN, PUBLIC, filled, open_journal, segments
from tests.support.metrics import value_of

KINDS = ["folder", "sqlite", pytest.param("postgresql", marks=pytest.mark.services)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture(params=KINDS)
async def witness(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Witness]:
    if request.param == "folder":
        (tmp_path / "elsewhere").mkdir()
        yield FolderWitness(tmp_path / "elsewhere")
        return
    async with database(request.param, tmp_path) as url:
        copy = Copy(url)
        yield CopyWitness(copy)
        await copy.close()


@asynccontextmanager
async def forwarding(folder: Path, witness: Witness, **options: Any) -> AsyncIterator[Journal]:
    """A journal that signs every entry, and a forwarder to ``witness``."""
    async with open_journal(folder, checkpoint_entries=1, **options) as journal:
        forwarder = Forwarder(journal, witness)
        forwarder.open()
        journal.checkpointed = forwarder.wake
        yield journal
    await forwarder.close(20)


async def _sequence_numbers(witness: Witness, journal: str) -> list[int]:
    return [checkpoint.link.seq for checkpoint in await witness.read(journal)]


async def test_every_checkpoint_is_kept_once_also_over_restarts(
    folder: Path, witness: Witness
) -> None:
    for start in (1, 4):
        async with forwarding(folder, witness) as journal:
            for number in range(start, start + 3):
                await journal.append({"number": number})
    assert await _sequence_numbers(witness, journal.id) == [1, 2, 3, 4, 5, 6]


async def test_what_was_signed_while_nobody_forwarded_is_brought_later(
    folder: Path, witness: Witness
) -> None:
    await filled(folder, 120, checkpoint_entries=1)
    async with forwarding(folder, witness) as journal:
        pass
    assert await _sequence_numbers(witness, journal.id) == list(range(1, 121))


async def test_several_journals_share_a_witness(tmp_path: Path, witness: Witness) -> None:
    async with (
        forwarding(tmp_path / "one", witness) as forwarder,
        forwarding(tmp_path / "two", witness) as two,
    ):
        await forwarder.append({"number": 1})
        await two.append({"number": 1})
        await two.append({"number": 2})
    assert await _sequence_numbers(witness, forwarder.id) == [1]
    assert await _sequence_numbers(witness, two.id) == [1, 2]
    assert await witness.read("0" * 16) == []


async def test_an_end_that_was_removed_with_all_beside_it_is_missed_by_the_witness(
    folder: Path, witness: Witness
) -> None:
    async with forwarding(folder, witness) as journal:
        for number in range(5):
            await journal.append({"number": number})
    (segment,) = segments(folder)
    segment.write_bytes(b"".join(segment.read_bytes().splitlines(keepends=True)[:-3]))
    (folder / "checkpoints.jsonl").unlink()
    (folder / "head.json").unlink()
    checkpoints = ExternalCheckpoints(witness.place, await witness.read(journal.id))
    fault = verify(folder, CHAIN, PUBLIC, [checkpoints]).fault
    assert fault is not None
    assert (fault.kind, fault.seq) == (FaultKind.CUT, 3)
    assert "a checkpoint of" in fault.message
    before = REGISTRY.get_sample_value("justice_gateway_audit_alarms_total", {"kind": "cut"}) or 0
    async with forwarding(folder, witness):
        pass
    after = REGISTRY.get_sample_value("justice_gateway_audit_alarms_total", {"kind": "cut"})
    assert after == before + 1, "and the gateway that starts says so at once"


async def test_a_checkpoint_is_not_sent_before_the_journal_knows_of_its_entries(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint is in its file while a slow disk syncs it; a witness must not be ahead."""
    (tmp_path / "elsewhere").mkdir()
    witness, disk, alarms = FolderWitness(tmp_path / "elsewhere"), Disk(monkeypatch), _cut_alarms()
    is_in_file, may_go_on = threading.Event(), threading.Event()

    def hold_checkpoint() -> None:
        if disk.synced:  # the entry is synced first
            is_in_file.set()
            hold(may_go_on)

    async with open_journal(folder, checkpoint_entries=1) as journal:
        disk.sync_fault = hold_checkpoint
        appending = asyncio.create_task(journal.append({"number": 1}))
        assert await asyncio.to_thread(is_in_file.wait, 10)
        disk.sync_fault = lambda: None
        for _ in range(2):  # the second finds out what the first has sent
            forwarder = Forwarder(journal, witness)
            forwarder.open()
            await forwarder.close(20)
        assert await _sequence_numbers(witness, journal.id) == []
        assert _cut_alarms() == alarms
        may_go_on.set()
        await appending
    forwarder = Forwarder(journal, witness)
    forwarder.open()
    await forwarder.close(20)
    assert await _sequence_numbers(witness, journal.id) == [1]


def _cut_alarms() -> float:
    return value_of(ALARMS, "cut")


class Noting(FolderWitness):
    """Says when it is asked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.has_request = asyncio.Event()

    async def last(self, journal: str) -> int:
        self.has_request.set()
        return await super().last(journal)


async def test_a_folder_that_is_not_there_is_not_made_and_holds_up_nothing(
    folder: Path, tmp_path: Path
) -> None:
    """A mount point on which nothing is mounted must not pass for the other machine's disk."""
    witness = Noting(tmp_path / "elsewhere")
    async with forwarding(folder, witness) as journal:
        await journal.append({"number": 1})
        for _ in range(2):
            witness.has_request.clear()
            async with asyncio.timeout(20):
                await witness.has_request.wait()
        assert not witness.folder.exists()
        witness.folder.mkdir()
    assert await _sequence_numbers(witness, journal.id) == [1]


async def test_a_mount_that_hangs_holds_up_neither_answers_nor_the_end(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    witness = Noting(tmp_path / "elsewhere")
    async with open_journal(folder, checkpoint_entries=1) as journal:
        pipe = witness.folder / f"checkpoints-{journal.id}.jsonl"
        os.mkfifo(pipe)  # opening it hangs until somebody writes
        forwarder = Forwarder(journal, witness)
        forwarder.open()
        await journal.append({"number": 1})
        async with asyncio.timeout(20):
            await witness.has_request.wait()
        await forwarder.close(within=0.01)
        await journal.append({"number": 2})
    os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))


@pytest.mark.services
async def test_a_copy_that_comes_back_gets_every_checkpoint_once(
    folder: Path, tmp_path: Path
) -> None:
    async with database("postgresql", tmp_path) as url:
        line = Line.to(url)
        await line.join()
        copy = Copy(line.url(url))
        witness = CopyWitness(copy)
        async with forwarding(folder, witness) as journal:
            for number in range(1, 41):
                await journal.append({"number": number})
                if number % 20 == 10:
                    await line.cut()
                if number % 20 == 0:
                    await line.join()
        assert await _sequence_numbers(witness, journal.id) == list(range(1, 41))
        await copy.close()
        await line.cut()
