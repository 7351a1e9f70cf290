"""Dates of birth disagree.

Law on Civil Status 60/2014/QH13 Art. 14, 60(2). Old books have only the year, or year and month:
dates are compared as far as both are recorded, so that 1957 agrees with 1957-03-02.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import RowVariable, all_of, any_row, dates_disagree
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
_DATE = ("birth_date",)


def _identity_and(entry: RowVariable) -> Case:
    return case(
        (_identity, _DATE),
        (entry, _DATE),
        where=all_of(in_force(entry), dates_disagree(_identity["birth_date"], entry["birth_date"])),
        prevails=entry,
    )


RULE = ConflictRule(
    ConflictCode.BIRTH_DATE,
    ConflictSeverity.HIGH,
    (
        _identity_and(_birth),
        _identity_and(_death),
        case(
            (_birth, _DATE),
            (_death, _DATE),
            where=all_of(
                in_force(_birth),
                in_force(_death),
                dates_disagree(_birth["birth_date"], _death["birth_date"]),
            ),
            prevails=_birth,
        ),
    ),
    BOOK_PREVAILS,
    Text(
        "Dùng ngày sinh trong sổ đăng ký khai sinh; nếu khai sinh sai thì cải chính hộ tịch trước.",
        "Use the date of the birth record; if that is wrong, it must be corrected first.",
    ),
)
