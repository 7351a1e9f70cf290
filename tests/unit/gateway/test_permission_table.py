"""The permission table: every field, for every demo caller and purpose, on both paths.

What should be seen is worked out here from the declarations alone (scope, purpose, what the law
withholds), and held against what an answer shows of a person who has a value in every column.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from connectors.description import Group, Kind, Record, Sensitivity
from connectors.registry import installed_databases
from gateway.cache.rows import LOOKED
from gateway.cli.demo import CALLERS
from gateway.derived.event_lists import collect_event_lists
from gateway.procedures.registry import procedure_of
from gateway.settings import DatabaseSettings, Limits
from tests.support.check_inputs import check_codes, plain_inputs
from tests.support.metrics import value_of
from tests.support.running import Running, execute_field_by_field, running
from tests.support.table import (
    CODE,
    KEY,
    OTHER,
    PERSON,
    Leaf,
    SelectedList,
    backends,
    entries,
    lists,
    organisation_tables,
    sentinel,
    value_at,
)

#: The gateway that callers share lives in the loop of the module.
in_its_loop = pytest.mark.asyncio(loop_scope="module")
DATABASES = tuple(database for database in installed_databases() if database.records)
ACTIONS = {
    Sensitivity.PUBLIC: "read",
    Sensitivity.BASIC: "read",
    Sensitivity.SENSITIVE: "sensitive",
    Sensitivity.RESTRICTED: "restricted",
}
EVERY_SCOPE = tuple(
    f"{database.name}:{action}"
    for database in DATABASES
    for action in ("read", "sensitive", "restricted")
)
#: The documents are as wide as the schema.
WIDE = Limits(
    document_characters=10**6,
    tokens=20_000,
    fields=5_000,
    depth=20,
    cost=10**9,
    deadline=300,
    new_documents_per_minute=10**6,
    aliases=0,
)
#: What the law withholds from everybody but these purposes; "me": not from the person themself.
WITHHELD: dict[str, set[str]] = {
    "civil_status.adoptions": {"2.001263"},
    "notary.wills": {"notarised-inheritance"},
    "population.protection_orders": {"address-protection"},
    **{
        f"administrative_violations.{name}": {"violation-handling", "bench-unified", "me"}
        for name in ("records", "sanctions", "acts", "executions", "handling_decisions")
    },
}
PURPOSES = sorted(
    {
        "1.000894", "1.004873", "1.001193", "1.000656", "2.000635", "2.001263", "1.004859",
        "2.000829", "notarised-transfer", "notarised-inheritance", "enforcement-verification",
        "violation-handling", "address-protection", "no-sanction-check", "bench-unified",
    }
)  # fmt: skip


def caller_cases() -> Iterator[tuple[str, tuple[str, ...], str | None]]:
    """Yield name, scopes and purpose of every caller in the table."""
    for name, caller in CALLERS.items():
        for purpose in caller.purposes or (None,):
            yield name, caller.scopes, purpose
    for purpose in PURPOSES:
        yield "with every scope", EVERY_SCOPE, purpose
    yield "citizen", ("me",), None
    yield "citizen who names", ("me", *EVERY_SCOPE), None


CASES = list(caller_cases())


def is_granted(scopes: tuple[str, ...], record: Record, level: Sensitivity) -> bool:
    action = ACTIONS[level]
    names = {f"{record.database}:{action}", f"{record.database}.{record.name}:{action}"}
    return bool(names & {*scopes})


def may_list(scopes: tuple[str, ...], purpose: str | None, record: Record) -> bool:
    """Say whether a caller may read a list of somebody else's records, by the rules."""
    name = f"{record.database}.{record.name}"
    procedure = procedure_of(purpose) if purpose else None
    if procedure is None or not is_granted(scopes, record, Sensitivity.BASIC):
        return False
    covered = procedure.unlimited or name in procedure.fields
    return covered and (name not in WITHHELD or purpose in WITHHELD[name])


