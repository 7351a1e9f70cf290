"""Rows of the civil-enforcement database (Law 106/2025, Decree 152/2026; ``domain.md`` 2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from connectors.synthetic.book import Rows
from connectors.synthetic.conflicts import marital_status
from connectors.synthetic.draw import between, pick, stream, workday
from connectors.synthetic.model import Citizen, Family
from connectors.synthetic.parties import filed_number, party
from connectors.synthetic.places import Columns, place, provinces
from connectors.synthetic.property_model import DebtCase, Estate, Measure, Obligation, Owner

_JOBS = ("công nhân", "buôn bán nhỏ", "làm nông", "lao động tự do", "nhân viên văn phòng")
_LIFT_REASONS = "đã thi hành xong nghĩa vụ"
#: How often debtors without conditions are verified again (Decree 152/2026; ``domain.md`` 2.4).
_AGAIN = timedelta(days=182)


@dataclass(slots=True)
class _Docket:
    """The rows of one cluster while they are written."""

    family: Family
    estate: Estate
    rng: Random
    rows: Rows
    entries: int = 0

    def add(self, record: str, row: Columns) -> None:
        self.rows.setdefault(("civil_enforcement", record), []).append(row)

    def entry_id(self, kind: str) -> str:
        self.entries += 1
        return f"{kind}-{self.family.index:05d}-{self.entries:04d}"


def add(estate: Estate, rows: Rows) -> None:
    """Write the rows of the civil-enforcement database for a cluster."""
    family = estate.family
    docket = _Docket(family, estate, stream(family.options.seed, family.index, "cases"), rows)
    for case in estate.cases:
        docket.add("judgment", _judgment(case))
        docket.add("cases", _case(docket, case))
        _parties(docket, case)
        for obligation in case.obligations:
            docket.add("obligations", _obligation(docket, case, obligation))
        _verifications(docket, case)
        for index, measure in enumerate(case.measures):
            docket.add("measures", _measure(case, measure, index))
        _results(docket, case)


def _case(docket: _Docket, case: DebtCase) -> Columns:
    rng = docket.rng
    row: Columns = {
        "decision_no": case.number,
        "decision_date": case.decided,
        "issuer_name": case.agency.representative,
        "issuer_title": "Trưởng thi hành án dân sự tỉnh, thành phố",
        "judgment_no": case.judgment_no,
        "agency_id": case.agency.organisation_id,
        "initiation": "EX_OFFICIO" if case.requested is None else "ON_REQUEST",
        "officer_id": _officer(docket, case),
        "voluntary_deadline": case.deadline,
        "status": case.status,
        "status_since": case.since,
        "pay_account": f"3949.0.{between(rng, 1000000, 1999999)}.00000",
    }
    if case.requested is not None:
        row["request_date"] = case.requested
    if case.status == "ENTRUSTED":
        code = pick(rng, provinces()).new_code
        row["entrusted_to"] = f"THADS.{code}"
    return row


def _officer(docket: _Docket, case: DebtCase) -> str:
    return f"CHV.{case.agency.province_code}.{len(case.number) + case.decided.day:03d}"


def _judgment(case: DebtCase) -> Columns:
    where = case.agency.name.removeprefix("Thi hành án dân sự ")
    owed = ", ".join(
        f"{_WORDS[obligation.kind]} {_amount(obligation.amount)}" for obligation in case.obligations
    )
    return {
        "judgment_no": case.judgment_no,
        "issuer": "COURT",
        "issuer_name": f"Tòa án nhân dân {where}",
        "issue_date": case.issued,
        "effective_date": case.effective,
        "kind": case.kind,
        "summary": _SUMMARY[case.kind],
        "obligations_text": owed,
    }


_SUMMARY = {
    "CIVIL": "Tranh chấp hợp đồng vay tài sản",
    "BUSINESS": "Tranh chấp hợp đồng tín dụng, kinh doanh thương mại",
    "CRIMINAL_CIVIL_PART": "Phần dân sự, án phí và hình phạt tiền của bản án hình sự",
    "MARRIAGE_FAMILY": "Ly hôn, nuôi con, cấp dưỡng",
}
_WORDS = {
    "PAY_MONEY": "trả", "FINE": "nộp phạt", "COURT_FEE": "án phí", "CONFISCATION": "tịch thu",
    "MAINTENANCE": "cấp dưỡng tổng cộng",
}  # fmt: skip


def _amount(value: Decimal) -> str:
    return f"{value:,.0f}".replace(",", ".") + " đồng"


def _parties(docket: _Docket, case: DebtCase) -> None:
    named: list[tuple[str, Owner]] = [("DEBTOR", debtor) for debtor in case.debtors]
    if case.creditor is not None:
        named.append(("CREDITOR", case.creditor))
    named += [("RELATED", person) for person in case.related]
    for role, owner in named:
        entry = docket.entry_id("DS")
        number = filed_number(
            docket.family, docket.rng, owner, "enforcement_parties", entry, case.decided
        )
        row: Columns = {"entry_id": entry, "decision_no": case.number, "role": role}
        row |= party("party", owner, case.decided, number)
        if isinstance(owner, Citizen) and docket.rng.random() < 0.6:
            row["phone"] = f"09{between(docket.rng, 0, 99_999_999):08d}"
        docket.add("enforcement_parties", row)


def _obligation(docket: _Docket, case: DebtCase, obligation: Obligation) -> Columns:
    row: Columns = {
        "obligation_id": docket.entry_id("NV"),
        "decision_no": case.number,
        "kind": obligation.kind,
        "amount": obligation.amount,
        "currency": "VND",
        "periodic": obligation.periodic,
        "joint_liability": len(case.debtors) > 1,
        "paid_amount": obligation.paid,
        "remaining": obligation.remaining,
        "due_date": case.deadline,
    }
    if obligation.kind == "PAY_MONEY":
        row["interest_terms"] = "lãi chậm thi hành án theo Điều 357, 468 Bộ luật Dân sự"
    return row


def _verifications(docket: _Docket, case: DebtCase) -> None:
    """Verify a debtor's conditions after the voluntary period, and again while there are none."""
    debtor, rng, today = case.last, docket.rng, docket.estate.today
    if debtor is None:
        return
    end = min(case.closed or today, debtor.gone, today)
    first = workday(case.deadline + timedelta(days=between(rng, 3, 7)))
    without = case.status == "NO_CONDITIONS"
    if first < min(end, case.since if without else end):
        poor = case.notice is not None and not without  # had no conditions for a while
        docket.add("verifications", _verification(docket, case, debtor, first, poor))
    day = case.since
    while without and day < end:
        docket.add("verifications", _verification(docket, case, debtor, day, True))
        day = workday(day + _AGAIN)


