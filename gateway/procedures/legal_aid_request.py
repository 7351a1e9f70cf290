"""P7: request for legal aid.

Law on Legal Aid 11/2017/QH14 Art. 7 (who is entitled), 9(4) (no two providers in one case), 26
(residence or place of the case), 27 and 29-30; Decree 144/2017/NĐ-CP Art. 2 (hardship). Age,
ethnicity and residence come from the population database; what the cases are about and how they
ended is between the provider and the beneficiary. The code is unverified.

Which communes are areas of extreme difficulty is a list of the Prime Minister that no source here
has: settings (``procedures.special_area_communes``) hold it, and while they hold none a document
shows it. Categories that rest on health, violence or poverty share one rule that names none of
them: whoever checks learns that the applicant is recorded as entitled, not why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from connectors.description import Coded, Row, Text
from connectors.values import PersonNumber
from gateway.derived.registers import IDENTITY as IDENTITIES
from gateway.derived.registers import identity_value
from gateway.derived.residence import ResidenceAddress, present_province, residence
from gateway.derived.view import Conclusion, Evidence, Facts, UnknownReason
from gateway.procedures.allow_lists import IDENTITY
from gateway.procedures.checks.age import birth_of, has_reached
from gateway.procedures.checks.civil_status_editions import identity_paper
from gateway.procedures.checks.consent import document_rule
from gateway.procedures.checks.definition import (
    CheckDefinition,
    Deadline,
    Edition,
    Paper,
    TimeUnit,
)
from gateway.procedures.checks.life import ALIVE_LISTS, alive, identified
from gateway.procedures.checks.residence import RESIDENCES
from gateway.procedures.checks.rule import (
    AllOf,
    AnyOf,
    CheckRule,
    ProcedureCase,
    ProcedureRule,
    RuleResult,
    RuleState,
)
from gateway.procedures.procedure import Procedure

_APPLICANT = Text("Người yêu cầu trợ giúp pháp lý", "The applicant")
_WHO_LAW = Text("Luật Trợ giúp pháp lý 11/2017/QH14, Điều 7", "Law on Legal Aid 11/2017, Art. 7")
_WHERE_LAW = Text(
    "Luật Trợ giúp pháp lý 11/2017/QH14, Điều 26", "Law on Legal Aid 11/2017, Art. 26"
)
_FIELD_LAW = Text(
    "Luật Trợ giúp pháp lý 11/2017/QH14, Điều 27", "Law on Legal Aid 11/2017, Art. 27"
)
_ONCE_LAW = Text(
    "Luật Trợ giúp pháp lý 11/2017/QH14, Điều 9 khoản 4", "Law on Legal Aid 11/2017, Art. 9(4)"
)
_HARDSHIP_LAW = Text(
    "Luật Trợ giúp pháp lý 11/2017/QH14, Điều 7; Nghị định 144/2017/NĐ-CP, Điều 2",
    "Law on Legal Aid 11/2017, Art. 7; Decree 144/2017, Art. 2",
)
CASES = "legal_aid.cases"
ENTITLEMENTS = "legal_aid.entitlements"
_CHILD_AGE, _ADULT_AGE, _ELDERLY_AGE = 16, 18, 60
#: How the majority group is written, without case and spaces.
_MAJORITY = "kinh"
#: Statuses and acceptances of cases that nobody carries out.
_OVER = frozenset({"COMPLETED", "DISCONTINUED"})


class LegalMatter(Coded):
    """The field of law of a request. Business and commerce are not for legal aid (Art. 27)."""

    CRIMINAL = "pháp luật hình sự", "criminal"
    CIVIL = "pháp luật dân sự", "civil"
    MARRIAGE_FAMILY = "hôn nhân và gia đình", "marriage and family"
    ADMINISTRATIVE = "pháp luật hành chính", "administrative"
    LAND = "pháp luật đất đai", "land"
    LABOUR = "pháp luật lao động", "labour"
    BUSINESS_COMMERCE = "kinh doanh, thương mại", "business and commerce"
    OTHER = "lĩnh vực khác", "other"


@dataclass(frozen=True, slots=True)
class LegalAidRequestInput:
    """Yêu cầu trợ giúp pháp lý / Legal aid request."""

    applicant: Annotated[PersonNumber, Text("người yêu cầu trợ giúp pháp lý", "applicant")]
    matter: Annotated[LegalMatter, Text("lĩnh vực pháp luật", "field of law")]
    province: Annotated[
        str, Text("mã tỉnh, thành phố của tổ chức được yêu cầu", "province of the provider asked")
    ]
    case_province: Annotated[
        str | None, Text("mã tỉnh, thành phố nơi xảy ra vụ việc", "province of the case")
    ] = None
    court_case_no: Annotated[
        str | None, Text("số thụ lý của Tòa án, nếu có", "court's case number, if any")
    ] = None


_COVERED = Text("Lĩnh vực được trợ giúp pháp lý.", "The field of law is one of legal aid.")
_EXCLUDED = Text(
    "Không trợ giúp pháp lý trong lĩnh vực kinh doanh, thương mại.",
    "Business and commerce are excluded from legal aid.",
)


def _field_covered(case: ProcedureCase) -> RuleResult:
    """Art. 27: all fields but business and commerce."""
    if case.input.matter is LegalMatter.BUSINESS_COMMERCE:
        return RuleResult.fails(_EXCLUDED)
    return RuleResult.passes(_COVERED)


def _aged(code: str, title: Text, since: int | None, until: int | None) -> ProcedureRule:
    """Return the rule that the applicant is ``since`` years old, and not yet ``until``."""
    met = Text("Người yêu cầu trong độ tuổi này.", "The applicant is of that age.")
    not_met = Text("Người yêu cầu không trong độ tuổi này.", "The applicant is not of that age.")
    not_known = Text(
        "Chưa xác định được tuổi của người yêu cầu.", "The applicant's age is not known."
    )

    def check(case: ProcedureCase) -> RuleResult:
        born = birth_of(case.person("applicant"))
        if born.reason is not None:
            return RuleResult.unknown(not_known, born.reason)
        old_enough = True if since is None else has_reached(born.value, since, case.at)
        too_old = False if until is None else has_reached(born.value, until, case.at)
        if old_enough is False or too_old:
            return RuleResult.fails(not_met, born.basis)
        if old_enough is None or too_old is None:
            return RuleResult.unknown(not_known, UnknownReason.NOT_RECORDED)
        return RuleResult.passes(met, born.basis)

    return ProcedureRule(code, title, _WHO_LAW, check)


def _entitled(category: str | None, to_show: Text | None) -> CheckRule:
    """Return a rule's function: an entitlement in force on the day is recorded.

    ``category``: its category, None for any. ``to_show``: what a document has to show where none
    is; None: then it fails, and another rule says what may be shown.
    """
    recorded = Text("Có ghi nhận trong cơ sở dữ liệu trợ giúp pháp lý.",
                    "The legal aid database records it.")  # fmt: skip
    not_recorded = Text("Không có ghi nhận còn hiệu lực trong cơ sở dữ liệu trợ giúp pháp lý.",
                        "The legal aid database records nothing that is in force.")  # fmt: skip
    not_known = Text("Chưa xác định được cơ sở dữ liệu trợ giúp pháp lý có ghi nhận hay không.",
                     "It is not known whether the legal aid database records it.")  # fmt: skip

    def check(case: ProcedureCase) -> RuleResult:
        entries = case.person("applicant").list(ENTITLEMENTS)
        verdicts = [_holds(entries, row, category, case.at) for row in entries.rows]
        if True in verdicts:
            return RuleResult.passes(recorded)
        if entries.reason is not None or None in verdicts:
            return RuleResult.unknown(not_known, entries.reason or UnknownReason.NOT_RECORDED)
        return (
            RuleResult.fails(not_recorded)
            if to_show is None
            else RuleResult.needs_document(to_show)
        )

    return check


def _holds(entries: Facts, row: Row, category: str | None, day: date) -> bool | None:
    """Say whether an entitlement is of the category and in force on ``day``; None: not known.

    Its last day counts (an assumption).
    """
    kind = entries.code(row, "category")
    since, until = entries.value(row, "valid_from"), entries.value(row, "valid_until")
    is_of_category = True if category is None else None if kind is None else kind == category
    if is_of_category is False or (until is not None and until < day):
        return False
    if since is None:
        return None
    return False if since > day else is_of_category


_MINORITY = Text(
    "Người yêu cầu là người dân tộc thiểu số.", "The applicant is of an ethnic minority."
)
_NO_MINORITY = Text(
    "Người yêu cầu không phải là người dân tộc thiểu số.",
    "The applicant is not of an ethnic minority.",
)
_ETHNICITY_UNKNOWN = Text(
    "Chưa xác định được dân tộc của người yêu cầu.", "The applicant's ethnic group is not known."
)


def _ethnic_minority(case: ProcedureCase) -> RuleResult:
    """Art. 7(4): any ethnic group but Kinh."""
    group = identity_value(case.person("applicant").list(IDENTITIES), "ethnicity")
    if group.reason is not None or group.value is None:
        reason = group.reason or UnknownReason.NOT_RECORDED
        return RuleResult.unknown(_ETHNICITY_UNKNOWN, reason)
    if str(group.value).strip().casefold() == _MAJORITY:
        return RuleResult.fails(_NO_MINORITY)
    return RuleResult.passes(_MINORITY)


_IN_AREA = Text(
    "Cư trú ở vùng có điều kiện kinh tế - xã hội đặc biệt khó khăn.",
    "The applicant resides in an area of extreme difficulty.",
)
_NOT_IN_AREA = Text(
    "Không cư trú ở vùng có điều kiện kinh tế - xã hội đặc biệt khó khăn.",
    "The applicant does not reside in an area of extreme difficulty.",
)
_AREA_TO_SHOW = Text(
    "Chưa có danh mục vùng đặc biệt khó khăn: phải có giấy tờ xác nhận nơi cư trú thuộc vùng này.",
    "There is no list of areas of extreme difficulty here: a document has to show it.",
)
_AREA_UNKNOWN = Text(
    "Chưa xác định được nơi cư trú có thuộc vùng đặc biệt khó khăn hay không.",
    "It is not known whether the applicant resides in an area of extreme difficulty.",
)


def _special_area(case: ProcedureCase) -> RuleResult:
    """Art. 7(4): the commune is on the list of settings."""
    applicant = case.person("applicant")
    communes = [address.commune_code for address in _addresses(applicant)]
    reason = residence(applicant).reason
    if not case.special_areas:
        return RuleResult.needs_document(_AREA_TO_SHOW)
    if reason is not None:
        return RuleResult.unknown(_AREA_UNKNOWN, reason)
    if any(commune in case.special_areas for commune in communes):
        return RuleResult.passes(_IN_AREA)
    if None in communes or not communes:
        return RuleResult.unknown(_AREA_UNKNOWN, UnknownReason.NOT_RECORDED)
    return RuleResult.fails(_NOT_IN_AREA)


def _addresses(evidence: Evidence) -> list[ResidenceAddress]:
    value = residence(evidence).value
    return list(value) if isinstance(value, list) else []


_RESIDES = Text("Người yêu cầu cư trú tại tỉnh này.", "The applicant resides in the province.")
_RESIDES_ELSEWHERE = Text(
    "Người yêu cầu không cư trú tại tỉnh này.", "The applicant does not reside in the province."
)
_RESIDENCE_UNKNOWN = Text(
    "Chưa xác định được người yêu cầu có cư trú tại tỉnh này hay không.",
    "It is not known whether the applicant resides in the province.",
)


def _resides_in_province(case: ProcedureCase) -> RuleResult:
    """Art. 26: whoever resides there, permanently or for a time."""
    stated: Conclusion = residence(case.person("applicant"))
    province = present_province(case.input.province, None)
    if stated.reason is not None or province is None:
        reason = stated.reason or UnknownReason.NOT_RECORDED
        return RuleResult.unknown(_RESIDENCE_UNKNOWN, reason)
    provinces = [address.province_code for address in _addresses(case.person("applicant"))]
    if province in provinces:
        return RuleResult.passes(_RESIDES, stated.basis)
    if None in provinces or not provinces:
        return RuleResult.unknown(_RESIDENCE_UNKNOWN, UnknownReason.NOT_RECORDED)
    return RuleResult.fails(_RESIDES_ELSEWHERE, stated.basis)


_CASE_IN_PROVINCE = Text("Vụ việc xảy ra tại tỉnh này.", "The case is in the province.")
_CASE_ELSEWHERE = Text(
    "Vụ việc không xảy ra tại tỉnh này, hoặc không nêu nơi xảy ra.",
    "The case is in another province, or no place of it is named.",
)
_CASE_UNKNOWN = Text(
    "Chưa xác định được nơi xảy ra vụ việc.", "The province of the case is not known."
)


def _case_in_province(case: ProcedureCase) -> RuleResult:
    """Art. 26: where the case happened, as the applicant says."""
    if case.input.case_province is None:
        return RuleResult.fails(_CASE_ELSEWHERE)
    province = present_province(case.input.province, None)
    place = present_province(case.input.case_province, None)
    if province is None or place is None:
        return RuleResult.unknown(_CASE_UNKNOWN, UnknownReason.NOT_RECORDED)
    return (
        RuleResult.passes(_CASE_IN_PROVINCE)
        if place == province
        else RuleResult.fails(_CASE_ELSEWHERE)
    )


_NO_PROVIDER = Text(
    "Chưa có tổ chức nào khác thực hiện vụ việc này.", "No other provider carries out this case."
)
_PROVIDER = Text(
    "Vụ việc này đã được tổ chức trợ giúp pháp lý thụ lý.",
    "A provider of legal aid has accepted this case already.",
)
_PROVIDER_UNKNOWN = Text(
    "Chưa xác định được vụ việc này đã được tổ chức khác thụ lý hay chưa.",
    "It is not known whether another provider has accepted this case.",
)


def _no_other_provider(case: ProcedureCase) -> RuleResult:
    """Art. 9(4): one case, one provider. The court's number says whether two are the same."""
    cases = case.person("applicant").list(CASES)
    verdicts = [_is_same_case(cases, row, case) for row in cases.rows]
    if True in verdicts:
        return RuleResult.fails(_PROVIDER)
    if cases.reason is not None or None in verdicts:
        return RuleResult.unknown(_PROVIDER_UNKNOWN, cases.reason or UnknownReason.NOT_RECORDED)
    return RuleResult.passes(_NO_PROVIDER)


