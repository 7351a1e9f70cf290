"""Rows of the legal aid database: cases, beneficiaries, entitlements, timeline (``domain.md`` 2.3).

Providers and the people who work for them are written with the first cluster.
"""

from __future__ import annotations

from datetime import date
from random import Random

from connectors.synthetic.aid_cases import AidRequest, cases_of
from connectors.synthetic.aid_providers import providers
from connectors.synthetic.book import Rows
from connectors.synthetic.circumstances import circumstances
from connectors.synthetic.dealings import AidCase
from connectors.synthetic.draw import Weighted, age_on, between, birthday, later, stream, workday
from connectors.synthetic.model import Citizen, Family
from connectors.synthetic.places import Columns, place
from connectors.vocabulary import PROVINCES

_PROOFS = {
    "MERITORIOUS": ("Quyết định công nhận người có công với cách mạng", "Sở Nội vụ"),
    "POOR_HOUSEHOLD": ("Giấy chứng nhận hộ nghèo", "UBND"),
    "CHILD": ("Giấy khai sinh", "UBND"),
    "ETHNIC_MINORITY_SPECIAL_AREA": ("Xác nhận thông tin về cư trú", "Công an"),
    "ACCUSED_NEAR_POOR": ("Giấy chứng nhận hộ cận nghèo", "UBND"),
    "ELDERLY": ("Giấy xác nhận thuộc hộ cận nghèo hoặc hưởng trợ cấp xã hội", "UBND"),
    "DISABLED": ("Giấy xác nhận khuyết tật", "UBND"),
    "MARTYR_FAMILY": ("Giấy chứng nhận thân nhân liệt sĩ", "Sở Nội vụ"),
}
_CASE_PROOF = ("Văn bản của cơ quan tiến hành tố tụng", "Công an")
_SUBJECTS = {
    "CRIMINAL": "Cử người tham gia tố tụng trong vụ án hình sự",
    "CIVIL": "Tranh chấp hợp đồng vay tài sản giữa cá nhân",
    "MARRIAGE_FAMILY": "Yêu cầu bảo vệ quyền lợi trong quan hệ gia đình",
    "ADMINISTRATIVE": "Khiếu nại quyết định hành chính",
    "LAND": "Tranh chấp ranh giới thửa đất",
    "LABOUR": "Tranh chấp tiền lương",
    "OTHER": "Tư vấn chế độ, chính sách",
}
_STAGES = Weighted(
    [("INVESTIGATION", 30), ("PROSECUTION", 12), ("FIRST_INSTANCE", 45), ("APPEAL", 12),
     ("CASSATION", 1)]
)  # fmt: skip
_QUALITY = Weighted([("GOOD", 45), ("FAIR", 35), ("PASS", 18), ("FAIL", 2)])
_CHANNELS = Weighted([("DIRECT", 70), ("POST", 10), ("ELECTRONIC", 20)])


def add(family: Family, rows: Rows) -> None:
    """Write the rows of the legal aid database for a cluster."""
    rng, facts = stream(family.options.seed, family.index, "legal_aid"), circumstances(family)
    if family.index == 0:
        _write_providers(rows)
    number = 0
    for person in family.people:
        cases = cases_of(family, rng, facts, person)
        for case in cases:
            number += 1
            _write_case(family, rng, rows, case, number)
        if cases:
            _write_beneficiary(rng, rows, person, cases)


def _add(rows: Rows, record: str, row: Columns) -> None:
    rows.setdefault(("legal_aid", record), []).append(row)


def _write_providers(rows: Rows) -> None:
    for code in PROVINCES:
        for provider in providers(code):
            _add(rows, "providers", dict(provider.row))
            for person in provider.people:
                _add(rows, "aid_persons", dict(person))


def _write_case(family: Family, rng: Random, rows: Rows, case: AidRequest, number: int) -> None:
    """Write a case with its timeline, and keep for the truth what it was."""
    no = f"{case.requested.year}/{case.province_code}/{family.index:05d}{number:02d}/TGPL"
    row: Columns = {
        "case_no": no,
        "province_code": case.province_code,
        "centre_id": case.provider.organisation_id,
        "beneficiary_id": case.person.number,
        "beneficiary_category": case.category,
        "hardship_proof": case.proof,
        "proof_docs": (_PROOFS.get(case.category, _CASE_PROOF)[0], "Đơn yêu cầu"),
        "request_date": case.requested,
        "acceptance_status": case.acceptance,
    }
    row |= _request(rng, case)
    if case.refusal is not None:
        row["refusal_ground"] = case.refusal
    else:
        row |= _course(family, rng, case)
    _add(rows, "cases", row)
    _write_timeline(rows, no, case, row)
    completed_on = case.ended if case.status == "COMPLETED" else None
    case.person.aid.append(
        AidCase(
            no, case.category, case.proof, case.province_code, case.provider.organisation_id,
            case.requested, case.acceptance, case.status, completed_on,
        )
    )  # fmt: skip


def _request(rng: Random, case: AidRequest) -> Columns:
    """Return who asked and how: relatives for children, the agency in criminal proceedings."""
    if case.field_of_law == "CRIMINAL" and rng.random() < 0.7:
        return {"requester": "AGENCY", "channel": "REFERRAL_BY_PROCEEDING_AGENCY"}
    child = age_on(case.person.born, case.requested) < 16
    relative = child or rng.random() < 0.1
    return {"requester": "RELATIVE" if relative else "SELF", "channel": _CHANNELS.draw(rng)}