def may_see(
    scopes: tuple[str, ...], purpose: str | None, above: tuple[Record, ...], leaf: Leaf
) -> bool:
    """Say whether a caller may see a leaf of somebody else's records, by the rules."""
    if not all(may_list(scopes, purpose, record) for record in above):
        return False
    # Each list below leads there by a column of the one above.
    for parent, child in itertools.pairwise(above):
        on = {item.on[1] for item in child.lookups if item.on and item.on[0] == parent.name}
        if not any(_column(scopes, purpose, parent, column) for column in on):
            return False
    return _column(scopes, purpose, leaf.record, leaf.column.name)


def _column(scopes: tuple[str, ...], purpose: str | None, record: Record, name: str) -> bool:
    column = record.column(name)
    assert purpose is not None
    procedure = procedure_of(purpose)
    assert procedure is not None
    if not is_granted(scopes, record, column.sensitivity):
        return False
    if procedure.unlimited:
        return True
    words = procedure.fields.get(f"{record.database}.{record.name}", "").split()
    paths = {".".join(column.path[:end]) for end in range(1, len(column.path) + 1)}
    if ".".join(column.path) in words:
        return True
    return column.sensitivity <= Sensitivity.BASIC and bool({"*", *paths} & {*words})


def may_see_own(above: tuple[Record, ...], leaf: Leaf) -> bool:
    """Say whether a citizen sees a leaf of their own view, by the rules."""
    names = {f"{item.database}.{item.name}" for item in above}
    if any("me" not in WITHHELD.get(name, {"me"}) for name in names):
        return False
    level = Sensitivity.RESTRICTED
    for record in above[1:]:
        if any(item.field.kind is Kind.PERSON_NUMBER for item in record.columns):
            level = min(level, Sensitivity.BASIC)
    return leaf.column.sensitivity <= level


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["by plan", "field by field"])
async def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """Answer by plan, or by the reference executor, which is where plans fall back to.

    All callers share a gateway, so that its plans are made once; it caches no rows.
    """
    live = {
        database.name: DatabaseSettings(group=Group.OPERATING, timeout=120)
        for database in DATABASES
    }
    execute = execute_field_by_field if request.param == "field by field" else None
    async with running(
        tmp_path_factory.mktemp("table"),
        backends(DATABASES),
        DATABASES,
        live,
        execute=execute,
        limits=WIDE,
    ) as started:
        yield started


@pytest.mark.parametrize(
    ("name", "scopes", "purpose"), CASES, ids=[f"{name} {purpose}" for name, _, purpose in CASES]
)
@in_its_loop
async def test_what_each_caller_sees_is_what_the_rules_say_and_nothing_leaks(
    gateway: Running, name: str, scopes: tuple[str, ...], purpose: str | None
) -> None:
    wrong: list[str] = []
    visible_count = 0
    for question in lists(DATABASES):
        faults, count = await _check_person(gateway, question, name, scopes, purpose)
        wrong += faults
        visible_count += count
    assert wrong == []
    if name in {"with every scope", "citizen"}:
        assert visible_count > 0, "an empty table proves nothing"


@pytest.mark.parametrize(
    ("name", "scopes", "purpose"), CASES, ids=[f"{name} {purpose}" for name, _, purpose in CASES]
)
@in_its_loop
async def test_what_each_caller_sees_of_an_organisation_is_what_the_rules_say_and_nothing_leaks(
    gateway: Running, name: str, scopes: tuple[str, ...], purpose: str | None
) -> None:
    wrong: list[str] = []
    for question in organisation_tables(DATABASES):
        root = f'organization(code: "{CODE}")'
        wrong += (await _check_root(gateway, question, root, False, scopes, purpose))[0]
    assert wrong == []


