"""A population in memory, with as many rows per person as the peers' data.

Numbers of rows follow ``shared/peers/gen.sql``: one identity and one birth each, 0 to 2 marriages,
registrations and transactions, 1 or 2 pieces of collateral to a registration, 0 to 3 sanctions, a
case of legal aid and one of enforcement for 35 of 100, a death for one in twelve. The fields of W1
are never null, so that both executors do all of their work. Other columns are empty, except those
that rules depend on (statuses, kinds of events). Values are Python objects (dates, decimals), as
drivers of database servers return them. The same seed generates the same people.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random

from connectors.backends.base import Backend
from connectors.backends.memory import MemoryBackend
from connectors.description import Database
from connectors.registry import installed_databases
from connectors.vocabulary import PROVINCES

PEOPLE, SEED = 2_000, 2026

Raw = dict[str, object]
Rows = dict[str, dict[str, list[Raw]]]

_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Đặng", "Bùi")
_MIDDLE = ("Văn", "Thị", "Hữu", "Minh", "Ngọc", "Đức", "Thanh")
_GIVEN_NAMES = ("An", "Bình", "Chi", "Dũng", "Giang", "Hà", "Hòa", "Lan", "Nam", "Quang", "Trang")
_COMMUNES = ("phường Ba Đình", "phường Bến Thành", "xã Tân Phú", "phường Hải Châu", "xã An Lạc")
_BANKS = ("Vietcombank", "BIDV", "Agribank", "Techcombank", "MB")


@dataclass(slots=True)
class _Person:
    """A person to generate rows for: ``place`` decides how many, ``draw`` their values."""

    place: int
    number: str
    sex: str
    born: date
    draw: Random

    def name(self) -> str:
        return " ".join(self.draw.choice(names) for names in (_FAMILY, _MIDDLE, _GIVEN_NAMES))

    def day(self, first: date, days: int) -> date:
        return first + timedelta(days=self.draw.randrange(days))

    def digits(self, count: int) -> str:
        return f"{self.draw.randrange(10**count):0{count}}"

    def money(self, limit: int) -> Decimal:
        return Decimal(self.draw.randrange(limit)).scaleb(-2)

    def id(self, letter: str, place: int = 0) -> str:
        return f"{letter}{self.place:06}{place}"


def document() -> str:
    """Return W1 as a client sends it, without its comments."""
    lines = Path(__file__).with_name("w1.graphql").read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("#")) + "\n"


def numbers(people: int = PEOPLE, seed: int = SEED) -> list[str]:
    """Return the numbers of all people."""
    return [_person(place, seed).number for place in range(people)]


def rows(people: int = PEOPLE, seed: int = SEED) -> Rows:
    """Return raw rows by database and record; every declared record is there, some are empty."""
    rows_by_record: Rows = {
        database.name: {record.name: [] for record in database.records} for database in databases()
    }
    for place in range(people):
        person = _person(place, seed)
        for database, record, row in (
            *_population(person), *_civil_status(person), *_security_measures(person),
            *_cases(person), *_sanctions(person), *_notary(person),
        ):  # fmt: skip
            rows_by_record[database][record].append(row)
    return rows_by_record


def backends(people: int = PEOPLE, seed: int = SEED) -> dict[str, Backend]:
    """Return all databases in memory. Costs about a quarter of a millisecond a person."""
    rows_by_database = rows(people, seed)
    return {
        database.name: MemoryBackend(database, rows_by_database[database.name])
        for database in databases()
    }


@cache
def databases() -> tuple[Database, ...]:
    """Return the seven databases."""
    return tuple(database for database in installed_databases() if database.records)


def _person(place: int, seed: int) -> _Person:
    """Return somebody whose number agrees with their sex and year of birth."""
    draw = Random(f"{seed}:{place}")
    born = date(1940, 1, 1) + timedelta(days=draw.randrange(24_000))
    sex = draw.choice(("MALE", "FEMALE"))
    digit = (2 if born.year >= 2000 else 0) + (sex == "FEMALE")
    return _Person(place, f"001{digit}{born:%y}{place:06}", sex, born, draw)


def _is_dead(person: _Person) -> bool:
    return person.place % 12 == 0


_GeneratedRows = Iterable[tuple[str, str, Raw]]


def _population(person: _Person) -> _GeneratedRows:
    draw = person.draw
    row: Raw = {
        "citizen_id": person.number,
        "family_name": draw.choice(_FAMILY),
        "given_name": draw.choice(_GIVEN_NAMES),
        "middle_name": draw.choice(_MIDDLE),
        "birth_date": person.born,
        "sex": person.sex,
        "nationality": "VNM",
        "card_issued_at": "Bộ Công an",
        "card_issued_on": person.day(date(2016, 1, 1), 3000),
        "card_expires_on": person.day(date(2026, 1, 1), 3000),
        "residence_file_no": person.digits(9),
        "native_place_province_code": draw.choice(PROVINCES),
        "native_place_commune_code": person.digits(5),
        "native_place_as_recorded": draw.choice(_COMMUNES),
        "native_place_country": "VNM",
        "life_status": "DEAD" if _is_dead(person) else "ALIVE",
        "status": "CURRENT",
    }
    yield "population", "identity", row


def _header(person: _Person, event: str, letter: str, place: int = 0) -> Raw:
    return {
        "event_id": person.id(letter, place),
        "event_type": event,
        "status": "VALID",
        "registration_office_name": f"UBND {person.draw.choice(_COMMUNES)}",
        "registration_date": person.day(date(1980, 1, 1), 15_000),
    }


def _civil_status(person: _Person) -> _GeneratedRows:
    birth: Raw = {
        **_header(person, "BIRTH", "B"),
        "citizen_id": person.number,
        "register_no": f"{person.draw.randrange(900)}/{person.born.year}",
        "birth_place_as_recorded": person.draw.choice(_COMMUNES),
        "mother_name": person.name(),
        "father_name": person.name(),
        "birth_date": person.born,
        "birth_certificate_no": f"KS{person.digits(8)}",
        "book_no": f"{person.draw.randrange(90)}/{person.born.year}",
    }
    yield "civil_status", "births", birth
    for place in range(person.place * 7919 // 5 % 3):
        yield "civil_status", "marriages", _marriage(person, place)
    if _is_dead(person):
        yield "civil_status", "deaths", _death(person)


def _marriage(person: _Person, place: int) -> Raw:
    """A spouse is nobody among the people, who would have the marriage too."""
    return {
        **_header(person, "MARRIAGE", "M", place),
        "husband_citizen_id": person.number,
        "wife_citizen_id": f"079{person.digits(9)}",
        "wife_name": person.name(),
        "ended_on": person.day(date(2021, 1, 1), 1500),
        "certificate_no": f"KH{person.digits(8)}",
    }


def _death(person: _Person) -> Raw:
    return {
        **_header(person, "DEATH", "D"),
        "citizen_id": person.number,
        "register_no": f"{person.draw.randrange(900)}/2024",
        "death_date": person.day(date(2010, 1, 1), 5000),
        "death_place_as_recorded": person.draw.choice(_COMMUNES),
        "death_cause": person.draw.choice(("bệnh", "tai nạn", "tuổi già")),
        "extract_no": f"KT{person.digits(8)}",
    }


def _security_measures(person: _Person) -> _GeneratedRows:
    draw = person.draw
    for place in range(person.place * 104_729 // 7 % 3):
        number = person.id("S", place)
        row: Raw = {
            "registration_no": number,
            "registered_on": person.day(date(2015, 1, 1), 4000),
            "end_time": datetime.combine(
                person.day(date(2026, 1, 1), 3000), datetime.min.time(), UTC
            ),
            "requester_name": draw.choice(_BANKS),
            "obligation": f"{person.money(10**9)} đồng",
            "measure_type": draw.choice(("MORTGAGE", "PLEDGE", "DEPOSIT")),
            "status": draw.choice(("EFFECTIVE", "DELETED", "CANCELLED")),
            "secured_contract_number": f"HD{person.digits(8)}",
        }
        party: Raw = {
            "entry_id": number,
            "registration_no": number,
            "role": "SECURING",
            "party_citizen_id": person.number,
        }
        yield "security_measures", "registrations", row
        yield "security_measures", "security_parties", party
        for piece in range(1 + (person.place + place) % 2):
            yield "security_measures", "collateral", _collateral(person, number, piece)


def _collateral(person: _Person, registration: str, place: int) -> Raw:
    return {
        "collateral_id": f"{registration}-{place}",
        "registration_no": registration,
        "collateral_type": person.draw.choice(("MOTOR_VEHICLE", "INVENTORY", "MACHINERY")),
        "description": person.draw.choice(("Toyota Vios 2018", "Máy tiện CNC", "Lô hàng gạo")),
        "inventory_value": person.money(10**9),
        "goods_kind": person.draw.choice(("xe", "máy", "gạo")),
        "chassis_no": f"SK{person.digits(9)}",
        "warehouse_as_recorded": person.draw.choice(_COMMUNES),
        "basis_contract_effective_on": person.day(date(2015, 1, 1), 4000),
    }


def _cases(person: _Person) -> _GeneratedRows:
    if person.draw.random() < 0.35:
        yield "legal_aid", "cases", _aid_case(person)
    if person.draw.random() < 0.35:
        number = person.id("T")
        party: Raw = {
            "entry_id": number,
            "decision_no": number,
            "role": "DEBTOR",
            "party_citizen_id": person.number,
        }
        yield "civil_enforcement", "cases", _enforcement_case(person, number)
        yield "civil_enforcement", "enforcement_parties", party


def _aid_case(person: _Person) -> Raw:
    return {
        "case_no": f"TG-{person.place:07}",
        "beneficiary_id": person.number,
        "request_date": person.day(date(2018, 1, 1), 3000),
        "accepted_date": person.day(date(2018, 6, 1), 3000),
        "beneficiary_category": person.draw.choice(("POOR_HOUSEHOLD", "ELDERLY", "DISABLED")),
        "assigned_person_id": f"TGV{person.digits(5)}",
        "court_case_no": f"{person.draw.randrange(900)}/2024/TLST",
        "status": person.draw.choice(("IN_PROGRESS", "COMPLETED", "DISCONTINUED")),
        "field_of_law": person.draw.choice(("CIVIL", "CRIMINAL", "LABOUR")),
        "centre_id": f"TT{person.digits(2)}",
    }


def _enforcement_case(person: _Person, number: str) -> Raw:
    return {
        "decision_no": number,
        "decision_date": person.day(date(2018, 1, 1), 3000),
        "status_since": person.day(date(2020, 1, 1), 2000),
        "issuer_name": person.name(),
        "entrusted_to": f"THADS khu vực {person.digits(2)}",
        "pay_account": person.digits(12),
        "voluntary_deadline": person.day(date(2020, 1, 1), 2000),
        "status": person.draw.choice(("ENFORCING", "POSTPONED", "COMPLETED")),
        "agency_id": f"THA{person.digits(3)}",
        "judgment_no": f"{person.draw.randrange(900)}/2023/DS-ST",
    }


def _sanctions(person: _Person) -> _GeneratedRows:
    draw = person.draw
    for place in range(person.place * 31 // 5 % 4):
        row: Raw = {
            "decision_no": f"{person.place:06}{place}/QĐ-XPHC",
            "decision_date": person.day(date(2018, 1, 1), 3000),
            "violator_citizen_id": person.number,
            "record_no": f"BB-{person.digits(8)}",
            "sector": draw.choice(("giao thông", "đất đai", "môi trường")),
            "fine_amount": person.money(10**7),
            "execution_deadline": person.day(date(2020, 1, 1), 2000),
            "status": draw.choice(("ISSUED", "EXECUTED", "APPEALED")),
            "issuer_agency": draw.choice(("Công an thành phố", "Cảnh sát giao thông")),
            "violator_residence_as_recorded": draw.choice(_COMMUNES),
        }
        yield "administrative_violations", "sanctions", row


def _notary(person: _Person) -> _GeneratedRows:
    draw = person.draw
    for place in range(person.place * 15_485_863 // 11 % 3):
        number = person.id("C", place)
        row: Raw = {
            "notarial_no": number,
            "notarised_on": person.day(date(2010, 1, 1), 5000),
            "kind": draw.choice(("SALE", "DONATION", "LEASE", "AUTHORISATION")),
            "notary_id": f"CCV{person.digits(5)}",
            "organisation_id": f"VP{person.digits(4)}",
            "requester_name": person.name(),
            "fee": person.money(10**8),
            "form": draw.choice(("PAPER", "E_DIRECT", "E_ONLINE")),
            "file_location": f"Kho {draw.randrange(40)}",
            "status": draw.choice(("VALID", "AMENDED", "CANCELLED")),
        }
        party: Raw = {
            "entry_id": number,
            "notarial_no": number,
            "role": "TRANSFEROR",
            "party_citizen_id": person.number,
        }
        yield "notary", "transactions", row
        yield "notary", "transaction_parties", party