def _course(family: Family, rng: Random, case: AidRequest) -> Columns:
    """Return what happened to a request that was not refused."""
    row: Columns = {
        "field_of_law": case.field_of_law,
        "form": case.form,
        "subject": _SUBJECTS[case.field_of_law],
        "complex": rng.random() < 0.1,
    }
    if case.form == "LITIGATION":
        stage = _STAGES.draw(rng)
        row["proceeding_stage"] = stage
        if stage not in ("INVESTIGATION", "PROSECUTION"):
            row["court_case_no"] = f"{between(rng, 1, 400)}/{case.requested.year}/TLST"
    if case.accepted is not None:
        row |= {"accepted_date": case.accepted, "status": case.status}
    if case.assigned is not None:
        row["assigned_person_id"] = case.assignee["person_id"]
        row["assigned_date"] = case.assigned
    if case.status == "COMPLETED" and case.ended is not None:
        row["completed_date"] = case.ended
        row["result_summary"] = "Đã bảo vệ quyền, lợi ích hợp pháp của người được trợ giúp"
        row["quality_rating"] = _QUALITY.draw(rng)
        handed = workday(later(rng, case.ended, 2, 26))  # Art. 39: within 30 days
        if handed < family.options.today:
            row["file_handover_date"] = handed
    return row


def _write_timeline(rows: Rows, no: str, case: AidRequest, row: Columns) -> None:
    events: list[tuple[str, object]] = [("REQUESTED", case.requested)]
    events += [("REFUSED", case.refused), ("ACCEPTED", case.accepted), ("ASSIGNED", case.assigned)]
    if case.ended is not None and case.status is not None:
        events.append((case.status, case.ended))
    events.append(("FILE_HANDED_OVER", row.get("file_handover_date")))
    for number, (kind, day) in enumerate([e for e in events if e[1] is not None], start=1):
        by = case.assignee.get("name") if kind in ("COMPLETED", "FILE_HANDED_OVER") else None
        event: Columns = {
            "event_id": f"{no}-{number}",
            "case_no": no,
            "kind": kind,
            "event_date": day,
            "performed_by": by or case.provider.name,
        }
        if kind == "REFUSED":
            event["note"] = case.refusal
        _add(rows, "timeline", event)


def _write_beneficiary(rng: Random, rows: Rows, person: Citizen, cases: list[AidRequest]) -> None:
    """Write somebody as known at their last request, and what entitled them each time."""
    day = cases[-1].requested
    row: Columns = {
        "citizen_id": person.number,
        "name": person.name_on(day).full,
        "birth_date": person.born,
        "sex": person.sex,
        "ethnicity": person.group,
    }
    row |= place("residence", person.home_on(day), day, street=True)
    if age_on(person.born, day) >= 16 and rng.random() < 0.6:
        row["phone"] = f"09{between(rng, 0, 99_999_999):08d}"
    row |= _representative(person, day)
    _add(rows, "beneficiary", row)
    done: set[str] = set()
    for number, case in enumerate(cases, start=1):
        if case.category not in done:
            done.add(case.category)
            _add(rows, "entitlements", _entitlement(rng, case, f"{person.number}-{number}"))


def _representative(person: Citizen, day: date) -> Columns:
    """Return the parent or guardian who acts for a minor, or for somebody without capacity."""
    acting = None
    if person.ward is not None and person.ward.start <= day:
        acting = person.ward.guardian
    elif age_on(person.born, day) < 18:
        parents = (person.mother, person.father)
        acting = next(
            (parent for parent in parents if parent is not None and parent.alive_on(day)), None
        )
    if acting is None or not acting.alive_on(day):
        return {}
    row: Columns = {
        "representative_kind": "INDIVIDUAL",
        "representative_name": acting.name_on(day).full,
        "representative_citizen_id": acting.number,
        "representative_birth_date": acting.born,
        "representative_nationality": "VN",
    }
    return row | place("representative_residence", acting.home_on(day), day, street=True)


def _entitlement(rng: Random, case: AidRequest, entry_id: str) -> Columns:
    """Return one category with its proof: while somebody is of the age, else from a certificate."""
    person, home = case.person, case.person.home_on(case.requested)
    issuer = _PROOFS.get(case.category, _CASE_PROOF)[1]
    since = max(person.born, later(rng, case.requested, -300, -1))
    row: Columns = {
        "entry_id": entry_id,
        "citizen_id": person.number,
        "category": case.category,
        "valid_from": since,
        "proof_doc_no": f"{between(rng, 1, 999)}/{since.year}",
        "issuer": f"{issuer} {home.commune}" if issuer != "Sở Nội vụ" else issuer,
    }
    if case.category == "CHILD":
        row |= {"valid_from": person.born, "valid_until": birthday(person.born, 16)}
    elif case.category.endswith("_16_18"):
        row |= {"valid_from": birthday(person.born, 16), "valid_until": birthday(person.born, 18)}
    elif case.category in ("POOR_HOUSEHOLD", "ACCUSED_NEAR_POOR") or case.proof == "NEAR_POOR":
        row["valid_until"] = date(case.requested.year, 12, 31)
    if case.category == "ELDERLY":
        row["valid_from"] = max(since, birthday(person.born, 60))
    return row
