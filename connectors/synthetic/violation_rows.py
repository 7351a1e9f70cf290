"""Rows of the administrative violations database (``domain.md`` 2.5; Decree 20/2016/NĐ-CP)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from connectors.synthetic import names
from connectors.synthetic.book import Rows
from connectors.synthetic.dealings import Handling, Sanction
from connectors.synthetic.draw import age_on, between, later, pick, stream, workday
from connectors.synthetic.model import Citizen, Family
from connectors.synthetic.offences import Offence
from connectors.synthetic.organisations import Organisation, company_of_owner
from connectors.synthetic.places import Columns, Home, place
from connectors.synthetic.violations import (
    SINCE,
    Violation,
    first_day,
    months_later,
    violate,
)

_PERSON_RATE, _AGAIN_RATE, _COMPANY_RATE, _HANDLED_RATE = 0.085, 0.25, 0.06, 0.0025
_TITLES = {
    "Phòng Cảnh sát giao thông": "Trưởng phòng",
    "commune": "Chủ tịch Ủy ban nhân dân",
    "Công an": "Trưởng Công an",
    "Chi cục Quản lý thị trường": "Chi cục trưởng",
    "Thuế cơ sở": "Trưởng Thuế cơ sở",
}
_MITIGATING = ("thành thật hối lỗi", "đã tự nguyện khắc phục hậu quả", "vi phạm lần đầu")
#: Ordinal of the company that a cluster may have here (``organisations.OWN_COMPANIES``).
_ORDINAL = 5


@dataclass(slots=True)
class _Desk:
    """The rows of one cluster while they are written."""

    family: Family
    rng: Random
    rows: Rows
    count: int = 0

    def add(self, record: str, row: Columns) -> None:
        self.rows.setdefault(("administrative_violations", record), []).append(row)

    def number(self) -> str:
        self.count += 1
        return f"{self.family.index:05d}{self.count:02d}"


def add(family: Family, rows: Rows) -> None:
    """Write the rows of the administrative violations database for a cluster."""
    desk = _Desk(family, stream(family.options.seed, family.index, "violations"), rows)
    rng, today = desk.rng, family.options.today
    for person in family.people:
        chance, day = rng.random(), first_day(person)
        again = chance < _PERSON_RATE
        while again and day < min(person.gone, today):
            violation = violate(rng, day, person.gone, today, person)
            again = violation is not None and rng.random() < _AGAIN_RATE
            if violation is not None:
                _decide(desk, violation, person, person.home_on(violation.on))
                until = violation.counts_until
                again, day = again and until is not None, (until or today) + timedelta(days=2)
        if 0.5 < chance < 0.5 + _HANDLED_RATE and age_on(person.born, today) >= 18:
            _handle(desk, person)
    if rng.random() < _COMPANY_RATE:
        _fine_company(desk)


def _fine_company(desk: _Desk) -> None:
    """Sanction a company that somebody of the cluster represents."""
    today = desk.family.options.today
    owners = [
        person
        for person in desk.family.people
        if person.alive_on(today) and age_on(person.born, today) >= 30 and person.protection is None
    ]
    violation = violate(desk.rng, SINCE, today, today, None)
    if owners and violation is not None:
        owner = pick(desk.rng, owners)
        company = company_of_owner(
            desk.family.index, _ORDINAL, owner.home, owner.name.full, number=owner.number
        )
        _decide(desk, violation, company, owner.home)


def _decide(
    desk: _Desk, violation: Violation, violator: Citizen | Organisation, home: Home
) -> None:
    """Write the record, the decision, its acts and its execution; keep it for the truth."""
    number, offence, rng = desk.number(), violation.offence, desk.rng
    decision_no = f"{number}/{violation.decided.year}/QĐ-XPHC"
    record_no = None if violation.on_spot else f"{number}/{violation.on.year}/BB-VPHC"
    agency = _agency(offence, home)
    if isinstance(violator, Citizen):
        party = _person(desk, violator, violation.decided, record_no, decision_no)
    else:
        party = violator.party("violator")
    if record_no is not None:
        desk.add("records", _record(rng, violation, party, record_no, agency, home))
    row: Columns = {
        "decision_no": decision_no,
        "decision_date": violation.decided,
        "issuer_agency": agency,
        "issuer_title": f"{_TITLES[offence.agency]}",
        **party,
        "sector": offence.sector,
        "main_sanction": "WARNING" if violation.fine is None else "FINE",
        "execution_deadline": later(rng, violation.decided, 10, 10),
        "procedure": "ON_SPOT" if violation.on_spot else "WITH_RECORD",
        "status": violation.status,
    }
    if isinstance(violator, Citizen):
        row["violator_sex"] = violator.sex
        violator.sanctions.append(_truth(violation, decision_no, desk.family.options.today))
    else:
        row["violator_licence_no"] = violator.enterprise_code
    if record_no is not None:
        row["record_no"] = record_no
    desk.add("sanctions", row | _severity(rng, violation))
    act: Columns = {
        "entry_id": f"{decision_no}-1",
        "decision_no": decision_no,
        "legal_ref": offence.legal_ref,
        "description": offence.description,
    }
    desk.add("acts", act)
    _execution(desk, violation, decision_no)


def _severity(rng: Random, violation: Violation) -> Columns:
    """Return the fine and what comes with it; a warning stands alone."""
    row: Columns = {}
    if violation.fine is not None:
        row["fine_amount"] = Decimal(violation.fine)
        if violation.offence.additional:
            row["additional_sanctions"] = violation.offence.additional
        if violation.offence.remedial:
            row["remedial_measures"] = violation.offence.remedial
    if rng.random() < 0.4:
        row["mitigating"] = (pick(rng, _MITIGATING),)
    elif rng.random() < 0.05:
        row["aggravating"] = ("OTHER",)
    return row


def _record(
    rng: Random, violation: Violation, party: Columns, record_no: str, agency: str, home: Home
) -> Columns:
    offence = violation.offence
    row: Columns = {
        "record_no": record_no,
        "made_on": violation.on,
        "maker_agency": agency,
        "maker": _officer(rng, home),
        **party,
        "act_code": offence.legal_ref,
        "sector": offence.sector,
        "description": offence.description,
        "evidence": ("biên bản ghi lời khai",) if rng.random() < 0.3 else ("hình ảnh vi phạm",),
        "explanation_right": (violation.fine or 0) >= 15_000_000,
        "status": "DECIDED",
    }
    if offence.seized is not None:
        row["seized_items"] = (offence.seized,)
    return row | place("place", home, violation.on)


def _officer(rng: Random, home: Home) -> str:
    surname = names.family_name(rng, "Kinh", home.province.southern)
    return names.name(rng, surname, "MALE" if rng.random() < 0.8 else "FEMALE", 1985).full


def _agency(offence: Offence, home: Home) -> str:
    """Return the office that sanctions: of the commune, or of the province."""
    name = home.province.new_name
    province = f"{name[0].lower()}{name[1:]}"
    if offence.agency == "commune":
        return home.office
    if offence.agency == "Công an":
        return f"Công an {home.commune}"
    if offence.agency == "Phòng Cảnh sát giao thông":
        return f"{offence.agency} Công an {province}"
    return f"{offence.agency} {province}"


def _person(
    desk: _Desk, person: Citizen, day: date, record_no: str | None, decision_no: str
) -> Columns:
    """Return the columns of a violator, as known on ``day``; some under an earlier number."""
    number = person.number
    shared = any(kind == "SHARED_NUMBER" for kind, _ in person.conflicts)
    rate = desk.family.options.earlier_number_rate
    if (
        person.earlier
        and not shared
        and day < person.earlier[-1].until
        and desk.rng.random() < rate
    ):
        number = person.earlier[-1].number
        person.filed.append(("sanctions", decision_no, number))
        if record_no is not None:
            person.filed.append(("records", record_no, number))
    row: Columns = {
        "violator_kind": "INDIVIDUAL",
        "violator_name": person.name_on(day).full,
        "violator_citizen_id": number,
        "violator_birth_date": person.born,
        "violator_nationality": "VN",
    }
    old = next((earlier for earlier in person.earlier if earlier.kind == "IDENTITY_CARD_9"), None)
    card = old is not None and day < old.until
    row["violator_id_document_kind"] = "IDENTITY_CARD_9" if card else "CITIZEN_CARD"
    row["violator_id_document_number"] = old.number if card and old else person.number
    return row | place("violator_residence", person.home_on(day), day, street=True)


def _execution(desk: _Desk, violation: Violation, decision_no: str) -> None:
    for number, step in enumerate(violation.steps, start=1):
        row: Columns = {"execution_id": f"{decision_no}-T{number}", "decision_no": decision_no}
        if step.kind is not None:
            row["kind"] = step.kind
        if step.amount is not None:
            row["amount_paid"] = Decimal(step.amount)
            row["receipt_no"] = f"{between(desk.rng, 1, 9_999_999):07d}"
        days = (("executed_on", step.on), ("completed_on", step.completed))
        row |= {name: day for name, day in (*days, ("expired_on", step.expired)) if day is not None}
        desk.add("executions", row)


def _truth(violation: Violation, decision_no: str, today: date) -> Sanction:
    until = violation.counts_until
    return Sanction(
        decision_no,
        "WARNING" if violation.fine is None else "FINE",
        violation.decided,
        violation.completed,
        violation.lapsed,
        until,
        until is not None and until < today,
    )


def _handle(desk: _Desk, person: Citizen) -> None:
    """Decide an administrative measure for an adult (Law 15/2012 Art. 89-96); counts two years."""
    rng, today = desk.rng, desk.family.options.today
    court = rng.random() < 0.7
    months = 12 if court else 6
    start = workday(later(rng, today, -2000, -30))
    until = months_later(start, months)
    if age_on(person.born, start) < 18 or person.gone <= min(until, today):
        return
    completed, number = until < today, desk.number()
    decision_no = f"{number}/{start.year}/QĐ-{'TA' if court else 'XLHC'}"
    measure = "COMPULSORY_REHAB" if court else "COMMUNE_EDUCATION"
    home = person.home_on(start)
    row: Columns = {
        "decision_no": decision_no,
        "citizen_id": person.number,
        "measure": measure,
        "authority": f"Tòa án nhân dân, {home.province.title}" if court else home.office,
        "valid_from": start,
        "valid_until": until,
        "status": "COMPLETED" if completed else "IN_FORCE",
    }
    if completed:
        row["completed_on"] = until
    desk.add("handling_decisions", row)
    over = completed and months_later(until, 24) < today
    person.handled.append(Handling(decision_no, measure, start, until if completed else None, over))
