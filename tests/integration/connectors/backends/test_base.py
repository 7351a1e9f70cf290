"""The contract of backends (``connectors.backends.base``): one suite, run over each backend."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.backends.base import Backend, Batch, NotMapped, Rows, Scope
from connectors.backends.memory import MemoryBackend
from connectors.backends.sql import SqlBackend
from connectors.description import Database, Record
from connectors.population import DATABASE as POPULATION
from connectors.values import PartialDate
from connectors.xroad.stand_in import StandIn
from tests.support.backend_samples import (
    AN,
    BINH,
    CASES,
    CHI,
    DATABASE,
    DUNG,
    EMPTY,
    THINGS,
    UNIONS,
    RawRows,
    thing,
    union,
    write_file,
)
from tests.support.backend_servers import MAPS, write_server
from tests.support.servers import Server
from tests.support.xroad import NAMES, over_xroad

SERVICES = pytest.mark.services

Make = Callable[..., Awaitable[Backend]]
Request = pytest.FixtureRequest
As = datetime | None


async def _memory(_r: Request, described: Database, rows: RawRows, as_of: As, _p: Path) -> Backend:
    return MemoryBackend(described, rows, as_of)


async def _sqlite(
    _r: Request, described: Database, rows: RawRows, as_of: As, path: Path
) -> Backend:
    write_file(path, rows, as_of, described)
    return SqlBackend(described, f"sqlite:///{path}")


async def _server(
    request: Request, described: Database, rows: RawRows, as_of: As, _p: Path
) -> Backend:
    server: Server = request.getfixturevalue(request.param[1])
    foreign = request.param[2] and described is DATABASE
    await write_server(server, rows, as_of, described, foreign=foreign)
    return SqlBackend(described, server.url, maps=MAPS if foreign else None)


async def _xroad(_r: Request, described: Database, rows: RawRows, as_of: As, _p: Path) -> Backend:
    stand_in = StandIn(described, MemoryBackend(described, rows, as_of), *NAMES)
    return over_xroad(stand_in, shared=True)


WAYS = [
    pytest.param((_memory,), id="memory"),
    pytest.param((_sqlite,), id="sqlite"),
    pytest.param((_xroad,), id="xroad"),
    *(
        pytest.param((_server, make, foreign), id=make + "-theirs" * foreign, marks=SERVICES)
        for make in ("postgresql", "mariadb")
        for foreign in (False, True)
    ),
]


@pytest.fixture(params=WAYS)
async def make(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Make]:
    """Make an open backend that holds the given rows."""
    backends: list[Backend] = []
    numbers = itertools.count()

    async def make(
        rows: RawRows, as_of: datetime | None = None, described: Database = DATABASE
    ) -> Backend:
        path = tmp_path / f"{next(numbers)}.sqlite"
        backend: Backend = await request.param[0](request, described, rows, as_of, path)
        await backend.open()
        backends.append(backend)
        return backend

    yield make
    for backend in backends:
        await backend.close()


async def _fetch(backend: Backend, record: Record, keys: Sequence[str], name: str = "") -> Batch:
    chosen_lookup = next(
        lookup for lookup in record.lookups if lookup.name == (name or record.name)
    )
    return await backend.fetch(record, chosen_lookup, keys)


def _column(record: Record, rows: Rows, column: str) -> list[object]:
    return [row[record.positions[column]] for row in rows.rows]


async def _unions(backend: Backend, key: str) -> list[object]:
    batch = await _fetch(backend, UNIONS, [key])
    return _column(UNIONS, batch.by_key[key], "event_id")


async def _fetch_thing(make: Make, **values: object) -> Rows:
    backend = await make({"things": [thing("t1", AN, **values)]})
    return (await _fetch(backend, THINGS, [AN])).by_key[AN]


async def test_a_row_is_found_by_its_key(make: Make) -> None:
    backend = await make({"unions": [union("u1", AN), union("u2", BINH)]})
    assert await _unions(backend, AN) == ["u1"]


async def test_a_key_without_rows_is_in_the_batch_with_none(make: Make) -> None:
    backend = await make({"unions": [union("u1", AN)]})
    batch = await _fetch(backend, UNIONS, [DUNG])
    assert batch.by_key == {DUNG: Rows((), unreadable=0, truncated=False)}


async def test_many_keys_get_each_their_own(make: Make) -> None:
    backend = await make({"unions": [union("u1", AN), union("u2", BINH), union("u3", BINH)]})
    batch = await _fetch(backend, UNIONS, [BINH, AN, CHI])
    ids = {key: _column(UNIONS, rows, "event_id") for key, rows in batch.by_key.items()}
    assert ids == {AN: ["u1"], BINH: ["u2", "u3"], CHI: []}


async def test_thousands_of_keys_are_answered(make: Make) -> None:
    keys = [f"{number:012d}" for number in range(3_000)]
    backend = await make({"things": [thing(f"t{key}", key) for key in keys]})
    batch = await _fetch(backend, THINGS, keys)
    assert [_column(THINGS, batch.by_key[key], "thing_id") for key in keys] == [
        [f"t{key}"] for key in keys
    ]


async def test_a_row_is_found_through_any_column_of_the_lookup(make: Make) -> None:
    backend = await make({"unions": [union("u1", AN, BINH), union("u2", CHI, AN)]})
    assert await _unions(backend, AN) == ["u1", "u2"]


async def test_a_row_that_two_keys_share_is_given_to_both(make: Make) -> None:
    backend = await make({"unions": [union("u1", AN, BINH)]})
    batch = await _fetch(backend, UNIONS, [AN, BINH])
    assert batch.by_key[AN] == batch.by_key[BINH]
    assert len(batch.by_key[AN].rows) == 1


async def test_a_row_with_the_same_key_in_two_columns_is_given_once(make: Make) -> None:
    backend = await make({"unions": [union("u1", AN, AN)]})
    assert await _unions(backend, AN) == ["u1"]


async def test_a_lookup_by_one_column_leaves_the_others_alone(make: Make) -> None:
    backend = await make({"unions": [union("u1", AN, BINH), union("u2", BINH, AN)]})
    batch = await _fetch(backend, UNIONS, [AN], "unions_as_one")
    assert _column(UNIONS, batch.by_key[AN], "event_id") == ["u1"]


async def test_a_row_without_a_key_is_never_found(make: Make) -> None:
    backend = await make({"unions": [union("u1", None, None)]})
    batch = await _fetch(backend, UNIONS, ["", "None", "NULL"])
    assert all(rows == Rows() for rows in batch.by_key.values())


async def test_holders_of_an_earlier_number_are_found_by_it(make: Make) -> None:
    rows = [
        {"entry_id": "e1", "number": "012345678", "citizen_id": AN},
        {"entry_id": "e2", "number": "012345678", "citizen_id": BINH},
    ]
    backend = await make({"earlier_numbers": rows}, described=POPULATION)
    record = POPULATION.by_name["earlier_numbers"]
    batch = await _fetch(backend, record, ["012345678"], "holders")
    assert _column(record, batch.by_key["012345678"], "citizen_id") == [AN, BINH]


async def test_the_newest_row_comes_first_and_unknown_dates_last(make: Make) -> None:
    dates = {"old": "1957", "older": "1956-12-31", "none": None}
    backend = await make({"unions": [union(k, registered_on=v) for k, v in dates.items()]})
    assert await _unions(backend, AN) == ["old", "older", "none"]


async def test_dates_known_in_part_are_ordered_as_they_are_written(make: Make) -> None:
    dates = {"year": "1957", "month": "1957-03", "day": "1957-03-02"}
    backend = await make({"unions": [union(k, registered_on=v) for k, v in dates.items()]})
    assert await _unions(backend, AN) == ["day", "month", "year"]


async def test_rows_of_one_day_are_ordered_by_their_identity(make: Make) -> None:
    backend = await make({"unions": [union(i, registered_on="2020-01-01") for i in "cab"]})
    assert await _unions(backend, AN) == ["a", "b", "c"]


async def test_rows_found_through_different_columns_are_in_one_order(make: Make) -> None:
    rows = [
        union("u1", AN, registered_on="2001"),
        union("u2", BINH, AN, registered_on="2003"),
        union("u3", AN, registered_on="2002"),
    ]
    backend = await make({"unions": rows})
    assert await _unions(backend, AN) == ["u2", "u3", "u1"]


async def test_a_record_without_a_date_is_ordered_by_identity(make: Make) -> None:
    backend = await make({"things": [thing(i) for i in "cab"]})
    batch = await _fetch(backend, THINGS, [AN])
    assert _column(THINGS, batch.by_key[AN], "thing_id") == ["a", "b", "c"]


@pytest.mark.parametrize(("rows", "truncated"), [(2, False), (3, False), (4, True), (9, True)])
async def test_a_list_longer_than_its_limit_is_truncated(
    make: Make, rows: int, truncated: bool
) -> None:
    backend = await make(
        {"unions": [union(f"u{n}", registered_on=f"{2001 + n}") for n in range(rows)]}
    )
    result = (await _fetch(backend, UNIONS, [AN])).by_key[AN]
    newest = [f"u{n}" for n in reversed(range(rows))][: UNIONS.limit]
    assert (_column(UNIONS, result, "event_id"), result.truncated) == (newest, truncated)


async def test_the_limit_counts_all_columns_of_a_lookup_together(make: Make) -> None:
    rows = [union("u1", AN), union("u2", AN), union("u3", BINH, AN), union("u4", BINH, AN)]
    result = (await _fetch(await make({"unions": rows}), UNIONS, [AN])).by_key[AN]
    assert (len(result.rows), result.truncated) == (3, True)


async def test_the_limit_is_that_of_each_key(make: Make) -> None:
    rows = [union(f"u{n}{key}", key) for n in range(3) for key in (AN, BINH)]
    batch = await _fetch(await make({"unions": rows}), UNIONS, [AN, BINH])
    assert [(len(r.rows), r.truncated) for r in batch.by_key.values()] == [(3, False)] * 2


async def test_an_unreadable_row_costs_only_itself(make: Make) -> None:
    rows = [
        union("u1", AN, registered_on="2001"),
        union("u2", AN, BINH, registered_on="two thousand and two"),
        union("u3", BINH, registered_on="2003"),
    ]
    batch = await _fetch(await make({"unions": rows}), UNIONS, [AN, BINH, CHI])
    assert [rows.unreadable for rows in batch.by_key.values()] == [1, 1, 0]
    assert _column(UNIONS, batch.by_key[AN], "event_id") == ["u1"]
    assert _column(UNIONS, batch.by_key[BINH], "event_id") == ["u3"]


async def test_a_row_beyond_the_limit_is_not_counted_as_unreadable(make: Make) -> None:
    rows = [union(f"u{n}", registered_on=f"200{9 - n}") for n in range(3)]
    backend = await make({"unions": [*rows, union("u9", registered_on="1999-99")]})
    batch = await _fetch(backend, UNIONS, [AN])
    assert (batch.by_key[AN].unreadable, batch.by_key[AN].truncated) == (0, True)


async def test_a_row_without_a_required_value_is_unreadable(make: Make) -> None:
    backend = await make({"unions": [{"event_id": None, "one_id": AN}, union("u2")]})
    result = (await _fetch(backend, UNIONS, [AN])).by_key[AN]
    assert (_column(UNIONS, result, "event_id"), result.unreadable) == (["u2"], 1)


@pytest.mark.parametrize(
    ("column", "raw"),
    [
        ("mood", "ANGRY"),
        ("mood", "calm"),
        ("moods", '["CALM", "ANGRY"]'),
        ("moods", "CALM"),
        ("names", '["one'),
        ("names", "[1]"),
        ("amount", "many"),
        ("amount", "NaN"),
        ("pieces", "1.5"),
        ("open", "perhaps"),
        ("day", "2023-02-29"),
        ("about", "2023-13"),
        ("moment", "2023-02-28T10:00:00"),
        ("spot_since", "long ago"),
        ("title", b"\xff\xfe"),
    ],
)
async def test_a_value_that_is_not_of_its_kind_makes_the_row_unreadable(
    make: Make, column: str, raw: object
) -> None:
    assert await _fetch_thing(make, **{column: raw}) == Rows(unreadable=1)


@pytest.mark.parametrize(
    ("column", "raw", "value"),
    [
        ("title", "Nguyễn Thị Ánh", "Nguyễn Thị Ánh"),
        ("title", "", ""),
        ("title", "007", "007"),
        ("amount", "1250000.50", Decimal("1250000.50")),
        ("amount", Decimal("0.10"), Decimal("0.10")),
        ("pieces", 2**31 - 1, 2**31 - 1),
        ("pieces", "12", 12),
        ("open", True, True),
        ("open", 0, False),
        ("open", "false", False),
        ("day", date(2024, 2, 29), date(2024, 2, 29)),
        ("day", "2024-02-29", date(2024, 2, 29)),
        ("about", "1957", PartialDate(1957)),
        ("about", PartialDate(1957, 3), PartialDate(1957, 3)),
        ("about", "1957-03-02", PartialDate(1957, 3, 2)),
        ("moment", "2024-02-29T23:00:00+07:00", datetime(2024, 2, 29, 16, tzinfo=UTC)),
        ("moment", datetime(2024, 2, 29, 16, tzinfo=UTC), datetime(2024, 2, 29, 16, tzinfo=UTC)),
        ("mood", "LOUD", "LOUD"),
        ("moods", '["LOUD", "CALM"]', ("LOUD", "CALM")),
        ("moods", ("LOUD", "CALM"), ("LOUD", "CALM")),
        ("names", [], ()),
        ("names", '["Ánh", "Bình"]', ("Ánh", "Bình")),
        ("spot_name", "Hà Nội", "Hà Nội"),
        ("spot_since", "2025-07-01", PartialDate(2025, 7, 1)),
        ("select", "drop table things", "drop table things"),
        ("title", None, None),
    ],
)
async def test_a_value_of_every_kind_is_read(
    make: Make, column: str, raw: object, value: object
) -> None:
    thing = await _fetch_thing(make, **{column: raw})
    (read,) = _column(THINGS, thing, column)
    assert (read, type(read)) == (value, type(value))


async def test_text_keeps_the_form_in_which_it_is_stored(make: Make) -> None:
    decomposed = unicodedata.normalize("NFD", "Nguyễn Đức Ánh")
    assert _column(THINGS, await _fetch_thing(make, title=decomposed), "title") == [decomposed]


async def test_columns_that_are_not_there_hold_nothing(make: Make) -> None:
    thing = await _fetch_thing(make)
    assert thing.rows == (("t1", AN, *[None] * (len(THINGS.columns) - 2)),)


async def test_no_keys_are_an_empty_batch(make: Make) -> None:
    assert await _fetch(await make(EMPTY), UNIONS, []) == Batch({}, None)


async def test_a_key_that_is_asked_twice_is_answered_once(make: Make) -> None:
    backend = await make({"unions": [union("u1", AN)]})
    batch = await _fetch(backend, UNIONS, [AN, BINH, AN])
    assert list(batch.by_key) == [AN, BINH]
    assert len(batch.by_key[AN].rows) == 1


@pytest.mark.parametrize("key", ["' OR 1=1 --", '"', "%", "_", "\\", "*", "；", "001090000001 "])
async def test_a_key_is_never_more_than_a_value(make: Make, key: str) -> None:
    backend = await make({"things": [thing("t1")]})
    assert (await _fetch(backend, THINGS, [key])).by_key == {key: Rows()}


async def test_the_sources_own_statement_is_passed_on(make: Make) -> None:
    moment = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    batch = await _fetch(await make(EMPTY, moment), UNIONS, [AN])
    assert batch.as_of == moment


async def test_a_source_that_states_nothing_gets_no_time_invented(make: Make) -> None:
    assert (await _fetch(await make(EMPTY), UNIONS, [AN])).as_of is None


async def test_a_record_without_a_table_is_not_mapped(make: Make) -> None:
    backend = await make({"things": [thing("t1")]})
    with pytest.raises(NotMapped):
        await _fetch(backend, UNIONS, [AN])
    assert len((await _fetch(backend, THINGS, [AN])).by_key[AN].rows) == 1


async def test_a_record_of_another_database_is_not_mapped(make: Make) -> None:
    with pytest.raises(NotMapped):
        await _fetch(await make(EMPTY), POPULATION.by_name["residences"], [AN])


async def test_a_source_that_is_there_answers_a_ping(make: Make) -> None:
    await (await make(EMPTY)).ping()


async def test_closing_twice_is_closing_once(make: Make) -> None:
    backend = await make({"unions": [union("u1")]})
    await _unions(backend, AN)
    await backend.close()
    await backend.close()


async def test_rows_in_hand_may_be_shared_between_callers(make: Make) -> None:
    capabilities = (await make(EMPTY)).capabilities
    assert (capabilities.batch_scope, capabilities.cache_scope) == (Scope.PROCESS, Scope.PROCESS)


def _case(number: str, opened_on: str | None = None) -> dict[str, object]:
    return {"case_no": number, "opened_on": opened_on}


def _party(
    number: str, case: str | None, person: str | None, for_whom: str | None = None
) -> dict[str, object]:
    return {"party_no": number, "case_no": case, "who_id": person, "for_id": for_whom}


async def test_rows_are_found_through_the_rows_of_another_record(make: Make) -> None:
    backend = await make(
        {
            "cases": [_case("1", "2020-01-01"), _case("2", "2021-01-01"), _case("3"), _case("4")],
            "case_parties": [
                _party("a", "1", AN),
                _party("b", "1", BINH, AN),  # An is named twice: the case is found once
                _party("c", "2", AN),
                _party("d", "3", CHI, BINH),
            ],
        }
    )
    batch = await _fetch(backend, CASES, [AN, BINH, DUNG])
    ids = {key: [row[0] for row in rows.rows] for key, rows in batch.by_key.items()}
    assert ids == {AN: ["2", "1"], BINH: ["1", "3"], DUNG: []}


@pytest.mark.parametrize("case", [None, "no such case"], ids=["null", "dangling"])
async def test_a_link_that_leads_to_no_row_is_a_row_that_cannot_be_read(
    make: Make, case: str | None
) -> None:
    """The party is there, so that nobody may say that its person has no cases."""
    backend = await make(
        {
            "cases": [_case("1", "2020-01-01"), _case("2", "2021-01-01")],
            "case_parties": [
                _party("a", "1", AN),
                _party("b", case, AN, BINH),
                _party("c", case, BINH),
                _party("d", "2", CHI),
            ],
        }
    )
    batch = await _fetch(backend, CASES, [AN, BINH, CHI, DUNG])
    ids = {
        key: ([row[0] for row in rows.rows], rows.unreadable) for key, rows in batch.by_key.items()
    }
    assert ids == {AN: (["1"], 1), BINH: ([], 1), CHI: (["2"], 0), DUNG: ([], 0)}


async def test_rows_found_through_another_record_are_cut_at_the_limit(make: Make) -> None:
    backend = await make(
        {
            "cases": [_case(str(n), f"2020-01-0{n}") for n in range(1, 6)],
            "case_parties": [_party(str(n), str(n), AN) for n in range(1, 6)],
        }
    )
    (rows,) = (await _fetch(backend, CASES, [AN])).by_key.values()
    assert [row[0] for row in rows.rows] == ["5", "4", "3"]
    assert rows.truncated


async def test_without_the_table_to_go_through_the_record_is_not_mapped(make: Make) -> None:
    backend = await make({"cases": [_case("1")]})
    with pytest.raises(NotMapped):
        await _fetch(backend, CASES, [AN])
