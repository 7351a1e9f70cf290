"""Two births in force under one person.

Law on Civil Status 60/2014/QH13 Art. 14-16, Decree 123/2015/NĐ-CP: a birth is registered once; one
that was registered again replaces the first, or is revoked.
"""

from __future__ import annotations

from connectors.description import Text
from rules.comparisons import pair_in_force
from rules.rule import ConflictCode, ConflictRule, ConflictSeverity

RULE = ConflictRule(
    ConflictCode.DUPLICATE_BIRTH,
    ConflictSeverity.HIGH,
    (pair_in_force("births", ("full_name", "birth_date", "registration_date")),),
    "Luật Hộ tịch 60/2014/QH13, Điều 14; Nghị định 123/2015/NĐ-CP",
    Text(
        "Đề nghị cơ quan đăng ký hộ tịch xác minh và thu hồi, hủy bỏ một trong hai lần đăng ký.",
        "Ask the registering offices which entry is to be revoked.",
    ),
)
