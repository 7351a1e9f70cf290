"""The same place of birth, by the name of the province before the mergers of 2025 and after.

Resolution 202/2025/QH15 made 34 provinces of 63. Nothing is wrong: what was written before stays as
it was written. It is a finding so that nobody takes it for another place.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import all_of, any_row
from rules.places import only_form_differs, place_of
from rules.rule import ConflictCode, ConflictRule, ConflictSeverity, case, in_force

_birth = any_row("civil_status", "births")
_recorded = place_of(any_row("population", "identity"), "birth_place")
_registered = place_of(_birth, "birth_place")

RULE = ConflictRule(
    ConflictCode.PLACE_FORM,
    ConflictSeverity.LOW,
    (
        case(
            (_recorded.code.row, _recorded.shown),
            (_birth, _registered.shown),
            where=all_of(in_force(_birth), only_form_differs(_recorded, _registered)),
        ),
    ),
    "Nghị quyết 202/2025/QH15; Quyết định 19/2025/QĐ-TTg",
    Text(
        "Cùng một nơi, chỉ khác tên tỉnh trước và sau sắp xếp năm 2025; không yêu cầu cải chính.",
        "One place, by the name of the province before and after the mergers of 2025; require no "
        "correction.",
    ),
)
