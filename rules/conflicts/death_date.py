"""The dates of death in the population database and in the civil status book disagree.

Law on Civil Status 60/2014/QH13 Art. 33, 60(2). Dates are compared as far as both are recorded.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import ConstantTerm, all_of, any_row, dates_disagree, equal
from rules.rule import BOOK_PREVAILS, ConflictCode, ConflictRule, ConflictSeverity, case, in_force

_identity = any_row("population", "identity")
_death = any_row("civil_status", "deaths")

RULE = ConflictRule(
    ConflictCode.DEATH_DATE,
    ConflictSeverity.MEDIUM,
    (
        case(
            (_identity, ("death_or_missing_date",)),
            (_death, ("death_date",)),
            where=all_of(
                equal(_identity["life_status"], ConstantTerm("DEAD")),
                in_force(_death),
                dates_disagree(_identity["death_or_missing_date"], _death["death_date"]),
            ),
            prevails=_death,
        ),
    ),
    BOOK_PREVAILS,
    Text(
        "Dùng ngày chết trong sổ hộ tịch; thời điểm mở thừa kế theo ngày đó.",
        "Use the date of death of the civil status book; a succession opens on that day.",
    ),
)
