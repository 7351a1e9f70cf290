"""Unreadable rows are isolated by a bounded number of statements."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.backends.base import Batch, DataFault, Rows, SourceUnavailable
from connectors.backends.isolation import (
    MAX_STATEMENTS,
    IsolationResult,
    isolate,
    merge_in_order,
)
from connectors.backends.record_maps import map_records
from connectors.backends.session import Provenance
from connectors.backends.statement import SQLITE, lookup_statement
from connectors.backends.statement_merger import LookupRows
from tests.support.backend_samples import DATABASE, UNIONS

LOOKUP = lookup_statement(SQLITE, map_records(DATABASE)["unions"], UNIONS.lookups[0])
PLACES = range(1, LOOKUP.most + 1)


class _Table:
    """So many rows of each key, of which those at some places fail whatever is asked with them."""

    def __init__(self, rows: Mapping[str, int], spoilt: set[tuple[str, int]]) -> None:
        self.rows = rows
        self.spoilt = spoilt
        self.statements = 0

    async def find(self, keys: Sequence[str], places: range | None) -> LookupRows:
        self.statements += 1
        chosen_places = PLACES if places is None else places
        rows = [(key, n) for key in keys for n in chosen_places if n <= self.rows[key]]
        if self.spoilt & set(rows):
            raise DataFault("spoilt")
        return rows, Provenance(None, "")

    def isolate(self) -> IsolationResult:
        return asyncio.run(isolate(self.find, LOOKUP, list(self.rows)))


_spots = st.tuples(st.sampled_from("abcdefg"), st.sampled_from(PLACES))


@settings(deadline=None)
@given(
    st.fixed_dictionaries(dict.fromkeys("abcdefg", st.integers(0, len(PLACES)))), st.sets(_spots)
)
def test_all_rows_but_the_spoilt_ones_are_read_in_order(
    rows: dict[str, int], spots: set[tuple[str, int]]
) -> None:
    spoilt = {(key, place) for key, place in spots if place <= rows[key]}
    result = _Table(rows, spoilt).isolate()
    assert not result.unknown
    positions = {(key, place) for key, places in result.spoilt.items() for place in places}
    assert positions == spoilt
    for key, count in rows.items():
        expected = [(key, n) for n in range(1, count + 1) if (key, n) not in spoilt]
        assert [row for row in result.rows if row[0] == key] == expected


def test_one_spoilt_row_among_many_keys_takes_few_statements() -> None:
    table = _Table(dict.fromkeys(map(str, range(500)), 2), {("321", 2)})
    assert table.isolate().spoilt == {"321": [2]}
    assert table.statements < 30


def test_what_is_not_told_apart_in_time_is_unknown() -> None:
    keys = list(map(str, range(500)))
    table = _Table(dict.fromkeys(keys, 1), {(key, 1) for key in keys})
    result = table.isolate()
    assert table.statements == MAX_STATEMENTS
    assert result.unknown | result.spoilt.keys() == set(keys)
    assert not result.rows


def test_who_fails_wherever_rows_are_looked_for_is_spoilt_as_a_whole() -> None:
    async def find(keys: Sequence[str], places: range | None) -> LookupRows:
        if "b" in keys:
            raise DataFault("spoilt")
        return [(key, 1) for key in keys], Provenance(None, "")

    result = asyncio.run(isolate(find, LOOKUP, ["a", "b", "c"]))
    assert (result.rows, result.spoilt) == ([("a", 1), ("c", 1)], {"b": [1]})


def test_a_source_that_goes_meanwhile_is_gone() -> None:
    async def find(keys: Sequence[str], places: range | None) -> Any:
        raise SourceUnavailable("gone")

    with pytest.raises(SourceUnavailable, match="gone"):
        asyncio.run(isolate(find, LOOKUP, ["a", "b"]))


def test_rows_of_two_servers_are_not_mixed() -> None:
    async def find(keys: Sequence[str], places: range | None) -> LookupRows:
        if len(keys) > 1:
            raise DataFault("spoilt")
        return [(keys[0], 1)], Provenance(None, "other" if keys == ["b"] else "first")

    result = asyncio.run(isolate(find, LOOKUP, ["a", "b", "c"]))
    assert (result.rows, result.origin, result.unknown) == ([("a", 1), ("c", 1)], "first", {"b"})
    batches = [
        Batch({"a": Rows()}, origin="first"),
        Batch({"b": Rows()}),
        Batch({"c": Rows()}, origin="other"),
    ]
    merged = merge_in_order(["a", "b", "c"], batches)
    assert (set(merged.by_key), set(merged.failed), merged.origin) == ({"b", "c"}, {"a"}, "other")
