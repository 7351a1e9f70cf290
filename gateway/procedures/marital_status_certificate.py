"""P2: confirmation of marital status.

Decree 123/2015/NĐ-CP Art. 21-23 (amended by Decrees 07/2025 and 18/2026): where the applicant lived
since the age of marriage, each marriage and how it ended, what the confirmation is for and, if for
a marriage, with whom. The outcome is one of four statuses. That a spouse died is needed, not of
what.

The three working days, and the earlier certificate that has to be handed in, are in Art. 22, which
is not quoted in the project's sources: an assumption.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from connectors.description import Coded, Text
from connectors.values import PersonNumber
from gateway.derived.life_status import LifeState, life_status
from gateway.derived.marital_status import CONFIRMATIONS, MaritalState, marital_status
from gateway.derived.marriages import MARRIAGES
from gateway.derived.registers import IDENTITY, Statement, first_day, in_force, last_day
from gateway.derived.view import Basis, Evidence, UnknownReason
from gateway.procedures.allow_lists import DEATH, LIFE, MARITAL
from gateway.procedures.allow_lists import IDENTITY as IDENTITY_FIELDS
from gateway.procedures.checks.age import AGE_LISTS, birth_of, has_reached
from gateway.procedures.checks.civil_status_editions import (
    APPLICATION_FORM,
    civil_status_editions,
    identity_paper,
)
from gateway.procedures.checks.definition import (
    CheckDefinition,
    Deadline,
    Paper,
    TimeUnit,
    TypedResult,
)
from gateway.procedures.checks.life import ALIVE_LISTS, alive, identified
from gateway.procedures.checks.marital import MARITAL_LATER, MARITAL_LISTS, MARITAL_PEOPLE
from gateway.procedures.checks.residence import RESIDENCE_LISTS, resident, resident_since
from gateway.procedures.checks.rule import ProcedureCase, ProcedureRule, RuleResult
from gateway.procedures.checks.sex import SEX_LISTS, sex_of
from gateway.procedures.procedure import Procedure

_APPLICANT = Text("Người yêu cầu", "The applicant")
_DECREE = "Nghị định 123/2015/NĐ-CP, Điều 21-23"
_AGE_LAW = Text(
    "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 8; Nghị định 123/2015/NĐ-CP, Điều 22",
    "Law on Marriage and Family 52/2014, Art. 8; Decree 123/2015, Art. 22",
)
_ARTICLE_22 = Text("Nghị định 123/2015/NĐ-CP, Điều 22", "Decree 123/2015, Art. 22")
_ARTICLE_23 = Text("Nghị định 123/2015/NĐ-CP, Điều 23", "Decree 123/2015, Art. 23")
#: From which age on somebody may marry, by the code of the sex.
_MARRIAGE_AGES = {"MALE": 20, "FEMALE": 18}


class CertificatePurpose(Coded):
    """What the certificate is for: it serves for nothing else."""

    MARRIAGE = "để kết hôn", "marriage"
    PROPERTY_TRANSACTION = "giao dịch tài sản", "property transaction"
    OTHER = "mục đích khác", "other purpose"


@dataclass(frozen=True, slots=True)
class MaritalStatusCertificateInput:
    """Cấp Giấy xác nhận tình trạng hôn nhân / Marital status certificate."""

    applicant: Annotated[PersonNumber, Text("người yêu cầu", "applicant")]
    purpose: Annotated[CertificatePurpose, Text("mục đích sử dụng", "what it is for")]
    intended_spouse: Annotated[
        PersonNumber | None,
        Text(
            "người dự định kết hôn; bắt buộc khi để kết hôn",
            "intended spouse; required where it is for a marriage",
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class MaritalStatusToCertify:
    """Nội dung xác nhận tình trạng hôn nhân / What a marital status certificate is to say."""

    status: Annotated[
        MaritalState | None, Text("tình trạng; null: không rõ", "status; null: not known")
    ]
    period_from: Annotated[
        date | None,
        Text(
            "cư trú từ ngày, kể từ khi đủ tuổi kết hôn; null: không rõ",
            "residence from, since the age of marriage; null: not known",
        ),
    ]
    period_to: Annotated[date | None, Text("đến ngày; null: không rõ", "until; null: not known")]


def _states_intended_spouse(case: ProcedureCase) -> RuleResult:
    """Art. 22-23: a certificate for a marriage names the intended spouse, and no other does."""
    is_for_marriage = case.input.purpose is CertificatePurpose.MARRIAGE
    is_stated = case.has("intended_spouse")
    if is_for_marriage and not is_stated:
        return RuleResult.fails(
            Text(
                "Để kết hôn thì phải nêu người dự định kết hôn.",
                "A certificate for a marriage has to name the intended spouse.",
            )
        )
    if is_stated and not is_for_marriage:
        return RuleResult.fails(
            Text(
                "Chỉ nêu người dự định kết hôn khi giấy xác nhận dùng để kết hôn.",
                "An intended spouse is named in a certificate for a marriage only.",
            )
        )
    if not is_stated:
        return RuleResult.passes(
            Text(
                "Giấy xác nhận không dùng để kết hôn: không phải nêu người dự định kết hôn.",
                "The certificate is not for a marriage: no intended spouse is to be named.",
            )
        )
    identity = case.person("intended_spouse").list(IDENTITY)
    if identity.reason is not None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được người dự định kết hôn theo số định danh.",
                "The intended spouse could not be identified by the number.",
            ),
            identity.reason,
        )
    return RuleResult.passes(
        Text("Đã nêu người dự định kết hôn.", "The intended spouse is named."),
        identity.basis(*identity.rows),
    )


def _is_old_enough(case: ProcedureCase) -> RuleResult:
    """Art. 22: the certificate is about the time since the age of marriage (Law 52/2014 Art. 8)."""
    not_known = Text(
        "Chưa xác định được người yêu cầu đã đủ tuổi kết hôn hay chưa.",
        "It is not known whether the applicant has reached the age of marriage.",
    )
    applicant = case.person("applicant")
    years, born = _marriage_age(applicant), birth_of(applicant)
    reason = years.reason or born.reason
    if reason is not None:
        return RuleResult.unknown(not_known, reason)
    reaches = has_reached(born.value, years.value, case.at)
    if reaches is None:
        return RuleResult.unknown(not_known, UnknownReason.NOT_RECORDED)
    if reaches:
        return RuleResult.passes(
            Text(
                "Người yêu cầu đã đủ tuổi kết hôn.",
                "The applicant has reached the age of marriage.",
            ),
            born.basis,
        )
    return RuleResult.fails(
        Text(
            "Người yêu cầu chưa đủ tuổi kết hôn.",
            "The applicant has not reached the age of marriage.",
        ),
        born.basis,
    )


def _marriage_age(evidence: Evidence) -> Statement:
    """Return the age from which on somebody may marry, or why it is not known."""
    sex = sex_of(evidence)
    if sex.reason is not None:
        return sex
    years = _MARRIAGE_AGES.get(sex.value)
    return Statement(years, None if years else UnknownReason.NOT_RECORDED, sex.basis)


_STATUS_SENTENCES = {
    MaritalState.NEVER_MARRIED: Text(
        "Xác nhận: chưa đăng ký kết hôn với ai.", "To certify: never married."
    ),
    MaritalState.MARRIED: Text("Xác nhận: đang có vợ hoặc chồng.", "To certify: married."),
    MaritalState.DIVORCED: Text(
        "Xác nhận: đã ly hôn, chưa kết hôn với ai.", "To certify: divorced and not married again."
    ),
    MaritalState.WIDOWED: Text(
        "Xác nhận: vợ hoặc chồng đã chết, chưa kết hôn với ai.",
        "To certify: widowed and not married again.",
    ),
}


def _has_status_for_purpose(case: ProcedureCase) -> RuleResult:
    """Art. 22: the status is known; for a marriage, it is not that of a married person."""
    applicant = case.person("applicant")
    status = marital_status(applicant)
    # A certificate rests on all of these lists, whichever of them decides.
    lists = (applicant.list(name).reason for name in MARITAL_LISTS)
    reason = status.reason or next((doubt for doubt in lists if doubt is not None), None)
    if reason is not None:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được tình trạng hôn nhân: cơ quan đăng ký hộ tịch xác minh.",
                "The marital status is not known: the civil status office verifies it.",
            ),
            reason,
        )
    assert isinstance(status.value, MaritalState)
    basis = _of_applicant(applicant, status.basis)
    is_for_marriage = case.input.purpose is CertificatePurpose.MARRIAGE
    if is_for_marriage and status.value is MaritalState.MARRIED:
        return RuleResult.fails(
            Text(
                "Người yêu cầu đang có vợ hoặc chồng: không cấp giấy xác nhận để kết hôn.",
                "The applicant is married: no certificate is issued for a marriage.",
            ),
            basis,
        )
    return RuleResult.passes(_STATUS_SENTENCES[status.value], basis)


def _of_applicant(applicant: Evidence, basis: tuple[Basis, ...]) -> tuple[Basis, ...]:
    """Return the rows of a basis in the applicant's lists: none of a spouse's."""
    return tuple(row for row in basis if row.row in applicant.list(row.facts.name).rows)


def _to_certify(case: ProcedureCase) -> MaritalStatusToCertify | None:
    """Return what the certificate is to say; None: nothing of it is known."""
    applicant = case.person("applicant")
    if life_status(applicant).value is not LifeState.ALIVE:
        return None
    status, start = marital_status(applicant).value, _period_start(case, applicant)
    if status is None and start is None:
        return None
    end = None if start is None else case.today
    return MaritalStatusToCertify(status if isinstance(status, MaritalState) else None, start, end)


def _period_start(case: ProcedureCase, applicant: Evidence) -> date | None:
    """Return since when the applicant resided there, from the age of marriage on."""
    years, born = _marriage_age(applicant), birth_of(applicant)
    day = first_day(born.value)
    since = resident_since(applicant)
    if years.value is None or day is None or day != last_day(born.value) or since is None:
        return None
    start = max(since, _birthday(day, years.value))
    return start if start <= case.today else None


def _birthday(born: date, years: int) -> date:
    """Return the day on which somebody is ``years`` old (``checks.age``)."""
    year = born.year + years
    if (born.month, born.day) == (2, 29) and not calendar.isleap(year):
        return date(year, 3, 1)
    return born.replace(year=year)


def _was_married(case: ProcedureCase) -> bool:
    """Say whether a marriage of the applicant has ended, or may have."""
    applicant = case.person("applicant")
    if marital_status(applicant).value is MaritalState.MARRIED:
        return False
    marriages = applicant.list(MARRIAGES)
    return marriages.reason is not None or any(
        in_force(marriages, row) is not False for row in marriages.rows
    )


def _was_certified_for_marriage(case: ProcedureCase) -> bool:
    """Say whether a certificate for a marriage was issued before, or may have been."""
    confirmations = case.person("applicant").list(CONFIRMATIONS)
    return case.input.purpose is CertificatePurpose.MARRIAGE and (
        confirmations.reason is not None
        or any(
            in_force(confirmations, row) is not False
            and confirmations.code(row, "purpose") == CertificatePurpose.MARRIAGE.name
            for row in confirmations.rows
        )
    )


CHECK = CheckDefinition(
    name="marital_status_certificate",
    input=MaritalStatusCertificateInput,
    roles={
        "applicant": tuple(
            dict.fromkeys((*ALIVE_LISTS, *AGE_LISTS, *SEX_LISTS, *MARITAL_LISTS, *RESIDENCE_LISTS))
        ),
        "intended_spouse": (IDENTITY,),
    },
    editions=civil_status_editions(
        "Điều 3",
        other_laws=(_DECREE, "Nghị định 07/2025/NĐ-CP", "Nghị định 18/2026/NĐ-CP"),
        deadline=Deadline(3, TimeUnit.WORKING_DAYS, _ARTICLE_22),
        conditions=(
            identified("applicant", _APPLICANT),
            alive("applicant", _APPLICANT),
            ProcedureRule(
                "INTENDED_SPOUSE_STATED",
                Text("mục đích và người dự định kết hôn", "purpose and intended spouse"),
                _ARTICLE_23,
                _states_intended_spouse,
            ),
            ProcedureRule(
                "AGE_OF_MARRIAGE",
                Text("người yêu cầu: đủ tuổi kết hôn", "applicant: of the age of marriage"),
                _AGE_LAW,
                _is_old_enough,
            ),
            resident("applicant", _APPLICANT, _ARTICLE_22),
            ProcedureRule(
                "MARITAL_STATUS",
                Text(
                    "tình trạng hôn nhân xác định được và phù hợp với mục đích",
                    "the marital status is known, and fits the purpose",
                ),
                _ARTICLE_22,
                _has_status_for_purpose,
            ),
        ),
        papers=(
            APPLICATION_FORM,
            identity_paper("applicant", Text("người yêu cầu", "the applicant")),
            Paper(
                "RESIDENCE_PAPER",
                Text("giấy tờ chứng minh nơi cư trú", "proof of residence"),
                ("population.residences",),
                ("APPLICANT_RESIDENT",),
            ),
            Paper(
                "END_OF_MARRIAGE_PAPER",
                Text(
                    "trích lục ghi chú ly hôn hoặc trích lục khai tử của vợ, chồng",
                    "extract of the divorce, or of the spouse's death",
                ),
                ("civil_status.divorces", "civil_status.deaths", "civil_status.court_notes"),
                ("MARITAL_STATUS",),
                _was_married,
            ),
            Paper(
                "EARLIER_CERTIFICATE",
                Text(
                    "Giấy xác nhận tình trạng hôn nhân đã cấp để kết hôn",
                    "certificate issued before for a marriage",
                ),
                is_needed=_was_certified_for_marriage,
            ),
        ),
    ),
    later=MARITAL_LATER,
    people=MARITAL_PEOPLE,
    results=(
        TypedResult(
            "marital_status_certificate",
            Text("nội dung xác nhận; null: không rõ", "what is to be certified; null: not known"),
            MaritalStatusToCertify,
            _to_certify,
        ),
    ),
)

PROCEDURE = Procedure(
    codes=("1.004873",),
    title=Text("Cấp Giấy xác nhận tình trạng hôn nhân", "Marital status certificate"),
    legal_basis=(
        "Luật Hộ tịch 60/2014/QH13",
        "Nghị định 123/2015/NĐ-CP, Điều 21-23",
    ),
    fields={
        "population.identity": f"{IDENTITY_FIELDS} marital_status",
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "civil_status.marriages": "*",
        "civil_status.divorces": "*",
        "civil_status.deaths": DEATH,
        "civil_status.marital_status_confirmations": "*",
        # Annulments, recognised marriages, declarations of death and their revocation.
        "civil_status.court_notes": "*",
    },
    derived=frozenset({"conflicts", "life_status", "marital_status", "residence"}),
    deciding=LIFE | MARITAL,
    check=CHECK,
)
