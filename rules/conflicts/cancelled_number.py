"""An entry bears a citizen ID that had been cancelled before the entry was made.

Law on Identification 26/2023/QH15 Art. 12, Decree 70/2024/NĐ-CP: a number that was established anew
is not used any more. Old identity cards are no such numbers: their holders went on using them.
Entries made on the day of the cancellation, or before, are right as they are.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import ColumnTerm, ConstantTerm, all_of, any_row, equal, surely_before
from rules.rule import Case, ConflictCode, ConflictRule, ConflictSeverity, case, in_force

_number = any_row("population", "earlier_numbers")
_birth = any_row("civil_status", "births")
_death = any_row("civil_status", "deaths")
_marriage = any_row("civil_status", "marriages")
_divorce = any_row("civil_status", "divorces")
_confirmation = any_row("civil_status", "marital_status_confirmations")
_aid = any_row("legal_aid", "cases")


def _used(number: ColumnTerm, day: ColumnTerm) -> Case:
    where = all_of(
        equal(_number["kind"], ConstantTerm("CANCELLED")),
        equal(_number["number"], number),
        surely_before(_number["valid_until"], day),
    )
    if number.row is not _aid:
        where = all_of(in_force(number.row), where)
    return case(
        (_number, ("number", "valid_until")), (number.row, (number.name, day.name)), where=where
    )


RULE = ConflictRule(
    ConflictCode.CANCELLED_NUMBER,
    ConflictSeverity.MEDIUM,
    (
        _used(_birth["citizen_id"], _birth["registration_date"]),
        _used(_death["citizen_id"], _death["registration_date"]),
        _used(_marriage["husband_citizen_id"], _marriage["registration_date"]),
        _used(_marriage["wife_citizen_id"], _marriage["registration_date"]),
        _used(_divorce["husband_id"], _divorce["registration_date"]),
        _used(_divorce["wife_id"], _divorce["registration_date"]),
        _used(_confirmation["citizen_id"], _confirmation["issued_on"]),
        _used(_aid["beneficiary_id"], _aid["request_date"]),
    ),
    "Luật Căn cước 26/2023/QH15, Điều 12; Nghị định 70/2024/NĐ-CP",
    Text(
        "Đề nghị cơ quan đã lập hồ sơ thay số đã hủy bằng số định danh hiện tại.",
        "Ask the office that made the entry to replace the cancelled number by the present one.",
    ),
)
