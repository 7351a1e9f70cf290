"""Source of generated functions: text of a client never becomes code."""

from __future__ import annotations

import pytest

from gateway.shape.function_source import FunctionSource, dictionary


@pytest.mark.parametrize("text", ["name", "k0", "'", '"', "\\", "{f.rows}", "__import__", "số"])
def test_a_response_key_is_a_constant_whatever_it_looks_like(text: str) -> None:
    source = FunctionSource()
    body = dictionary([f"{source.quote('other')}: 1", f"{source.quote(text)}: p"])
    name = source.add_function("p", "p", body, is_null_for_none=False)
    assert source.compile()[name](2, {}) == {"other": 1, text: 2}
    assert source.text == "def p0(p, live):\n    return {'k0': 1, 'k1': p}\n"


def test_equal_texts_share_a_constant() -> None:
    source = FunctionSource()
    assert source.quote("items") == source.quote("items") != source.quote("item")


def test_a_list_that_is_not_known_is_null_and_a_person_is_never_asked() -> None:
    source = FunctionSource()
    rows = source.add_function("l", "f", "f.rows", is_null_for_none=True)
    person = source.add_function("p", "p", "p.name", is_null_for_none=False)
    functions = source.compile()
    assert functions[rows](None, {}) is None
    with pytest.raises(AttributeError):
        functions[person](None, {})


def test_generated_code_has_no_built_in_function_but_those_it_needs() -> None:
    source = FunctionSource()
    name = source.add_function("p", "p", "open(p)", is_null_for_none=False)
    with pytest.raises(NameError):
        source.compile()[name]("/etc/passwd", {})


def test_a_tuple_of_nones_is_kept_once_for_each_width() -> None:
    source = FunctionSource()
    name = source.add_function("p", "p", source.add_nones(3), is_null_for_none=False)
    assert source.compile()[name](0, {}) == (None, None, None)
