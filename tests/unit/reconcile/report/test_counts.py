"""The counts of a run, held against counts in Python.

Covers ``reconcile.report.count_queries``.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reconcile.engines.engine import UncheckedCase, UncheckedReason
from reconcile.layout import COUNTS, FINDINGS, OtherVersion, versioned
from reconcile.manifest import ExtractProgress
from reconcile.report.case_checks import EngineGap
from reconcile.report.comparison import Comparability
from reconcile.report.count_queries import CountRow
from reconcile.report.counts import RunCounts, read_counts, write_counts
from rules.registry import RULES
from tests.support.report_runs import (
    SETTINGS,
    PlantedFinding,
    RunBuilder,
    draw_births,
    draw_findings,
)

BIRTH = {
    "citizen_id": "001217000001",
    "status": "VALID",
    "registration_kind": "ON_TIME",
    "birth_date": "2020-03-01",
    "registration_date": "2020-03-31",
    "mother_name": "A",
    "mother_citizen_id": "001187000001",
    "father_name": "B",
    "father_citizen_id": "001087000001",
}
DEATH = {
    "citizen_id": "001217000001",
    "status": "VALID",
    "registration_kind": "ON_TIME",
    "death_kind": "NATURAL_DEATH",
    "death_date": "2020-03-01",
    "registration_date": "2020-03-16",
}


def count(builder: RunBuilder, findings: list[PlantedFinding]) -> RunCounts:
    run = builder.add(findings)
    return write_counts(builder.folder, run, RULES, [], SETTINGS)


def measures(counts: RunCounts, record: str) -> dict[str, int]:
    return {row.measure: row.count for row in counts.rows if row.record == record}


def test_findings_are_counted_by_each_dimension(tmp_path: Path) -> None:
    findings = draw_findings(Random(2), 500)
    counts = count(RunBuilder.at(tmp_path), findings)
    rows = counts.rows
    by_rule = Counter(each.rule for each in findings)
    databases: Counter[str] = Counter()
    for row in rows:
        if row.measure == "findings.databases":
            databases[row.rule or ""] += row.count
    assert databases == by_rule
    assert {
        (row.province, row.former_province): row.count
        for row in rows
        if row.measure == "findings.place"
    } == Counter((each.province, each.former_province) for each in findings)
    assert {row.year: row.count for row in rows if row.measure == "findings.year"} == Counter(
        each.year for each in findings
    )
    for rule in RULES:
        measure = f"findings.{rule.severity.name}"
        counted = sum(row.count for row in rows if (row.measure, row.rule) == (measure, rule.name))
        assert counted == by_rule[rule.name]
    assert CountRow("findings", 500) in rows
    assert CountRow("findings.people", 500) in rows


def test_a_person_with_two_findings_is_one(tmp_path: Path) -> None:
    findings = [PlantedFinding("SEX", 1), PlantedFinding("PARENTS", 1), PlantedFinding("SEX", 2)]
    assert CountRow("findings.people", 2) in count(RunBuilder.at(tmp_path), findings).rows


@pytest.mark.parametrize(
    ("changes", "measure"),
    [
        ({"registration_date": "2020-04-30"}, "term.on_time"),
        ({"registration_date": "2020-05-01"}, "term.late"),
        ({"registration_date": "2020-02-29"}, None),
        ({"registration_date": None}, None),
        ({"birth_date": "2020-03"}, None),
        ({"birth_date": "2015-12-31"}, None),
        ({"birth_date": "2020-02-31"}, None),
        ({"registration_kind": "RE_REGISTERED"}, None),
        ({"registration_kind": "FOREIGN_NOTE"}, None),
        ({"registration_kind": None}, "term.on_time"),
    ],
)
def test_a_birth_is_late_after_60_days(
    changes: dict[str, str | None], measure: str | None, tmp_path: Path
) -> None:
    builder = RunBuilder.at(tmp_path)
    builder.extracts = {("civil_status", "births"): [{**BIRTH, **changes}]}
    counted = measures(count(builder, []), "births")
    assert {name for name in ("term.on_time", "term.late") if counted[name]} == {measure} - {None}


@pytest.mark.parametrize(
    ("changes", "measure"),
    [
        ({}, "term.on_time"),
        ({"registration_date": "2020-03-17"}, "term.late"),
        ({"registration_date": "2022-01-01", "death_kind": "DECLARED_DEAD_BY_COURT"}, None),
    ],
)
def test_a_death_is_late_after_15_days(
    changes: dict[str, str | None], measure: str | None, tmp_path: Path
) -> None:
    builder = RunBuilder.at(tmp_path)
    builder.extracts = {("civil_status", "deaths"): [{**DEATH, **changes}]}
    counted = measures(count(builder, []), "deaths")
    assert {name for name in ("term.on_time", "term.late") if counted[name]} == {measure} - {None}


def test_births_are_counted_by_what_they_say(tmp_path: Path) -> None:
    births = draw_births(Random(4), 400)
    builder = RunBuilder.at(tmp_path)
    builder.extracts = {("civil_status", "births"): births}
    counted = measures(count(builder, []), "births")
    in_force = [each for each in births if each["status"] in ("VALID", "AMENDED")]
    assert counted["rows"] == 400
    assert counted["records"] == len(in_force)
    assert counted["records.numbered"] == sum(bool(each["citizen_id"]) for each in in_force)
    for part, column in (("named", "name"), ("numbered", "citizen_id")):
        parents = Counter(
            (bool(each[f"mother_{column}"]), bool(each[f"father_{column}"])) for each in in_force
        )
        assert counted[f"parents.{part}.both"] == parents[True, True]
        assert counted[f"parents.{part}.mother"] == parents[True, False]
        assert counted[f"parents.{part}.father"] == parents[False, True]
    kinds = Counter(each["registration_kind"] for each in in_force)
    assert (counted["kind.digitised"], counted["kind.missing"]) == (kinds["DIGITISED"], kinds[None])


def test_a_number_of_nine_digits_is_no_citizen_id(tmp_path: Path) -> None:
    builder = RunBuilder.at(tmp_path)
    builder.extracts = {("civil_status", "births"): [{**BIRTH, "citizen_id": "012345678"}]}
    assert measures(count(builder, []), "births")["records.numbered"] == 0


def test_nothing_is_counted_of_what_is_withheld(tmp_path: Path) -> None:
    builder = RunBuilder.at(tmp_path)
    builder.extracts = {("population", "protection_orders"): [{"citizen_id": "001087000001"}]}
    assert measures(count(builder, []), "protection_orders") == {}


def test_counts_are_read_as_they_were_written(tmp_path: Path) -> None:
    builder = RunBuilder.at(tmp_path)
    run = builder.add(draw_findings(Random(1), 50))
    unchecked = [
        UncheckedCase(0, UncheckedReason.UNREADABLE, 12),
        UncheckedCase(3, UncheckedReason.NOT_EXTRACTED, None),
    ]
    counts = write_counts(builder.folder, run, RULES, unchecked, SETTINGS)
    read = read_counts(run.counts)
    assert read == counts
    assert read.comparability is Comparability.NO_EARLIER_RUN
    places = [(rule.name, place) for rule in RULES for place in range(len(rule.cases))]
    assert read.gaps == (
        EngineGap(*places[0], UncheckedReason.UNREADABLE, 12),
        EngineGap(*places[3], UncheckedReason.NOT_EXTRACTED, None),
    )
    assert run.counts.stat().st_mode & 0o777 == 0o600
    pq.write_table(pa.Table.from_pylist([], COUNTS), run.counts)
    with pytest.raises(OtherVersion):
        read_counts(run.counts)
    pq.write_table(pa.Table.from_pylist([], versioned(COUNTS)), run.counts)
    with pytest.raises(OtherVersion):
        read_counts(run.counts)


def test_findings_of_another_version_are_refused(tmp_path: Path) -> None:
    builder = RunBuilder.at(tmp_path)
    run = builder.add([])
    pq.write_table(pa.Table.from_pylist([], FINDINGS), run.findings)
    with pytest.raises(OtherVersion):
        write_counts(builder.folder, run, RULES, [], SETTINGS)


def test_a_record_that_was_read_and_is_empty_has_no_rows(tmp_path: Path) -> None:
    builder = RunBuilder.at(tmp_path)
    empty = ExtractProgress(complete=True)
    run = builder.add([], {"civil_status.divorces": empty, "civil_status.deaths": None})
    counts = write_counts(builder.folder, run, RULES, [], SETTINGS)
    assert set(measures(counts, "divorces").values()) == {0}
    assert measures(counts, "deaths") == {}
