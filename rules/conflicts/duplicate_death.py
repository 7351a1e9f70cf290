"""Two deaths in force under one person.

Law on Civil Status 60/2014/QH13 Art. 32-34. A natural death and a declaration of death by a court
that nobody revoked are two entries as well.
"""

from __future__ import annotations

from connectors.description import Text
from rules.comparisons import pair_in_force
from rules.rule import ConflictCode, ConflictRule, ConflictSeverity

RULE = ConflictRule(
    ConflictCode.DUPLICATE_DEATH,
    ConflictSeverity.MEDIUM,
    (pair_in_force("deaths", ("death_date", "death_kind", "registration_date")),),
    "Luật Hộ tịch 60/2014/QH13, Điều 32-34",
    Text(
        "Đề nghị cơ quan đăng ký hộ tịch xác minh và hủy bỏ một trong hai lần đăng ký.",
        "Ask the registering offices which entry is to be revoked.",
    ),
)
