"""Two marriages in force overlap: the second began before the recorded end of the first.

Law on Marriage and Family 52/2014/QH13 Art. 2(1), 5(2)(c), 8 (monogamy), 10-11 (annulment, own
knowledge).
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import all_of, any_row, equal, is_absent, surely_before
from rules.rule import ConflictCode, ConflictRule, ConflictSeverity, case, in_force

_first = any_row("civil_status", "marriages")
_second = any_row("civil_status", "marriages")
_divorce = any_row("civil_status", "divorces")
_PERIOD = ("effective_from", "ended_on")
_both = all_of(
    in_force(_first),
    in_force(_second),
    surely_before(_first["effective_from"], _second["effective_from"]),
)

RULE = ConflictRule(
    ConflictCode.OVERLAPPING_MARRIAGES,
    ConflictSeverity.HIGH,
    (
        case(
            (_first, _PERIOD),
            (_second, _PERIOD),
            where=all_of(_both, surely_before(_second["effective_from"], _first["ended_on"])),
        ),
        # The end of the first is recorded by the note of the divorce alone.
        case(
            (_first, _PERIOD),
            (_second, _PERIOD),
            (_divorce, ("legal_effect_date",)),
            where=all_of(
                _both,
                is_absent(_first["ended_on"]),
                in_force(_divorce),
                equal(_divorce["marriage_event_id"], _first["event_id"]),
                surely_before(_second["effective_from"], _divorce["legal_effect_date"]),
            ),
        ),
    ),
    "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 5 khoản 2 điểm c, Điều 8, Điều 10-11",
    Text(
        "Không tự kết luận; chuyển cơ quan đăng ký hộ tịch xác minh, việc hủy kết hôn trái pháp "
        "luật thuộc thẩm quyền của Tòa án.",
        "Do not conclude anything; have the registering offices verify. Only a court annuls an "
        "unlawful marriage.",
    ),
)
