"""P3: birth registration, also together with a recognition, with a foreign element, or again.

Law on Civil Status 60/2014/QH13 Art. 13-16: the parents' identity, what the record says (Art. 14:
ethnicity, of the child and of both parents), within 60 days, not registered already: neither the
child nor the notification of the birth. Law on Marriage and Family 52/2014/QH13 Art. 88: whose
marriage the child was born in.

The notification of the birth is with the health ministry, which is none of the databases: a
document shows it. Who is late registers all the same. Of several children of one birth each has a
notification of its own (Circular 17/2012/TT-BYT, not among the project's sources: an assumption).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, auto
from typing import Annotated

from connectors.description import Row, Text
from connectors.values import PersonNumber
from gateway.derived.kin import CHILDREN
from gateway.derived.life_status import LifeState, life_status
from gateway.derived.marriages import MARRIAGES
from gateway.derived.registers import IDENTITY, first_day, last_day
from gateway.derived.view import Basis, Conclusion, Facts, UnknownReason
from gateway.procedures.allow_lists import DEATH, LIFE, MARITAL
from gateway.procedures.allow_lists import IDENTITY as IDENTITY_FIELDS
from gateway.procedures.checks.civil_status_editions import (
    APPLICATION_FORM,
    civil_status_editions,
    identity_paper,
)
from gateway.procedures.checks.definition import CheckDefinition, Paper
from gateway.procedures.checks.evidence_on_day import evidence_on
from gateway.procedures.checks.life import ALIVE_LISTS, identified
from gateway.procedures.checks.marital import MARITAL_LATER, MARITAL_LISTS, MARITAL_PEOPLE
from gateway.procedures.checks.optional_role import where_named
from gateway.procedures.checks.paternity import presumed_father
from gateway.procedures.checks.rule import ProcedureCase, ProcedureRule, RuleResult
from gateway.procedures.procedure import Procedure

_MOTHER = Text("Người mẹ", "The mother")
_FATHER = Text("Người cha", "The father")
_REGISTRATION_LAW = Text(
    "Luật Hộ tịch 60/2014/QH13, Điều 13-16", "Law on Civil Status 60/2014, Art. 13-16"
)
_PERIOD_LAW = Text(
    "Luật Hộ tịch 60/2014/QH13, Điều 15 khoản 1", "Law on Civil Status 60/2014, Art. 15(1)"
)
_NOTIFICATION_LAW = Text(
    "Luật Hộ tịch 60/2014/QH13, Điều 16 khoản 1", "Law on Civil Status 60/2014, Art. 16(1)"
)
_PATERNITY_LAW = Text(
    "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 88",
    "Law on Marriage and Family 52/2014, Art. 88",
)
_PERIOD = timedelta(days=60)
#: Nobody is registered who was born earlier.
_EARLIEST = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class BirthRegistrationInput:
    """Đăng ký khai sinh / Birth registration."""

    mother: Annotated[PersonNumber, Text("người mẹ", "mother")]
    birth_date: Annotated[date, Text("ngày sinh của trẻ", "the child's date of birth")]
    father: Annotated[PersonNumber | None, Text("người cha, nếu khai", "father, if stated")] = None
    birth_notification_no: Annotated[
        str | None, Text("số Giấy chứng sinh", "number of the notification of birth")
    ] = None
    children_at_birth: Annotated[
        int | None,
        Text(
            "số con trong lần sinh này, theo Giấy chứng sinh; bỏ trống là một",
            "how many children were born at once, by the notification; one if left out",
        ),
    ] = None


def _was_mother_alive(case: ProcedureCase) -> RuleResult:
    """Art. 14: the mother lived on the day before the birth, by what the databases say."""
    eve = case.input.birth_date - timedelta(days=1) if case.input.birth_date > _EARLIEST else None
    not_known = Text(
        "Chưa xác định được người mẹ còn sống khi trẻ sinh ra hay không.",
        "It is not known whether the mother was alive when the child was born.",
    )
    if eve is None:
        return RuleResult.unknown(not_known, UnknownReason.NOT_RECORDED)
    life = life_status(evidence_on(case.person("mother"), eve))
    if life.reason is not None:
        return RuleResult.unknown(not_known, life.reason)
    if life.value is LifeState.DEAD:
        return RuleResult.fails(
            Text(
                "Theo hộ tịch, người mẹ đã chết trước ngày sinh của trẻ.",
                "By the civil status book the mother had died before the child's date of birth.",
            ),
            life.basis,
        )
    return RuleResult.passes(
        Text("Người mẹ còn sống khi trẻ sinh ra.", "The mother was alive when the child was born."),
        life.basis,
    )


def _has_notification(case: ProcedureCase) -> RuleResult:
    """Art. 16(1): the notification of birth, or what stands in for it, is no record of ours."""
    if case.input.birth_notification_no is None:
        return RuleResult.needs_document(
            Text(
                "Cần Giấy chứng sinh; không có thì văn bản của người làm chứng hoặc giấy cam đoan.",
                "A notification of birth is needed; failing that, a witness's statement or a "
                "declaration.",
            )
        )
    return RuleResult.needs_document(
        Text(
            "Đối chiếu số Giấy chứng sinh với Giấy chứng sinh hoặc dữ liệu của ngành y tế.",
            "Compare the number with the notification of birth, or with the data of the health "
            "ministry.",
        )
    )


def _is_not_registered(case: ProcedureCase) -> RuleResult:
    """Art. 13-16: a birth is registered once. Births of the mother on that day decide."""
    verdicts = list(_registered_already(case))
    if any(verdict is True for verdict in verdicts):
        return RuleResult.fails(
            Text(
                "Việc sinh này đã được đăng ký khai sinh.",
                "This birth has been registered already.",
            )
        )
    lists = [case.person("mother").list(CHILDREN)]
    lists += [father.list(CHILDREN) for father in case.people("father")]
    reasons = [births.reason for births in lists if births.reason is not None]
    if reasons or None in verdicts:
        return RuleResult.unknown(
            Text(
                "Chưa xác định được trẻ đã được đăng ký khai sinh hay chưa.",
                "It is not known whether the child has been registered already.",
            ),
            reasons[0] if reasons else UnknownReason.NOT_RECORDED,
        )
    return RuleResult.passes(
        Text(
            "Chưa có đăng ký khai sinh nào cho việc sinh này.",
            "No registration of this birth is in the books.",
        )
    )


def _registered_already(case: ProcedureCase) -> Iterator[bool | None]:
    """Say of each entry whether it is of this child; None: that is not known."""
    mother = case.person("mother")
    births = mother.list(CHILDREN)
    same_day = {
        births.value(row, "citizen_id") or births.value(row, "event_id")
        for row in births.rows
        if births.code(row, "status") != "REVOKED"
        and _is_on_day(births, row, case.input.birth_date)
    }
    for row in births.rows:
        yield _is_of_child(case, births, row, len(same_day))
    for father in case.people("father"):
        of_father = father.list(CHILDREN)
        for row in of_father.rows:
            if of_father.value(row, "mother_citizen_id") is None:  # perhaps this mother
                verdict = _is_of_child(case, of_father, row, 0)
                yield None if verdict else verdict


def _is_on_day(births: Facts, row: Row, day: date) -> bool | None:
    born = births.value(row, "birth_date")
    first, last = first_day(born), last_day(born)
    if first is None or last is None:
        return None
    if not first <= day <= last:
        return False
    return True if first == last else None


def _is_of_child(case: ProcedureCase, births: Facts, row: Row, registered: int) -> bool | None:
    """Say whether an entry is of the child; ``registered``: how many of that day there are.

    What was replaced since counts too: the birth has been registered.
    """
    status = births.code(row, "status")
    if status == "REVOKED":
        return False
    stated, recorded = case.input.birth_notification_no, births.value(row, "birth_notification_no")
    if stated is not None and recorded is not None and stated.strip() == recorded.strip():
        return None if status is None else True
    is_on_day = _is_on_day(births, row, case.input.birth_date)
    if is_on_day is False or (is_on_day and stated is not None and recorded is not None):
        return False
    if is_on_day is None or status is None:
        return None
    return None if registered < (case.input.children_at_birth or 1) else True


class _Paternity(Enum):
    """What the mother's marriages say of the father who is stated, or is not."""

    NOT_KNOWN = auto()
    NOBODY = auto()  # nobody is stated, and nobody presumed
    HUSBAND = auto()  # who is stated is the husband
    RECOGNITION = auto()  # who is stated has to recognise the child
    COURT = auto()  # the husband is presumed to be the father, and is not the one who is stated


