"""Whom a refused request named: whatever could be a number counts, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.refusal import numbers_named
from tests.support.generated import PATIENT
from tests.support.people import DEAD, HOA, LAN, OLD_NUMBER

QUERY = "query($id: PersonNumber!) {person(id: $id) {id}}"
NUMBER = st.from_regex(r"[0-9]{12}|[0-9]{9}", fullmatch=True)


def _nested(value: object, levels: int) -> object:
    for _ in range(levels):
        value = [value]
    return value


def test_numbers_in_the_variables_count_wherever_they_stand() -> None:
    variables = {"id": HOA, "ids": [LAN, OLD_NUMBER], "deep": {"a": [{"b": DEAD}]}, "n": 5}
    assert numbers_named(QUERY, variables) == [HOA, LAN, OLD_NUMBER, DEAD]


def test_numbers_in_the_texts_of_the_document_count() -> None:
    query = f'{{person(id: "{HOA}") {{id}} persons(ids: ["{OLD_NUMBER}", "{LAN}"]) {{id}}}}'
    assert numbers_named(query, None) == [HOA, OLD_NUMBER, LAN]


@pytest.mark.parametrize("query", ["", "{", f'person(id: "{HOA}"', f'no GraphQL "{HOA}" at all'])
def test_they_count_in_what_is_no_document_too(query: str) -> None:
    assert numbers_named(query, None) == ([HOA] if HOA in query else [])


def test_spaces_around_a_number_do_not_hide_it() -> None:
    assert numbers_named(QUERY, {"id": f" {HOA}\n"}) == [HOA]


def test_nobody_is_named_twice() -> None:
    query = f'{{person(id: "{HOA}") {{id}}}}'
    assert numbers_named(query, {"a": HOA, "b": [HOA, LAN], "c": LAN}) == [HOA, LAN]


@pytest.mark.parametrize(
    "value",
    ["", "1", HOA[:-1], f"{HOA}0", OLD_NUMBER[:-1], "1" * 10, "00109001234a", f"x{HOA}", "٠" * 12,
     f"{HOA} {LAN}", None, True, 5, 1.5, int(HOA), [], {}],
)  # fmt: skip
def test_what_could_be_nobodys_number_names_nobody(value: object) -> None:
    assert numbers_named(QUERY, {"id": value}) == []


@pytest.mark.parametrize("variables", [None, {}])
def test_a_request_without_numbers_names_nobody(variables: dict[str, object] | None) -> None:
    assert numbers_named(QUERY, variables) == []
    assert numbers_named("{me {id} databases {name}}", variables) == []


def test_no_more_are_noted_than_a_request_may_name() -> None:
    crowd = [f"0010900{number:05d}" for number in range(500)]
    assert numbers_named(QUERY, {"ids": crowd}) == crowd[:100]
    written = " ".join(f'"{number}"' for number in crowd)
    query = f"{{persons(ids: [{written}]) {{id}}}}"
    assert numbers_named(query, None) == crowd[:100]
    assert numbers_named(query, {"ids": crowd[40:100]}) == [*crowd[40:100], *crowd[:40]]


def test_the_names_of_variables_name_nobody() -> None:
    assert numbers_named(QUERY, {HOA: "x"}) == []


@pytest.mark.parametrize(("levels", "found"), [(0, True), (15, True), (100, False), (900, False)])
def test_what_nests_deeper_than_any_argument_is_not_looked_into(levels: int, found: bool) -> None:
    assert numbers_named(QUERY, {"id": _nested(HOA, levels)}) == ([HOA] if found else [])


@PATIENT
@given(st.lists(NUMBER, unique=True, max_size=20), st.lists(NUMBER, unique=True, max_size=20))
def test_whoever_is_named_is_found(given_in_variables: list[str], written: list[str]) -> None:
    texts = " ".join(f'"{number}"' for number in written)
    found = numbers_named(f"{{persons(ids: [{texts}]) {{id}}}}", {"ids": given_in_variables})
    assert found == list(dict.fromkeys([*given_in_variables, *written]))
