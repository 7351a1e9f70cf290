"""A person recorded as their own parent, child or spouse.

Law on Civil Status 60/2014/QH13 Art. 14: a number was entered in the wrong place.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import all_of, any_row, is_among, is_the_person
from rules.rule import ConflictCode, ConflictRule, ConflictSeverity, case, in_force

_birth = any_row("civil_status", "births")
_relative = any_row("population", "family")

RULE = ConflictRule(
    ConflictCode.SELF_AS_RELATIVE,
    ConflictSeverity.HIGH,
    (
        *(
            case(
                (_birth, (f"{parent}_citizen_id",)),
                where=all_of(in_force(_birth), is_the_person(_birth[f"{parent}_citizen_id"])),
            )
            for parent in ("mother", "father")
        ),
        case(
            (_relative, ("relation", "member_id")),
            where=all_of(
                is_among(_relative["relation"], "MOTHER", "FATHER", "CHILD", "SPOUSE"),
                is_the_person(_relative["member_id"]),
            ),
        ),
    ),
    "Luật Hộ tịch 60/2014/QH13, Điều 14, Điều 28",
    Text(
        "Lỗi nhập số định danh; đối chiếu bản giấy và đề nghị cải chính.",
        "A number was entered wrongly; compare the paper, and have the entry corrected.",
    ),
)
