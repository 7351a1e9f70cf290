"""The sex in the population database is not that of the civil status book.

Law on Civil Status 60/2014/QH13 Art. 14, 60(2). UNDETERMINED contradicts nothing.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import RowVariable, all_of, any_row, differ, is_among
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


def _entry(entry: RowVariable) -> Case:
    return case(
        (_identity, ("sex",)),
        (entry, ("sex",)),
        where=all_of(
            is_among(_identity["sex"], "MALE", "FEMALE"),
            in_force(entry),
            is_among(entry["sex"], "MALE", "FEMALE"),
            differ(_identity["sex"], entry["sex"]),
        ),
        prevails=entry,
    )


RULE = ConflictRule(
    ConflictCode.SEX,
    ConflictSeverity.HIGH,
    (_entry(any_row("civil_status", "births")), _entry(any_row("civil_status", "deaths"))),
    BOOK_PREVAILS,
    Text(
        "Dùng giới tính trong sổ hộ tịch; kiểm tra có xác định lại giới tính hay cải chính không.",
        "Use the sex of the civil status book; see whether it was redetermined or corrected.",
    ),
)