def _verification(
    docket: _Docket, case: DebtCase, debtor: Citizen, day: date, without: bool
) -> Columns:
    rng = docket.rng
    assets = tuple(
        f"{asset.asset_id} ({asset.kind})"
        for asset in docket.estate.assets
        if asset.seen and debtor in asset.owners_on(day)
    )
    chance = rng.random()
    row: Columns = {
        "verification_id": docket.entry_id("XM"),
        "decision_no": case.number,
        "verified_on": day,
        "officer_id": _officer(docket, case),
        "channel": "DIGITAL" if chance < 0.3 and day.year >= 2026 else "ON_SITE",
        "marital_status": marital_status(debtor, day),
        "assets": assets,
        "income": f"{pick(rng, _JOBS)}, khoảng {between(rng, 3, 15)} triệu đồng/tháng",
        "result": "NO_CONDITIONS" if without else "HAS_CONDITIONS" if assets else "PARTIAL",
    }
    if without and case.status == "NO_CONDITIONS":
        row["next_due"] = workday(day + _AGAIN)
    if rng.random() < 0.2:
        row["accounts"] = (f"***{between(rng, 1000, 9999)}",)
    row |= party("debtor", debtor, day, residence=False)
    row |= place("permanent_residence", debtor.home_on(day), day, street=True)
    return row | place("current_residence", debtor.home_on(day), day, street=True)


def _measure(case: DebtCase, measure: Measure, index: int) -> Columns:
    row: Columns = {
        "measure_id": f"BP-{case.number}-{index + 1}",
        "decision_no": case.number,
        "measure_class": "COERCIVE" if measure.coercive else "SECURITY",
        "kind": measure.kind,
        "applied_on": measure.day,
        "addressee": measure.addressee,
    }
    if measure.asset is not None:
        row["asset_ref"] = measure.asset.asset_id
    if measure.lifted is not None:
        row["lifted_on"] = measure.lifted
    return row


def _results(docket: _Docket, case: DebtCase) -> None:
    """Write confirmations, postponements of exit, and notices of debtors without conditions."""
    rng, today = docket.rng, docket.estate.today
    if case.status == "COMPLETED" and case.closed is not None and rng.random() < 0.85:
        issued = workday(case.closed + timedelta(days=between(rng, 1, 3)))
        if issued < today:
            row: Columns = {
                "confirmation_no": f"{case.number}/XN",
                "decision_no": case.number,
                "scope": "FULL",
                "content": "Đã thi hành xong toàn bộ nghĩa vụ",
                "issued_on": issued,
            }
            docket.add("confirmations", row)
    if case.exit_stop is not None:
        docket.add("exit_postponements", _exit(case))
    if case.notice is not None:
        docket.add("public_notices", _notice(docket, case))


def _exit(case: DebtCase) -> Columns:
    assert case.exit_stop is not None
    person, start, end = case.exit_stop
    row: Columns = {
        "request_no": f"{case.number}/THXC",
        "person_id": person.number,
        "capacity": "DEBTOR" if case.last is not None else "LEGAL_REP_OF_DEBTOR_ORG",
        "valid_from": start,
        "status": "IN_FORCE" if end is None else "LIFTED",
    }
    if end is not None:
        row["valid_until"] = end
        row["lift_reason"] = _LIFT_REASONS if case.status == "COMPLETED" else "vụ việc đã kết thúc"
    return row


def _notice(docket: _Docket, case: DebtCase) -> Columns:
    debtor = case.last
    assert case.notice is not None
    assert debtor is not None
    shown, removed = case.notice
    left = sum((obligation.remaining for obligation in case.obligations), Decimal(0))
    amount = left if removed is None else sum((o.amount for o in case.obligations), Decimal(0))
    row: Columns = {
        "notice_id": docket.entry_id("CK"),
        "debtor_name_published": debtor.name_on(shown).full,
        "debtor_address_published": debtor.home_on(shown).two_levels,
        "judgment_no": case.judgment_no,
        "decision_no": case.number,
        "outstanding_obligation": _amount(amount),
        "reason": "Chưa có tài sản, thu nhập để thi hành án",
        "published_on": shown,
    }
    if removed is not None:
        row["removed_on"] = removed
    return row | party("debtor", debtor, shown, residence=False)
