"""P8: registration, change and deletion of a security measure.

Decree 99/2022/NĐ-CP Art. 4, 8, 15, 18, 20 and 44-45: the parties are identified and alive, the
requester is entitled, nothing is registered twice, a deletion has a ground of Art. 20, and no
enforcement decision blocks the asset (Decree 152/2026/NĐ-CP Art. 111). The register is public by
design (Art. 8(6), 50). The codes are those for land, which the database does not cover; the same
facts are asked for movables, which have no code. 1.011445 carries a registration forward.

Organisations are named by their code, whose check digit is right; whether they exist and act only
the business registry says, which is outside: a document has to show it. So has everything about
land. Of two registrations of the same security the earliest counts (Art. 49): the same parties, the
same thing and the same contract. Which grounds of deletion take a document or the other party is
(unverified) common knowledge of Art. 20 and 33, 46.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from connectors.description import Coded, Row, Text
from connectors.security_measures import SecurityDeletionGround
from connectors.values import OrganizationCode, PersonNumber, ThingKey
from gateway.derived.active_block import BLOCKING_MEASURES, values_of
from gateway.derived.view import Evidence, Facts, LaterReads, UnknownReason
from gateway.procedures.allow_lists import BLOCKING_CASE, BLOCKS, IDENTITY, LIFE, MEASURES
from gateway.procedures.checks.definition import CheckDefinition, Deadline, Edition, Paper, TimeUnit
from gateway.procedures.checks.enforcement_law import (
    LAW_OF_2008,
    LAW_OF_2026,
    SINCE_2026,
    EnforcementLaw,
)
from gateway.procedures.checks.enforcement_measures import (
    CASES,
    MEASURE_LATER,
    ThingAtStake,
    is_barred,
)
from gateway.procedures.checks.life import ALIVE_LISTS, alive, identified
from gateway.procedures.checks.rule import ProcedureCase, ProcedureRule, RuleResult
from gateway.procedures.checks.security_interests import (
    ENDED,
    PARTIES,
    REGISTRATIONS,
    SECURED,
    SECURING,
)
from gateway.procedures.procedure import Procedure

_SECURING_PARTY = Text("Bên bảo đảm", "The securing party")
_SECURED_PARTY = Text("Bên nhận bảo đảm", "The secured party")
_BY_NUMBER = "security_measures.registration_by_number"
_BY_CHASSIS = "security_measures.collateral_by_chassis"
_OF_COLLATERAL = "security_measures.registration"
_OF_ORGANISATION = "security_measures.organisation_registrations"
_CASES_OF_ORGANISATION = "civil_enforcement.organisation_cases"
#: A key that nothing has.
_NOTHING = ("-",)


class SecurityOperation(Coded):
    """What is asked of the registry."""

    REGISTRATION = "đăng ký", "registration"
    CHANGE = "đăng ký thay đổi", "registration of a change"
    DELETION = "xóa đăng ký", "deletion"


class SecurityRequester(Coded):
    """Who asks for it (Art. 8)."""

    SECURING_PARTY = "bên bảo đảm", "securing party"
    SECURED_PARTY = "bên nhận bảo đảm", "secured party"
    TRUSTEE = "quản tài viên, doanh nghiệp quản lý, thanh lý tài sản", "trustee in bankruptcy"
    REPRESENTATIVE = "người đại diện, chi nhánh", "representative or branch"


@dataclass(frozen=True, slots=True)
class SecurityRegistrationInput:
    """Đăng ký biện pháp bảo đảm / Registration of a security measure."""

    operation: Annotated[SecurityOperation, Text("yêu cầu", "what is asked for")]
    requester: Annotated[SecurityRequester, Text("người yêu cầu đăng ký", "who asks for it")]
    securing_party: Annotated[
        PersonNumber | None, Text("bên bảo đảm là cá nhân", "securing party, a person")
    ] = None
    securing_organisation: Annotated[
        OrganizationCode | None,
        Text("bên bảo đảm là tổ chức", "securing party, an organisation"),
    ] = None
    secured_party: Annotated[
        PersonNumber | None, Text("bên nhận bảo đảm là cá nhân", "secured party, a person")
    ] = None
    secured_organisation: Annotated[
        OrganizationCode | None,
        Text("bên nhận bảo đảm là tổ chức", "secured party, an organisation"),
    ] = None
    registration_number: Annotated[
        ThingKey | None,
        Text("số đăng ký được thay đổi, xóa", "registration to be changed or deleted"),
    ] = None
    chassis_number: Annotated[
        ThingKey | None, Text("số khung của xe bảo đảm", "chassis number of the collateral")
    ] = None
    contract_number: Annotated[
        str | None, Text("số hợp đồng bảo đảm", "number of the security contract")
    ] = None
    deletion_ground: Annotated[
        SecurityDeletionGround | None, Text("căn cứ xóa đăng ký", "ground of the deletion")
    ] = None
    is_real_property: Annotated[
        bool | None,
        Text("tài sản bảo đảm là nhà, đất", "the collateral is land or a home"),
    ] = None


def _find_fault(checked: SecurityRegistrationInput) -> str | None:
    sides = (
        (checked.securing_party, checked.securing_organisation, "securingParty"),
        (checked.secured_party, checked.secured_organisation, "securedParty"),
    )
    for person, organisation, name in sides:
        if (person is None) is (organisation is None):
            return f"name {name}, a person or an organisation, and not both"
    is_first = checked.operation is SecurityOperation.REGISTRATION
    if is_first is (checked.registration_number is not None):
        return "registrationNumber is of the registration to be changed or deleted"
    if checked.deletion_ground is not None and checked.operation is not SecurityOperation.DELETION:
        return "deletionGround is of a deletion"
    return None


def _numbers_of(case: ProcedureCase, side: str) -> frozenset[str]:
    """Return the numbers or codes of the party on a side: ``securing`` or ``secured``."""
    if case.has(f"{side}_party"):
        return frozenset(case.person(f"{side}_party").numbers)
    return frozenset(case.keys.get(f"{side}_organisation", ()))


def _of_party(side: str, rule: ProcedureRule, code: str) -> ProcedureRule:
    """Return the rule about a party: of a person ``rule``; of an organisation a document."""
    outside = RuleResult.needs_document(
        Text(
            "Tổ chức: mã số hợp lệ; nguồn này không bao gồm dữ liệu đăng ký doanh nghiệp, cần giấy "
            "tờ về tư cách pháp lý.",
            "An organisation: its code is well formed; the business registry is not covered by "
            "this source, so that a document has to show its status.",
        )
    )

    def check(case: ProcedureCase) -> RuleResult:
        return rule.check(case) if case.has(f"{side}_party") else outside

    return ProcedureRule(code, rule.title, rule.law, check)


def _is_entitled(case: ProcedureCase) -> RuleResult:
    """Art. 8: a party to the security asks, or whoever acts for one."""
    requester = case.input.requester
    if requester in {SecurityRequester.TRUSTEE, SecurityRequester.REPRESENTATIVE}:
        return RuleResult.needs_document(
            Text(
                "Cần văn bản chỉ định, ủy quyền của người yêu cầu đăng ký.",
                "The requester's appointment or authorisation has to be shown.",
            )
        )
    if "registration_number" not in case.keys:
        return RuleResult.passes(
            Text("Người yêu cầu là một bên.", "The requester is a party to the security.")
        )
    is_securing = requester is SecurityRequester.SECURING_PARTY
    side, roles = ("securing", SECURING) if is_securing else ("secured", SECURED)
    parties = case.thing(PARTIES, "registration_number")
    stands = _stands_in(parties, parties.rows, roles, _numbers_of(case, side))
    if parties.reason is not None or stands is None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được người yêu cầu có phải là một bên trong đăng ký hay không.",
                "It is not known whether the requester is a party to the registration.",
            ),
            parties.reason or UnknownReason.NOT_RECORDED,
        )
    if not stands:
        return RuleResult.fails(
            Text(
                "Người yêu cầu không phải là bên đó trong đăng ký.",
                "The requester is not that party in the registration.",
            )
        )
    return RuleResult.passes(
        Text(
            "Người yêu cầu là một bên trong đăng ký.",
            "The requester is a party to the registration.",
        )
    )


def _stands_in(
    parties: Facts,
    rows: Sequence[Row],
    roles: AbstractSet[str],
    numbers: AbstractSet[str],
) -> bool | None:
    """Say whether somebody with ``numbers`` stands in one of ``roles``; None: not known."""
    columns = ("party_citizen_id", "party_enterprise_code", "party_organisation_id")
    is_certain = bool(rows)  # a registration has parties
    for row in rows:
        named = {parties.value(row, column) for column in columns} - {None}
        role = parties.code(row, "role")
        if role in roles and not named.isdisjoint(numbers):
            return True
        if role is None or (role in roles and not named):
            is_certain = False
    return False if is_certain else None


def _land(case: ProcedureCase) -> RuleResult | None:
    """Return that a document has to show it, of land; None of anything else."""
    if not case.input.is_real_property:
        return None
    return RuleResult.needs_document(
        Text(
            "Nguồn này không bao gồm đăng ký đất đai: văn phòng đăng ký đất đai phải xác nhận.",
            "The land registry is not covered by this source: it has to confirm this.",
        )
    )


def _is_in_force(case: ProcedureCase) -> RuleResult:
    """Art. 18, 20: what is changed or deleted is registered, and has not ended."""
    if "registration_number" not in case.keys:
        return RuleResult.passes(
            Text("Không áp dụng cho đăng ký lần đầu.", "It is no condition of a first one.")
        )
    land = _land(case)
    if land is not None:
        return land
    registrations = case.thing(_BY_NUMBER, "registration_number")
    statuses = {registrations.code(row, "status") for row in registrations.rows}
    if registrations.reason is not None or None in statuses or len(statuses) > 1:
        doubt = UnknownReason.NOT_RECORDED if None in statuses else UnknownReason.CONTRADICTORY
        return RuleResult.unknown(
            Text(
                "Chưa xác định được đăng ký còn hiệu lực hay không.",
                "It is not known whether the registration is in force.",
            ),
            registrations.reason or doubt,
        )
    if not statuses or statuses <= ENDED:
        return RuleResult.fails(
            Text(
                "Không có đăng ký mang số này còn hiệu lực.",
                "No registration with this number is in force.",
            ),
            registrations.basis(*registrations.rows),
        )
    return RuleResult.passes(
        Text("Đăng ký còn hiệu lực.", "The registration is in force."),
        registrations.basis(*registrations.rows),
    )


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Registrations that may be of the same security. ``of_thing``: of the very thing."""

    registrations: Facts
    parties: Facts
    of_thing: bool
    reason: UnknownReason | None