def _is_same_case(cases: Facts, row: Row, case: ProcedureCase) -> bool | None:
    """Say whether a case is under way and the same as that of the request; None: not known."""
    status, acceptance = cases.code(row, "status"), cases.code(row, "acceptance_status")
    if status in _OVER or acceptance == "REFUSED":
        return False
    number, requested = cases.value(row, "court_case_no"), case.input.court_case_no
    if number is not None and requested is not None:
        if number.strip() != requested.strip():
            return False
        return True if (status, acceptance) == ("IN_PROGRESS", "ACCEPTED") else None
    field = cases.code(row, "field_of_law")
    return False if field not in {None, case.input.matter.name} else None


def _category(code: str, title: Text, *rules: ProcedureRule) -> AllOf:
    return AllOf(code, title, rules)


_HARDSHIP_TO_SHOW = Text(
    "Phải có giấy tờ chứng minh thuộc hộ cận nghèo hoặc hưởng trợ cấp xã hội hằng tháng.",
    "A document has to show a near-poor household or a monthly social allowance.",
)
_STATUS_TO_SHOW = Text(
    "Phải có giấy tờ của cơ quan tiến hành tố tụng (và chứng minh khó khăn về tài chính, nếu là bị "
    "hại).",
    "A document of the agency that conducts the proceedings has to show it (and hardship, of a "
    "victim).",
)


