"""Fewer checks are never told as fewer conflicts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from reconcile.engines.engine import UncheckedCase, UncheckedReason
from reconcile.manifest import ExtractProgress, read_manifest, write_manifest
from reconcile.report.comparison import Comparability, FindingChange
from reconcile.report.counts import RunCounts, write_counts
from rules.registry import RULES
from tests.support.report_runs import SETTINGS, PlantedFinding, RunBuilder, unreadable

COMPLETE = ExtractProgress(parts=1, rows=100, complete=True)
BROKEN = ExtractProgress(parts=1, rows=60, failure="it went away")
#: Found in the first run, in the second, and in both.
LOST, FRESH, SAME = (PlantedFinding("DEATH_DATE", number) for number in range(3))
#: Its case says that there is no record of the death.
ABSENCE = PlantedFinding("LIFE_STATE", 1, case=1)
PLACES = [(rule.name, place) for rule in RULES for place in range(len(rule.cases))]


def compare(
    path: Path,
    progress: Mapping[str, ExtractProgress | None] | None = None,
    unchecked: list[UncheckedCase] | None = None,
    unread_rows: Collection[str] | None = None,
    before: Mapping[str, ExtractProgress | None] | None = None,
) -> dict[FindingChange, int]:
    builder = RunBuilder.at(path)
    first = builder.add([LOST, SAME, ABSENCE], before)
    write_counts(builder.folder, first, RULES, [], SETTINGS)
    second = builder.add([FRESH, SAME], progress)
    counts = write_counts(builder.folder, second, RULES, unchecked or [], SETTINGS, unread_rows)
    assert counts.comparability is Comparability.COMPARED
    assert counts.earlier == first.path.name
    return changes(counts)


def changes(counts: RunCounts) -> dict[FindingChange, int]:
    found = dict.fromkeys(FindingChange, 0)
    for row in counts.rows:
        if row.measure.startswith("change."):
            found[FindingChange(row.measure)] += row.count
    return {change: count for change, count in found.items() if count}


def test_what_was_checked_and_is_not_there_is_gone(tmp_path: Path) -> None:
    assert compare(tmp_path) == {
        FindingChange.NEW: 1,
        FindingChange.REMAINING: 1,
        FindingChange.GONE: 2,
    }


@pytest.mark.parametrize("deaths", [None, BROKEN])
def test_what_was_not_checked_is_not_gone(deaths: ExtractProgress | None, tmp_path: Path) -> None:
    changed = compare(tmp_path, {"civil_status.deaths": deaths})
    assert changed == {
        FindingChange.NEW: 1,
        FindingChange.REMAINING: 1,
        FindingChange.UNCHECKED_NOW: 2,
    }


@pytest.mark.parametrize("people", [1, None])
def test_what_the_engine_left_out_is_not_gone(people: int | None, tmp_path: Path) -> None:
    case = PLACES.index(("DEATH_DATE", 0))
    left_out = [UncheckedCase(case, UncheckedReason.INCOMPLETE, people)]
    changed = compare(tmp_path, unchecked=left_out)
    expected = {
        FindingChange.NEW: 1,
        FindingChange.REMAINING: 1,
        FindingChange.GONE: 1,
        FindingChange.UNCHECKED_NOW: 1,
    }
    assert changed == expected


def test_a_value_that_cannot_be_read_leaves_open_what_is_gone(tmp_path: Path) -> None:
    progress = {"civil_status.deaths": unreadable(COMPLETE, death_date=1)}
    changed = compare(tmp_path, progress)
    assert changed == {
        FindingChange.NEW: 1,
        FindingChange.REMAINING: 1,
        FindingChange.UNCHECKED_NOW: 2,
    }


def test_a_value_that_no_rule_reads_leaves_nothing_open(tmp_path: Path) -> None:
    changed = compare(tmp_path, {"civil_status.deaths": unreadable(COMPLETE, extract_no=1)})
    assert changed == {FindingChange.NEW: 1, FindingChange.REMAINING: 1, FindingChange.GONE: 2}


@pytest.mark.parametrize(("row", "gone"), [("another", 1), (LOST.rows[1], 0)])
def test_where_the_rows_are_told_others_are_gone(row: str, gone: int, tmp_path: Path) -> None:
    progress = {"civil_status.deaths": unreadable(COMPLETE, death_date=1)}
    changed = compare(tmp_path, progress, unread_rows={row})
    assert (changed.get(FindingChange.GONE, 0), changed[FindingChange.UNCHECKED_NOW]) == (
        gone,
        2 - gone,
    )


def test_a_row_that_cannot_be_read_may_be_the_missing_record(tmp_path: Path) -> None:
    progress = {"civil_status.deaths": unreadable(COMPLETE, citizen_id=1)}
    changed = compare(tmp_path, progress, unread_rows={"another"})
    # DEATH_DATE has its rows; LIFE_STATE says that there is none, which this row may be.
    assert changed == {
        FindingChange.NEW: 1,
        FindingChange.REMAINING: 1,
        FindingChange.GONE: 1,
        FindingChange.UNCHECKED_NOW: 1,
    }


def test_what_was_not_checked_before_is_not_new(tmp_path: Path) -> None:
    changed = compare(tmp_path, before={"civil_status.deaths": BROKEN})
    assert changed == {
        FindingChange.UNCHECKED_BEFORE: 1,
        FindingChange.REMAINING: 1,
        FindingChange.GONE: 2,
    }


@pytest.mark.parametrize(
    ("damage", "comparability"),
    [
        ("findings", Comparability.NO_EARLIER_FILES),
        ("counts", Comparability.NO_EARLIER_FILES),
        ("manifest", Comparability.NO_EARLIER_FILES),
        ("rules", Comparability.OTHER_RULES),
        ("key", Comparability.OTHER_KEY),
    ],
)
def test_what_cannot_be_compared_is_not(
    damage: str, comparability: Comparability, tmp_path: Path
) -> None:
    builder = RunBuilder.at(tmp_path)
    first = builder.add([LOST, SAME])
    write_counts(builder.folder, first, RULES, [], SETTINGS)
    match damage:
        case "findings":
            first.findings.unlink()
        case "counts":
            first.counts.write_bytes(b"no Parquet")
        case "manifest":
            first.manifest.write_text("{}")
        case "key":
            builder.folder.hash_key.write_bytes(b"another" * 8)
    second = builder.add([SAME], digest="others" if damage == "rules" else "rules of the test")
    counts = write_counts(builder.folder, second, RULES, [], SETTINGS)
    assert counts.comparability is comparability
    assert changes(counts) == {}


def test_runs_that_did_not_finish_are_passed_over(tmp_path: Path) -> None:
    builder = RunBuilder.at(tmp_path)
    first = builder.add([SAME])
    write_counts(builder.folder, first, RULES, [], SETTINGS)
    halted = builder.add([], {"civil_status.deaths": None})
    write_manifest(halted.manifest, replace(read_manifest(halted.manifest), finished=None))
    third = builder.add([SAME])
    counts = write_counts(builder.folder, third, RULES, [], SETTINGS)
    assert (counts.earlier, changes(counts)) == (first.path.name, {FindingChange.REMAINING: 1})
