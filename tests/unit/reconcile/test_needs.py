"""What a run reads: enough for the statements of the rules, and nothing that is to stay secret."""

from __future__ import annotations

import re

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.notary import DATABASE as NOTARY
from connectors.population import DATABASE as POPULATION
from reconcile.needs import (
    NEVER_EXTRACTED,
    merge_needs,
    number_columns,
    number_needs,
    rule_needs,
    run_needs,
)
from rules.registry import RULES
from rules.statements import rule_statements

DATABASES = (POPULATION, CIVIL_STATUS, LEGAL_AID, NOTARY)


def test_what_is_needed_is_what_the_statements_of_the_rules_read() -> None:
    text = " ".join(
        str(table.statement.compile(compile_kwargs={"literal_binds": True}))
        for table in rule_statements(RULES, with_registration_dates=True).preparation
    )
    names = set(re.findall(r"\b\w+\.\w+\.\w+\b", text))
    read = {
        (database.name, record.name, column.name)
        for database in DATABASES
        for record in database.records
        for column in record.columns
        if f"{database.name}.{record.table}.{column.name}" in names
    }
    needs = merge_needs(DATABASES, rule_needs(DATABASES, RULES))
    needed = {(*key, column) for key, columns in needs.items() for column in columns}
    # Its identity is needed for the order of rows alone.
    assert needed - read == {("notary", "transaction_parties", "entry_id")}
    assert not read - needed


def test_adoptions_and_wills_are_never_extracted() -> None:
    assert not NEVER_EXTRACTED & run_needs(DATABASES, RULES).keys()
    assert all(
        record in next(d for d in DATABASES if d.name == database).by_name
        for database, record in NEVER_EXTRACTED
    )
    with pytest.raises(ValueError, match=r"notary\.wills is not to be extracted"):
        merge_needs(DATABASES, {("notary", "wills"): ("testator_id",)})


def test_orders_that_protect_an_address_are_read_where_they_are_needed_by_name_only() -> None:
    orders = ("population", "protection_orders")
    assert orders not in run_needs(DATABASES, RULES)
    assert run_needs(DATABASES, RULES, {orders: ("valid_from",)})[orders] == (
        "order_no",
        "valid_from",
    )


def test_numbers_of_people_are_needed_with_the_identity() -> None:
    needs = number_needs([CIVIL_STATUS])
    assert needs["civil_status", "court_notes"][0] == "event_id"
    assert "child_ids" in needs["civil_status", "court_notes"]
    assert number_columns(POPULATION.by_name["earlier_numbers"]) == ("number", "citizen_id")
    assert ("notary", "notaries") not in number_needs([NOTARY])


def test_needs_of_others_are_joined_in_the_order_of_the_record() -> None:
    more = {("notary", "notaries"): ("notary_id",), ("legal_aid", "cases"): ("case_no",)}
    needs = run_needs([NOTARY], RULES, more)
    assert needs["notary", "notaries"] == ("notary_id",)
    assert {database for database, _ in needs} == {"notary"}
    for (_, name), columns in needs.items():
        places = [NOTARY.by_name[name].positions[column] for column in columns]
        assert places == sorted(places)
    with pytest.raises(KeyError):
        merge_needs([NOTARY], {("notary", "notaries"): ("nothing",)})