def _recorded(code: str, title: Text, law: Text, category: str, to_show: Text) -> ProcedureRule:
    """Return the rule that an entitlement or a document shows what belongs to a category."""
    return ProcedureRule(code, title, law, _entitled(category, to_show), is_concealed=True)


_CHILD = _aged("CHILD", Text("trẻ em (dưới 16 tuổi)", "child below 16"), None, _CHILD_AGE)
_TO_18 = Text("từ đủ 16 đến dưới 18 tuổi", "from 16 to below 18")
_BENEFICIARY = AnyOf(
    "BENEFICIARY",
    Text("thuộc diện được trợ giúp pháp lý", "entitled to legal aid"),
    (
        _CHILD,
        _category(
            "ELDERLY",
            Text("người cao tuổi có khó khăn về tài chính", "elderly, in financial hardship"),
            _aged("ELDERLY_AGE", Text("từ đủ 60 tuổi", "60 or older"), _ELDERLY_AGE, None),
            _recorded(
                "ELDERLY_HARDSHIP",
                Text("khó khăn về tài chính", "financial hardship"),
                _HARDSHIP_LAW,
                "ELDERLY",
                _HARDSHIP_TO_SHOW,
            ),
        ),
        _category(
            "VICTIM_16_18",
            Text(
                "bị hại từ đủ 16 đến dưới 18 tuổi có khó khăn về tài chính",
                "victim from 16 to below 18, in financial hardship",
            ),
            _aged("VICTIM_AGE", _TO_18, _CHILD_AGE, _ADULT_AGE),
            _recorded(
                "VICTIM_STATUS",
                Text("là bị hại", "is a victim"),
                _WHO_LAW,
                "VICTIM_16_18",
                _STATUS_TO_SHOW,
            ),
        ),
        _category(
            "ACCUSED_16_18",
            Text("người bị buộc tội từ đủ 16 đến dưới 18 tuổi", "accused from 16 to below 18"),
            _aged("ACCUSED_AGE", _TO_18, _CHILD_AGE, _ADULT_AGE),
            _recorded(
                "ACCUSED_STATUS",
                Text("là người bị buộc tội", "is accused"),
                _WHO_LAW,
                "ACCUSED_16_18",
                _STATUS_TO_SHOW,
            ),
        ),
        _category(
            "ETHNIC_MINORITY_SPECIAL_AREA",
            Text(
                "người dân tộc thiểu số cư trú ở vùng đặc biệt khó khăn",
                "of an ethnic minority, in an area of extreme difficulty",
            ),
            ProcedureRule(
                "ETHNIC_MINORITY",
                Text("người dân tộc thiểu số", "of an ethnic minority"),
                _WHO_LAW,
                _ethnic_minority,
            ),
            ProcedureRule(
                "SPECIAL_AREA",
                Text("cư trú ở vùng đặc biệt khó khăn", "resides in an area of extreme difficulty"),
                _WHO_LAW,
                _special_area,
            ),
        ),
        ProcedureRule(
            "RECORDED_ENTITLEMENT",
            Text("đã được ghi nhận thuộc diện được trợ giúp", "recorded as entitled"),
            _WHO_LAW,
            _entitled(None, None),
            is_concealed=True,
        ),
        document_rule(
            "OTHER_CATEGORY",
            Text("thuộc diện khác theo giấy tờ", "another category, by a document"),
            _WHO_LAW,
            Text(
                "Giấy tờ chứng minh: người có công; hộ nghèo; người bị buộc tội thuộc hộ cận nghèo;"
                " "
                "hoặc có khó khăn về tài chính và là thân nhân liệt sĩ, người nhiễm chất độc da "
                "cam, người khuyết tật, nạn nhân bạo lực gia đình, nạn nhân mua bán người, người "
                "nhiễm HIV.",
                "A document that shows: merit to the revolution; a poor household; accused, of a "
                "near-poor household; or in hardship and a martyr's relative, a victim of Agent "
                "Orange, of domestic violence or of trafficking, a person with a disability or "
                "with HIV.",
            ),
        ),
    ),
)
_CONDITIONS = (
    identified("applicant", _APPLICANT),
    alive("applicant", _APPLICANT),
    ProcedureRule(
        "FIELD_COVERED",
        Text("lĩnh vực được trợ giúp pháp lý", "a field of legal aid"),
        _FIELD_LAW,
        _field_covered,
    ),
    _BENEFICIARY,
    AnyOf(
        "PLACE",
        Text("cư trú hoặc vụ việc xảy ra tại tỉnh", "residence or case in the province"),
        (
            ProcedureRule(
                "RESIDES_IN_PROVINCE",
                Text("cư trú tại tỉnh", "resides in the province"),
                _WHERE_LAW,
                _resides_in_province,
            ),
            ProcedureRule(
                "CASE_IN_PROVINCE",
                Text("vụ việc xảy ra tại tỉnh", "the case is in the province"),
                _WHERE_LAW,
                _case_in_province,
            ),
        ),
    ),
    ProcedureRule(
        "NO_OTHER_PROVIDER",
        Text("chưa có tổ chức khác thụ lý vụ việc", "no other provider has the case"),
        _ONCE_LAW,
        _no_other_provider,
    ),
)


