"""One name may be the short form of the other: words left out or cut, or written without marks.

Whether it is the same name cannot be said from the text alone.
"""

from __future__ import annotations

from connectors.description import Text
from rules.comparisons import name_cases
from rules.names import name_incomplete
from rules.rule import BOOK_PREVAILS, ConflictCode, ConflictRule, ConflictSeverity

RULE = ConflictRule(
    ConflictCode.INCOMPLETE_NAME,
    ConflictSeverity.MEDIUM,
    name_cases(name_incomplete),
    BOOK_PREVAILS,
    Text(
        "Có thể là cùng một tên viết tắt hoặc thiếu chữ; đối chiếu với sổ hộ tịch.",
        "It may be the same name, shortened; compare it with the civil status book.",
    ),
)
