"""Views of rows: a null never stands for a denial, and a denied value raises what is missing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from connectors.civil_enforcement import DATABASE
from connectors.description import Row, Sensitivity
from gateway.errors import GatewayError
from gateway.schema.row_views import NUMBERS, DeniedValue, RowView, build_view, resolve_value

PARTIES = DATABASE.by_name["enforcement_parties"]
MISSING = ("civil_enforcement:sensitive",)
NUMBER = "001090012345"


def _view(values: Mapping[str, object], denied_columns: set[str]) -> RowView:
    """Return the view of a party with ``values`` by column; ``denied_columns`` are denied."""
    row: Row = tuple(values.get(column.name) for column in PARTIES.columns)
    missing = [MISSING if column.name in denied_columns else () for column in PARTIES.columns]
    return build_view(PARTIES, row, missing, Sensitivity.PUBLIC)


def _inner(values: Mapping[str, object], denied_columns: set[str]) -> object:
    return _view(values, denied_columns)["party"]


ALL_OF_IT = {column.name for column in PARTIES.columns if column.path[0] == "party"}


def test_a_struct_is_null_only_if_all_of_it_is_seen_and_empty() -> None:
    assert _inner({}, set()) is None
    assert isinstance(_inner({}, {"party_name"}), dict)
    assert isinstance(_inner({"party_name": "A"}, set()), dict)


def test_a_struct_of_which_nothing_is_seen_is_denied_whether_or_not_there_is_one() -> None:
    for values in ({}, {"party_name": "A"}):
        assert _inner(values, ALL_OF_IT) == DeniedValue(MISSING)


def test_a_denied_value_says_what_is_missing_also_where_there_is_none() -> None:
    view = _view({}, {"role"})
    with pytest.raises(GatewayError) as refusal:
        resolve_value(view, "role")
    assert refusal.value.details == {"missing": list(MISSING)}


def test_the_numbers_of_a_struct_are_kept_for_the_trail_seen_or_not() -> None:
    for denied_columns in (set(), {"party_citizen_id"}):
        inner = _inner({"party_name": "A", "party_citizen_id": NUMBER}, denied_columns)
        assert isinstance(inner, dict)
        assert inner[NUMBERS] == [NUMBER, None], "of the party, and of its representative"


def test_a_view_keeps_up_to_what_sensitivity_its_row_is_open() -> None:
    assert _view({}, set()).open_up_to is Sensitivity.PUBLIC
