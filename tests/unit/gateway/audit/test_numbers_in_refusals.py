"""Persons in refused requests: everything that may be a number counts, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.numbers_in_refusals import NamedNumbers, find_named_numbers
from tests.support.generated import PATIENT
from tests.support.people import DEAD, HOA, LAN, OLD_NUMBER

QUERY = "query($id: PersonNumber!) {person(id: $id) {id}}"
NUMBER = st.from_regex(r"[0-9]{12}|[0-9]{9}", fullmatch=True)


def _named(query: str, variables: dict[str, object] | None) -> list[str]:
    return list(find_named_numbers(query, variables).numbers)


def _nested(value: object, levels: int) -> object:
    for _ in range(levels):
        value = [value]
    return value


def test_numbers_in_the_variables_count_wherever_they_stand() -> None:
    variables = {"id": HOA, "ids": [LAN, OLD_NUMBER], "deep": {"a": [{"b": DEAD}]}, "n": 5}
    assert _named(QUERY, variables) == [HOA, LAN, OLD_NUMBER, DEAD]


def test_numbers_in_the_texts_of_the_document_count() -> None:
    query = f'{{person(id: "{HOA}") {{id}} persons(ids: ["{OLD_NUMBER}", "{LAN}"]) {{id}}}}'
    assert _named(query, None) == [HOA, OLD_NUMBER, LAN]


@pytest.mark.parametrize("query", ["", "{", f'person(id: "{HOA}"', f'no GraphQL "{HOA}" at all'])
def test_they_count_in_what_is_no_document_too(query: str) -> None:
    assert _named(query, None) == ([HOA] if HOA in query else [])


def test_spaces_around_a_number_do_not_hide_it() -> None:
    assert _named(QUERY, {"id": f" {HOA}\n"}) == [HOA]


def test_nobody_is_named_twice() -> None:
    query = f'{{person(id: "{HOA}") {{id}}}}'
    assert _named(query, {"a": HOA, "b": [HOA, LAN], "c": LAN}) == [HOA, LAN]


@pytest.mark.parametrize(
    "value",
    ["", "1", HOA[:-1], f"{HOA}0", OLD_NUMBER[:-1], "1" * 10, "00109001234a", f"x{HOA}", "٠" * 12,
     f"{HOA} {LAN}", None, True, 5, 1.5, int(HOA), [], {}],
)  # fmt: skip
def test_what_could_be_nobodys_number_names_nobody(value: object) -> None:
    assert _named(QUERY, {"id": value}) == []


@pytest.mark.parametrize("variables", [None, {}])
def test_a_request_without_numbers_names_nobody(variables: dict[str, object] | None) -> None:
    assert _named(QUERY, variables) == []
    assert _named("{me {id} databases {name}}", variables) == []


def test_ten_people_are_named_and_the_others_counted() -> None:
    crowd = [f"0010900{number:05d}" for number in range(500)]
    assert find_named_numbers(QUERY, {"ids": crowd}) == NamedNumbers(tuple(crowd[:10]), 500)
    written = " ".join(f'"{number}"' for number in crowd)
    query = f"{{persons(ids: [{written}]) {{id}}}}"
    assert find_named_numbers(query, None) == NamedNumbers(tuple(crowd[:10]), 500)
    assert find_named_numbers(query, {"ids": crowd[495:]}, HOA).numbers == (
        HOA,
        *crowd[495:],
        *crowd[:4],
    )


def test_nobody_is_counted_twice() -> None:
    assert find_named_numbers(f'{{person(id: "{HOA}")}}', {"id": HOA}, HOA) == NamedNumbers(
        (HOA,), 1
    )


@pytest.mark.parametrize(
    "padding", ["#\n" * 125_000, "," * 250_000, "a " * 125_000, "\\u0031" * 40_000]
)
def test_what_is_looked_at_is_bounded(padding: str) -> None:
    """Where a request pads its document, whom its variables name is still noted."""
    assert _named(padding + f'{{person(id: "{HOA}")}}', {"id": LAN}) == [LAN]
    crowd: list[object] = [[[[[0]]]]] * 50_000
    assert _named(QUERY, {"id": LAN, "many": crowd, "last": [HOA]}) == [LAN]


def test_the_names_of_variables_name_nobody() -> None:
    assert _named(QUERY, {HOA: "x"}) == []


@pytest.mark.parametrize(("levels", "found"), [(0, True), (900, True), (3_000, False)])
def test_however_deep_a_number_stands_within_the_bound_it_is_found(
    levels: int, found: bool
) -> None:
    assert _named(QUERY, {"id": _nested(HOA, levels)}) == ([HOA] if found else [])


@PATIENT
@given(st.lists(NUMBER, unique=True, max_size=5), st.lists(NUMBER, unique=True, max_size=5))
def test_whoever_is_named_is_found(given_in_variables: list[str], written: list[str]) -> None:
    texts = " ".join(f'"{number}"' for number in written)
    result = _named(f"{{persons(ids: [{texts}]) {{id}}}}", {"ids": given_in_variables})
    assert result == list(dict.fromkeys([*given_in_variables, *written]))
