"""Rows that could not be read, and records that were not: what is not checked, and of whom.

Held against the row program, which gets the lists without the rows with faults, and as incomplete
for whoever such a row is of. One case of each shape is run: ``test_duckdb_session`` runs all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Record
from connectors.notary import DATABASE as NOTARY
from connectors.population import DATABASE as POPULATION
from connectors.synthetic.options import TODAY
from reconcile.engines.choice import open_engine
from reconcile.engines.engine import UncheckedCase, UncheckedReason
from reconcile.layout import RunFolder
from reconcile.manifest import ExtractProgress, Manifest
from reconcile.settings import ReconcileSettings
from rules.registry import NUMBER_RULES
from rules.row_program import RowProgram
from rules.statements import rule_statements
from tests.support.case_shapes import rules_of_all_shapes
from tests.support.rule_people import Tables, people_of
from tests.support.run_extracts import STATEMENTS as ALL_STATEMENTS
from tests.support.run_extracts import (
    Fault,
    PlainFinding,
    case_places,
    engine_findings,
    generated_tables,
    plain,
    without,
    write_extracts,
)
from tests.support.run_extracts import case_place as case_place_among
from tests.support.run_extracts import program_findings as program_findings_of

DEATHS = CIVIL_STATUS.by_name["deaths"]
MARRIAGES = CIVIL_STATUS.by_name["marriages"]
DIVORCES = CIVIL_STATUS.by_name["divorces"]
IDENTITY = POPULATION.by_name["identity"]
EARLIER = POPULATION.by_name["earlier_numbers"]
TRANSACTIONS = NOTARY.by_name["transactions"]
PARTIES = NOTARY.by_name["transaction_parties"]
PEOPLE = 300
#: It rests on divorces, and generated people have findings of it.
AFTER_DIVORCE = ALL_STATEMENTS.cases[case_place_among("MARITAL_STATUS", 2)].case
RULES = rules_of_all_shapes({AFTER_DIVORCE})
STATEMENTS = rule_statements(RULES, with_registration_dates=True)
PROGRAM = RowProgram(RULES)


@dataclass(frozen=True)
class Checked:
    """What an engine found, and which cases it did not check wholly."""

    findings: list[PlainFinding]
    unchecked: tuple[UncheckedCase, ...]

    def cases_with_findings(self) -> set[int]:
        """Return the places of the cases that found something."""
        return {finding[0] for finding in self.findings}

    def of(self, case: int) -> UncheckedCase | None:
        """Return what is unchecked of a case."""
        return next((item for item in self.unchecked if item.case == case), None)


def case_place(rule: str) -> int:
    return case_place_among(rule, statements=STATEMENTS)


def program_findings() -> list[PlainFinding]:
    return program_findings_of(PEOPLE, PROGRAM)


def checked(folder: Path, manifest: Manifest, buckets: int = 1) -> Checked:
    engine = open_engine(ReconcileSettings(buckets=buckets, memory=400_000_000))
    try:
        engine.prepare(RunFolder(folder), manifest, STATEMENTS)
        return Checked(plain(engine_findings(engine)), tuple(engine.unchecked()))
    finally:
        engine.close()


def faults_in(record: Record, column: str, number: str | None, count: int = 3) -> list[Fault]:
    """Return faults in a column of rows, rather of those that are in findings.

    ``number``: the column of whom a row is, as extraction tells it.
    """
    found = {identity for _, _, ids, _ in program_findings() for identity in ids}
    rows = generated_tables(PEOPLE)[record.database, record.name]
    chosen = [row for row in rows if row.get(column) is not None]
    chosen.sort(key=lambda row: str(row[record.identity]) not in found)
    return [
        Fault(
            record,
            column,
            str(row[record.identity]),
            str(row[number]) if number and row.get(number) else None,
        )
        for row in chosen[:count]
    ]


def tables_without(faults: Sequence[Fault]) -> Tables:
    """Return the rows without those that could not be read."""
    tables = dict(generated_tables(PEOPLE))
    for record in {fault.record for fault in faults}:
        gone = {fault.identity for fault in faults if fault.record is record}
        key = record.database, record.name
        tables[key] = [row for row in tables[key] if str(row[record.identity]) not in gone]
    return tables


def expected_findings(faults: Sequence[Fault]) -> list[PlainFinding]:
    """Return what the row program finds where it is given what could be read.

    A list that lost a row is incomplete for whoever it is of.
    """
    whole = {person.number: person for person in people_of(PROGRAM, generated_tables(PEOPLE))}
    places = case_places(PROGRAM)
    found: list[PlainFinding] = []
    for person in people_of(PROGRAM, tables_without(faults)):
        before = whole[person.number].lists
        complete = [
            now if len(now) == len(then) else None
            for now, then in zip(person.lists, before, strict=True)
        ]
        found += [
            (places[item.case], person.number, item.record_ids(), item.values())
            for item in PROGRAM.check(person.lists, person.numbers, TODAY, complete)
        ]
    return sorted(found, key=repr)


def run(folder: Path, buckets: int = 1, **options: Any) -> Checked:
    """Check generated people of whom not all could be read."""
    manifest = write_extracts(RunFolder(folder), generated_tables(PEOPLE), **options)
    return checked(folder, manifest, buckets)


def test_a_row_that_could_not_be_read_is_neither_there_nor_known_not_to_be(tmp_path: Path) -> None:
    faults = [
        *faults_in(DEATHS, "status", "citizen_id"),
        *faults_in(MARRIAGES, "ended_on", "husband_citizen_id", 8),
        *faults_in(DIVORCES, "marriage_event_id", "husband_citizen_id"),
        *faults_in(TRANSACTIONS, "kind", None),
    ]
    result = run(tmp_path, buckets=2, faults=faults)
    assert result.findings == expected_findings(faults)
    assert result.findings != program_findings()
    dead = {fault.number for fault in faults if fault.record is DEATHS}
    place = case_place("DUPLICATE_DEATH")
    assert result.of(place) == UncheckedCase(place, UncheckedReason.UNREADABLE, len(dead))
    # Who has neither a death nor an identity with a fault is checked.
    assert result.of(case_place("SELF_AS_RELATIVE")) is None
    assert all(item.people for item in result.unchecked)


def test_what_no_rule_reads_is_no_fault(tmp_path: Path) -> None:
    faults = faults_in(DEATHS, "death_cause", "citizen_id") or [
        Fault(DEATHS, "death_cause", "nobody", None)
    ]
    result = run(tmp_path, faults=faults)
    assert result == Checked(program_findings(), ())


def test_where_nobody_can_tell_of_whom_a_row_is_no_case_rests_on_its_list(tmp_path: Path) -> None:
    faults = faults_in(DEATHS, "citizen_id", None, 1)
    result = run(tmp_path, faults=faults)
    for place, case in enumerate(STATEMENTS.cases):
        lists = {read.lookup for read in case.case.reads}
        expected = UncheckedCase(place, UncheckedReason.UNREADABLE, None)
        assert result.of(place) == (expected if "deaths" in lists else None), case.rule.name
        if "deaths" in {read.lookup for read in case.case.complete_reads}:
            assert not result.cases_with_findings() & {place}
    assert case_place("LIFE_STATE") in result.cases_with_findings()


def test_a_fault_whose_row_is_not_there_is_of_whom_its_number_says(tmp_path: Path) -> None:
    resting = {
        place
        for place, case in enumerate(STATEMENTS.cases)
        if "deaths" in {read.lookup for read in case.case.complete_reads}
    }
    place, number, _, _ = next(item for item in program_findings() if item[0] in resting)
    result = run(tmp_path / "named", faults=[Fault(DEATHS, "status", "gone", number)])
    assert result.of(place) == UncheckedCase(place, UncheckedReason.UNREADABLE, 1)
    assert (place, number) not in {finding[:2] for finding in result.findings}
    result = run(tmp_path / "nobody", faults=[Fault(DEATHS, "status", "gone", None)])
    assert result.of(place) == UncheckedCase(place, UncheckedReason.UNREADABLE, None)
    assert place not in result.cases_with_findings()


def test_of_whoever_an_earlier_number_could_not_be_read_rows_may_be_missing(tmp_path: Path) -> None:
    faults = faults_in(EARLIER, "number", "citizen_id", 1)
    result = run(tmp_path, faults=faults)
    for place, case in enumerate(STATEMENTS.cases):
        # Under any number there may be one holder more.
        anybody = "holders" in {read.lookup for read in case.case.reads}
        expected = UncheckedCase(place, UncheckedReason.UNREADABLE, None if anybody else 1)
        assert result.of(place) == expected, case.rule.name
    for place, case in enumerate(STATEMENTS.cases):
        if case.case.complete_reads:
            about = {number for of, number, _, _ in result.findings if of == place}
            assert faults[0].number not in about, case.rule.name


def test_an_identity_that_could_not_be_read_still_says_whose_the_number_is(tmp_path: Path) -> None:
    faults = faults_in(IDENTITY, "birth_date", "citizen_id")
    result = run(tmp_path, faults=faults)
    gone = {fault.number for fault in faults}
    reading_identity = {
        place
        for place, case in enumerate(STATEMENTS.cases)
        if "identity" in {read.lookup for read in case.case.reads}
    }
    assert result.findings == [
        item
        for item in program_findings()
        if item[0] not in reading_identity or item[1] not in gone
    ]
    assert {item.case for item in result.unchecked} == reading_identity


def test_a_link_that_could_not_be_read_leaves_its_list_incomplete(tmp_path: Path) -> None:
    (fault,) = faults_in(PARTIES, "notarial_no", "party_citizen_id", 1)
    result = run(tmp_path, faults=[fault])
    reading = {
        place
        for place, case in enumerate(STATEMENTS.cases)
        if "transactions" in {read.lookup for read in case.case.reads}
    }
    assert {item.case for item in result.unchecked} == reading
    assert {item.people for item in result.unchecked} == {1}


@pytest.mark.parametrize("how", ["absent", "not chosen", "no part"])
def test_a_case_that_needs_a_record_that_was_not_extracted_is_not_run(
    tmp_path: Path, how: str
) -> None:
    folder = RunFolder(tmp_path)
    names = [f"notary.{record.name}" for record in NOTARY.records]
    absent = names if how == "absent" else []
    manifest = write_extracts(folder, generated_tables(PEOPLE), absent=absent)
    if how == "not chosen":
        manifest = without(manifest, "notary")
    if how == "no part":
        nothing = ExtractProgress(failure="the source refused")
        for name in names:
            manifest = manifest.with_extract(name, nothing)
    result = checked(tmp_path, manifest)
    reading = {
        place
        for place, case in enumerate(STATEMENTS.cases)
        if "notary" in {read.database for read in case.case.reads}
    }
    assert result.unchecked == tuple(
        UncheckedCase(place, UncheckedReason.NOT_EXTRACTED, None) for place in sorted(reading)
    )
    assert result.findings == [item for item in program_findings() if item[0] not in reading]


def test_of_a_record_that_was_not_extracted_wholly_what_is_found_counts(tmp_path: Path) -> None:
    result = run(tmp_path, incomplete=["civil_status.divorces"])
    reading, resting = set(), set()
    for place, case in enumerate(STATEMENTS.cases):
        if "divorces" in {read.lookup for read in case.case.reads}:
            reading.add(place)
        if "divorces" in {read.lookup for read in case.case.complete_reads}:
            resting.add(place)
    assert result.unchecked == tuple(
        UncheckedCase(place, UncheckedReason.INCOMPLETE, None) for place in sorted(reading)
    )
    assert result.findings == [item for item in program_findings() if item[0] not in resting]
    assert reading - resting
    assert resting & {item[0] for item in program_findings()}


@pytest.mark.parametrize("record", ["identity", "earlier_numbers"])
@pytest.mark.parametrize("how", ["absent", "incomplete"])
def test_nothing_is_checked_where_it_is_not_known_whose_each_number_is(
    tmp_path: Path, record: str, how: str
) -> None:
    options: dict[str, Any] = {how: [f"population.{record}"]}
    result = run(tmp_path, **options)
    assert result.findings == []
    assert len(result.unchecked) == len(STATEMENTS.cases)
    assert {item.people for item in result.unchecked} == {None}


def test_a_number_is_nobodys_only_where_all_numbers_are_known(tmp_path: Path) -> None:
    statements = rule_statements((*RULES[:1], *NUMBER_RULES), with_registration_dates=True)
    tables = dict(generated_tables(60))
    key = "civil_status", "deaths"
    tables[key] = [
        {"event_id": "of nobody", "citizen_id": "001090123456", "status": "VALID"},
        *tables[key],
    ]
    places = {
        place for place, case in enumerate(statements.cases) if case.rule.name == "UNKNOWN_NUMBER"
    }
    found = {}
    for name, faults in (
        ("whole", ()),
        ("identity with a fault", faults_in(IDENTITY, "birth_date", "citizen_id", 2)),
        ("earlier number unknown", faults_in(EARLIER, "number", "citizen_id", 1)),
    ):
        folder = RunFolder(tmp_path / name)
        engine = open_engine(ReconcileSettings(buckets=1, memory=400_000_000))
        engine.prepare(folder, write_extracts(folder, tables, faults), statements)
        found[name] = {item.number for item in engine_findings(engine) if item.case in places}
        unchecked = {item.case for item in engine.unchecked() if item.people is None}
        assert (places <= unchecked) == (name == "earlier number unknown")
        engine.close()
    assert "001090123456" in found["whole"]
    assert found["identity with a fault"] == found["whole"]
    assert found["earlier number unknown"] == set()
