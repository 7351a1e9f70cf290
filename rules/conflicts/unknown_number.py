"""A citizen ID that nobody holds in the population database: not now, and not before.

Law on Identification 26/2023/QH15 Art. 12: numbers are given by the population database alone. A
number is about nobody, so the rule is one of whole databases: its "person" is the number. Malformed
numbers are among these; those with the wrong count of digits are unreadable, and no rows. Numbers
of old identity cards are none: the population database does not know all of them. Adoptions, their
notes and wills are left out, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.description import Database, Kind, Lookup, Record, Text
from rules.expression import (
    DATABASES,
    ListRead,
    RowVariable,
    all_of,
    any_row,
    is_among,
    is_present,
    no_row,
)
from rules.rule import Case, ConflictCode, ConflictRule, ConflictSeverity, case, in_force

_LEFT_OUT = frozenset({("civil_status", "adoptions"), ("civil_status", "court_notes")})
_LEFT_OUT_TOO = frozenset({("notary", "wills"), ("population", "protection_orders")})
_identity = any_row("population", "identity")
_number = any_row("population", "earlier_numbers")


def _is_by_number(database: Database, record: Record, lookup: Lookup) -> bool:
    """Whether the list is of people, by their numbers."""
    if lookup.on or lookup.entry or lookup.organisation or lookup.hidden:
        return False
    holder = record if lookup.through is None else database.by_name[lookup.through[0]]
    kinds = {holder.column(name).field.kind for name in lookup.by}
    return Kind.PERSON_NUMBER in kinds


def _rows() -> Iterator[RowVariable]:
    for database in DATABASES.values():
        for record in database.records:
            key = database.name, record.name
            if database.name == "population" or key in _LEFT_OUT | _LEFT_OUT_TOO:
                continue
            for lookup in record.lookups:
                if _is_by_number(database, record, lookup):
                    yield RowVariable(ListRead(database.name, lookup.name), record)


def _unknown(row: RowVariable) -> Case:
    where = all_of(
        no_row(_identity, is_present(_identity["citizen_id"])),
        no_row(_number, is_present(_number["number"])),
    )
    if row.record.database == "civil_status":
        where = all_of(in_force(row), where)
    elif row.record.name == "transactions":
        where = all_of(is_among(row["kind"], *_kinds_of_transactions(row)), where)
    return case((row, () if row.record.date is None else (row.record.date,)), where=where)


def _kinds_of_transactions(row: RowVariable) -> list[str]:
    """Return all kinds but wills."""
    kinds = row.record.column("kind").field.enumeration
    assert kinds is not None
    return [code for code in kinds.__members__ if code != "WILL"]


RULE = ConflictRule(
    ConflictCode.UNKNOWN_NUMBER,
    ConflictSeverity.HIGH,
    tuple(map(_unknown, _rows())),
    "Luật Căn cước 26/2023/QH15, Điều 12; Nghị định 70/2024/NĐ-CP",
    Text(
        "Đối chiếu bản giấy và đề nghị cơ quan đã lập hồ sơ sửa số định danh; nếu số đúng thì đề "
        "nghị Công an kiểm tra cơ sở dữ liệu dân cư.",
        "Compare the paper, and have the office that made the entry correct the number; if it is "
        "right, have the police look into the population database.",
    ),
    is_of_numbers=True,
)
