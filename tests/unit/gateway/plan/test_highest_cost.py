"""The highest cost of an operation is that of the values with which it costs most."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from graphql import parse

from connectors.registry import installed_databases
from gateway.catalogue.sections import bind_sections
from gateway.plan.compile import analyse_operation, select_operation
from gateway.plan.document import parse_document
from gateway.plan.dynamic_arguments import coerce_arguments
from gateway.plan.highest_cost import highest_arguments
from gateway.settings import Limits
from tests.support.running import built

DATABASES = installed_databases()
SCHEMA = built(DATABASES)
LIMITS = Limits()
PERSON = "001090012345"


def highest_and_actual(document: str, variables: Mapping[str, object]) -> tuple[int, int]:
    """Return the highest cost of ``document``, and that with ``variables``."""
    described = parse_document(SCHEMA, LIMITS, document)
    chosen = select_operation(SCHEMA, described, described.operation(None), variables)
    analysed = analyse_operation(SCHEMA, bind_sections(DATABASES), chosen)
    arguments, _ = coerce_arguments(analysed.dynamic, chosen.values)
    highest = highest_arguments(analysed.dynamic, LIMITS.persons)
    return analysed.cost.at(highest), analysed.cost.at(arguments)


LISTS = """query($id: PersonNumber!, $n: Int!, $k: Int = 7) { person(id: $id) {
  civilStatus { marriages(first: $n, fresh: true) { items { wife { person {
    population { residences(first: $k) { items { entryId } } } } } } } } } }"""


@pytest.mark.parametrize(
    ("document", "most"),
    [
        (LISTS, {"id": PERSON, "n": 200, "k": 200}),
        ("query($ids: [PersonNumber!]!) { persons(ids: $ids) { id } }", {"ids": [PERSON] * 100}),
        ("query($a: PersonNumber!, $b: PersonNumber!) { persons(ids: [$a, $b]) { id } }",
         {"a": PERSON, "b": "001191054321"}),
        ("query($id: PersonNumber!, $o: Order) { person(id: $id) { civilStatus {"
         " marriages(first: 3, order: $o) { items { eventId } } } } }", {"id": PERSON}),
        ("query($id: PersonNumber!, $n: Int!) { person(id: $id) { timeline(first: $n) {"
         " edges { node { date } } } } }", {"id": PERSON, "n": 200}),
        ("query($number: ThingKey!) { securityRegistration(number: $number) {"
         " items { registrationNo } } }", {"number": "1234567890"}),
    ],
)  # fmt: skip
def test_no_values_cost_more(document: str, most: Mapping[str, object]) -> None:
    assert parse(document)
    highest, actual = highest_and_actual(document, most)
    assert highest == actual


def test_the_dearest_procedure_and_the_most_cases_count_where_variables_choose() -> None:
    document = """query($code: String!, $cases: [CheckCaseInput!]!) {
      checkProcedures(code: $code, cases: $cases) { results { outcome } } }"""
    kind = SCHEMA.type_map["Query"].fields["checkProcedures"]  # type: ignore[attr-defined]
    assert {"code", "cases"} <= kind.args.keys()
    described = parse_document(
        SCHEMA, LIMITS, document.replace("CheckCaseInput", _item_type(str(kind.args["cases"].type)))
        .replace("{ results { outcome } }", "{ __typename }")
    )  # fmt: skip
    chosen = select_operation(
        SCHEMA, described, described.operation(None), {"code": "1.000894", "cases": []}
    )
    analysed = analyse_operation(SCHEMA, bind_sections(DATABASES), chosen)
    highest = analysed.cost.at(highest_arguments(analysed.dynamic, LIMITS.persons))
    one = analysed.cost.at([{"code": "1.000894", "cases": [None]}])
    assert highest >= 50 * one > 0


def _item_type(text: str) -> str:
    return text.strip("[]!")