def _candidates(case: ProcedureCase) -> _Candidates:
    """Return the registrations of the thing that is named, else those of the securing party."""
    if "chassis_number" in case.keys:
        things = case.thing(_BY_CHASSIS, "chassis_number")
        if not things.is_read:
            return _Candidates(things, things, True, UnknownReason.SOURCE_FAILED)
        standing = {
            str(things.value(row, "registration_no"))
            for row in things.rows
            if things.value(row, "withdrawn_at") is None
        }
        numbers = tuple(sorted(standing)) or _NOTHING
        registrations = case.things.under(_OF_COLLATERAL, numbers)
        parties = case.things.under(PARTIES, numbers)
        reason = things.reason or registrations.reason or parties.reason
        return _Candidates(registrations, parties, True, reason)
    evidence: Evidence = case.things
    if case.has("securing_party"):
        evidence = case.person("securing_party")
        registrations = evidence.list(REGISTRATIONS)
    else:
        registrations = case.thing(_OF_ORGANISATION, "securing_organisation")
    if not registrations.is_read:
        return _Candidates(registrations, registrations, False, UnknownReason.SOURCE_FAILED)
    parties = evidence.under(PARTIES, values_of(registrations, "registration_no") or _NOTHING)
    return _Candidates(registrations, parties, False, registrations.reason or parties.reason)


