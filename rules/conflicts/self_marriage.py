"""A marriage in which both spouses are the same person: a number was entered twice.

Law on Marriage and Family 52/2014/QH13 Art. 3(1), 8: a marriage is between a man and a woman.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import all_of, any_row, is_the_person
from rules.rule import ConflictCode, ConflictRule, ConflictSeverity, case, in_force

_marriage = any_row("civil_status", "marriages")

RULE = ConflictRule(
    ConflictCode.SELF_MARRIAGE,
    ConflictSeverity.HIGH,
    (
        case(
            (_marriage, ("husband_citizen_id", "wife_citizen_id")),
            where=all_of(
                in_force(_marriage),
                is_the_person(_marriage["husband_citizen_id"]),
                is_the_person(_marriage["wife_citizen_id"]),
            ),
        ),
    ),
    "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 3 khoản 1, Điều 8",
    Text(
        "Lỗi nhập số định danh; đối chiếu bản giấy và đề nghị cải chính.",
        "A number was entered wrongly; compare the paper, and have the entry corrected.",
    ),
)
