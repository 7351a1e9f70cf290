"""A later marriage is in the book, and the earlier has no recorded end.

Mostly a note is missing: courts send divorces unevenly, and the death of a spouse is filed under
the spouse. So it is told apart from marriages that overlap by their dates. Law on Marriage and
Family 52/2014/QH13 Art. 57, 65; Law on Civil Status 60/2014/QH13 Art. 30 (own knowledge).
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import all_of, any_row, equal, is_absent, no_row, surely_before
from rules.rule import ConflictCode, ConflictRule, ConflictSeverity, case, in_force

_first = any_row("civil_status", "marriages")
_second = any_row("civil_status", "marriages")
_divorce = any_row("civil_status", "divorces")
_PERIOD = ("effective_from", "ended_on", "end_reason")

RULE = ConflictRule(
    ConflictCode.UNENDED_MARRIAGE,
    ConflictSeverity.MEDIUM,
    (
        case(
            (_first, _PERIOD),
            (_second, _PERIOD),
            where=all_of(
                in_force(_first),
                in_force(_second),
                surely_before(_first["effective_from"], _second["effective_from"]),
                is_absent(_first["ended_on"]),
                is_absent(_first["end_reason"]),
                no_row(
                    _divorce,
                    in_force(_divorce),
                    equal(_divorce["marriage_event_id"], _first["event_id"]),
                ),
            ),
        ),
    ),
    "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 57, Điều 65; Luật Hộ tịch 60/2014/QH13, Điều 30",
    Text(
        "Tìm bản án ly hôn hoặc khai tử của vợ/chồng trước và ghi chú vào sổ hộ tịch.",
        "Look for the divorce judgment or the death of the earlier spouse, and have it noted.",
    ),
)
