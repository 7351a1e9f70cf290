"""The merge of lists to a timeline, and its pages. Properties hold for generated lists.

Covers ``gateway.execution.timelines``, ``gateway.plan.timeline_arguments``,
``gateway.plan.cursors``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Coverage
from connectors.population import DATABASE as POPULATION
from connectors.security_measures import DATABASE as SECURITY_MEASURES
from connectors.values import PartialDate
from gateway.answer import Answer, SourceReport, State
from gateway.derived.event_lists import EventList, collect_event_lists
from gateway.derived.timeline import (
    EventRows,
    GapState,
    TimelineEvent,
    merge_timeline,
    place_date,
)
from gateway.errors import GatewayError
from gateway.execution.timelines import timeline_page
from gateway.plan.timeline_arguments import TimelineArguments, parse_timeline_arguments
from tests.support.generated import PATIENT

CATALOGUE = collect_event_lists((POPULATION, CIVIL_STATUS, SECURITY_MEASURES))
DATABASES = {database.name: database for database in (POPULATION, CIVIL_STATUS, SECURITY_MEASURES)}
BY_NAME = {entry.lookup.name: entry for entry in CATALOGUE.lists}
KEY = b"k" * 32


def rows_of(
    name: str,
    *rows: Mapping[str, object],
    state: State = State.ANSWERED,
    truncated: bool = False,
    above: EventRows | None = None,
    one_key: bool = True,
) -> EventRows:
    """Return what was read of a list: ``rows`` by column, each with its place as its id."""
    event_list = BY_NAME[name]
    record = event_list.record
    values = tuple(tuple(row.get(column.name) for column in record.columns) for row in rows)
    report = SourceReport(state, DATABASES[record.database], Coverage())
    answer = Answer(report, values if state.has_rows else None, 0, truncated)
    ids = [f"{name}-{row.get('id', place)}" for place, row in enumerate(rows)]
    events = event_list.events
    return EventRows(
        event_list, events, events, answer=answer, ids=ids, is_cut_by_date=one_key, above=above
    )


def told(lists: Sequence[EventRows]) -> list[tuple[str, str]]:
    return [(event.kind, event.date) for event in merge_timeline(lists).events]


def gaps(lists: Sequence[EventRows]) -> list[tuple[str, str, tuple[str, ...], date | None]]:
    return [
        (gap.database, gap.state.name, gap.kinds, gap.until) for gap in merge_timeline(lists).gaps
    ]


def test_events_of_several_databases_stand_in_one_order_newest_first() -> None:
    lists = [
        rows_of("marriages", {"effective_from": PartialDate(2015, 1, 1)}),
        rows_of("residences", {"valid_from": date(2010, 5, 1), "valid_until": date(2016, 2, 1)}),
        rows_of("deaths", {"death_date": PartialDate(2020, 3)}),
    ]
    assert told(lists) == [
        ("DIED", "2020-03"),
        ("RESIDENCE_ENDED", "2016-02-01"),
        ("MARRIED", "2015-01-01"),
        ("RESIDENCE_BEGUN", "2010-05-01"),
    ]


def test_a_partial_date_stands_at_the_first_day_that_it_can_mean() -> None:
    dates = [
        PartialDate(1958), PartialDate(1957, 3, 2), PartialDate(1957, 3, 1), PartialDate(1957, 3),
        PartialDate(1957, 2, 28), PartialDate(1957, 1, 1), PartialDate(1957, 1), PartialDate(1957),
        PartialDate(1956, 12, 31),
    ]  # fmt: skip
    rows = [{"death_date": value} for value in Random(1).sample(dates, len(dates))]
    assert told([rows_of("deaths", *rows)]) == [("DIED", str(value)) for value in dates]


def test_a_fact_of_which_the_year_is_known_is_older_than_its_registration() -> None:
    birth = {"birth_date": PartialDate(1957), "registration_date": date(1957, 1, 1)}
    assert told([rows_of("births", birth)]) == [
        ("BIRTH_REGISTERED", "1957-01-01"),
        ("BORN", "1957"),
    ]


def test_on_the_same_day_the_order_of_declaration_decides() -> None:
    birth = {"birth_date": PartialDate(1990, 1, 1), "registration_date": date(1990, 1, 1)}
    assert told([rows_of("births", birth)]) == [
        ("BIRTH_REGISTERED", "1990-01-01"),
        ("BORN", "1990-01-01"),
    ]


def test_a_moment_counts_on_the_day_on_which_it_falls_in_viet_nam() -> None:
    end = datetime(2025, 12, 31, 18, tzinfo=UTC)
    assert told([rows_of("registrations", {"end_time": end})]) == [("SECURITY_ENDED", "2026-01-01")]


def test_a_list_that_did_not_answer_is_a_gap_and_one_that_did_is_none() -> None:
    lists = [
        rows_of("deaths", state=State.UNAVAILABLE),
        rows_of("changes", state=State.UNAVAILABLE),
        rows_of("residences", state=State.STALE),
        rows_of("recognitions"),
    ]
    assert gaps(lists) == [
        ("civil_status", "UNAVAILABLE",
         ("DIED", "DEATH_REGISTERED", "CIVIL_STATUS_CHANGED"), None),
        ("population", "STALE", ("RESIDENCE_BEGUN", "RESIDENCE_ENDED"), None),
    ]  # fmt: skip


def test_every_state_of_a_list_but_the_best_has_its_gap() -> None:
    assert {state.name for state in State} - {"ANSWERED"} <= {state.name for state in GapState}
    for state in State:
        found = [gap[1] for gap in gaps([rows_of("deaths", state=state)])]
        assert found == ([] if state is State.ANSWERED else [state.name])
    assert all(gap.message for gap in merge_timeline([rows_of("deaths", state=State.STALE)]).gaps)


def test_of_a_truncated_list_older_events_may_be_missing_from_its_date_on() -> None:
    rows = [
        {"registration_date": date(2020, 1, 1), "death_date": PartialDate(2019)},
        {"registration_date": date(2018, 1, 1), "death_date": PartialDate(2018)},
    ]
    cut = rows_of("deaths", *rows, truncated=True)
    # Rows are cut by the date of registration: of the others any date may be missing.
    assert gaps([cut]) == [
        ("civil_status", "TRUNCATED", ("DEATH_REGISTERED",), date(2018, 1, 1)),
        ("civil_status", "TRUNCATED", ("DIED",), None),
    ]


def test_of_lists_under_several_numbers_nothing_is_said_of_the_date() -> None:
    cut = rows_of("changes", {"registration_date": date(2018, 1, 1)}, truncated=True, one_key=False)
    assert gaps([cut]) == [("civil_status", "TRUNCATED", ("CIVIL_STATUS_CHANGED",), None)]


def test_what_hangs_on_rows_that_are_missing_is_missing_too() -> None:
    above = rows_of("registrations", {"registered_on": date(2020, 1, 1)}, truncated=True)
    below = rows_of("amendments", above=above)
    assert ("security_measures", "TRUNCATED", ("SECURITY_AMENDED",), None) in [
        (database, state, kinds[-1:], until)
        for database, state, kinds, until in gaps([above, below])
    ]
    failed = rows_of("registrations", state=State.TIMED_OUT)
    unread = EventRows(
        BY_NAME["amendments"], BY_NAME["amendments"].events, BY_NAME["amendments"].events,
        above=failed,
    )  # fmt: skip
    (gap,) = gaps([failed, unread])
    assert gap[1] == "TIMED_OUT"
    assert "SECURITY_AMENDED" in gap[2]


def test_a_record_without_any_date_is_a_gap_and_one_with_some_is_none() -> None:
    dated = {"effective_from": PartialDate(2015)}
    assert gaps([rows_of("marriages", dated)]) == []
    assert [gap[1] for gap in gaps([rows_of("marriages", dated, {})])] == ["UNDATED"]


def test_what_is_denied_is_a_gap_with_what_the_caller_lacks() -> None:
    deaths = BY_NAME["deaths"]
    denied = EventRows(deaths, (), (), deaths.events, ("civil_status:read",))
    (gap,) = merge_timeline([denied]).gaps
    assert (gap.state, gap.missing, gap.records) == (
        GapState.DENIED, ("civil_status:read",), ("deaths",),
    )  # fmt: skip


def test_no_events_and_a_gap_are_not_none() -> None:
    arguments = parse_timeline_arguments(CATALOGUE, {})
    assert timeline_page(KEY, [rows_of("deaths")], arguments).edges == []
    assert timeline_page(KEY, [rows_of("deaths", state=State.TIMED_OUT)], arguments).edges is None


@pytest.mark.parametrize(
    "arguments",
    [
        {"first": 0}, {"first": 201}, {"kinds": ["MARRIED", "WED"]}, {"databases": ["Population"]},
        {"kinds": []}, {"databases": []}, {"databases": ["population"], "kinds": ["MARRIED"]},
        {"after": "not a cursor"},
    ],
    ids=str,
)  # fmt: skip
def test_arguments_that_make_no_sense_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(GatewayError) as raised:
        parse_timeline_arguments(CATALOGUE, arguments)
    assert raised.value.code.name == "INVALID_VALUE"
    assert "WED" not in raised.value.message


# --- properties ---------------------------------------------------------------------------------

DATES = st.dates(date(1950, 1, 1), date(1952, 12, 31))
PARTIAL = st.one_of(
    DATES.map(lambda day: PartialDate(day.year, day.month, day.day)),
    DATES.map(lambda day: PartialDate(day.year, day.month)),
    DATES.map(lambda day: PartialDate(day.year)),
)


def _value(event_list: EventList, column: str) -> st.SearchStrategy[object]:
    kind = event_list.record.column(column).field.kind.name
    moments = DATES.map(lambda day: datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
    return st.none() | {"PARTIAL_DATE": PARTIAL, "DATE": DATES, "DATETIME": moments}[kind]


@st.composite
def event_rows(draw: st.DrawFn) -> list[EventRows]:
    """Some lists with some rows; ids may repeat, as those of rows that say the same do."""
    lists = []
    for event_list in draw(
        st.lists(st.sampled_from(CATALOGUE.lists), min_size=1, max_size=5, unique=True)
    ):
        columns = {event.column: _value(event_list, event.column) for event in event_list.events}
        rows = draw(
            st.lists(st.fixed_dictionaries({"id": st.integers(0, 5), **columns}), max_size=6)
        )
        state = draw(st.sampled_from([State.ANSWERED, State.ANSWERED, State.STALE, State.DENIED]))
        lists.append(
            rows_of(
                event_list.lookup.name,
                *(rows if state.has_rows else ()),
                state=state,
                truncated=bool(rows) and draw(st.booleans()),
            )
        )
    return lists


def _all_dates(lists: Sequence[EventRows]) -> Counter[tuple[str, str]]:
    """Return every event that the rows have, found without the merge."""
    return Counter(
        (event.code, entry.ids[at])
        for entry in lists
        for at, row in enumerate(entry.rows)
        for event in entry.events
        if row[entry.list.record.positions[event.column]] is not None
    )


@PATIENT
@given(event_rows())
def test_no_event_is_lost_or_doubled(lists: list[EventRows]) -> None:
    events = merge_timeline(lists).events
    assert Counter((event.kind, event.record_id) for event in events) == _all_dates(lists)


@PATIENT
@given(event_rows())
def test_events_never_get_newer_down_the_timeline(lists: list[EventRows]) -> None:
    places = [place_date(PartialDate.parse(event.date)) for event in merge_timeline(lists).events]
    assert places == sorted(places, reverse=True)


@PATIENT
@given(event_rows(), st.integers())
def test_the_order_does_not_depend_on_the_order_of_rows(lists: list[EventRows], seed: int) -> None:
    shuffled = []
    for entry in lists:
        places = list(range(len(entry.rows)))
        Random(seed).shuffle(places)
        assert entry.answer is not None
        answer = Answer(
            entry.answer.report,
            None if entry.answer.rows is None else tuple(entry.rows[place] for place in places),
        )
        ids = [entry.ids[place] for place in places]
        shuffled.append(EventRows(entry.list, entry.visible, entry.events, answer=answer, ids=ids))
    assert _identities(merge_timeline(lists).events) == _identities(merge_timeline(shuffled).events)


def _identities(events: Sequence[TimelineEvent]) -> list[tuple[str, str, str]]:
    return [(event.kind, event.record_id, event.date) for event in events]


@PATIENT
@given(event_rows(), st.integers(1, 7))
def test_pages_together_are_the_timeline(lists: list[EventRows], first: int) -> None:
    events = merge_timeline(lists).events
    pages: list[TimelineEvent] = []
    after: str | None = None
    while True:
        arguments = parse_timeline_arguments(CATALOGUE, {"first": first, "after": after})
        page = timeline_page(KEY, lists, arguments)
        nodes = [edge.node for edge in page.edges or ()]
        assert len(nodes) <= first
        assert page.page_info.has_previous_page is bool(pages)
        pages += nodes
        assert page.page_info.has_next_page is (len(pages) < len(events))
        if not page.page_info.has_next_page:
            break
        assert len(nodes) == first
        after = page.page_info.end_cursor
    assert pages == list(events)


@PATIENT
@given(event_rows(), st.data())
def test_a_page_after_any_cursor_begins_with_the_next_event(
    lists: list[EventRows], data: st.DataObject
) -> None:
    page = timeline_page(KEY, lists, parse_timeline_arguments(CATALOGUE, {"first": 200}))
    edges = list(page.edges or ())
    if not edges:
        return
    place = data.draw(st.integers(0, len(edges) - 1))
    arguments = parse_timeline_arguments(CATALOGUE, {"first": 200, "after": edges[place].cursor})
    rest = timeline_page(KEY, lists, arguments)
    assert list(rest.edges or ()) == edges[place + 1 :], "cursors do not depend on the page"


@PATIENT
@given(event_rows(), st.data())
def test_a_cursor_is_refused_once_an_event_before_it_is_gone(
    lists: list[EventRows], data: st.DataObject
) -> None:
    page = timeline_page(KEY, lists, parse_timeline_arguments(CATALOGUE, {"first": 200}))
    edges = list(page.edges or ())
    filled = [entry for entry in lists if _all_dates([entry])]
    if len(filled) < 2:
        return
    changed_list = filled[data.draw(st.integers(0, len(filled) - 1))]
    rest = [entry for entry in lists if entry is not changed_list]
    cursor = edges[-1].cursor
    for changed, key in ((rest, KEY), (lists, b"x" * 32)):
        with pytest.raises(GatewayError) as raised:
            timeline_page(key, changed, _after(cursor))
        assert raised.value.code.name == "CURSOR_OUTDATED"
    with pytest.raises(GatewayError):
        timeline_page(KEY, lists, _after(cursor, databases=["population"]))


def _after(cursor: str, **more: object) -> TimelineArguments:
    return parse_timeline_arguments(CATALOGUE, {"first": 3, "after": cursor, **more})
