"""Vietnamese in the population database, and not in the civil status book, or the other way.

Law on Civil Status 60/2014/QH13 Art. 14, 30, 60(2); Law on Vietnamese Nationality 24/2008/QH12
(unverified). A change of nationality is noted in the book, and amends the entry: so a birth that
was amended is not compared.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import ConstantTerm, RowVariable, all_of, any_row, equal
from rules.nationalities import countries_differ
from rules.rule import (
    BOOK_PREVAILS,
    Case,
    ConflictCode,
    ConflictRule,
    ConflictSeverity,
    case,
    in_force,
)

_identity = any_row("population", "identity")
_birth = any_row("civil_status", "births")
_death = any_row("civil_status", "deaths")
_NATIONALITY = ("nationality",)


def _entry(entry: RowVariable) -> Case:
    is_comparable = (
        equal(entry["status"], ConstantTerm("VALID")) if entry is _birth else in_force(entry)
    )
    return case(
        (_identity, _NATIONALITY),
        (entry, _NATIONALITY),
        where=all_of(
            is_comparable, countries_differ(_identity["nationality"], entry["nationality"])
        ),
        prevails=entry,
    )


RULE = ConflictRule(
    ConflictCode.NATIONALITY,
    ConflictSeverity.MEDIUM,
    (_entry(_birth), _entry(_death)),
    BOOK_PREVAILS,
    Text(
        "Kiểm tra có việc thay đổi quốc tịch chưa được ghi vào sổ hộ tịch không; nếu không có thì "
        "coi theo sổ hộ tịch.",
        "See whether the nationality changed and the change was not noted; if not, go by the "
        "civil status book.",
    ),
)
