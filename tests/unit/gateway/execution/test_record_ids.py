"""Ids of records: stable, opaque, and based on visible columns only."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Record, Row
from gateway.execution.record_ids import RecordIds
from gateway.keys.keyring import Secret

IDS = RecordIds(Secret.of(b"i" * 32))
MARRIAGES, DEATHS = CIVIL_STATUS.by_name["marriages"], CIVIL_STATUS.by_name["deaths"]
FIRST: Mapping[str, object] = {"event_id": "M1", "status": "VALID", "note": "một"}


def row(values: Mapping[str, object], record: Record = MARRIAGES) -> Row:
    return tuple(values.get(column.name) for column in record.columns)


def ids(*rows: Row, hidden: frozenset[str] = frozenset(), shown: tuple[Row, ...] = ()) -> list[str]:
    """Return the ids of rows ``shown`` (all) to a caller who may not see the columns ``hidden``."""
    return IDS.of(
        MARRIAGES, rows, shown or rows, lambda record, at: record.columns[at].name not in hidden
    )


def test_a_record_keeps_its_id_while_its_other_fields_change() -> None:
    assert ids(row(FIRST)) == ids(row({**FIRST, "status": "REVOKED", "note": None}))


def test_records_have_different_ids_by_identity_and_by_kind() -> None:
    two = ids(row(FIRST), row({**FIRST, "event_id": "M2"}))
    death = IDS.of(DEATHS, [row(FIRST, DEATHS)], [row(FIRST, DEATHS)], lambda record, at: True)
    assert len({*two, *death}) == 3


def test_an_id_shows_nothing_of_the_identity_without_the_key() -> None:
    (record_id,) = ids(row({"event_id": "001090012345"}))
    assert re.fullmatch(r"[\w-]{22}", record_id)
    other = RecordIds(Secret.of(b"j" * 32))
    same_row = row({"event_id": "001090012345"})
    assert other.of(MARRIAGES, [same_row], [same_row], lambda record, at: True) != [record_id]


def test_an_identity_that_is_denied_leaves_no_trace_in_the_id() -> None:
    hidden = frozenset({"event_id"})
    assert ids(row(FIRST), hidden=hidden) == ids(row({**FIRST, "event_id": "M2"}), hidden=hidden)
    assert ids(row(FIRST), hidden=hidden) != ids(row({**FIRST, "status": "REVOKED"}), hidden=hidden)


def test_a_column_that_is_denied_never_changes_an_id() -> None:
    for columns in ({"note"}, {"note", "event_id"}):
        hidden = frozenset(columns)
        changed_row = row({**FIRST, "note": "hai"})
        assert ids(row(FIRST), hidden=hidden) == ids(changed_row, hidden=hidden)


def test_rows_without_an_identity_are_told_apart_by_what_is_in_them() -> None:
    values = {**FIRST, "event_id": None}
    two = ids(row(values), row({**values, "note": "hai"}))
    assert len({*two}) == 2
    assert two == ids(row(values), row({**values, "note": "hai"}))


def test_rows_that_share_an_identity_are_two_records_on_every_page() -> None:
    rows = row(FIRST), row({**FIRST, "note": "hai"}), row({**FIRST, "event_id": "M2"})
    all_ids = ids(*rows)
    assert len({*all_ids}) == 3
    assert ids(*rows, shown=(rows[1],)) == [all_ids[1]]
    assert ids(rows[2]) == [all_ids[2]]
