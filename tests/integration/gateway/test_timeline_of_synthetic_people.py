"""The timeline of synthetic people has exactly the events that their lists show.

Covers ``gateway.derived.event_lists`` and ``gateway.derived.timeline`` over all seven declarations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from strawberry.utils.str_converters import to_camel_case

from connectors.backends.base import Backend
from connectors.backends.memory import MemoryBackend
from connectors.description import Group, Kind, RecordEvent
from connectors.synthetic import PopulationOptions, clusters, personas
from connectors.values import PartialDate
from gateway.derived.event_lists import EventList, collect_event_lists
from gateway.derived.timeline import place_date
from gateway.runtime.clock import legal_date
from gateway.settings import DatabaseSettings, Limits
from tests.support.running import Running, running
from tests.support.synthetic_people import DATABASES, Sample
from tests.support.worlds import EVERY

CATALOGUE = collect_event_lists(DATABASES)
WIDE = Limits(
    document_characters=10**6, tokens=20_000, fields=5_000, depth=20, cost=10**9, deadline=300,
    aliases=0,
)  # fmt: skip
TIMELINE = """timeline(first: 7, after: $after) {
  edges { node { kind date database record recordId } }
  pageInfo { hasNextPage endCursor } gaps { state records until } }"""
Event = tuple[str, str, str, str]


def selection(event_list: EventList) -> str:
    """Return the selection of a list: its dates, and the lists with events that hang on it."""
    dates = " ".join(sorted({_leaf(event_list, event) for event in event_list.events}))
    below = " ".join(selection(entry) for entry in CATALOGUE.lists if entry.parent is event_list)
    record = event_list.record
    arguments, rows = ("", "item") if record.single else ("(first: 200)", "items")
    truncated = "" if record.single else "truncated"
    return (
        f"{to_camel_case(event_list.lookup.name)}{arguments} "
        f"{{ {rows} {{ recordId {dates} {below} }} {truncated} source {{ state }} }}"
    )


def _leaf(event_list: EventList, event: RecordEvent) -> str:
    first, *rest = event_list.record.column(event.column).path
    inner = "".join(f" {{ {to_camel_case(name)} }}" for name in rest)
    return to_camel_case(first) + inner


SECTIONS = " ".join(
    f"{to_camel_case(database.name)} {{ {inner} }}"
    for database in DATABASES
    if (
        inner := " ".join(
            selection(entry)
            for entry in CATALOGUE.lists
            if entry.database == database.name and entry.parent is None
        )
    )
)


def events_of(event_list: EventList, answer: dict[str, Any]) -> Iterator[Event]:
    """Yield the events that a list in an answer shows, and those of what hangs on its rows."""
    record, listed = event_list.record, answer[to_camel_case(event_list.lookup.name)]
    assert listed["source"]["state"] == "ANSWERED"
    assert not listed.get("truncated")
    rows = [listed["item"]] if record.single else listed["items"]
    for row in rows:
        if row is None:
            continue
        for event in event_list.events:
            column, value = record.column(event.column), row
            for name in column.path:
                value = None if value is None else value[to_camel_case(name)]
            if value is not None:
                if column.field.kind is Kind.DATETIME:
                    value = legal_date(datetime.fromisoformat(value)).isoformat()
                yield f"{record.database}.{record.name}", row["recordId"], event.code, value
        for entry in CATALOGUE.lists:
            if entry.parent is event_list:
                yield from events_of(entry, row)


async def ask(gateway: Running, number: str | None, inner: str, **more: Any) -> dict[str, Any]:
    """Return the data of a person, of the citizen who asks if ``number`` is None.

    ``more``: the token, what is stated beside it, and ``after``.
    """
    declared = {"$id: PersonNumber!": number is not None, "$after: String": "$after" in inner}
    names = ", ".join(name for name, is_used in declared.items() if is_used)
    root = "me" if number is None else "person(id: $id)"
    query = f"query {f'({names})' if names else ''} {{ {root} {{ {inner} }} }}"
    variables = {"id": number, "after": more.pop("after", None)}
    answer = await gateway.post(query, variables, **more)
    body = answer.json()
    assert "data" in body, body
    (person,) = body["data"].values()
    assert isinstance(person, dict)
    return person


async def timeline_of(
    gateway: Running, number: str | None, **more: Any
) -> tuple[list[Event], list[dict[str, Any]]]:
    """Return all events of a timeline, page by page, and its gaps."""
    events: list[Event] = []
    after: str | None = None
    while True:
        page = (await ask(gateway, number, TIMELINE, after=after, **more))["timeline"]
        nodes = [edge["node"] for edge in page["edges"] or ()]
        events += [
            (f"{node['database']}.{node['record']}", node["recordId"], node["kind"], node["date"])
            for node in nodes
        ]
        if not page["pageInfo"]["hasNextPage"]:
            return events, page["gaps"]
        after = page["pageInfo"]["endCursor"]


async def check(gateway: Running, number: str | None, **more: Any) -> Counter[str]:
    """Hold a timeline against the lists; return how many events of each kind it has."""
    person = await ask(gateway, number, SECTIONS, **more)
    expected = Counter(
        event
        for entry in CATALOGUE.lists
        if entry.parent is None
        for event in events_of(entry, person[to_camel_case(entry.database)])
    )
    events, gaps = await timeline_of(gateway, number, **more)
    assert Counter(events) == expected
    places = [place_date(PartialDate.parse(date)) for *_, date in events]
    assert places == sorted(places, reverse=True)
    assert {gap["state"] for gap in gaps} <= {"UNDATED", "DENIED"}, gaps
    return Counter(kind for _, _, kind, _ in events)


@pytest.fixture(scope="module")
def sample() -> Sample:
    options = PopulationOptions(people=3_000, disagreement_rate=0.06)
    return Sample(options, list(clusters(options)))


@pytest.fixture
async def gateway(tmp_path: Path, sample: Sample) -> AsyncIterator[Running]:
    backends: dict[str, Backend] = {
        database.name: MemoryBackend(
            database,
            {
                record.name: list(sample.rows[database.name, record.name])
                for record in database.records
            },
        )
        for database in DATABASES
    }
    live = {
        database.name: DatabaseSettings(group=Group.OPERATING, timeout=120)
        for database in DATABASES
    }
    async with running(tmp_path, backends, DATABASES, live, limits=WIDE) as started:
        yield started


def people(sample: Sample, count: int) -> Sequence[str]:
    """Return the personas, and ``count`` others at random; a shared number opens nobody."""
    known = [
        number
        for number, person in sample.people.items()
        if not any(conflict.what == "SHARED_NUMBER" for conflict in person.conflicts)
    ]
    roles = personas(sample.people.values())
    tags = {str(tag) for persona in roles for tag in cast("Sequence[str]", persona["tags"])}
    assert {"married", "deceased", "debtor", "testator", "adopted", "old_number"} <= tags
    chosen = [str(persona["id"]) for persona in roles if persona["id"] in known]
    assert len(chosen) > 15
    return [*chosen, *Random(62).sample(known, count)]


async def test_an_officers_timeline_holds_exactly_what_the_lists_show(
    gateway: Running, sample: Sample
) -> None:
    token = gateway.token(*EVERY)
    kinds: Counter[str] = Counter()
    for number in people(sample, 5):
        kinds += await check(gateway, number, token=token)
    assert len(kinds) > 0.6 * len(CATALOGUE.titles), "most kinds of event occur"


async def test_a_citizens_own_timeline_holds_exactly_what_the_lists_show(
    gateway: Running, sample: Sample
) -> None:
    stated = {"x_purpose": "", "x_case_number": ""}
    events = 0
    for number in people(sample, 2):
        token = gateway.token("me", subject=number)
        events += (await check(gateway, None, token=token, **stated)).total()
    assert events > 90