async def test_cached_rows_and_ready_answers_leak_nothing_between_callers_at_once(
    tmp_path: Path,
) -> None:
    """All callers ask for the same person at the same time: cold, of rows, of ready answers."""
    live = {
        item.name: DatabaseSettings(group=Group.OPERATING, timeout=120, fresh=600)
        for item in DATABASES
    }
    wrong: list[str] = []
    ready = value_of(LOOKED, "ready")
    async with running(tmp_path, backends(DATABASES), DATABASES, live, limits=WIDE) as gateway:
        for question in lists(DATABASES):
            for round_ in ("cold", "rows", "answers"):
                results = await asyncio.gather(
                    *(_check_person(gateway, question, *case) for case in CASES)
                )
                wrong += [
                    f"{name} {purpose} {round_}: {item}"
                    for (name, _, purpose), (faults, _) in zip(CASES, results, strict=True)
                    for item in faults
                ]
    assert wrong == []
    assert value_of(LOOKED, "ready") > ready, "no answer was ready"


async def _check_person(
    gateway: Running,
    question: SelectedList,
    name: str,
    scopes: tuple[str, ...],
    purpose: str | None,
) -> tuple[list[str], int]:
    """Ask for one list and all below; return what is not as the rules say, and how much is seen."""
    is_own_view = name == "citizen"
    root = "me" if is_own_view else f'person(id: "{PERSON}")'
    return await _check_root(gateway, question, root, is_own_view, scopes, purpose)


async def _check_root(
    gateway: Running,
    question: SelectedList,
    root: str,
    is_own_view: bool,
    scopes: tuple[str, ...],
    purpose: str | None,
) -> tuple[list[str], int]:
    """Ask a root field for one list and all below, as ``_check_person``."""
    section = _camel(question.database.name)
    query = f"{{ {root} {{ {section} {{ {question.selection} }} }} }}"
    token = gateway.token(
        *scopes, subject=PERSON if "me" in scopes else "somebody", purposes=[purpose or "none"]
    )
    stated = {} if purpose else {"x_purpose": "", "x_case_number": ""}
    if purpose:
        stated = {"x_purpose": purpose}
    answer = await gateway.post(query, None, token, **stated)
    person = (answer.json().get("data") or {}).get(root.partition("(")[0])
    section_answer = None if person is None else person[section]
    rules = [
        may_see_own(above, leaf) if is_own_view else may_see(scopes, purpose, above, leaf)
        for above, leaf in question.leaves
    ]
    # The same record may be reached in two ways, of which one is open.
    open_ = {
        sentinel(leaf.record, leaf.column)
        for (_, leaf), allowed in zip(question.leaves, rules, strict=True)
        if allowed
    }
    wrong, visible_count = [], 0
    for (_, leaf), allowed in zip(question.leaves, rules, strict=True):
        value = value_at(section_answer, leaf.place)
        empty = leaf.column.name == "removed_on"
        if (value is not None) is not (allowed and not empty):
            wrong.append(f"{'.'.join(leaf.place)}: {value!r}, allowed {allowed}")
        visible_count += value is not None
        sentinel_value = sentinel(leaf.record, leaf.column)
        if sentinel_value not in open_ and sentinel_value in answer.text:
            wrong.append(f"{'.'.join(leaf.place)} leaks")
    return wrong, visible_count


#: Every event that a timeline can show: the records on the way, and the column of the date.
EVENTS = [
    ((*((entry.parent.record,) if entry.parent else ()), entry.record), event)
    for entry in collect_event_lists(DATABASES).lists
    for event in entry.events
]


