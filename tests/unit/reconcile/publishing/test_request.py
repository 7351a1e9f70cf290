"""Requests for corrections are noted for all findings named, or for none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from reconcile.publishing.request import RequestRefused, request_correction
from reconcile.publishing.tables import published_tables
from tests.support.published_runs import NOW, finding_of, manifest_of, publish, rows_of

FINDINGS = published_tables().findings
COLUMNS = ("finding_id", "state", "requested_at", "request_reference")
MOMENT = "2026-12-31T00:00:00+00:00"


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        publish(connection, manifest_of(1), *map(finding_of, ("a", "b", "c")))
        publish(connection, manifest_of(2), *map(finding_of, ("a", "b")))
        yield connection
    engine.dispose()


def test_open_findings_are_requested_with_moment_and_reference(connection: sa.Connection) -> None:
    assert request_correction(connection, ["a", "b", "a"], "12/CV", NOW) == 2
    assert rows_of(connection, FINDINGS, *COLUMNS) == [
        ("a", "REQUESTED", MOMENT, "12/CV"),
        ("b", "REQUESTED", MOMENT, "12/CV"),
        ("c", "CORRECTED", None, None),
    ]


def test_the_same_request_again_changes_nothing(connection: sa.Connection) -> None:
    request_correction(connection, ["a"], "12/CV", NOW)
    before = rows_of(connection, published_tables().history, "finding_id", "at", "state")
    assert request_correction(connection, ["a"], "12/CV", NOW + timedelta(days=1)) == 0
    assert rows_of(connection, FINDINGS, *COLUMNS)[0] == ("a", "REQUESTED", MOMENT, "12/CV")
    assert rows_of(connection, published_tables().history, "finding_id", "at", "state") == before


@pytest.mark.parametrize(
    ("names", "reference", "reason"),
    [
        (["a", "x"], "13/CV", "x: no such finding is published"),
        (["a", "c"], "13/CV", "c: the registers agree already"),
        (["a", "b"], "13/CV", "b: its correction was requested under 12/CV"),
        (["a"], " ", "the reference of the request is empty"),
    ],
)
def test_one_that_cannot_be_requested_refuses_all(
    connection: sa.Connection, names: list[str], reference: str, reason: str
) -> None:
    request_correction(connection, ["b"], "12/CV", NOW)
    before = rows_of(connection, FINDINGS, *COLUMNS)
    with pytest.raises(RequestRefused, match=reason):
        request_correction(connection, names, reference, NOW)
    assert rows_of(connection, FINDINGS, *COLUMNS) == before


def test_many_are_requested_at_once(connection: sa.Connection) -> None:
    names = [f"many-{place}" for place in range(1_100)]
    publish(connection, manifest_of(3), *map(finding_of, names))
    assert request_correction(connection, names, "14/CV", NOW) == 1_100
