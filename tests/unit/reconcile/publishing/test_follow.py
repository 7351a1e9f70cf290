"""The counts of corrections, and what of them is printed for a report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
import sqlalchemy as sa

from reconcile.publishing.follow import (
    CorrectionCount,
    NothingPublished,
    correction_progress,
    progress_lines,
)
from reconcile.publishing.request import request_correction
from reconcile.publishing.tables import published_tables
from tests.support.published_runs import NOW, finding_of, manifest_of, publish, with_extract

TODAY = date(2027, 1, 31)


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_findings_are_counted_where_a_record_has_to_give_way(connection: sa.Connection) -> None:
    first = [finding_of(f"a{place:02}") for place in range(12)]
    publish(connection, manifest_of(1), *first)
    publish(connection, manifest_of(20), *first[2:], finding_of("b"))
    request_correction(connection, ["a02"], "1/CV", NOW)
    progress = correction_progress(connection, TODAY)
    assert (progress.run, progress.day) == (manifest_of(20).run, date(2026, 12, 20))
    old, new = "up to 90 days", "up to 90 days"
    assert progress.counts == (
        CorrectionCount("OPEN", "MARITAL_STATUS", "population", old, 10),
        CorrectionCount("REQUESTED", "MARITAL_STATUS", "population", new, 1),
        CorrectionCount("CORRECTED", "MARITAL_STATUS", "population", old, 2),
    )
    assert progress.unchecked == ()


@pytest.mark.parametrize(
    ("today", "age"),
    [
        (date(2026, 12, 31), "up to 30 days"),
        (date(2027, 1, 1), "up to 90 days"),
        (date(2027, 3, 2), "up to a year"),
        (date(2027, 12, 2), "more than a year"),
    ],
)
def test_age_is_counted_since_the_finding_was_first_found(
    connection: sa.Connection, today: date, age: str
) -> None:
    publish(connection, manifest_of(1), finding_of("a"))
    (count,) = correction_progress(connection, today).counts
    assert count.age == age


def test_a_report_has_no_count_under_ten_and_no_sum(connection: sa.Connection) -> None:
    publish(connection, manifest_of(1), *(finding_of(f"a{place:02}") for place in range(1234)))
    publish(connection, manifest_of(2), *(finding_of(f"a{place:02}") for place in range(9, 1234)))
    progress = correction_progress(connection, TODAY)
    plain, printed = ["\n".join(progress_lines(progress, hides)) for hides in (False, True)]
    assert [line.split()[-1] for line in plain.splitlines()[2:]] == ["1,225", "9"]
    assert [line.split()[-2:] for line in printed.splitlines()[2:]] == [
        ["days", "1,225"],
        ["under", "10"],
    ]
    assert "1,234" not in printed


def test_rules_that_were_not_checked_are_named(connection: sa.Connection) -> None:
    run = with_extract(manifest_of(1), "legal_aid.cases", complete=False, failure="gone")
    publish(connection, run)
    progress = correction_progress(connection, TODAY)
    unchecked = dict(progress.unchecked)
    assert unchecked["EVENT_AFTER_DEATH"] == "NOT_EVERYBODY"
    assert "LIFE_STATE" not in unchecked
    line = (
        "EVENT_AFTER_DEATH: the run checked it for some people only; what it did not find may "
        "still be there"
    )
    assert line in list(progress_lines(progress))


def test_nothing_published_is_not_read_as_no_finding(connection: sa.Connection) -> None:
    with pytest.raises(NothingPublished):
        correction_progress(connection, TODAY)
    published_tables().metadata.create_all(connection)
    with pytest.raises(NothingPublished):
        correction_progress(connection, TODAY)
