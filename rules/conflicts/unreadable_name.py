"""A name shows the remains of an old encoding, and cannot be compared with the other."""

from __future__ import annotations

from connectors.description import Text
from rules.comparisons import name_cases
from rules.names import name_unreadable
from rules.rule import BOOK_PREVAILS, ConflictCode, ConflictRule, ConflictSeverity

RULE = ConflictRule(
    ConflictCode.UNREADABLE_NAME,
    ConflictSeverity.LOW,
    name_cases(name_unreadable),
    BOOK_PREVAILS,
    Text(
        "Tên bị lỗi phông chữ cũ (TCVN3, VNI); đối chiếu bản giấy và đề nghị sửa lỗi số hóa.",
        "The text was damaged by an old encoding (TCVN3, VNI); compare the paper, and have the "
        "digitised entry mended.",
    ),
)