def _needs_category_paper(case: ProcedureCase) -> bool:
    """Say whether no age, and no entitlement that is recorded, shows a category by itself."""
    shown = (_CHILD.check(case), _entitled(None, None)(case))
    return all(result.state is not RuleState.PASS for result in shown)


CHECK = CheckDefinition(
    name="legal_aid_request",
    input=LegalAidRequestInput,
    roles={"applicant": (*ALIVE_LISTS, RESIDENCES, ENTITLEMENTS, CASES)},
    editions=(
        Edition(
            since=date(2018, 1, 1),
            law=(
                "Luật Trợ giúp pháp lý 11/2017/QH14, Điều 7, 9, 26-27, 29-31",
                "Nghị định 144/2017/NĐ-CP, Điều 2",
            ),
            competent_body=Text(
                "Trung tâm trợ giúp pháp lý nhà nước hoặc tổ chức tham gia trợ giúp pháp lý",
                "The state legal aid centre, or an organisation that takes part in legal aid",
            ),
            deadline=Deadline(
                3,
                TimeUnit.WORKING_DAYS,
                Text(
                    "Luật Trợ giúp pháp lý 11/2017/QH14, Điều 31: cử người thực hiện; 12 giờ đối "
                    "với người bị bắt, tạm giữ",
                    "Law on Legal Aid 11/2017, Art. 31: somebody is assigned; 12 hours for who is "
                    "arrested or detained",
                ),
            ),
            conditions=_CONDITIONS,
            papers=(
                Paper("REQUEST", Text("Đơn yêu cầu trợ giúp pháp lý", "Request for legal aid")),
                identity_paper("applicant", Text("người yêu cầu", "the applicant")),
                Paper(
                    "CATEGORY",
                    Text(
                        "Giấy tờ chứng minh thuộc diện được trợ giúp pháp lý",
                        "Documents that show who is entitled",
                    ),
                    is_needed=_needs_category_paper,
                ),
                Paper(
                    "CASE_DOCUMENTS",
                    Text("Giấy tờ, tài liệu liên quan đến vụ việc", "Documents about the case"),
                ),
            ),
        ),
    ),
)

PROCEDURE = Procedure(
    codes=("2.000829",),
    title=Text("Yêu cầu trợ giúp pháp lý", "Legal aid request"),
    legal_basis=(
        "Luật Trợ giúp pháp lý 11/2017/QH14, Điều 7, 9, 26, 27, 29-30",
        "Nghị định 144/2017/NĐ-CP, Điều 2",
    ),
    fields={
        "population.identity": f"{IDENTITY} ethnicity",
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "legal_aid.cases": (
            "case_no province_code centre_id beneficiary_id request_date accepted_date "
            "acceptance_status field_of_law form proceeding_stage court_case_no status "
            "completed_date beneficiary_category hardship_proof proof_docs"
        ),
        "legal_aid.beneficiary": "* ethnicity",
        "legal_aid.entitlements": (
            "entry_id citizen_id category valid_from valid_until proof_doc_no issuer"
        ),
        "legal_aid.providers": "*",
    },
    derived=frozenset({"guardianship", "residence"}),
    check=CHECK,
)
