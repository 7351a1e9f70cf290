"""Opening a journal: remains of a crash are put aside, tampering raises an alarm that stays."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from gateway.audit.journal.chain import START, ChainLink, SegmentHeader, parse_header, seal_entries
from gateway.audit.journal.faults import FaultKind
from tests.support.faulty_disk import numbers
from tests.support.journals import CHAIN, checked, crashed, filled, lines, segments


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def _alarms(kind: str) -> float:
    return REGISTRY.get_sample_value("justice_gateway_audit_alarms_total", {"kind": kind}) or 0


def _headers(folder: Path) -> list[SegmentHeader]:
    return [parse_header(path.read_bytes().splitlines()[0]) for path in segments(folder)]


def _drop(path: Path, lines: int) -> bytes:
    content = path.read_bytes()
    path.write_bytes(b"".join(content.splitlines(keepends=True)[:-lines]))
    return content


@pytest.mark.parametrize(
    "change",
    [
        pytest.param((b'"number":3', b'"number":8'), id="another value"),
        pytest.param((b'"number":3,', b""), id="a shorter line"),
        pytest.param((b'"number":3', b'"number":\0'), id="a null byte, as of a missing block"),
        pytest.param((b'"}\n', b'"}'), id="no end of the line, as of one that is torn"),
    ],
)
async def test_a_last_line_that_was_edited_while_the_gateway_was_down_is_an_alarm(
    folder: Path, change: tuple[bytes, bytes]
) -> None:
    await filled(folder, 3)
    (segment,) = segments(folder)
    before, _, last = segment.read_bytes().rpartition(b'{"seq":3')
    edited = before + b'{"seq":3' + last.replace(*change)
    segment.write_bytes(edited)
    sounded = _alarms("altered")
    with capture_logs() as logs:
        await filled(folder, 1, 9)
    assert _alarms("altered") == sounded + 1
    alarm = next(event for event in logs if event["event"] == "audit_alarm")
    assert (alarm["log_level"], alarm["good_until"], alarm["written_until"]) == ("error", 2, 3)
    assert segment.read_bytes() == edited, "it stays as it is, as evidence"
    assert not list(folder.glob("torn-*"))
    assert [header.after for header in _headers(folder)] == ["nothing", "altered"]
    assert _seqs(segments(folder)[1]) == [4], "the chain goes on behind what was written"
    fault = checked(folder).fault
    assert fault is not None
    assert (fault.kind, fault.file, fault.seq) == (FaultKind.EDITED, segment.name, 3)


def _seqs(path: Path) -> list[int]:
    return [orjson.loads(line)["seq"] for line in path.read_bytes().splitlines()[1:]]


async def test_an_edited_last_line_is_an_alarm_also_without_a_head(folder: Path) -> None:
    await filled(folder, 3)
    (folder / "head.json").unlink()
    (folder / "checkpoints.jsonl").unlink()
    (segment,) = segments(folder)
    segment.write_bytes(segment.read_bytes().replace(b'"number":3', b'"number":8'))
    await filled(folder, 1, 9)
    assert _headers(folder)[-1].after == "altered"
    fault = checked(folder).fault
    assert fault is not None
    assert (fault.kind, fault.seq) == (FaultKind.EDITED, 3)


@pytest.mark.parametrize("missing_files", [["checkpoints.jsonl"], ["head.json"], []])
async def test_an_end_that_is_cut_off_is_an_alarm(folder: Path, missing_files: list[str]) -> None:
    await filled(folder, 5)
    for name in missing_files:
        (folder / name).unlink()
    (segment,) = segments(folder)
    _drop(segment, 3)
    await filled(folder, 2, 90)
    assert numbers(folder) == [1, 2, 90, 91]
    assert _seqs(segments(folder)[1]) == [6, 7]
    fault = checked(folder).fault
    assert fault is not None
    assert fault.message == "removed: entries 3 to 5 at the end of the segment before"


async def test_the_gateway_that_goes_on_leaves_the_alarm_for_verify_to_find(folder: Path) -> None:
    """Also when lines were put in the place of those that are missing."""
    await filled(folder, 5)
    (segment,) = segments(folder)
    whole = _drop(segment, 2)
    await filled(folder, 1)
    assert checked(folder).fault is not None
    segment.write_bytes(whole)
    fault = checked(folder).fault
    assert fault is not None
    assert "the end of the journal had been cut off" in fault.message


async def test_a_journal_of_which_every_segment_is_removed_is_not_a_new_one(folder: Path) -> None:
    await filled(folder, 20, segment_bytes=1_000)
    ident, removed = _headers(folder)[0].journal, len(segments(folder))
    for path in segments(folder):
        path.unlink()
    await filled(folder, 1, 99)
    (header,) = _headers(folder)
    assert (header.journal, header.segment, header.seq) == (ident, removed + 1, 20)
    assert header.after == "cut"
    assert checked(folder).fault is not None


async def test_a_last_segment_that_is_removed_leaves_its_number_unused(folder: Path) -> None:
    await filled(folder, 20, segment_bytes=1_000)
    last = segments(folder)[-1]
    last.unlink()
    await filled(folder, 1, 99)
    assert not last.exists()
    fault = checked(folder).fault
    assert fault is not None
    assert (fault.kind, fault.file) == (FaultKind.REMOVED, last.name)


async def test_a_missing_head_is_an_alarm(folder: Path) -> None:
    """Else whoever cuts the end off before the first checkpoint had only to remove it too."""
    await filled(folder, 5)
    (folder / "head.json").unlink()
    (folder / "checkpoints.jsonl").unlink()
    _drop(segments(folder)[0], 3)
    await filled(folder, 1, 9)
    assert _headers(folder)[-1].after == "headless"
    fault = checked(folder).fault
    assert fault is not None
    assert "whether the end of the journal had been cut off is not known" in fault.message


async def test_a_crash_is_no_alarm(folder: Path) -> None:
    await crashed(folder, 3)
    (segment,) = segments(folder)
    segment.write_bytes(segment.read_bytes()[:-9])
    with capture_logs() as logs:
        await filled(folder, 1, 9)
    assert not [event for event in logs if event["event"] == "audit_alarm"]
    assert checked(folder).fault is None


def _written_before_there_were_heads(folder: Path, entries: int) -> None:
    header = SegmentHeader(
        "5f0c9e21aa01b2c3", 1, 0, START, CHAIN.current.id, "", "nothing", version=1
    )
    line, mac = header.line(CHAIN.current)
    bodies = [b'{"number":%d}' % number for number in range(1, entries + 1)]
    folder.mkdir()
    whole = line + b"\n" + seal_entries(CHAIN.current, ChainLink(0, mac), bodies)[0]
    (folder / "audit-00000001.jsonl").write_bytes(whole)


async def test_a_journal_of_before_there_were_heads_goes_on_in_a_new_segment(
    folder: Path,
) -> None:
    _written_before_there_were_heads(folder, 3)
    assert checked(folder).fault is None
    await filled(folder, 2, 4)
    assert [(header.version, header.after) for header in _headers(folder)] == [
        (1, "nothing"),
        (2, "version"),
    ]
    assert [line["seq"] for line in lines(folder)] == [0, 1, 2, 3, 3, 4, 5]
    assert checked(folder).fault is None
