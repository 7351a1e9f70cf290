"""Which changes between two versions of an operation break a caller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.registry import installed_databases
from gateway.catalogue.sections import bind_sections
from gateway.operations.compare import compare_operations
from gateway.operations.operation import PublishedOperation
from gateway.operations.publish import publish
from gateway.settings import Limits
from tests.support.operation_files import header
from tests.support.running import built

DATABASES = tuple(installed_databases())
OLD = """query ($id: PersonNumber!, $first: Int! = 5, $named: Boolean! = true) {
  person(id: $id) {
    id
    population @include(if: $named) { identity { item { fullName sex } source { state } } }
    civilStatus { marriages(first: $first) {
      items { eventId status } truncated nextCursor source { state } } }
  }
}"""


def published(document: str, **entries: Any) -> PublishedOperation:
    text = f"{header(cost=10_000, **entries)}\n{document}"
    schema = built(DATABASES)
    return publish(schema, bind_sections(DATABASES), Limits(), True, Path("name.graphql"), text)


def differences_of(new: str, old: str = OLD, **entries: Any) -> list[tuple[bool, str]]:
    differences = compare_operations(
        built(DATABASES), published(old), published(new, version=2, **entries)
    )
    return [(change.breaking, change.description) for change in differences]


def test_the_same_has_no_changes() -> None:
    assert differences_of(OLD) == []


ITEMS = "data.person.civilStatus.marriages.items[]"


@pytest.mark.parametrize(
    ("before", "after", "breaking", "description"),
    [
        ("eventId status", "eventId", True, f"{ITEMS}.status is gone"),
        ("eventId status", "eventId status bookNo", False, f"{ITEMS}.bookNo is new"),
        ("eventId status", "eventId status: bookNo", True,
         f"{ITEMS}.status was a code and is string"),
        ("sex }", "sex lifeStatus }", False,
         "data.person.population.identity.item.lifeStatus is new"),
        ("    id\n", "    id @include(if: $named)\n", True, "data.person.id may be missing now"),
        ("$first: Int! = 5", "$first: Int!", True, "variables.first is required now"),
        ("$id: PersonNumber!,", "$id: PersonNumber!, $order: Order,", False,
         "variables.order is new"),
        ("$id: PersonNumber!,", "$id: PersonNumber!, $order: Order!,", True,
         "variables.order is new, and required"),
    ],
)  # fmt: skip
def test_a_change_of_the_document_is_told_by_path(
    before: str, after: str, breaking: bool, description: str
) -> None:
    new = OLD.replace(before, after)
    if "$order" in after:
        new = new.replace("first: $first", "first: $first, order: $order")
    assert differences_of(new) == [(breaking, description)]


def test_what_could_be_left_out_may_be_always_there() -> None:
    old = OLD.replace("    id\n", "    id @include(if: $named)\n")
    assert differences_of(OLD, old) == [(False, "data.person.id is always there now")]


def test_a_variable_that_is_gone_breaks_and_one_that_may_be_left_out_does_not() -> None:
    without_variable = OLD.replace("$first: Int! = 5, ", "").replace("(first: $first)", "")
    assert differences_of(without_variable) == [(True, "variables.first is gone")]
    assert differences_of(OLD, OLD.replace("$first: Int! = 5", "$first: Int!")) == [
        (False, "variables.first may be left out now")
    ]


def test_of_a_part_that_is_gone_its_insides_are_not_told() -> None:
    marriages = OLD[OLD.index("    civilStatus") : OLD.index("  }\n}")]
    new = OLD.replace(marriages, "    notary { assets(first: $first) { truncated } }\n")
    assert differences_of(new, purposes="notarised-transfer") == [
        (True, "data.person.civilStatus is gone"),
        (True, "purpose 1.000894 is gone"),
        (False, "data.person.notary is new"),
        (False, "purpose notarised-transfer is new"),
    ]


def test_the_header_counts_too_breaking_changes_first() -> None:
    differences = differences_of(OLD, clients="other", owner="Bộ Công an", title="A / B")
    assert differences == [
        (True, "client partner may not call it any more"),
        (False, "client other may call it"),
        (False, "title was Họ tên / Name and is A / B"),
        (False, "owner was Bộ Tư pháp and is Bộ Công an"),
    ]
