"""Places in rules: whether two records name different provinces, whatever the mergers of 2025 did.

A place has the code of its present province, or only what was written at the time. The former says
more than the latter, so what was written counts only where no code is recorded, and only of 2009 or
later: before, provinces of the same name were cut otherwise (Lai Châu, Đắk Lắk, Đồng Nai, Hà Nội).
"""

from __future__ import annotations

from dataclasses import dataclass

from rules.expression import (
    ColumnTerm,
    Condition,
    ConstantTerm,
    Form,
    RowVariable,
    all_of,
    any_of,
    differ,
    equal,
    is_absent,
    surely_before,
)
from rules.nationalities import countries_differ
from rules.provinces import FORMER_PROVINCE, PROVINCE_OF_CODE, PROVINCE_OF_TEXT, is_province

#: The last change of provinces before those of 1 July 2025.
_CUT_OTHERWISE = ConstantTerm("2008")
_BEFORE_MERGERS, _MERGERS = ConstantTerm("2025-06"), ConstantTerm("2025-07")


@dataclass(frozen=True, slots=True)
class PlaceColumns:
    """The columns of a place (``connectors.vocabulary.Place``)."""

    recorded: ColumnTerm
    as_of: ColumnTerm
    code: ColumnTerm
    country: ColumnTerm

    @property
    def shown(self) -> tuple[str, ...]:
        """The names of the columns that a finding shows."""
        return self.recorded.name, self.code.name


def place_of(row: RowVariable, field: str) -> PlaceColumns:
    """Return the columns of the place ``field`` of a row; raises KeyError if it has none."""
    return PlaceColumns(
        row[f"{field}_as_recorded"],
        row[f"{field}_as_of"],
        row[f"{field}_province_code"],
        row[f"{field}_country"],
    )


def places_differ(left: PlaceColumns, right: PlaceColumns) -> Condition:
    """They are in different countries, or in provinces that differ after the mergers too.

    Or in different former provinces, where both were written before the mergers, without a code.
    """
    return any_of(
        countries_differ(left.country, right.country),
        codes_differ(left.code, right.code),
        all_of(_is_named(right), _is_coded(left), differ(_coded(left), _named(right))),
        all_of(_is_named(left), _is_coded(right), differ(_named(left), _coded(right))),
        all_of(
            _is_named(left),
            _is_named(right),
            any_of(
                differ(_named(left), _named(right)),
                all_of(
                    surely_before(left.as_of, _MERGERS),
                    surely_before(right.as_of, _MERGERS),
                    differ(_formerly(left), _formerly(right)),
                ),
            ),
        ),
    )


def codes_differ(left: ColumnTerm, right: ColumnTerm) -> Condition:
    """Both are codes of provinces, and of different ones after the mergers."""
    return all_of(
        differ(left, right),
        is_province(PROVINCE_OF_CODE, left),
        is_province(PROVINCE_OF_CODE, right),
        differ(Form(PROVINCE_OF_CODE, left), Form(PROVINCE_OF_CODE, right)),
    )


def only_form_differs(left: PlaceColumns, right: PlaceColumns) -> Condition:
    """They name one province, one by its present name and the other by a former one."""
    return all_of(
        differ(left.recorded, right.recorded),
        is_province(FORMER_PROVINCE, left.recorded),
        is_province(FORMER_PROVINCE, right.recorded),
        differ(_formerly(left), _formerly(right)),
        equal(_named(left), _named(right)),
        any_of(_has_present_name(left), _has_present_name(right)),
    )


def _is_coded(place: PlaceColumns) -> Condition:
    return is_province(PROVINCE_OF_CODE, place.code)


def _is_named(place: PlaceColumns) -> Condition:
    return all_of(
        is_absent(place.code),
        is_province(FORMER_PROVINCE, place.recorded),
        surely_before(_CUT_OTHERWISE, place.as_of),
    )


def _has_present_name(place: PlaceColumns) -> Condition:
    """The place was written after the mergers; who leaves out the day wrote for the present."""
    return all_of(
        equal(_formerly(place), _named(place)),
        any_of(is_absent(place.as_of), surely_before(_BEFORE_MERGERS, place.as_of)),
    )


def _coded(place: PlaceColumns) -> Form:
    return Form(PROVINCE_OF_CODE, place.code)


def _named(place: PlaceColumns) -> Form:
    return Form(PROVINCE_OF_TEXT, place.recorded)


def _formerly(place: PlaceColumns) -> Form:
    return Form(FORMER_PROVINCE, place.recorded)
