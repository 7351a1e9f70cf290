"""A date in the future, or before 1900.

Person numbers exist for births from 1900 on (Decree 137/2015/NĐ-CP Art. 13), so whoever has one
was not born, married or dead before.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import ColumnTerm, ConstantTerm, Today, all_of, any_of, any_row, surely_before
from rules.rule import Case, ConflictCode, ConflictRule, ConflictSeverity, case, in_force

_identity = any_row("population", "identity")
_birth = any_row("civil_status", "births")
_death = any_row("civil_status", "deaths")
_marriage = any_row("civil_status", "marriages")
_divorce = any_row("civil_status", "divorces")


def _implausible(day: ColumnTerm) -> Case:
    condition = any_of(surely_before(day, ConstantTerm("1900")), surely_before(Today(), day))
    if day.row is _identity:
        return case((day.row, (day.name,)), where=condition)
    return case((day.row, (day.name,)), where=all_of(in_force(day.row), condition))


RULE = ConflictRule(
    ConflictCode.IMPLAUSIBLE_DATE,
    ConflictSeverity.MEDIUM,
    tuple(
        _implausible(day)
        for day in (
            _identity["birth_date"],
            _identity["death_or_missing_date"],
            _birth["birth_date"],
            _death["death_date"],
            _marriage["effective_from"],
            _divorce["legal_effect_date"],
        )
    ),
    "Nghị định 137/2015/NĐ-CP, Điều 13; Luật Hộ tịch 60/2014/QH13, Điều 28",
    Text(
        "Lỗi nhập ngày; đối chiếu bản giấy và đề nghị cải chính.",
        "A date was entered wrongly; compare the paper, and have the entry corrected.",
    ),
)
