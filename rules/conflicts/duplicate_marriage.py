"""Two marriages in force of the same two people that began on the same day, or while one stood.

Law on Civil Status 60/2014/QH13 Art. 17-18: a marriage is registered once. Spouses are the same by
number, or by name and birth date: of the other spouse's earlier numbers the person's records do not
know. A later marriage of the same two while no end of the first is recorded is no duplicate: mostly
they divorced and married again (UNENDED_MARRIAGE).
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import (
    Condition,
    IdentityOrder,
    all_of,
    any_of,
    any_row,
    dates_agree,
    equal,
    surely_before,
)
from rules.names import same_name
from rules.rule import ConflictCode, ConflictRule, ConflictSeverity, case, in_force

_first = any_row("civil_status", "marriages")
_second = any_row("civil_status", "marriages")
_COUPLE = ("husband_name", "wife_name", "effective_from", "ended_on")


def _same_spouse(role: str) -> Condition:
    return any_of(
        equal(_first[f"{role}_citizen_id"], _second[f"{role}_citizen_id"]),
        all_of(
            same_name(_first[f"{role}_name"], _second[f"{role}_name"]),
            dates_agree(_first[f"{role}_birth_date"], _second[f"{role}_birth_date"]),
        ),
    )


_both = all_of(in_force(_first), in_force(_second), _same_spouse("husband"), _same_spouse("wife"))

RULE = ConflictRule(
    ConflictCode.DUPLICATE_MARRIAGE,
    ConflictSeverity.HIGH,
    (
        case(
            (_first, _COUPLE),
            (_second, _COUPLE),
            where=all_of(
                _both,
                IdentityOrder(_first, _second),
                dates_agree(_first["effective_from"], _second["effective_from"]),
            ),
        ),
        case(
            (_first, _COUPLE),
            (_second, _COUPLE),
            where=all_of(
                _both,
                surely_before(_first["effective_from"], _second["effective_from"]),
                surely_before(_second["effective_from"], _first["ended_on"]),
            ),
        ),
    ),
    "Luật Hộ tịch 60/2014/QH13, Điều 17-18; Luật Hôn nhân và gia đình 52/2014/QH13, Điều 9",
    Text(
        "Xác minh có phải cùng một việc kết hôn được đăng ký hai lần không; đề nghị cơ quan đăng "
        "ký hộ tịch thu hồi, hủy bỏ lần đăng ký thừa.",
        "Verify whether one marriage was registered twice; ask the registering offices to revoke "
        "the entry that is too many.",
    ),
)