def _not_registered_twice(case: ProcedureCase) -> RuleResult:
    """Art. 49: the same parties, the same thing, the same contract are registered once."""
    if "registration_number" in case.keys:
        return RuleResult.passes(
            Text("Không áp dụng cho thay đổi, xóa đăng ký.", "It is no condition of a change.")
        )
    land = _land(case)
    if land is not None:
        return land
    candidates = _candidates(case)
    reason, same = candidates.reason, []
    for row in candidates.registrations.rows if reason is None else ():
        is_same = _is_same_security(case, candidates, row)
        if is_same is None:
            reason = reason or UnknownReason.NOT_RECORDED
        elif is_same:
            same.append(row)
    if same and candidates.of_thing:
        return RuleResult.fails(
            Text(
                "Biện pháp này đã được đăng ký giữa chính các bên đối với tài sản đó.",
                "These parties have registered a security over the thing already.",
            ),
            candidates.registrations.basis(*same),
        )
    if reason is not None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được có đăng ký trùng hay không.",
                "It is not known whether the security is registered already.",
            ),
            reason,
        )
    if same:
        return RuleResult.needs_document(
            Text(
                "Giữa các bên đã có đăng ký: đối chiếu tài sản và hợp đồng bảo đảm.",
                "These parties have a registration: things and contracts are to be compared.",
            )
        )
    return RuleResult.passes(
        Text("Không có đăng ký trùng.", "The security is not registered already.")
    )


