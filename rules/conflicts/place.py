"""The place of birth in the population database is in another province than that of the birth.

Law on Civil Status 60/2014/QH13 Art. 14, 60(2); Resolution 202/2025/QH15: former provinces count as
those of which they are part now. Communes are not compared: there is no list of them with what they
were before. Where the birth was registered is compared with the number (NUMBER_STRUCTURE), and not
with the office of the entry: after an adoption, or where papers were lost, it is entered elsewhere,
and that is for nobody to see.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import all_of, any_row
from rules.places import place_of, places_differ
from rules.rule import BOOK_PREVAILS, ConflictCode, ConflictRule, ConflictSeverity, case, in_force

_birth = any_row("civil_status", "births")
_recorded = place_of(any_row("population", "identity"), "birth_place")
_registered = place_of(_birth, "birth_place")

RULE = ConflictRule(
    ConflictCode.PLACE,
    ConflictSeverity.MEDIUM,
    (
        case(
            (_recorded.code.row, _recorded.shown),
            (_birth, _registered.shown),
            where=all_of(in_force(_birth), places_differ(_recorded, _registered)),
            prevails=_birth,
        ),
    ),
    BOOK_PREVAILS,
    Text(
        "Dùng nơi sinh trong sổ đăng ký khai sinh; nếu khai sinh sai thì cải chính hộ tịch trước.",
        "Use the place of birth of the birth record; if that is wrong, it must be corrected first.",
    ),
)
