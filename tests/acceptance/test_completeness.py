"""No list says "none" unless it is true, whatever fails; and where it is true, it says so.

Over generated people and mistyped numbers, with each database failing in turn. A run of 20,000
people: ``make completeness``.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from connectors.description import Group
from connectors.registry import installed_databases
from connectors.synthetic import PopulationOptions, write
from gateway.access.caller import Caller
from gateway.catalogue.sections import person_lists
from gateway.databases.backends import make_backend
from gateway.procedures.procedure import UNIFIED
from gateway.settings import DatabaseSettings, Limits, RateLimits, Settings
from tests.support.faults import Faulty
from tests.support.known_rows import KnownRows, ListName, read_known_rows
from tests.support.running import Running, running

DATABASES = tuple(database for database in installed_databases() if database.records)
PEOPLE = int(os.environ.get("COMPLETENESS_PEOPLE", "120"))
#: Of so many numbers one is mistyped.
MISTYPED = 10
SCOPES = tuple(
    f"{database.name}:{action}"
    for database in DATABASES
    for action in ("read", "sensitive", "restricted")
)
#: Database, what it does, and of which record alone.
FAULTS: tuple[tuple[str, str, str | None] | None, ...] = (
    None,
    *((database.name, "down", None) for database in DATABASES),
    ("population", "down", "identity"),
    ("population", "down", "earlier_numbers"),
    ("population", "unmapped", None),
    ("population", "refuses", None),
    ("population", "maintenance", None),
)


def _lists() -> Iterator[tuple[ListName, bool]]:
    for database in DATABASES:
        for name, (record, _) in person_lists(database).items():
            yield (database.name, name), record.single


LISTS = dict(_lists())


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _query() -> str:
    sections = []
    for database in DATABASES:
        lists = [
            f"{name} {{ item {{ __typename }} exists source {{ state }} }}"
            if LISTS[database.name, name]
            else f"{name}(first: 1) {{ items {{ __typename }} truncated source {{ state }} }}"
            for name in person_lists(database)
        ]
        if database.name == "administrative_violations":
            lists.append("isConsideredUnsanctioned { value source { state } }")
        sections.append(f"{_camel(database.name)} {{ {' '.join(lists)} }}")
    body = f"identification {' '.join(sections)}"
    return f"query($ids: [PersonNumber!]!) {{ persons(ids: $ids) {{ {body} }} }}"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("people")
    paths = {database.name: folder / f"{database.name}.sqlite" for database in DATABASES}
    write(DATABASES, paths, PopulationOptions(people=PEOPLE))
    return paths


@pytest.fixture(scope="module")
def known_rows(files: dict[str, Path]) -> KnownRows:
    return read_known_rows(DATABASES, files, Caller("-", scopes=frozenset(SCOPES), purpose=UNIFIED))


def _numbers(known_rows: KnownRows) -> list[str]:
    """Return every number that anybody has or had, and some with two digits exchanged."""
    numbers = sorted({*known_rows.citizens, *known_rows.holders})
    mistyped = {
        number[:8] + number[9] + number[8] + number[10:]
        for number in numbers[::MISTYPED]
        if len(number) == 12
    }
    return numbers + sorted(mistyped - set(numbers))


async def _people(gateway: Running, numbers: Sequence[str]) -> Iterator[tuple[str, Any]]:
    token = gateway.token(*SCOPES)
    answer = await gateway.post(_query(), {"ids": list(numbers)}, token)
    persons = answer.json()["data"]["persons"]
    return zip(numbers, persons, strict=True)


def _state_and_contents(person: Any, name: ListName) -> tuple[str, str]:
    """Return state and contents of a list: "rows", "none" or "unknown"."""
    record_list = person[_camel(name[0])][name[1]]
    state = record_list["source"]["state"]
    if LISTS[name]:
        assert record_list["exists"] is not False or record_list["item"] is None
        contents = {True: "rows", False: "none", None: "unknown"}[record_list["exists"]]
    else:
        items = record_list["items"]
        contents = "unknown" if items is None else "rows" if items else "none"
    return state, contents


@pytest.mark.parametrize(
    "fault", FAULTS, ids=lambda fault: "all up" if fault is None else "-".join(map(str, fault))
)
async def test_none_is_said_only_where_it_is_true_and_always_where_it_is_known(
    tmp_path: Path,
    files: dict[str, Path],
    known_rows: KnownRows,
    fault: tuple[str, str, str | None] | None,
) -> None:
    patient = {
        name: DatabaseSettings(url=f"sqlite:///{file}", timeout=300, group=Group.OPERATING)
        for name, file in files.items()
    }
    backends = {}
    for database in DATABASES:
        inner = make_backend(database, Settings(), patient[database.name])
        assert inner is not None
        backends[database.name] = Faulty(inner)
    if fault is not None:
        backends[fault[0]].fault, backends[fault[0]].only = fault[1], fault[2]
    wrong: list[str] = []
    tally: Counter[str] = Counter()
    limits = Limits(deadline=600, tokens=5_000, fields=1_000, cost=10**9, persons_reached=10**6)
    rates = RateLimits(enforced=False)
    async with running(
        tmp_path, backends, DATABASES, patient, limits=limits, rates=rates
    ) as gateway:
        numbers = _numbers(known_rows)
        for start in range(0, len(numbers), 100):
            batch = numbers[start : start + 100]
            for number, person in await _people(gateway, batch):
                wrong += _faults_of(known_rows, number, person, fault is None, tally)
    assert wrong[:20] == []
    print(fault or "all up", dict(sorted(tally.items())))
    assert tally["rows"], "nothing was shown: nothing is proved"
    assert tally["none"] or (fault is not None and fault[0] == "population")


def _faults_of(
    known_rows: KnownRows, number: str, person: Any, all_up: bool, tally: Counter[str]
) -> Iterator[str]:
    """Yield what is wrong with the answer about one number, by list."""
    if person is None:
        tally["nobody"] += 1
        if all_up and len(known_rows.people(number)) == 1:
            yield f"{number}: nobody is shown"
        return
    identified = person["identification"] in {"IDENTIFIED", "NOT_CHECKED"}
    if all_up and known_rows.is_plain(number) is not identified:
        yield f"{number}: {person['identification']}"
    view = person["administrativeViolations"]["isConsideredUnsanctioned"]
    if view["value"] is True and not identified:
        yield f"{number}: considered unsanctioned, and {person['identification']}"
    for name in LISTS:
        state, contents = _state_and_contents(person, name)
        count = known_rows.count(name, number)
        tally[contents] += 1
        if contents == "none" and count:
            yield f"{number} {name}: none, {state}, and there are {count}"
        if contents == "rows" and not count:
            yield f"{number} {name}: rows, and there are none"
        if all_up and identified and state == "ANSWERED" and (contents == "none") is bool(count):
            yield f"{number} {name}: {contents}, and there are {count}"
        if all_up and identified and state not in {"ANSWERED", "PARTIAL", "WITHHELD", "DENIED"}:
            yield f"{number} {name}: {state} with everything up"