def _paternity(case: ProcedureCase) -> tuple[_Paternity, Conclusion]:
    father = next(iter(case.people("father")), None)
    presumed = presumed_father(case.person("mother"), case.input.birth_date)
    identity = None if father is None else father.list(IDENTITY).reason
    reason = presumed.reason or identity
    if reason is not None:
        return _Paternity.NOT_KNOWN, Conclusion.unknown(reason)
    if presumed.value is None:
        return (_Paternity.NOBODY if father is None else _Paternity.RECOGNITION), presumed
    is_husband = father is not None and presumed.value in father.numbers
    return (_Paternity.HUSBAND if is_husband else _Paternity.COURT), presumed


_PATERNITY_SENTENCES = {
    _Paternity.NOT_KNOWN: Text(
        "Chưa xác định được hôn nhân của người mẹ khi trẻ sinh ra: cơ quan đăng ký hộ tịch xác "
        "minh.",
        "The mother's marriage at the time of the birth is not known: the civil status office "
        "verifies it.",
    ),
    _Paternity.NOBODY: Text(
        "Trẻ không sinh ra trong thời kỳ hôn nhân: phần khai về người cha để trống.",
        "The child was not born in a marriage: the part about the father stays blank.",
    ),
    _Paternity.HUSBAND: Text(
        "Trẻ là con chung của vợ chồng: người cha được khai là chồng của người mẹ.",
        "The child is the couple's: the father who is stated is the mother's husband.",
    ),
    _Paternity.RECOGNITION: Text(
        "Người cha được khai không phải là chồng của người mẹ: kết hợp thủ tục nhận con.",
        "The father who is stated is not the mother's husband: a recognition is to be combined.",
    ),
    _Paternity.COURT: Text(
        "Trẻ sinh ra trong thời kỳ hôn nhân, hoặc trong 300 ngày sau đó: khai người chồng, hoặc "
        "cần bản án, quyết định của Tòa án xác định cha.",
        "The child was born in a marriage, or within 300 days of its end: the husband is to be "
        "stated, or a court's decision on the father is needed.",
    ),
}


