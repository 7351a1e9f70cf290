"""Which lists have events: what the declarations say, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Sensitivity, Text
from connectors.population import DATABASE as POPULATION
from connectors.registry import installed_databases
from gateway.derived.event_lists import EventCatalogue, collect_event_lists

ALL = collect_event_lists(installed_databases())


def names(catalogue: EventCatalogue, **choice: set[str]) -> set[str]:
    chosen = {argument: frozenset(values) for argument, values in choice.items()}
    lists = catalogue.select(chosen.get("databases"), chosen.get("kinds"))
    return {f"{entry.database}.{entry.lookup.name}" for entry in lists}


def test_every_database_has_events_and_every_kind_a_title_in_both_languages() -> None:
    assert ALL.databases == {database.name for database in installed_databases()}
    for code, title in ALL.titles.items():
        assert not title.vi.isascii() or code in {"BORN", "CHILD_BORN"}, title
        assert title.en.isascii(), title


def test_a_birth_is_another_event_for_the_child_than_for_its_parents() -> None:
    kinds = {
        entry.lookup.name: [event.code for event in entry.events]
        for entry in ALL.lists
        if entry.record.name == "births"
    }
    assert kinds == {
        "births": ["BORN", "BIRTH_REGISTERED"],
        "births_of_children": ["CHILD_BORN"],
    }


def test_what_hangs_on_a_row_comes_after_it() -> None:
    seen = set()
    for entry in ALL.lists:
        assert entry.parent is None or entry.parent in seen
        assert entry.parent is None or entry.key in entry.parent.record.positions
        seen.add(entry)


def test_nothing_restricted_is_an_event() -> None:
    records = {entry.name for entry in ALL.lists}
    assert not records & {
        "civil_status.adoptions", "notary.wills", "population.protection_orders",
    }  # fmt: skip
    for entry in ALL.lists:
        for event in entry.events:
            assert entry.record.column(event.column).sensitivity < Sensitivity.RESTRICTED


def test_a_choice_reads_its_lists_and_those_on_which_they_hang() -> None:
    assert names(ALL, kinds={"DIED"}) == {"civil_status.deaths"}
    assert names(ALL, kinds={"BORN"}) == {"civil_status.births", "population.identity"}
    assert names(ALL, kinds={"MEASURE_APPLIED"}) == {
        "civil_enforcement.cases",
        "civil_enforcement.measures",
    }
    assert names(ALL, databases={"notary"}) == {"notary.transactions", "notary.preventive_infos"}
    assert names(ALL, databases={"notary"}, kinds={"BORN"}) == set()
    assert names(ALL) == {f"{entry.database}.{entry.lookup.name}" for entry in ALL.lists}


def test_the_order_of_lists_does_not_depend_on_the_order_of_databases() -> None:
    one_way = collect_event_lists((CIVIL_STATUS, POPULATION))
    other_way = collect_event_lists((POPULATION, CIVIL_STATUS))
    assert [entry.name for entry in one_way.lists] == [entry.name for entry in other_way.lists]


def test_two_databases_may_share_a_kind_only_under_one_title() -> None:
    identity = POPULATION.by_name["identity"]
    event = identity.events[0]
    other = replace(event, kind=replace(event.kind, title=Text("ra đời", "came to life")))
    changed = replace(POPULATION, records=(replace(identity, events=(other,)),))
    with pytest.raises(ValueError, match="BORN has another title elsewhere"):
        collect_event_lists((CIVIL_STATUS, changed))