def _is_same_security(case: ProcedureCase, candidates: _Candidates, row: Row) -> bool | None:
    """Say whether a registration in force is between the same parties; None: not known."""
    registrations, parties = candidates.registrations, candidates.parties
    status = registrations.code(row, "status")
    written = registrations.value(row, "secured_contract_number")
    stated = case.input.contract_number
    is_other = None not in (written, stated) and str(written).upper() != str(stated).upper()
    if status in ENDED or is_other:
        return False
    number = registrations.value(row, "registration_no")
    rows = [party for party in parties.rows if parties.value(party, "registration_no") == number]
    sides = [
        _stands_in(parties, rows, roles, _numbers_of(case, side))
        for side, roles in (("securing", SECURING), ("secured", SECURED))
    ]
    if False in sides:
        return False
    return None if None in sides or status is None else True


_BY_DOCUMENT = frozenset({SecurityDeletionGround.COURT_JUDGMENT, SecurityDeletionGround.OTHER})


def _has_ground(case: ProcedureCase) -> RuleResult:
    """Art. 20: a registration is deleted on one of the grounds there."""
    if case.input.operation is not SecurityOperation.DELETION:
        return RuleResult.passes(
            Text("Không áp dụng ngoài xóa đăng ký.", "It is a condition of a deletion alone.")
        )
    ground = case.input.deletion_ground
    if ground is None:
        return RuleResult.fails(
            Text("Chưa nêu căn cứ xóa đăng ký.", "No ground of the deletion is stated.")
        )
    if ground in _BY_DOCUMENT:
        return RuleResult.needs_document(
            Text(
                "Cần bản án, quyết định hoặc giấy tờ chứng minh căn cứ xóa đăng ký.",
                "The judgment, decision or paper that is the ground has to be shown.",
            )
        )
    if case.input.requester is SecurityRequester.SECURED_PARTY:
        return RuleResult.passes(
            Text(
                "Bên nhận bảo đảm tự yêu cầu xóa theo căn cứ đã nêu.",
                "The secured party asks for the deletion on the ground stated.",
            )
        )
    if ground is SecurityDeletionGround.AGREEMENT:
        return RuleResult.needs_person(
            Text("Bên nhận bảo đảm phải đồng ý xóa.", "The secured party has to agree.")
        )
    return RuleResult.needs_document(
        Text(
            "Cần văn bản của bên nhận bảo đảm xác nhận căn cứ xóa đăng ký.",
            "The secured party's confirmation of the ground has to be shown.",
        )
    )