async def _check_timeline(
    gateway: Running, name: str, scopes: tuple[str, ...], purpose: str | None
) -> list[str]:
    """Ask for a timeline; return what is not as the rules say.

    What is not shown is denied or withheld in the gaps, so that every event stands once.
    """
    is_own_view = name == "citizen"
    allowed = {
        (above[-1].database, above[-1].name, event.code)
        for above, event in EVENTS
        for leaf in [Leaf(above[-1], above[-1].column(event.column), ())]
        if (may_see_own(above, leaf) if is_own_view else may_see(scopes, purpose, above, leaf))
    }
    procedure = procedure_of(purpose) if purpose else None
    needs_it = procedure is not None and (procedure.unlimited or "timeline" in procedure.derived)
    root = "me" if is_own_view else f'person(id: "{PERSON}")'
    query = f"""{{ {root} {{ timeline(first: 200) {{
        edges {{ node {{ database record kind }} }} gaps {{ database kinds state }} }} }} }}"""
    token = gateway.token(
        *scopes, subject=PERSON if "me" in scopes else "somebody", purposes=[purpose or "none"]
    )
    stated = {"x_purpose": purpose} if purpose else {"x_purpose": "", "x_case_number": ""}
    body = (await gateway.post(query, None, token, **stated)).json()
    person = (body.get("data") or {}).get("me" if is_own_view else "person")
    timeline = None if person is None else person["timeline"]
    if timeline is None or not (is_own_view or needs_it):
        is_right = timeline is None and not (is_own_view or needs_it)
        return [] if is_right else [f"timeline: {timeline!r}"]
    nodes = [edge["node"] for edge in timeline["edges"] or ()]
    shown = [(node["database"], node["record"], node["kind"]) for node in nodes]
    missing = {
        (gap["database"], kind)
        for gap in timeline["gaps"]
        if gap["state"] in {"DENIED", "WITHHELD"}
        for kind in gap["kinds"]
    }
    every = {(above[-1].database, event.code) for above, event in EVENTS}
    expected = every - {(database, kind) for database, _, kind in allowed}
    return [
        *(f"{event} is shown" for event in shown if event not in allowed or shown.count(event) > 1),
        *(f"{event} is not shown" for event in allowed if event not in shown),
        *(f"{event} is no gap, or should be none" for event in missing ^ expected),
    ]


@pytest.mark.parametrize(
    ("name", "scopes", "purpose"), CASES, ids=[f"{name} {purpose}" for name, _, purpose in CASES]
)
@in_its_loop
async def test_a_timeline_shows_each_caller_the_dates_that_the_lists_show(
    gateway: Running, name: str, scopes: tuple[str, ...], purpose: str | None
) -> None:
    assert await _check_timeline(gateway, name, scopes, purpose) == []


async def test_timelines_of_one_person_asked_for_at_once_leak_nothing_between_callers(
    tmp_path: Path,
) -> None:
    """All callers ask at the same time: cold, of rows in the cache, of ready answers."""
    live = {
        database.name: DatabaseSettings(group=Group.OPERATING, timeout=120, fresh=600)
        for database in DATABASES
    }
    ready = value_of(LOOKED, "ready")
    async with running(tmp_path, backends(DATABASES), DATABASES, live, limits=WIDE) as gateway:
        for round_ in ("cold", "rows", "answers"):
            faults = await asyncio.gather(*(_check_timeline(gateway, *case) for case in CASES))
            wrong = [
                f"{name} {purpose} {round_}: {fault}"
                for (name, _, purpose), faults_of in zip(CASES, faults, strict=True)
                for fault in faults_of
            ]
            assert wrong == []
    assert value_of(LOOKED, "ready") > ready, "no answer was ready"


def may_find(
    scopes: tuple[str, ...], purpose: str | None, above: tuple[Record, ...], leaf: Leaf
) -> bool:
    """Say whether a leaf is seen of what a thing leads to: its public part, or by the rules."""

    def column(record: Record, name: str) -> bool:
        public = record.column(name).sensitivity is Sensitivity.PUBLIC
        return public or (purpose is not None and _column(scopes, purpose, record, name))

    for record in above:
        public = any(item.sensitivity is Sensitivity.PUBLIC for item in record.columns)
        if not public and not may_list(scopes, purpose, record):
            return False
    for parent, child in itertools.pairwise(above):
        on = {item.on[1] for item in child.lookups if item.on and item.on[0] == parent.name}
        if not any(column(parent, item) for item in on):
            return False
    return column(leaf.record, leaf.column.name)