def _is_father_certain(case: ProcedureCase) -> RuleResult:
    """Art. 88: who is to be entered as the father follows from the mother's marriages.

    Only marriages with the father who is stated are shown as evidence.
    """
    paternity, presumed = _paternity(case)
    sentence = _PATERNITY_SENTENCES[paternity]
    if presumed.reason is not None:
        return RuleResult.unknown(sentence, presumed.reason)
    if paternity is _Paternity.NOBODY:
        return RuleResult.passes(sentence)
    if paternity is _Paternity.HUSBAND:
        return RuleResult.passes(sentence, _marriages_in(presumed.basis))
    return RuleResult.needs_document(sentence)


def _marriages_in(basis: tuple[Basis, ...]) -> tuple[Basis, ...]:
    return tuple(entry for entry in basis if entry.facts.name == MARRIAGES)


def _is_within_period(case: ProcedureCase) -> RuleResult:
    """Art. 15(1): within 60 days of the birth; a late registration is one all the same."""
    born, at = case.input.birth_date, case.at
    if born < _EARLIEST:
        return RuleResult.unknown(
            Text("Ngày sinh trước năm 1900.", "The date of birth is before 1900."),
            UnknownReason.NOT_COVERED,
        )
    if born > at:
        return RuleResult.fails(
            Text(
                "Ngày sinh sau ngày đăng ký khai sinh.",
                "The date of birth is after the day of the registration.",
            )
        )
    if at - born <= _PERIOD:
        return RuleResult.passes(
            Text("Đăng ký đúng hạn 60 ngày.", "The registration is within 60 days.")
        )
    return RuleResult.passes(
        Text(
            "Quá hạn 60 ngày: đăng ký khai sinh quá hạn.",
            "The 60 days are over: it is registered as late.",
        )
    )


def _is_husband_possible(case: ProcedureCase) -> bool:
    return case.has("father") and _paternity(case)[0] in {_Paternity.HUSBAND, _Paternity.NOT_KNOWN}


