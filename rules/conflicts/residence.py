"""An entry says that the person lived in a province on a day, and the population database does not.

Law on Residence 68/2020/QH14 (unverified): where somebody resides is what the population database
says; an entry repeats it. A later or earlier move is no conflict: compared is the permanent
residence of that day, and only if no residence of any kind or time is in the province of the entry,
and all are coded. So a finding is no proof, and neither side prevails. Protected people have the
same substitute address in all records.
"""

from __future__ import annotations

from connectors.description import Text
from rules.expression import (
    ColumnTerm,
    ConstantTerm,
    Form,
    all_of,
    any_of,
    any_row,
    equal,
    is_absent,
    no_row,
    surely_before,
)
from rules.places import codes_differ, place_of
from rules.provinces import PROVINCE_OF_CODE
from rules.rule import Case, ConflictCode, ConflictRule, ConflictSeverity, case, in_force

_residence = any_row("population", "residences")
_death = any_row("civil_status", "deaths")
_confirmation = any_row("civil_status", "marital_status_confirmations")


def _elsewhere(field: str, day: ColumnTerm) -> Case:
    entry, code = day.row, place_of(day.row, field).code
    address, other = _residence["address_province_code"], any_row("population", "residences")
    return case(
        (_residence, ("kind", address.name, "valid_from", "valid_until")),
        (entry, (code.name, day.name)),
        where=all_of(
            in_force(entry),
            equal(_residence["kind"], ConstantTerm("PERMANENT")),
            surely_before(_residence["valid_from"], day),
            any_of(
                is_absent(_residence["valid_until"]),
                surely_before(day, _residence["valid_until"]),
                equal(day, _residence["valid_until"]),
            ),
            codes_differ(address, code),
            no_row(
                other,
                any_of(
                    is_absent(other[address.name]),
                    equal(
                        Form(PROVINCE_OF_CODE, other[address.name]), Form(PROVINCE_OF_CODE, code)
                    ),
                ),
            ),
        ),
    )


RULE = ConflictRule(
    ConflictCode.RESIDENCE,
    ConflictSeverity.LOW,
    (
        _elsewhere("last_residence", _death["death_date"]),
        _elsewhere("residence", _confirmation["issued_on"]),
    ),
    "Luật Cư trú 68/2020/QH14; Luật Hộ tịch 60/2014/QH13, Điều 60 khoản 2",
    Text(
        "Kiểm tra nơi cư trú tại ngày đó với cơ quan đăng ký cư trú trước khi xác định thẩm quyền "
        "theo nơi cư trú.",
        "Verify the residence of that day with the residence register before competence is decided "
        "by it.",
    ),
)
