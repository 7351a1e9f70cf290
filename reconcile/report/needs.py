"""The columns of extracts that the report counts by.

Counted are the records that the rules read, where they say whose they are. Nothing is counted of
adoptions, wills and violations, which the law withholds, nor of whether an entry was registered
again: a small child who was registered again was mostly adopted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Parents of a birth, by what counts say of them.
PARENTS = ("mother", "father")


@dataclass(frozen=True, slots=True)
class RecordMeasures:
    """What is counted of a record.

    ``numbers``: columns that must all hold a citizen ID for the row to have one; none where each
    row has one by its declaration. ``status``: the
    column that says whether the entry is in force; only those are measured. ``has_parents``: it
    names parents. ``kind``: the column that says how it was registered. ``event_date``,
    ``days_allowed``: when it had to be registered. ``legal_basis``: of that. ``other_terms``:
    a column with the value for which that term does not hold.
    """

    numbers: tuple[str, ...]
    status: str | None = None
    has_parents: bool = False
    kind: str | None = None
    event_date: str | None = None
    days_allowed: int | None = None
    legal_basis: str = ""
    other_terms: tuple[str, str] | None = None


#: The day on which an entry was registered.
REGISTRATION_DATE = "registration_date"

#: By database and record. Births within 60 days, deaths within 15 (Law 60/2014/QH13).
MEASURES: Mapping[tuple[str, str], RecordMeasures] = {
    ("population", "identity"): RecordMeasures(()),
    ("civil_status", "births"): RecordMeasures(
        ("citizen_id",),
        status="status",
        has_parents=True,
        kind="registration_kind",
        event_date="birth_date",
        days_allowed=60,
        legal_basis="Luật Hộ tịch 60/2014/QH13, Điều 15 khoản 1",
    ),
    ("civil_status", "deaths"): RecordMeasures(
        ("citizen_id",),
        status="status",
        kind="registration_kind",
        event_date="death_date",
        days_allowed=15,
        legal_basis="Luật Hộ tịch 60/2014/QH13, Điều 33 khoản 1",
        other_terms=("death_kind", "DECLARED_DEAD_BY_COURT"),
    ),
    ("civil_status", "marriages"): RecordMeasures(
        ("husband_citizen_id", "wife_citizen_id"), status="status", kind="registration_kind"
    ),
    ("civil_status", "divorces"): RecordMeasures(("husband_id", "wife_id"), status="status"),
    ("civil_status", "marital_status_confirmations"): RecordMeasures(
        ("citizen_id",), status="status"
    ),
    ("legal_aid", "cases"): RecordMeasures(("beneficiary_id",)),
}

#: Records of which the report says whether they were read, but counts nothing: the law withholds
#: them, or they say who is protected.
WITHHELD = frozenset(
    {
        ("civil_status", "adoptions"),
        ("notary", "wills"),
        ("population", "protection_orders"),
    }
)
#: Databases of which the same holds.
WITHHELD_DATABASES = frozenset({"administrative_violations"})


def is_withheld(database: str, record: str) -> bool:
    """Whether nothing is counted of a record."""
    return database in WITHHELD_DATABASES or (database, record) in WITHHELD


def report_needs() -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the columns that the report needs of extracts, by database and record."""
    needs = {record: _columns(measures) for record, measures in MEASURES.items()}
    return {record: columns for record, columns in needs.items() if columns}


def _columns(measures: RecordMeasures) -> tuple[str, ...]:
    columns = [*measures.numbers]
    columns += [name for name in (measures.status, measures.kind) if name is not None]
    if measures.event_date is not None:
        columns += [measures.event_date, REGISTRATION_DATE]
    if measures.other_terms is not None:
        columns.append(measures.other_terms[0])
    if measures.has_parents:
        columns += [f"{parent}_{part}" for parent in PARENTS for part in ("name", "citizen_id")]
    return tuple(dict.fromkeys(columns))
