"""What may be published: permitted for its purposes, within its cost, and with a plan.

Covers ``gateway.operations.operation``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.registry import installed_databases
from gateway.catalogue.sections import bind_sections
from gateway.operations.header import OperationRefused
from gateway.operations.operation import PublishedOperation
from gateway.operations.publish import publish, withheld_paths
from gateway.settings import Limits
from tests.support.operation_files import NAME, header
from tests.support.running import built

DATABASES = tuple(installed_databases())


#: What says whether a list is whole.
STATE = "truncated nextCursor source { state }"


def published(document: str = NAME, demo: bool = True, **entries: Any) -> PublishedOperation:
    schema, bindings = built(DATABASES), bind_sections(DATABASES)
    text = f"{header(**entries)}\n{document}"
    return publish(schema, bindings, Limits(), demo, Path("name.graphql"), text)


def test_it_lends_the_scopes_that_its_fields_need_and_no_others() -> None:
    operation = published(
        """query ($id: PersonNumber!) { person(id: $id) {
          population { identity { item { ethnicity } source { state } } }
          civilStatus { marriages {
            items { husband { name } } truncated nextCursor source { state } } } } }"""
    )
    assert operation.lends == {"population:read", "population:sensitive", "civil_status:read"}


def test_the_own_view_lends_nothing() -> None:
    document = f"{{ me {{ notary {{ wills {{ items {{ notarialNo }} {STATE} }} }} }} }}"
    operation = published(document, purposes=None)
    assert operation.lends == frozenset()
    assert withheld_paths(operation) == ["me.notary.wills"]


def test_there_is_a_plan_for_every_value_that_decides_what_is_included() -> None:
    operation = published(
        """query ($id: PersonNumber!, $a: Boolean!, $b: Boolean! = true) { person(id: $id) {
          id @include(if: $a) askedAs @skip(if: $b) } }"""
    )
    assert sorted(key.values for key in operation.prepared) == [
        (False, False), (False, True), (True, False), (True, True)
    ]  # fmt: skip
    assert len(operation.plans) == 8


def test_what_is_not_about_persons_has_no_plan() -> None:
    operation = published("{ databases { name } }", purposes=None)
    assert (operation.prepared, operation.plans, operation.cost) == ({}, {}, 0)


def test_its_cost_is_that_of_the_dearest_call() -> None:
    document = f"""query ($ids: [PersonNumber!]!, $first: Int!) {{ persons(ids: $ids) {{
      civilStatus {{ marriages(first: $first) {{ items {{ eventId }} {STATE} }} }} }} }}"""
    assert published(document, cost=100_000).cost == 100 * (3 + 1 + 200)
    with pytest.raises(OperationRefused) as excinfo:
        published(document, cost=20_399)
    assert (excinfo.value.line, excinfo.value.reason) == (
        7, "it may cost up to 20400, which is more than 20399"
    )  # fmt: skip


def test_a_number_of_rows_that_is_written_down_is_what_counts() -> None:
    document = f"""query ($number: ThingKey!) {{
      five: collateral(chassisNumber: $number, first: 5) {{ items {{ collateralId }} {STATE} }}
      usual: collateral(chassisNumber: $number) {{ items {{ collateralId }} {STATE} }} }}"""
    operation = published(document, purposes=None, cost=60)
    assert operation.cost == (1 + 1 + 5) + (1 + 1 + 50)
    assert operation.lends == {"security_measures.collateral:find"}


def test_what_is_public_of_a_thing_needs_no_purpose_and_the_rest_does() -> None:
    document = f"""query ($n: ThingKey!) {{
      collateral(chassisNumber: $n) {{ items {{ plateNo }} {STATE} }} }}"""
    with pytest.raises(OperationRefused) as excinfo:
        published(document, purposes=None)
    assert "collateral.items.plateNo lacks security_measures:read" in excinfo.value.reason
    operation = published(document, purposes="notarised-transfer")
    assert operation.lends == {"security_measures.collateral:find", "security_measures:read"}


@pytest.mark.parametrize(
    "argument", ["$matching", "{birthDate: $date}", '{birthDate: "1990-02-03"}']
)
def test_people_who_can_be_matched_may_be_published(argument: str) -> None:
    document = f"""query ($id: PersonNumber!, $matching: Matching, $date: PartialDate) {{
      person(id: $id, matching: {argument}) {{ id }} more: person(id: "001090012345",
      matching: $matching) {{ askedAs @include(if: true) }} last: person(id: $id,
      matching: {{birthDate: $date}}) {{ id }} }}"""
    assert published(document, matching=None, cost=1000).header.matching == "birth-date"


def test_who_is_verified_is_not_read() -> None:
    document = """query ($id: PersonNumber!) {
      verifyPerson(id: $id, name: "A", birthDate: "1990", sex: MALE) { result } }"""
    assert published(document).lends == {"population:verify"}
    with pytest.raises(OperationRefused, match="it names persons, so it needs purposes"):
        published(document, purposes=None)


CHECK = """query ($applicant: PersonNumber!) {
  checkProcedure(code: "no-sanction-check", input: {noSanctionCheck: {applicant: $applicant}}) {
    outcome rules { code state } } }"""


def test_a_check_lends_the_scope_to_check_for_the_procedure_itself() -> None:
    operation = published(CHECK, purposes="no-sanction-check", cost=1000)
    assert operation.lends == {"procedures:check"}


@pytest.mark.parametrize(
    ("document", "entries", "line", "expected"),
    [
        ("{", {}, 10, "SYNTAX_ERROR: Syntax Error: Expected Name, found <EOF>."),
        ("{\n  nothing\n}", {}, 11, "VALIDATION_FAILED: Cannot query field 'nothing' on type "
         "'Query'."),
        ("query A { databases { name } } query B { databases { name } }", {}, 10,
         "the document has more than one operation"),
        ("subscription { a }", {}, 10, "VALIDATION_FAILED"),
        ("{ __schema { types { name } } }", {}, 10, "the schema is not asked about itself"),
        ("{ _service { sdl } }", {}, 10, "the schema is not asked about itself"),
        ("query($of: [_Any!]!) { _entities(representations: $of) { __typename } }", {}, 10,
         "_entities is for the routers of a federated graph"),
        (NAME, {"purposes": "nothing"}, 5, "there is no procedure with the code nothing"),
        (NAME, {"purposes": "1.000894.H29"}, 5, "there is no procedure with the code 1.000894.H29"),
        (NAME, {"purposes": None}, 1, "it names persons, so it needs purposes"),
        ("{ me { id } }", {}, 5, "the citizen's own view needs no purpose: publish it by itself"),
        (NAME, {"cost": 999_999_999}, 7, "no operation may cost more than 200000"),
        (NAME.replace("fullName", "fullName\n religion"), {}, 14,
         "person.population.identity.item.religion lacks "
         "purpose:population.identity.religion"),
        (NAME.replace("    id\n", f"    legalAid {{ cases {{ items {{ caseNo }} {STATE} }} }}\n"),
         {}, 12, "person.legalAid.cases lacks purpose:legal_aid.cases"),
        (NAME.replace("    id\n", "    accessLog { next }\n"), {}, 12,
         "person.accessLog lacks audit:read, purpose:access_log"),
        (NAME.replace(" source { state }", ""), {}, 13,
         "person.population.identity shows records without source { state }"),
        (NAME.replace("item { fullName } source { state }", "exists source { asOf }"), {}, 13,
         "person.population.identity shows records without source { state }"),
        (NAME.replace("    id\n", "    population { family { items { name } } }\n"), {}, 12,
         "person.population.family shows records without source { state } and truncated"),
        (NAME.replace("item { ", "item { householdMembers { items { name } source { state } } "),
         {}, 13,
         "person.population.identity.householdMembers shows records without truncated"),
        (NAME.replace("    id\n", "    accessLog { items { at } }\n"), {}, 12,
         "person.accessLog shows records without state"),
        (NAME.replace("    id\n", "    timeline { edges { cursor } gaps { until } }\n"), {}, 12,
         "person.timeline shows records without gaps { state }"),
        (NAME.replace("    id\n", "    administrativeViolations {\n"
         "      isConsideredUnsanctioned { value } }\n"), {}, 13,
         "person.administrativeViolations.isConsideredUnsanctioned shows records without "
         "source { state }"),
        (NAME, {"matching": None}, 10,
         "person takes no matching, and the header does not say 'matching: none'"),
        (CHECK, {"cost": 1000}, 11, "the purposes of a check must be no-sanction-check itself"),
        (CHECK, {"purposes": "no-sanction-check 1.000894", "cost": 1000}, 11,
         "the purposes of a check must be no-sanction-check itself"),
        (CHECK.replace("($", "($code: String!, $").replace('"no-sanction-check"', "$code"),
         {"purposes": "no-sanction-check", "cost": 1000}, 11,
         "the code of a check must name a procedure, literally"),
        (CHECK, {"purposes": "no-sanction-check", "matching": None, "cost": 1000}, 10,
         "a check takes no matching, and the header does not say 'matching: none'"),
        ("query ($ids: [PersonNumber!]!) {\n  persons(ids: $ids) { id }\n}", {"matching": None}, 10,
         "persons takes no matching, and the header does not say 'matching: none'"),
    ],
)  # fmt: skip
def test_what_may_not_be_published_is_refused_with_its_line(
    document: str, entries: dict[str, Any], line: int, expected: str
) -> None:
    with pytest.raises(OperationRefused) as excinfo:
        published(document, **entries)
    assert excinfo.value.line == line
    assert excinfo.value.reason.startswith(expected)


def test_a_timeline_is_published_for_a_purpose_that_needs_it() -> None:
    chosen = 'timeline(kinds: ["MARRIED"]) { edges { cursor } gaps { state } }'
    document = NAME.replace("    id\n", f"    {chosen}\n")
    published_operation = published(document, purposes="enforcement-verification")
    assert published_operation.lends == {"population:read", "civil_status:read"}
    with pytest.raises(OperationRefused, match=r"timeline lacks purpose:timeline"):
        published(document, purposes="1.000894")


def test_every_purpose_of_it_has_to_need_every_field() -> None:
    document = NAME.replace(
        "population { identity { item { fullName }",
        f"population {{ family {{ items {{ name }} {STATE} }} identity {{ item {{ sex }}",
    )
    assert published(document, purposes="1.000894").header.purposes == ("1.000894",)
    with pytest.raises(OperationRefused, match=r"family lacks purpose:population\.family"):
        published(document, purposes="1.000894 1.004873")


def test_it_is_answered_as_a_whole() -> None:
    with pytest.raises(OperationRefused, match="@defer"):
        published(NAME.replace("    id\n", "    ... @defer { id }\n"))


def test_the_purpose_of_measurements_is_not_published_in_production() -> None:
    assert published(purposes="bench-unified").lends == {"population:read"}
    with pytest.raises(OperationRefused, match="is for measurements only"):
        published(purposes="bench-unified", demo=False)
