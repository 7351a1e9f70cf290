"""The population database names another mother or father than the birth record in force.

Law on Civil Status 60/2014/QH13 Art. 14, 24-25, 60(2). Another number alone is no other parent: it
may be an earlier number of the same. So the names must differ too.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import ConstantTerm, all_of, any_of, any_row, differ, equal, is_absent
from rules.names import names_differ
from rules.rule import (
    BOOK_PREVAILS,
    Case,
    ConflictCode,
    ConflictRule,
    ConflictSeverity,
    case,
    in_force,
)

_relative = any_row("population", "family")
_birth = any_row("civil_status", "births")


def _parent(relation: str, role: str) -> Case:
    number, name = _birth[f"{role}_citizen_id"], _birth[f"{role}_name"]
    return case(
        (_relative, ("relation", "name", "member_id")),
        (_birth, (f"{role}_name", f"{role}_citizen_id")),
        where=all_of(
            equal(_relative["relation"], ConstantTerm(relation)),
            in_force(_birth),
            differ(_relative["member_id"], number),
            any_of(is_absent(_relative["old_number"]), differ(_relative["old_number"], number)),
            names_differ(_relative["name"], name),
        ),
        prevails=_birth,
    )


RULE = ConflictRule(
    ConflictCode.PARENTS,
    ConflictSeverity.HIGH,
    (_parent("MOTHER", "mother"), _parent("FATHER", "father")),
    BOOK_PREVAILS,
    Text(
        "Coi theo giấy khai sinh đang có hiệu lực; chỉ Tòa án, cơ quan hộ tịch xác định lại.",
        "Go by the birth record in force; only a court or the civil status office decides who the "
        "parents are.",
    ),
)
