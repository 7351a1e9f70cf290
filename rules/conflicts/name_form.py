"""The same name in another writing: tone-mark placement, Unicode form, case, blanks.

It is no other name. It is reported because other systems compare text.
"""

from __future__ import annotations

from connectors.description import Text
from rules.comparisons import name_cases
from rules.names import name_in_another_form
from rules.rule import BOOK_PREVAILS, ConflictCode, ConflictRule, ConflictSeverity

RULE = ConflictRule(
    ConflictCode.NAME_FORM,
    ConflictSeverity.LOW,
    name_cases(name_in_another_form),
    BOOK_PREVAILS,
    Text(
        "Cùng một tên, chỉ khác cách bỏ dấu, mã Unicode, chữ hoa hoặc khoảng trắng; không cần "
        "giấy tờ chứng minh.",
        "The same name; only tone-mark placement, Unicode form, case or blanks differ. No proof "
        "is needed.",
    ),
)