def _no_measure(case: ProcedureCase) -> RuleResult:
    """Decree 152/2026 Art. 111: registries suspend what a measure of enforcement concerns."""
    keys = (case.keys.get(name, ()) for name in ("registration_number", "chassis_number"))
    references = {key.upper() for group in keys for key in group}
    stake = ThingAtStake(references, (), BLOCKING_MEASURES)
    evidence: Evidence = case.things
    if case.has("securing_party"):
        evidence = case.person("securing_party")
        cases = evidence.list(CASES)
    else:
        cases = case.thing(_CASES_OF_ORGANISATION, "securing_organisation")
    barred = is_barred(evidence, cases, _numbers_of(case, "securing"), stake)
    if barred.reason is not None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được tài sản có bị áp dụng biện pháp thi hành án hay không.",
                "It is not known whether a measure of enforcement concerns the collateral.",
            ),
            barred.reason,
        )
    if barred.value:
        return RuleResult.fails(
            Text(
                "Có biện pháp thi hành án đang áp dụng: phải tạm dừng đăng ký.",
                "A measure of enforcement is in force: registration has to be suspended.",
            ),
            barred.basis,
        )
    return RuleResult.passes(
        Text(
            "Không có biện pháp thi hành án đối với bên bảo đảm.",
            "No measure of enforcement concerns the securing party's assets.",
        )
    )


def _decree(article: str) -> Text:
    return Text(f"Nghị định 99/2022/NĐ-CP, Điều {article}", f"Decree 99/2022, Art. {article}")


def _conditions(enforcement: EnforcementLaw) -> tuple[ProcedureRule, ...]:
    parties = tuple(
        _of_party(side, rule_of(f"{side}_party", label), f"{side.upper()}_PARTY_{code}")
        for side, label in (("securing", _SECURING_PARTY), ("secured", _SECURED_PARTY))
        for rule_of, code in ((identified, "IDENTIFIED"), (alive, "ACTIVE"))
    )
    return (
        *parties,
        ProcedureRule(
            "REQUESTER_ENTITLED",
            Text("người yêu cầu có quyền", "the requester is entitled"),
            _decree("8"),
            _is_entitled,
        ),
        ProcedureRule(
            "REGISTRATION_IN_FORCE",
            Text("đăng ký còn hiệu lực", "the registration is in force"),
            _decree("18, 20"),
            _is_in_force,
        ),
        ProcedureRule(
            "NOT_REGISTERED_TWICE",
            Text("không đăng ký trùng", "not registered already"),
            _decree("15, 49"),
            _not_registered_twice,
        ),
        ProcedureRule(
            "DELETION_GROUND",
            Text("căn cứ xóa đăng ký", "ground of the deletion"),
            _decree("20"),
            _has_ground,
        ),
        ProcedureRule(
            "NO_ENFORCEMENT_MEASURE",
            Text("không bị biện pháp thi hành án", "under no measure of enforcement"),
            enforcement.measures,
            _no_measure,
        ),
    )


def _identity_paper(side: str, title: Text) -> Paper:
    return Paper(
        f"{side.upper()}_PARTY_IDENTITY",
        title,
        ("population.identity",),
        (f"{side.upper()}_PARTY_IDENTIFIED",),
    )


