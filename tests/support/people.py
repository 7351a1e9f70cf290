"""A small set of fixed people, in memory."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.backends.base import Backend
from connectors.backends.memory import MemoryBackend
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION

#: A married man whose old identity card number is OLD_NUMBER.
HOA = "001090012345"
OLD_NUMBER = "123456789"
#: His wife.
LAN = "001191054321"
#: A dead man.
DEAD = "001050000001"
#: A number that two people hold.
SHARED_NUMBER = "987654321"
FIRST_HOLDER, SECOND_HOLDER = "001080000001", "001080000002"
#: A valid number that no database knows.
NOBODY = "001099999999"

Rows = dict[str, list[dict[str, object]]]

_IDENTITIES: list[dict[str, object]] = [
    {
        "citizen_id": HOA,
        "full_name": "Nguyễn Văn Hòa",
        "sex": "MALE",
        "birth_date": "1990-02-03",
        "life_status": "ALIVE",
        "ethnicity": "Kinh",
        "residence_file_no": "HK1",
        "other": "chỉ cơ quan quản lý",
        "status": "CURRENT",
    },
    {
        "citizen_id": LAN,
        "full_name": "Trần Thị Lan",
        "sex": "FEMALE",
        "birth_date": "1991",
        "life_status": "ALIVE",
        "status": "UNDER_CORRECTION",
    },
    {
        "citizen_id": DEAD,
        "full_name": "Lê Văn Tư",
        "sex": "MALE",
        "birth_date": "1950",
        "life_status": "DEAD",
        "death_or_missing_date": "2020-05-06",
        "status": "CURRENT",
    },
    {
        "citizen_id": FIRST_HOLDER,
        "sex": "MALE",
        "birth_date": "1980",
        "life_status": "ALIVE",
        "status": "CURRENT",
    },
    {
        "citizen_id": SECOND_HOLDER,
        "sex": "MALE",
        "birth_date": "1980",
        "life_status": "ALIVE",
        "status": "CURRENT",
    },
]


def population_rows() -> Rows:
    """Return the population's raw rows; every call makes new ones."""
    return {
        "identity": [dict(row) for row in _IDENTITIES],
        "earlier_numbers": [
            {"entry_id": "e1", "number": OLD_NUMBER, "citizen_id": HOA},
            {"entry_id": "e2", "number": SHARED_NUMBER, "citizen_id": FIRST_HOLDER},
            {"entry_id": "e3", "number": SHARED_NUMBER, "citizen_id": SECOND_HOLDER},
        ],
        "residences": [],
        "family": [],
        "household_members": [
            {"entry_id": "h1", "residence_file_no": "HK1", "name": "Trần Thị Lan", "member_id": LAN}
        ],
    }


def civil_status_rows() -> Rows:
    """Return civil status's raw rows: marriages, one under the old number, and an adoption."""
    rows: Rows = {record.name: [] for record in CIVIL_STATUS.records}
    rows["marriages"] = [
        {
            "event_id": "M1",
            "husband_citizen_id": HOA,
            "wife_citizen_id": LAN,
            "husband_ethnicity": "Kinh",
            "registration_date": "2015-01-01",
            "status": "VALID",
        },
        {
            "event_id": "M0",
            "husband_citizen_id": OLD_NUMBER,
            "registration_date": "2010-01-01",
            "status": "REVOKED",
        },
    ]
    rows["court_notes"] = [
        {"event_id": "N1", "citizen_id": HOA, "event_type": "ADOPTION"},
        {"event_id": "N2", "citizen_id": HOA, "event_type": "DECLARED_MISSING"},
    ]
    rows["adoptions"] = [{"event_id": "A1", "child_id": HOA, "adopter_father_id": DEAD}]
    return rows


def backends(
    population: Mapping[str, list[dict[str, object]]] | None = None,
    civil_status: Mapping[str, list[dict[str, object]]] | None = None,
) -> dict[str, Backend]:
    """Return both databases in memory, with given rows in place of the cast's."""
    return {
        "population": MemoryBackend(POPULATION, {**population_rows(), **(population or {})}),
        "civil_status": MemoryBackend(
            CIVIL_STATUS, {**civil_status_rows(), **(civil_status or {})}
        ),
    }
