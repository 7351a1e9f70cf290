"""Debts that courts judged and that are enforced: cases, measures on what debtors own, results.

Law 106/2025/QH15 and Decree 152/2026/NĐ-CP; ``domain.md`` 2.4. The platform was switched on on 12
December 2025 and took over the cases decided since 2019 (assumption). ``domain.md`` section 5: 1.06
million open cases, mostly fines and court fees; which share of adults that makes debtors, and all
other rates here, are assumptions of this project.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from connectors.synthetic import organisations
from connectors.synthetic.assets import money
from connectors.synthetic.draw import (
    Weighted,
    add_years,
    age_on,
    between,
    birthday,
    later,
    pick,
    workday,
)
from connectors.synthetic.measures import accrue, seize
from connectors.synthetic.model import Citizen, Union
from connectors.synthetic.organisations import Organisation
from connectors.synthetic.property_model import DebtCase, Estate, Obligation, Owner, able
from connectors.synthetic.securities import company_of

#: Cases decided before this day are not on the platform (assumption).
ENFORCEMENT_SINCE = date(2019, 1, 2)
#: Days after the decision in which debtors may pay of their own accord (``domain.md`` 2.4).
VOLUNTARY_DAYS = 10
_DEBTOR_RATE, _MAINTENANCE_RATE = 0.085, 0.3
_KINDS = Weighted(
    [("PENALTY", 0.42), ("BANK", 0.3), ("PERSON", 0.15), ("SUPPLIER", 0.08), ("COMPANY", 0.05)]
)
_OUTCOMES = Weighted(
    [
        ("COMPLETED", 0.45), ("ENFORCING", 0.20), ("NO_CONDITIONS", 0.22), ("POSTPONED", 0.03),
        ("TEMPORARILY_SUSPENDED", 0.02), ("DISCONTINUED", 0.03), ("RETURNED", 0.02),
        ("ENTRUSTED", 0.01), ("ENDED", 0.02),
    ]
)  # fmt: skip
CLOSED = frozenset({"COMPLETED", "DISCONTINUED", "RETURNED", "ENTRUSTED", "ENDED"})
_LETTERS = {
    "CRIMINAL_CIVIL_PART": "HS-ST", "CIVIL": "DS-ST", "BUSINESS": "KDTM-ST",
    "MARRIAGE_FAMILY": "HNGĐ-ST",
}  # fmt: skip


def plan_debts(estate: Estate, person: Citizen) -> None:
    """Draw whether and when a debt of somebody is enforced."""
    rng = estate.rng
    start = max(ENFORCEMENT_SINCE, add_years(person.born, 21.5))
    days = (min(person.gone, estate.today) - start).days
    whole = (estate.today - ENFORCEMENT_SINCE).days
    if days > 30 and rng.random() < _DEBTOR_RATE * days / whole and age_on(person.born, start) < 76:
        day = later(rng, start, 0, days - 5)
        estate.push(day, _decide, person, _KINDS.draw(rng))
        if rng.random() < 0.1:
            estate.push(later(rng, day, 60, 900), _decide, person, "PENALTY")


def plan_maintenance(estate: Estate) -> None:
    """Let some divorced fathers owe maintenance for their children (Law 52/2014 Art. 82)."""
    for union in estate.family.unions:
        if union.reason == "DIVORCE" and union.end is not None and union.end > ENFORCEMENT_SINCE:
            until = union.end + timedelta(days=900)
            young = any(
                child.alive_on(until) and age_on(child.born, union.end) < 14
                for child in union.children
            )
            if young and estate.rng.random() < _MAINTENANCE_RATE:
                day = later(estate.rng, union.end, 120, 600)
                estate.push(day, _decide, union.husband, "MAINTENANCE", union)


def _decide(
    estate: Estate, day: date, person: Citizen, why: str, union: Union | None = None
) -> None:
    """Make the decision to enforce a judgment against somebody, or against their company."""
    rng, day = estate.rng, workday(day)
    requested = None if why == "PENALTY" else workday(later(rng, day, -12, -5))
    effective = later(rng, requested or day, -400 if requested else -20, -8)
    issued = workday(later(rng, effective, -60, -32))
    if day >= min(person.gone, estate.today) or birthday(person.born, 18) > issued:
        return
    if why == "MAINTENANCE" and union is not None and union.end is not None:
        issued, effective = later(rng, union.end, -40, -32), union.end
    parties = _parties(estate, person, why, union, day, issued)
    if parties is None:
        return
    debtors, creditor, related = parties
    kind = _judgment_kind(why, rng)
    serial = estate.serial("case", 60)
    agency = organisations.enforcement_agency(person.home_on(day).province.new_code)
    case = DebtCase(
        f"{serial}/QĐ-{agency.organisation_id}", f"{serial}/{issued.year}/{_LETTERS[kind]}",
        kind, issued, effective, requested, day, day + timedelta(days=VOLUNTARY_DAYS + 4),
        agency, debtors, creditor, related, _owed(rng, why), "IN_VOLUNTARY_PERIOD", day, None,
    )  # fmt: skip
    estate.cases.append(case)
    _run(estate, case, why)


def _judgment_kind(why: str, rng: Random) -> str:
    if why == "PENALTY":
        return "CRIMINAL_CIVIL_PART"
    if why == "MAINTENANCE":
        return "MARRIAGE_FAMILY"
    return "BUSINESS" if why in ("SUPPLIER", "COMPANY") or rng.random() < 0.2 else "CIVIL"


def _parties(
    estate: Estate, person: Citizen, why: str, union: Union | None, day: date, issued: date
) -> tuple[list[Owner], Owner | None, list[Citizen]] | None:
    """Return debtors, creditor (None: the State) and related people; None if they do not fit."""
    rng, debtors = estate.rng, list[Owner]([person])
    creditor: Owner | None = None
    related: list[Citizen] = []
    spouse = person.union_on(day)
    other = spouse.spouse(person) if spouse is not None and spouse.start < issued else None
    if why == "BANK":
        creditor = _lender(estate, person, day) or organisations.bank(rng)
    elif why == "SUPPLIER":
        creditor = organisations.company(rng)
    elif why == "MAINTENANCE":
        assert union is not None
        creditor = union.wife
        return (debtors, creditor, []) if able(union.wife, day) else None
    elif why == "PERSON":
        people = [
            relative
            for relative in (pick(rng, estate.family.people) for _ in range(8))
            if able(relative, day)
            and birthday(relative.born, 18) <= issued
            and relative not in (person, other)
        ]
        if not people:
            return None
        creditor = people[0]
    elif why == "COMPANY":
        company = company_of(estate, person)
        if company is None:
            return None
        debtors, creditor = [company], organisations.bank(rng)
        return debtors, creditor, [person]
    if other is not None and able(other, day) and why in ("BANK", "PERSON"):
        chance = rng.random()
        if chance < 0.2:
            debtors.append(other)
        elif chance < 0.6:
            related.append(other)
    return debtors, creditor, related


def _lender(estate: Estate, person: Citizen, day: date) -> Owner | None:
    """Return a bank to which something of somebody is mortgaged."""
    for asset in estate.assets:
        if person in asset.owners():
            banks: list[Owner] = [
                creditor for start, end, creditor in asset.mortgages if start < day < end
            ]
            banks += [
                registration.secured
                for registration in asset.securities
                if registration.stands_on(day)
            ]
            for bank in banks:
                if isinstance(bank, Organisation):
                    return bank
    return None


def _owed(rng: Random, why: str) -> list[Obligation]:
    """Return what is owed, nothing paid yet."""
    if why == "PENALTY":
        owed = [Obligation("COURT_FEE", Decimal(between(rng, 2, 60)) * 100_000, Decimal(0))]
        chance = rng.random()
        if chance < 0.7:
            kind = "FINE" if chance < 0.45 else "CONFISCATION" if chance < 0.55 else "PAY_MONEY"
            owed.append(Obligation(kind, money(rng, 3, 90), Decimal(0)))
        return owed
    if why == "MAINTENANCE":
        month = Decimal(between(rng, 10, 40)) * 100_000
        return [Obligation("MAINTENANCE", month * between(rng, 24, 120), Decimal(0), True)]
    low, high = {"BANK": (80, 2_500), "COMPANY": (300, 9_000)}.get(why, (20, 900))
    owed = [Obligation("PAY_MONEY", money(rng, low, high), Decimal(0))]
    if rng.random() < 0.5:
        fee = (owed[0].amount / 20).quantize(Decimal(1000))
        owed.append(Obligation("COURT_FEE", fee, Decimal(0)))
    return owed


def _run(estate: Estate, case: DebtCase, why: str) -> None:
    """Draw the course of a case: today's status, payments, seizures."""
    rng, today = estate.rng, estate.today
    outcome = "ENFORCING" if why == "MAINTENANCE" else _OUTCOMES.draw(rng)
    if outcome == "NO_CONDITIONS" and not _ruin(estate, case):
        outcome = "ENFORCING"
    day = workday(later(rng, case.deadline, 10, 160 if why == "PENALTY" else 1100))
    debtor = case.last or case.related[0]
    if case.deadline < today:
        case.status, case.since = "ENFORCING", case.deadline + timedelta(days=1)
    if day < min(today, debtor.gone):
        case.status, case.since = outcome, case.since if outcome == "ENFORCING" else day
    elif debtor.gone < today and debtor.died is None:
        _stop(case, "TEMPORARILY_SUSPENDED", workday(later(rng, debtor.gone, 60, 200)), today)
    dead = case.last is not None and debtor.died == debtor.gone
    if dead and debtor.gone < today and case.status not in CLOSED:
        _stop(case, "DISCONTINUED", workday(later(rng, debtor.gone, 12, 60)), today)
    case.closed = case.since if case.status in CLOSED else None
    accrue(estate, case)
    if case.status == "NO_CONDITIONS" and case.last is not None:
        shown = workday(later(rng, case.since, 2, 8))
        case.notice = (shown, None) if shown < today else None
        return
    if case.status == "COMPLETED" and case.last is not None and rng.random() < 0.12:
        shown = workday(later(rng, case.deadline, 8, 40))
        if shown < case.since - timedelta(days=5):
            case.notice = shown, workday(case.since)
            return
    end = min(case.closed or today, debtor.gone, today)
    room = (end - case.deadline).days
    rate = 0.25 if why == "PENALTY" else 0.8
    if room > 8 and rng.random() < rate and case.status != "IN_VOLUNTARY_PERIOD":
        applied = case.deadline + timedelta(days=between(rng, 3, min(room - 3, 200)))
        estate.push(applied, seize, case, debtor)


def _ruin(estate: Estate, case: DebtCase) -> bool:
    """Mark debtors who own nothing as poor for good; False if they own something."""
    people = [debtor for debtor in case.debtors if isinstance(debtor, Citizen)]
    if not people or any(person in asset.owners() for person in people for asset in estate.assets):
        return False
    for debtor in people:
        estate.poor.add(debtor.index)
        estate.backfilled |= {(debtor.index, False), (debtor.index, True)}
    return True


def _stop(case: DebtCase, status: str, day: date, today: date) -> None:
    if day < today:
        case.status, case.since = status, day