_PAPERS = (
    Paper(
        "REQUEST",
        Text(
            "Phiếu yêu cầu đăng ký, có chữ ký của các bên (Điều 12)",
            "Request form, signed by the parties (Art. 12)",
        ),
    ),
    _identity_paper(
        "securing", Text("Giấy tờ pháp lý của bên bảo đảm", "Identity of the securing party")
    ),
    _identity_paper(
        "secured", Text("Giấy tờ pháp lý của bên nhận bảo đảm", "Identity of the secured party")
    ),
    Paper(
        "EARLIER_REGISTRATION",
        Text("Văn bản chứng nhận đăng ký đã cấp", "Certificate of the earlier registration"),
        ("security_measures.registrations",),
        ("REGISTRATION_IN_FORCE",),
        lambda case: "registration_number" in case.keys,
    ),
    Paper(
        "DELETION_GROUND",
        Text("Giấy tờ về căn cứ xóa đăng ký", "Paper that shows the ground of the deletion"),
        is_needed=lambda case: (
            case.input.operation is SecurityOperation.DELETION
            and case.input.requester is not SecurityRequester.SECURED_PARTY
        ),
    ),
)


def _edition(since: date, enforcement: EnforcementLaw) -> Edition:
    return Edition(
        since=since,
        law=("Nghị định 99/2022/NĐ-CP, Điều 4, 8, 15, 18, 20, 44-45", *enforcement.titles),
        competent_body=Text(
            "Trung tâm đăng ký giao dịch, tài sản (động sản); văn phòng đăng ký đất đai (nhà, đất)",
            "Centre for registration of transactions and assets (movables); land registration "
            "office (land)",
        ),
        deadline=Deadline(
            0,
            TimeUnit.WORKING_DAYS,
            Text(
                "Nghị định 99/2022/NĐ-CP, Điều 16: trong ngày; nhận sau 15 giờ thì ngày làm việc "
                "tiếp theo; không quá 3 ngày làm việc",
                "Decree 99/2022, Art. 16: on the same day; received after 15:00, on the next "
                "working day; within 3 working days at most",
            ),
        ),
        conditions=_conditions(enforcement),
        papers=_PAPERS,
    )


CHECK = CheckDefinition(
    name="security_registration",
    input=SecurityRegistrationInput,
    roles={"securing_party": (*ALIVE_LISTS, REGISTRATIONS, CASES), "secured_party": ALIVE_LISTS},
    things={
        "securing_organisation": (_OF_ORGANISATION, _CASES_OF_ORGANISATION),
        "registration_number": (_BY_NUMBER, PARTIES),
        "chassis_number": (_BY_CHASSIS,),
    },
    editions=(_edition(date(2023, 1, 15), LAW_OF_2008), _edition(SINCE_2026, LAW_OF_2026)),
    later=(
        LaterReads(PARTIES, REGISTRATIONS),
        LaterReads(_OF_COLLATERAL, _BY_CHASSIS),
        *MEASURE_LATER,
    ),
    find_fault=_find_fault,
)

PROCEDURE = Procedure(
    codes=("security-registration", "1.011441", "1.011442", "1.011443", "1.011445"),
    title=Text(
        "Đăng ký, thay đổi, xóa đăng ký biện pháp bảo đảm",
        "Registration, change and deletion of a security measure",
    ),
    legal_basis=(
        "Nghị định 99/2022/NĐ-CP, Điều 4, 8, 15, 18, 20, 44-45",
        "Nghị định 152/2026/NĐ-CP, Điều 111",
    ),
    fields={
        "population.identity": IDENTITY,
        "population.earlier_numbers": "*",
        "security_measures.registrations": "*",
        "security_measures.security_parties": "*",
        "security_measures.collateral": "*",
        "security_measures.amendments": "*",
        "security_measures.enforcement_notices": "*",
        "civil_enforcement.cases": BLOCKING_CASE,
        "civil_enforcement.measures": "*",
    },
    derived=frozenset({"has_active_block", "legal_capacity", "life_status"}),
    deciding=LIFE | BLOCKS | MEASURES,
    check=CHECK,
)
