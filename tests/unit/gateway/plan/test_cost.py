"""Cost: the most that an operation may read."""

from __future__ import annotations

import pytest

from connectors.registry import installed_databases
from gateway.catalogue.sections import bind_sections
from gateway.plan.compile import analyse_operation, select_operation
from gateway.plan.document import parse_document
from gateway.plan.dynamic_arguments import coerce_arguments
from gateway.settings import Limits
from tests.support.running import built

DATABASES = installed_databases()
ID = "001090012345"


def _cost(text: str, **variables: object) -> int:
    schema = built(DATABASES)
    document = parse_document(schema, Limits(), text)
    selection = select_operation(schema, document, document.operation(None), variables)
    prepared = analyse_operation(schema, bind_sections(DATABASES), selection)
    arguments, _ = coerce_arguments(prepared.dynamic, selection.values)
    return prepared.cost.at(arguments)


def _me(selection: str) -> str:
    return f"{{ me {{ {selection} }} }}"


MARRIAGES = "civilStatus { marriages%s { items { eventId } } }"


@pytest.mark.parametrize(
    ("selection", "cost"),
    [
        ("id", 3),
        ("population { identity { item { fullName } } }", 3 + 1 + 1),
        (MARRIAGES % "", 3 + 1 + 50),
        (MARRIAGES % "(first: 7)", 3 + 1 + 7),
        ("civilStatus { source { state } }", 3 + 1),
        ("civilStatus { source { state } marriages { truncated } }", 3 + 1 + 50),
        ("notary { __typename }", 3),
        ('timeline(first: 5, kinds: ["DIED"]) { gaps { state } }', 3 + 1 + 5),
        ('timeline(kinds: ["MEASURE_APPLIED"]) { gaps { state } }', 3 + 1 + 200 + 50),
        ("lifeStatus { value }", 3 + 4),
        # Its lists, deaths and notes of 50 spouses, and whose numbers these are.
        ("maritalStatus { value }", 3 + 7 + 2 * 50 + 50 * 3),
        # What hangs on as many rows as the lists of assets and cases may have.
        ("hasActiveBlock { value }", 3 + 3 + 200 + 2 * 200),
        ("civilStatus { divorces(first: 2) { items { wife { id } } } }", 3 + 1 + 2 * (1 + 3)),
        ("legalAid @skip(if: true) { cases { items { caseNo } } }", None),
    ],
)
def test_a_person_costs_what_their_lists_may_show(selection: str, cost: int | None) -> None:
    if cost is None:
        selection, cost = f"id {selection}", 3
    assert _cost(_me(selection)) == cost


def test_lists_within_lists_multiply() -> None:
    query = _me("""securityMeasures { registrations(first: 10) { items {
      parties(first: 4) { items { role } } collateral(first: 2) { items { description } } } } }""")
    assert _cost(query) == 3 + 1 + 10 * (1 + (1 + 4) + (1 + 2))


def test_people_multiply_what_one_of_them_costs() -> None:
    query = """query($ids: [PersonNumber!]!, $n: Int!) {
      persons(ids: $ids) { civilStatus { marriages(first: $n) { items { eventId } } } } }"""
    assert _cost(query, ids=[ID] * 10, n=7) == 10 * (3 + 1 + 7)
    assert _cost(query, ids=[], n=7) == 0


def test_a_thing_costs_its_list_and_one_more_and_a_verification_whose_number_it_is() -> None:
    registration = "registration(first: 2) { items { status } }"
    query = """query($key: ThingKey!, $n: Int!) {
      collateral(chassisNumber: $key, first: $n) { items { %s } } }"""
    assert _cost(query % "chassisNo", key="A", n=7) == 1 + (1 + 7)
    assert _cost(query % registration, key="A", n=7) == 1 + (1 + 7 * (1 + (1 + 2)))
    verified = """query($id: PersonNumber!) {
      verifyPerson(id: $id, name: "A", birthDate: "1990", sex: MALE) { result } }"""
    assert _cost(verified, id=ID) == 3


def test_a_check_costs_what_its_procedure_reads_and_the_most_where_a_variable_names_it() -> None:
    named = """query($input: CheckInput!) {
      checkProcedure(code: "no-sanction-check.H29", input: $input) { outcome } }"""
    variable = """query($code: String!, $input: CheckInput!) {
      checkProcedure(code: $code, input: $input) { outcome } }"""
    given = {"noSanctionCheck": {"applicant": ID}}
    cost = _cost(named, input=given)
    assert cost == _cost(variable, input=given, code="no-sanction-check")
    assert cost < _cost(variable, input=given, code="unheard-of")


def test_roots_and_aliases_add_up() -> None:
    single = _cost(_me(MARRIAGES % "(first: 7)"))
    two_roots = (
        f"{{ a: me {{ {MARRIAGES % '(first: 7)'} }} b: me {{ {MARRIAGES % '(first: 7)'} }} }}"
    )
    assert _cost(two_roots) == 2 * single
    assert _cost("{ me { id } databases { name } __typename }") == 3