@pytest.mark.parametrize(
    ("name", "scopes", "purpose"), CASES, ids=[f"{name} {purpose}" for name, _, purpose in CASES]
)
@in_its_loop
async def test_what_each_caller_finds_by_a_thing_is_what_the_rules_say_and_nothing_leaks(
    gateway: Running, name: str, scopes: tuple[str, ...], purpose: str | None
) -> None:
    wrong: list[str] = []
    visible_count = 0
    for entry, question in entries(DATABASES):
        closed, empty_count = await _check_lookup(
            gateway, question, (*scopes, "operate"), purpose, False
        )
        faults, count = await _check_lookup(
            gateway, question, (*scopes, entry.scope), purpose, True
        )
        wrong += closed + faults
        visible_count += count
        assert empty_count == 0
    assert wrong == []
    # Officers say what it is for; whoever can read nothing else sees the public part.
    assert visible_count > 0 or purpose is None


async def _check_lookup(
    gateway: Running,
    question: SelectedList,
    scopes: tuple[str, ...],
    purpose: str | None,
    open_: bool,
) -> tuple[list[str], int]:
    """Ask by a thing; return what is not as the rules say, and how much is seen."""
    token = gateway.token(
        *scopes, subject=PERSON if "me" in scopes else "somebody", purposes=[purpose or "none"]
    )
    stated = {"x_purpose": purpose} if purpose else {"x_purpose": "", "x_case_number": ""}
    answer = await gateway.post(f"{{ {question.selection} }}", None, token, **stated)
    data = answer.json().get("data")
    rules = [
        open_ and data is not None and may_find(scopes, purpose, above, leaf)
        for above, leaf in question.leaves
    ]
    visible = {
        sentinel(leaf.record, leaf.column)
        for (_, leaf), allowed in zip(question.leaves, rules, strict=True)
        if allowed
    }
    wrong, visible_count = [], 0
    for (_, leaf), allowed in zip(question.leaves, rules, strict=True):
        value = value_at(data, leaf.place)
        if (value is not None) is not allowed:
            wrong.append(f"{'.'.join(leaf.place)}: {value!r}, allowed {allowed}")
        visible_count += value is not None
        sentinel_value = sentinel(leaf.record, leaf.column)
        if sentinel_value not in visible and sentinel_value in answer.text:
            wrong.append(f"{'.'.join(leaf.place)} leaks")
    return wrong, visible_count


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def test_the_table_names_every_demo_caller_and_both_kinds_of_citizen() -> None:
    assert {name for name, _, _ in CASES} == {
        *CALLERS, "with every scope", "citizen", "citizen who names",
    }  # fmt: skip


#: Every scope that callers of the table have, and every check under its purpose.
CHECKERS = [
    (name, scopes, code)
    for name, scopes in {name: scopes for name, scopes, _ in CASES}.items()
    for code, *_ in check_codes().values()
]
_CHECKED = """{ code outcome at factsAsOf law competentBody { vi en }
  groups { code title { vi } state }
  rules { code state reason sentence { vi en } law { vi }
    evidence { database record id asOf } }
  papers { code name { vi } replacedBy state } toBring { code }
  sources { state message { vi } database { name } } silent { name } }"""


@pytest.mark.parametrize(
    ("name", "scopes", "code"), CHECKERS, ids=[f"{name} {code}" for name, _, code in CHECKERS]
)
@in_its_loop
async def test_a_check_shows_no_value_and_names_records_that_its_caller_may_read(
    gateway: Running, name: str, scopes: tuple[str, ...], code: str
) -> None:
    records = {(item.name, record.name): record for item in DATABASES for record in item.records}
    people = (PERSON, OTHER, *(f"0010{year}999998" for year in range(60, 90)))
    (given,) = (
        given
        for each, given in plain_inputs(gateway.service.resources.schema, people)
        if each == code
    )
    query = f'{{ checkProcedure(code: "{code}", input: {given}) {_CHECKED} }}'
    token = gateway.token("procedures:check", *scopes, subject=PERSON, purposes=[code])
    answer = await gateway.post(query, None, token, x_purpose=code)
    checked = answer.json()["data"]["checkProcedure"]
    assert checked["rules"]
    assert "«" not in answer.text
    assert not any(number in answer.text for number in (PERSON, OTHER, KEY))
    for rule in checked["rules"]:
        for shown in rule["evidence"]:
            record = records[shown["database"], shown["record"]]
            assert may_list(scopes, code, record), shown
