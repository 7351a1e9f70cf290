"""What publishing a run makes of the findings: found, missing, unchecked, back again.

Covers ``reconcile.publishing.tables``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from reconcile.manifest import Manifest
from reconcile.publishing.publish import PublicationRefused
from reconcile.publishing.request import request_correction
from reconcile.publishing.tables import published_tables
from tests.support.published_runs import (
    DATABASES,
    NOW,
    finding_of,
    manifest_of,
    publish,
    rows_of,
    with_extract,
)

TABLES = published_tables()
FINDINGS = TABLES.findings


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def states(connection: sa.Connection) -> dict[object, object]:
    return {row[0]: row[1] for row in rows_of(connection, FINDINGS, "finding_id", "state")}


def everything(connection: sa.Connection) -> list[list[tuple[object, ...]]]:
    tables = (*TABLES.metadata.sorted_tables,)
    return [rows_of(connection, table, *table.c.keys()) for table in tables]


def test_a_new_finding_is_open_with_its_records_and_no_values(connection: sa.Connection) -> None:
    done = publish(connection, manifest_of(1), finding_of("a"))
    assert (done.new, done.confirmed, done.corrected) == (1, 0, 0)
    names = ("finding_id", "citizen_id", "rule", "state", "first_run", "last_run", "returns")
    run = "20261201T010000Z"
    assert rows_of(connection, FINDINGS, *names) == [
        ("a", "001090000001", "MARITAL_STATUS", "OPEN", run, run, 0)
    ]
    sides = rows_of(connection, TABLES.sides, "place", "source_record", "row_hash", "prevails")
    assert sides == [
        (0, "identity", "row-of-001090000001", False),
        (1, "marriages", "row-of-marriage", True),
    ]
    assert rows_of(connection, TABLES.statement, "as_of") == [("2026-12-01T01:00:00+00:00",)]


def test_a_finding_is_confirmed_then_corrected_then_open_again(connection: sa.Connection) -> None:
    publish(connection, manifest_of(1), finding_of("a"), finding_of("b"))
    second = publish(connection, manifest_of(2), finding_of("a"))
    assert (second.new, second.confirmed, second.corrected, second.unchanged) == (0, 1, 1, 0)
    names = ("finding_id", "state", "first_found_on", "last_found_on", "corrected_on", "returns")
    assert rows_of(connection, FINDINGS, *names) == [
        ("a", "OPEN", "2026-12-01", "2026-12-02", None, 0),
        ("b", "CORRECTED", "2026-12-01", "2026-12-01", "2026-12-02", 0),
    ]
    third = publish(connection, manifest_of(3), finding_of("a"), finding_of("b"))
    assert (third.confirmed, third.returned) == (1, 1)
    assert rows_of(connection, FINDINGS, *names)[1] == (
        *("b", "OPEN", "2026-12-01", "2026-12-03", None, 1),
    )
    history = rows_of(connection, TABLES.history, "finding_id", "run", "state")
    assert [(run[6:8], state) for name, run, state in history if name == "b"] == [  # type: ignore[index]
        ("01", "OPEN"),
        ("02", "CORRECTED"),
        ("03", "OPEN"),
    ]


def test_a_corrected_finding_stays_corrected_since_its_day(connection: sa.Connection) -> None:
    publish(connection, manifest_of(1), finding_of("a"))
    publish(connection, manifest_of(2))
    later = publish(connection, manifest_of(3))
    assert later.corrected == 0
    assert rows_of(connection, FINDINGS, "state", "corrected_on") == [("CORRECTED", "2026-12-02")]


def test_the_same_run_twice_changes_nothing(connection: sa.Connection) -> None:
    publish(connection, manifest_of(1), finding_of("a"))
    publish(connection, manifest_of(2), finding_of("a"), finding_of("b"))
    before = everything(connection)
    assert publish(connection, manifest_of(2)).is_repeated
    assert publish(connection, manifest_of(1)).is_repeated
    assert everything(connection) == before


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (manifest_of(2), "is not after it"),
        (replace(manifest_of(5), finished=None), "is not finished"),
        (manifest_of(3, run="another"), "is not after it"),
    ],
)
def test_an_older_or_unfinished_run_is_refused(
    connection: sa.Connection, manifest: Manifest, reason: str
) -> None:
    publish(connection, manifest_of(3), finding_of("a"))
    before = everything(connection)
    with pytest.raises(PublicationRefused, match=reason):
        publish(connection, manifest, finding_of("b"))
    assert everything(connection) == before


FAILED = with_extract(
    manifest_of(2), "civil_status.marriages", complete=False, failure="it was gone"
)
UNREADABLE = with_extract(manifest_of(2), "population.identity", unreadable={"marital_status": 1})


@pytest.mark.parametrize(
    "manifest",
    [
        FAILED,
        UNREADABLE,
        with_extract(manifest_of(2), "population.earlier_numbers", complete=False),
        manifest_of(2, databases=tuple(sorted({*DATABASES} - {"civil_status"}))),
        manifest_of(2, extracts={}),
        manifest_of(2, rules="rules-2"),
    ],
    ids=["failed", "unreadable", "numbers", "not chosen", "not extracted", "other rules"],
)
def test_a_finding_whose_case_was_not_checked_is_unchanged(
    connection: sa.Connection, manifest: Manifest
) -> None:
    publish(connection, manifest_of(1), finding_of("a"))
    before = rows_of(connection, FINDINGS, *FINDINGS.c.keys())
    done = publish(connection, manifest)
    assert (done.corrected, done.unchanged) == (0, 1)
    assert rows_of(connection, FINDINGS, *FINDINGS.c.keys()) == before


def test_other_cases_are_corrected_beside_what_was_not_checked(connection: sa.Connection) -> None:
    aid = finding_of("aid", "EVENT_AFTER_DEATH", 2)
    publish(connection, manifest_of(1), finding_of("a"), aid)
    publish(connection, FAILED)
    assert states(connection) == {"a": "OPEN", "aid": "CORRECTED"}
    coverage = {row[0]: row[1] for row in rows_of(connection, TABLES.rules, "rule", "coverage")}
    assert coverage["MARITAL_STATUS"] == "NOBODY"
    assert coverage["EVENT_AFTER_DEATH"] == "NOT_EVERYBODY"
    assert coverage["LIFE_STATE"] == "EVERYBODY"


def test_those_of_whom_a_row_could_not_be_read_keep_their_findings(
    connection: sa.Connection,
) -> None:
    other = finding_of("b", number="001090000002")
    publish(connection, manifest_of(1), finding_of("a"), other)
    unread = {"population.identity": {"hash-of-001090000001"}}
    done = publish(connection, UNREADABLE, unchecked=unread)
    assert (done.corrected, done.unchanged) == (1, 1)
    assert states(connection) == {"a": "OPEN", "b": "CORRECTED"}


def test_a_number_that_two_people_have_now_corrects_nothing(connection: sa.Connection) -> None:
    publish(connection, manifest_of(1), finding_of("a"))
    publish(connection, manifest_of(2), finding_of("shared", "SHARED_NUMBER"))
    assert states(connection) == {"a": "OPEN", "shared": "OPEN"}


def test_a_request_is_kept_until_the_registers_agree(connection: sa.Connection) -> None:
    publish(connection, manifest_of(1), finding_of("a"))
    request_correction(connection, ["a"], "12/CV-BTP", NOW)
    publish(connection, manifest_of(2), finding_of("a"))
    assert states(connection) == {"a": "REQUESTED"}
    publish(connection, manifest_of(3))
    reference = rows_of(connection, FINDINGS, "state", "request_reference")
    assert reference == [("CORRECTED", "12/CV-BTP")]
    publish(connection, manifest_of(4), finding_of("a"))
    assert rows_of(connection, FINDINGS, "state", "request_reference") == [("OPEN", None)]


@pytest.mark.parametrize("rule", ["PARENTS", "SEX"])
def test_a_corrected_finding_that_could_tell_of_an_adoption_is_removed(
    connection: sa.Connection, rule: str
) -> None:
    publish(connection, manifest_of(1), finding_of("a", rule), finding_of("b"))
    assert publish(connection, manifest_of(2), finding_of("b")).corrected == 1
    assert states(connection) == {"b": "OPEN"}
    assert {row[0] for row in rows_of(connection, TABLES.sides, "finding_id")} == {"b"}


def test_a_number_that_is_longer_than_any_is_counted_and_not_published(
    connection: sa.Connection,
) -> None:
    done = publish(connection, manifest_of(1), finding_of("a", number="0" * 13), finding_of("b"))
    assert (done.new, done.without_number) == (1, 1)
    assert states(connection) == {"b": "OPEN"}


def test_the_last_run_that_checked_a_rule_for_everybody_is_remembered(
    connection: sa.Connection,
) -> None:
    publish(connection, manifest_of(1))
    publish(connection, FAILED)
    names = ("rule", "run", "last_complete_run", "records_unread")
    rows = {row[0]: row[1:] for row in rows_of(connection, TABLES.rules, *names)}
    first, second = manifest_of(1).run, manifest_of(2).run
    assert rows["MARITAL_STATUS"] == (second, first, '["civil_status.marriages"]')
    assert rows["LIFE_STATE"] == (second, second, "[]")


def test_what_fails_on_the_way_leaves_what_was_published(connection: sa.Connection) -> None:
    publish(connection, manifest_of(1), finding_of("a"))
    before = everything(connection)
    with pytest.raises(sa.exc.IntegrityError):
        publish(connection, manifest_of(2), finding_of("b"), finding_of("b"))
    connection.rollback()
    assert everything(connection) == before
    publish(connection, manifest_of(2), finding_of("b"))
    assert states(connection) == {"a": "CORRECTED", "b": "OPEN"}
