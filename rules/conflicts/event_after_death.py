"""Something that only the living do is recorded after the death.

Civil Code 2015 Art. 16(3) (own knowledge): capacity ends with death. Succession is what follows a
death, and is no such thing; nor are entries that were made late.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import (
    ColumnTerm,
    Condition,
    all_of,
    any_row,
    is_among,
    surely_before,
)
from rules.rule import Case, ConflictCode, ConflictRule, ConflictSeverity, case, in_force

_death = any_row("civil_status", "deaths")
_marriage = any_row("civil_status", "marriages")
_confirmation = any_row("civil_status", "marital_status_confirmations")
_aid = any_row("legal_aid", "cases")
_deed = any_row("notary", "transactions")
#: Transactions in which the living act in their own person, and not of a succession.
_AMONG_THE_LIVING = ("SALE", "DONATION", "MORTGAGE", "LEASE", "DEPOSIT", "AUTHORISATION")


def _after(day: ColumnTerm, *conditions: Condition) -> Case:
    return case(
        (_death, ("death_date",)),
        (day.row, (day.name,)),
        where=all_of(in_force(_death), *conditions, surely_before(_death["death_date"], day)),
    )


RULE = ConflictRule(
    ConflictCode.EVENT_AFTER_DEATH,
    ConflictSeverity.HIGH,
    (
        _after(_marriage["effective_from"], in_force(_marriage)),
        _after(_confirmation["issued_on"], in_force(_confirmation)),
        _after(_aid["request_date"]),
        _after(
            _deed["notarised_on"],
            is_among(_deed["kind"], *_AMONG_THE_LIVING),
            is_among(_deed["status"], "VALID", "AMENDED"),
        ),
    ),
    "Bộ luật Dân sự 91/2015/QH13, Điều 16 khoản 3; Luật Hộ tịch 60/2014/QH13, Điều 60 khoản 2",
    Text(
        "Kiểm tra ngày chết và người thực hiện giao dịch; nếu nghi giả mạo thì chuyển cơ quan có "
        "thẩm quyền.",
        "Check the date of death and who acted; if there is suspicion of forgery, refer it to the "
        "competent authority.",
    ),
)
