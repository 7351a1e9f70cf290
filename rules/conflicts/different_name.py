"""The name in the population database is another name than that of the civil status book.

Law on Civil Status 60/2014/QH13 Art. 14, 60(2). Other ways of writing the name, short forms and
unreadable text are told apart: see NAME_FORM, INCOMPLETE_NAME, UNREADABLE_NAME.
"""

from __future__ import annotations

from connectors.description import Text
from rules.comparisons import name_cases
from rules.names import names_differ
from rules.rule import BOOK_PREVAILS, ConflictCode, ConflictRule, ConflictSeverity

RULE = ConflictRule(
    ConflictCode.DIFFERENT_NAME,
    ConflictSeverity.HIGH,
    name_cases(names_differ),
    BOOK_PREVAILS,
    Text(
        "Dùng họ, chữ đệm, tên trong sổ hộ tịch; kiểm tra việc thay đổi, cải chính tên.",
        "Use the name of the civil status book; see whether the name was changed or corrected.",
    ),
)