def _needs_recognition(case: ProcedureCase) -> bool:
    return _paternity(case)[0] is _Paternity.RECOGNITION


def _needs_court(case: ProcedureCase) -> bool:
    return _paternity(case)[0] is _Paternity.COURT


CHECK = CheckDefinition(
    name="birth_registration",
    input=BirthRegistrationInput,
    roles={
        "mother": tuple(dict.fromkeys((*ALIVE_LISTS, *MARITAL_LISTS, CHILDREN))),
        "father": (IDENTITY, CHILDREN),
    },
    editions=civil_status_editions(
        "Điều 13-16",
        other_laws=(
            "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 88",
            "Nghị định 87/2020/NĐ-CP",
            "Nghị định 70/2024/NĐ-CP, Điều 11",
        ),
        conditions=(
            identified("mother", _MOTHER),
            where_named("father", identified("father", _FATHER)),
            ProcedureRule(
                "MOTHER_ALIVE_AT_BIRTH",
                Text("người mẹ còn sống khi trẻ sinh ra", "mother alive when the child was born"),
                _REGISTRATION_LAW,
                _was_mother_alive,
            ),
            ProcedureRule(
                "BIRTH_NOTIFICATION",
                Text("có Giấy chứng sinh", "notification of birth"),
                _NOTIFICATION_LAW,
                _has_notification,
            ),
            ProcedureRule(
                "CHILD_NOT_REGISTERED",
                Text("trẻ chưa được đăng ký khai sinh", "child not registered already"),
                _REGISTRATION_LAW,
                _is_not_registered,
                is_concealed=True,
            ),
            ProcedureRule(
                "PATERNITY",
                Text("xác định được người cha để ghi", "who is to be entered as the father"),
                _PATERNITY_LAW,
                _is_father_certain,
            ),
            ProcedureRule(
                "REGISTRATION_PERIOD",
                Text("thời hạn đăng ký khai sinh", "period for the registration"),
                _PERIOD_LAW,
                _is_within_period,
            ),
        ),
        papers=(
            APPLICATION_FORM,
            Paper("BIRTH_NOTIFICATION", Text("Giấy chứng sinh", "notification of birth")),
            identity_paper("mother", Text("người mẹ", "the mother")),
            identity_paper("father", Text("người cha", "the father")),
            Paper(
                "MARRIAGE_CERTIFICATE",
                Text("Giấy chứng nhận kết hôn của cha, mẹ", "the parents' certificate of marriage"),
                ("civil_status.marriages",),
                ("PATERNITY",),
                _is_husband_possible,
            ),
            Paper(
                "RECOGNITION_PAPERS",
                Text(
                    "tờ khai nhận con và chứng cứ về quan hệ cha con",
                    "declaration of recognition, and evidence that the father is the father",
                ),
                is_needed=_needs_recognition,
            ),
            Paper(
                "COURT_DECISION",
                Text(
                    "bản án, quyết định của Tòa án xác định cha",
                    "a court's decision on who the father is",
                ),
                is_needed=_needs_court,
            ),
        ),
    ),
    later=MARITAL_LATER,
    people=MARITAL_PEOPLE,
    # A birth that was replaced after an adoption has been registered all the same.
    unprotected=frozenset({CHILDREN}),
)

PROCEDURE = Procedure(
    codes=("1.001193", "1.000689", "2.000528", "1.004884"),
    title=Text("Đăng ký khai sinh", "Birth registration"),
    legal_basis=(
        "Luật Hộ tịch 60/2014/QH13, Điều 13-16",
        "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 88",
        "Nghị định 87/2020/NĐ-CP",
        "Nghị định 70/2024/NĐ-CP, Điều 11",
    ),
    fields={
        "population.identity": f"{IDENTITY_FIELDS} marital_status ethnicity",
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "civil_status.births": (
            "* ethnicity mother.ethnicity father.ethnicity birth_notification_no"
        ),
        "civil_status.recognitions": "*",
        "civil_status.marriages": "*",
        "civil_status.divorces": "*",
        # Art. 88: a child born within 300 days of the end of the marriage is the husband's.
        "civil_status.deaths": DEATH,
        "civil_status.court_notes": "*",
    },
    derived=frozenset({"life_status", "marital_status"}),
    deciding=LIFE | MARITAL,
    check=CHECK,
)
