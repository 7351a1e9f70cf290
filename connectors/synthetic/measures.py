"""What an enforcement agency does in a case: payments taken, assets seized, exits postponed.

Decree 152/2026/NĐ-CP Art. 111: registries, notaries among them, suspend transactions of what is
seized; Art. 45 with Law 106/2025 Art. 70: postponement of exit.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from connectors.synthetic import organisations
from connectors.synthetic.assets import owned
from connectors.synthetic.draw import between, later, pick, workday
from connectors.synthetic.model import Citizen
from connectors.synthetic.organisations import Organisation
from connectors.synthetic.property_model import (
    Asset,
    Block,
    DebtCase,
    Estate,
    Measure,
    Registration,
)
from connectors.synthetic.securities import SECURITIES_SINCE, register_securities, release

_EXIT_RATE, _EXIT_FROM = 0.12, Decimal(100_000_000)
_PARTLY = ("ENFORCING", "POSTPONED", "TEMPORARILY_SUSPENDED", "DISCONTINUED", "ENDED", "RETURNED")


def accrue(estate: Estate, case: DebtCase) -> None:
    """Let be paid what goes with the status; a completed case has nothing left."""
    rng = estate.rng
    for owed in case.obligations:
        if case.status == "COMPLETED":
            owed.paid = owed.amount
        elif case.status in _PARTLY and rng.random() < 0.6:
            share = Decimal(between(rng, 2, 80)) / 100
            owed.paid = (owed.amount * share).quantize(Decimal(1000))
        elif case.status == "NO_CONDITIONS" and rng.random() < 0.3:
            owed.paid = (owed.amount / between(rng, 12, 40)).quantize(Decimal(1000))
    debtor = case.last or case.related[0]
    large = sum(obligation.amount for obligation in case.obligations) >= _EXIT_FROM
    if large and case.deadline < estate.today and rng.random() < _EXIT_RATE:
        start = workday(later(rng, case.deadline, 5, 90))
        end = case.closed if case.status in ("COMPLETED", "DISCONTINUED", "ENDED") else None
        if start < min(end or estate.today, debtor.gone):
            case.exit_stop = debtor, start, end


def seize(estate: Estate, day: date, case: DebtCase, debtor: Citizen) -> None:
    """Apply measures: on a home or a vehicle that the debtor owns, else on income or accounts."""
    rng, day = estate.rng, workday(day)
    end = case.closed
    if day >= min(end or estate.today, debtor.gone, estate.today):
        return
    asset = _seizable(estate, day, case, debtor)
    if asset is None:
        coercive = rng.random() < 0.6
        kind = pick(rng, ["DEDUCT_INCOME", "DEDUCT_ACCOUNT"]) if coercive else "FREEZE_ACCOUNT"
        addressee = "OTHER" if kind == "DEDUCT_INCOME" else "BANK"
        case.measures.append(Measure(coercive, kind, day, addressee, lifted=end))
        return
    asset.seen = True
    registry = "VEHICLE_REGISTRY" if asset.kind == "VEHICLE" else "LAND_REGISTRY"
    case.measures.append(Measure(False, "SUSPEND_REGISTRATION", day, "NOTARY", asset, end))
    later_on = workday(later(rng, day, 10, 90))
    if later_on < min(end or estate.today, debtor.gone) and rng.random() < 0.6:
        case.measures.append(Measure(True, "SEIZE_ASSET", later_on, registry, asset, end))
    number = estate.serial("prevent", 200)
    asset.blocks.append(
        Block(
            f"NC-{number:08d}", "ENFORCEMENT_MEASURE", "BLOCK", debtor, case.agency.name,
            case.number, day, end, f"BP-{case.number}-1",
        )
    )  # fmt: skip


def _seizable(estate: Estate, day: date, case: DebtCase, debtor: Citizen) -> Asset | None:
    """Return something to seize: what is mortgaged to the creditor first, else a vehicle or home.

    A company's debt reaches nothing that its representative owns.
    """
    if case.last is None:
        return None
    vehicles = owned(estate, debtor, day, vehicle=True)
    assets = [
        asset
        for asset in vehicles + owned(estate, debtor, day)
        if not asset.blocked_on(day) and asset.holding.start < day and asset.last_deed < day
    ]
    assets.sort(
        key=lambda asset: not any(creditor is case.creditor for _, _, creditor in asset.mortgages)
    )
    for asset in assets:
        if asset.kind != "VEHICLE":
            return asset
        standing = [s for s in asset.securities if s.stands_on(day) and not s.duplicate_of]
        loan = standing[0] if standing else _loan(estate, case, asset)
        if loan is not None:
            loan.retained = True
            case.loan = loan
            if case.status == "COMPLETED" and case.closed is not None:
                estate.push(later(estate.rng, case.closed, 3, 30), release, loan)
            if estate.rng.random() < 0.2:
                notice = workday(later(estate.rng, day, 10, 120))
                if notice < min(case.closed or estate.today, estate.today, debtor.gone):
                    loan.notice = notice
            return asset
    return None


def _loan(estate: Estate, case: DebtCase, asset: Asset) -> Registration | None:
    """Return the security that a vehicle carries since before the judgment, if it can."""
    start = max(asset.holding.start, asset.last_deed, SECURITIES_SINCE)
    start = max([start, *(s.ended or s.day for s in asset.securities)])
    room = (case.issued - start).days
    people = [owner for owner in asset.owners() if isinstance(owner, Citizen)]
    if room < 20:
        return None
    day = workday(start + timedelta(days=between(estate.rng, 2, room - 5)))
    grown = all(
        (day - person.born).days > 18.1 * 365.25 and person.alive_on(day) for person in people
    )
    if not grown:
        return None
    bank = case.creditor
    if not isinstance(bank, Organisation) or bank.trade != "Ngân hàng":
        bank = organisations.bank(estate.rng)
    return register_securities(
        estate, day, "MORTGAGE", asset.owners(), bank, "MOTOR_VEHICLE", asset
    )
