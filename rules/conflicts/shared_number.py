"""One number for two people.

Law on Identification 26/2023/QH15 Art. 12: a number is one person's. Either an earlier number is
recorded for somebody else too, or two births in force under the number name different people. Of
the other person the finding shows nothing.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import (
    IdentityOrder,
    all_of,
    any_row,
    dates_disagree,
    equal,
    is_somebody_else,
)
from rules.names import names_differ
from rules.rule import ConflictCode, ConflictRule, ConflictSeverity, case, in_force

_number = any_row("population", "earlier_numbers")
_holder = any_row("population", "holders", hung=("earlier_numbers", "number"))
_first = any_row("civil_status", "births")
_second = any_row("civil_status", "births")
_BIRTH = ("full_name", "birth_date")

RULE = ConflictRule(
    ConflictCode.SHARED_NUMBER,
    ConflictSeverity.HIGH,
    (
        case(
            (_number, ("number",)),
            (_holder, ("number",)),
            where=all_of(
                equal(_number["number"], _holder["number"]), is_somebody_else(_holder["citizen_id"])
            ),
        ),
        case(
            (_first, _BIRTH),
            (_second, _BIRTH),
            where=all_of(
                in_force(_first),
                in_force(_second),
                IdentityOrder(_first, _second),
                dates_disagree(_first["birth_date"], _second["birth_date"]),
                names_differ(_first["full_name"], _second["full_name"]),
            ),
        ),
    ),
    "Luật Căn cước 26/2023/QH15, Điều 12; Nghị định 70/2024/NĐ-CP",
    Text(
        "Không dùng số này để tra cứu; đề nghị Công an xác lập lại hoặc hủy số.",
        "Look nothing up under this number; the police must establish it anew or cancel it.",
    ),
)
