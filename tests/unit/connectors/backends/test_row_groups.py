"""Rows of a statement go to their keys: in order, cut at the limit, what is unreadable counted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.backends.base import NO_ROWS, Rows, SourceRefused
from connectors.backends.memory import MemoryBackend
from connectors.backends.readers import UNREAD
from connectors.backends.record_maps import map_records
from connectors.backends.row_groups import group_rows, sort_rows
from connectors.backends.statement import SQLITE, LookupStatement, lookup_statement
from tests.support.backend_samples import AN, BINH, CHI, DATABASE, UNIONS
from tests.support.generated import PATIENT

_STORED = map_records(DATABASE)
LOOKUP = lookup_statement(SQLITE, _STORED["unions"], UNIONS.lookups[0])
BY_TEXT = lookup_statement(
    SQLITE, _STORED["case_parties"], DATABASE.by_name["case_parties"].lookups[0]
)


def _union(event_id: object, mood: str | None = None) -> Sequence[object]:
    return (event_id, AN, BINH, None, mood)


def _grouped(
    rows: Sequence[Sequence[object]], *keys: str, lookup: LookupStatement = LOOKUP
) -> dict[str, Rows]:
    by_key, failed = asyncio.run(group_rows(lookup, keys, rows))
    assert failed == {}
    return by_key


def test_each_key_has_its_rows_in_their_order_and_nobodys_go_nowhere() -> None:
    rows = [(key, *_union(name)) for key, name in [(AN, "b"), (BINH, "c"), (AN, "a"), (CHI, "d")]]
    by_key = _grouped(rows, BINH, AN)
    assert {key: [row[0] for row in some.rows] for key, some in by_key.items()} == {
        BINH: ["c"],
        AN: ["b", "a"],
    }


def test_keys_without_rows_share_what_says_so() -> None:
    by_key = _grouped([(AN, *_union("a"))], AN, BINH, CHI)
    assert by_key[BINH] is by_key[CHI] is NO_ROWS


def test_rows_beyond_the_limit_are_cut_and_their_faults_are_not_counted() -> None:
    names = ["a", None, "c", None, "e"]
    (rows,) = _grouped([(AN, *_union(name)) for name in names], AN).values()
    assert UNIONS.fetch_limit == 3
    assert ([row[0] for row in rows.rows], rows.unreadable, rows.truncated) == (["a", "c"], 1, True)
    assert rows.faults == {"event_id is missing"}


def test_an_unreadable_row_costs_itself() -> None:
    rows = _grouped([(AN, *_union("a", "SAD")), (BINH, *_union("b"))], AN, BINH)
    assert rows[AN] == Rows(unreadable=1)
    assert rows[AN].faults == {"mood cannot be read"}
    assert len(rows[BINH].rows) == 1


def test_a_whole_number_may_be_the_key_of_a_thing_and_no_persons() -> None:
    party = ("p1", "7", None, None)
    (rows,) = _grouped([(7, *party), (8, *party)], "7", lookup=BY_TEXT).values()
    assert len(rows.rows) == 1
    with pytest.raises(SourceRefused, match="kept as int"):
        _grouped([(1090000001, *_union("a"))], AN)
    with pytest.raises(SourceRefused, match="kept as float"):
        _grouped([(7.5, *party)], "7", lookup=BY_TEXT)


def test_more_rows_than_are_decoded_at_once_are_all_there() -> None:
    keys = [f"{number:012}" for number in range(1_200)]
    rows = [(key, f"e{key}", key, None, None, None) for key in keys for _ in range(2)]
    by_key = _grouped(rows, *keys)
    assert all([row[:2] for row in by_key[key].rows] == [(f"e{key}", key)] * 2 for key in keys)


_TEXT_DATES = st.sampled_from(["1999", "2020", "2020-05", "2020-05-06", "2020-05-07", "soon"])
_DATES = st.dates(date(1, 1, 1), date(3, 1, 1)) | st.dates()
_IDENTITIES = st.text(max_size=3) | st.sampled_from(
    ["a", "A", "é", "\uffff", "\U0001f600", "10", "9"]
)


@PATIENT
@given(
    st.sampled_from([_TEXT_DATES, _DATES]).flatmap(
        lambda dates: st.lists(
            st.tuples(st.sampled_from([AN, BINH]), _IDENTITIES, st.none() | dates),
            max_size=9,
            unique_by=lambda row: row[1],
        )
    ),
    st.booleans(),
)
def test_rows_in_any_order_are_sorted_as_by_the_reference(
    drawn: list[tuple[str, str, object]], numbered: bool
) -> None:
    rows = [
        (key, place if numbered else name, key, None, day, "CALM")
        for place, (key, name, day) in enumerate(drawn)
    ]
    names = [column.name for column in UNIONS.columns]
    raws = [dict(zip(names, raw, strict=True)) for _, *raw in rows]
    reference = MemoryBackend(DATABASE, {"unions": raws})
    expected = asyncio.run(reference.fetch(UNIONS, UNIONS.lookups[0], [AN, BINH])).by_key
    found = asyncio.run(sort_rows(LOOKUP, [AN, BINH], rows))
    assert found.by_key == {key: rows for key, rows in expected.items() if not rows.truncated}
    assert found.is_sortable


@pytest.mark.parametrize(
    ("dated", "is_sortable"),
    [(datetime(2020, 5, 6), False), (7, False), (UNREAD, True)],  # noqa: DTZ001 - as stored
)
def test_what_cannot_be_sorted_here_is_left_to_the_source(dated: object, is_sortable: bool) -> None:
    rows = [(AN, name, AN, None, day, None) for name, day in [("a", dated), ("b", "2020")]]
    found = asyncio.run(sort_rows(LOOKUP, [AN, BINH, CHI], [*rows, (BINH, *_union("c"))]))
    assert set(found.by_key) == {BINH, CHI}
    assert found.is_sortable is is_sortable


@pytest.mark.parametrize("name", [UUID(int=1), 1, None, 1.5, True])
def test_identities_whose_text_is_not_known_are_left_to_the_source(name: object) -> None:
    rows = [(AN, name, AN, None, "2020", None), (AN, "a", AN, None, "2020", None)]
    found = asyncio.run(sort_rows(LOOKUP, [AN], rows))
    assert (found.by_key, found.is_sortable) == ({}, False)
