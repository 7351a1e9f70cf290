"""Notices about plain people: what ``notices`` says, from the few facts that it depends on.

Covers ``gateway.people.notices``.
"""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
from hypothesis import given
from hypothesis import strategies as st

from connectors.description import Record
from connectors.population import DATABASE
from connectors.values import PartialDate
from gateway.answer import Answer, SourceReport, State
from gateway.catalogue.read import Read
from gateway.people.notices import mirrored_notices, notices, plain_facts, plain_notices
from gateway.people.numbers import PersonNumbers, Population

IDENTITY, EARLIER = DATABASE.by_name["identity"], DATABASE.by_name["earlier_numbers"]
POPULATION = Population(
    Read(IDENTITY, IDENTITY.lookups[0]),
    Read(EARLIER, EARLIER.lookups[0]),
    Read(EARLIER, EARLIER.lookups[1]),
)
COLUMNS = ("life_status", "status", "death_or_missing_date", "sex", "birth_date")
NUMBERS = st.from_regex(r"(001|079|999|036)[0-9]{9}", fullmatch=True)
VALUES = {
    "life_status": st.sampled_from([None, "ALIVE", "DEAD", "MISSING"]),
    "status": st.sampled_from([None, "NORMAL", "UNDER_CORRECTION"]),
    "death_or_missing_date": st.sampled_from([None, PartialDate(2020), PartialDate(2021, 2, 3)]),
    "sex": st.sampled_from([None, "MALE", "FEMALE", "OTHER"]),
    "birth_date": st.one_of(st.none(), st.builds(PartialDate, st.integers(1900, 2099))),
}


@given(
    NUMBERS,
    st.fixed_dictionaries(VALUES),
    st.sets(st.sampled_from(COLUMNS)),
    st.booleans(),
)
def test_plain_people_have_the_notices_that_everybody_has(
    number: str, values: dict[str, object], hidden: set[str], may_read: bool
) -> None:
    def may_know(record: Record, position: int | None) -> bool:
        if position is None:
            return may_read
        return record.columns[position].name not in hidden

    row = [None] * len(IDENTITY.columns)
    for name, value in values.items():
        row[IDENTITY.positions[name]] = value  # type: ignore[call-overload]
    report = SourceReport(
        State.ANSWERED, DATABASE, DATABASE.coverage, fetched_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    numbers = PersonNumbers(number, number, identity=Answer(report, (tuple(row),)))
    everything = notices(numbers, POPULATION, may_know, lambda: True)
    facts = plain_facts(POPULATION, may_know)
    if facts is None:
        assert not may_read
        return
    assert plain_notices(number, tuple(row), facts) == everything
    shown = orjson.loads(orjson.dumps(mirrored_notices(everything)))
    assert shown == [notice.mirrored for notice in everything]
