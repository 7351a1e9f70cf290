"""P6: recognition of a parent or a child.

Law on Civil Status 60/2014/QH13 Art. 24-25: who is recorded as whose parent, whether a marriage
makes somebody else the father (Law on Marriage and Family 52/2014/QH13 Art. 88), capacity, and
whether the other parent lives to consent. The evidence is brought along; that of earlier
recognitions is not needed.

Once the parent or the child has died, and where there is a dispute, a court decides (Law 52/2014
Art. 101). A child born within 300 days after the end of the mother's marriage is the husband's
(Art. 88). An adult child needs nobody's consent (Art. 90). These articles, the forms of evidence
(Circular 04/2020/TT-BTP) and the deadline are not in the project's sources: an assumption.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from connectors.description import Text
from connectors.values import PersonNumber
from gateway.derived.kin import RECOGNITIONS, NamedGroup, parents_in
from gateway.derived.life_status import LifeState, life_status
from gateway.derived.registers import BIRTHS, Statement, first_day, last_day
from gateway.derived.view import Evidence, LaterReads, UnknownReason
from gateway.procedures.allow_lists import DEATH, IDENTITY, LIFE, MARITAL
from gateway.procedures.checks.age import birth_of, has_reached
from gateway.procedures.checks.capacity import CAPACITY_LISTS, not_incapacitated
from gateway.procedures.checks.civil_status_editions import (
    APPLICATION_FORM,
    civil_status_editions,
    identity_paper,
)
from gateway.procedures.checks.consent import agrees, document_rule, person_rule
from gateway.procedures.checks.definition import (
    CheckDefinition,
    Deadline,
    Paper,
    TimeUnit,
)
from gateway.procedures.checks.life import ALIVE_LISTS, alive, identified
from gateway.procedures.checks.marital import MARITAL_LATER, MARITAL_LISTS, MARITAL_PEOPLE
from gateway.procedures.checks.optional_role import where_named
from gateway.procedures.checks.paternity import presumed_father
from gateway.procedures.checks.relative_evidence import RelativeEvidence
from gateway.procedures.checks.rule import ProcedureCase, ProcedureRule, RuleResult
from gateway.procedures.checks.sex import SEX_LISTS, sex_of
from gateway.procedures.procedure import Procedure

_PARENT = Text("Người nhận là cha, mẹ", "The parent")
_CHILD = Text("Người con", "The child")
_OTHER_PARENT = Text("Người cha, mẹ còn lại", "The other parent")
_LAW = Text("Luật Hộ tịch 60/2014/QH13, Điều 24-25", "Law on Civil Status 60/2014, Art. 24-25")
_PRESUMPTION_LAW = Text(
    "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 88, 101",
    "Law on Marriage and Family 52/2014, Art. 88, 101",
)
_CONSENT_LAW = Text(
    "Luật Hộ tịch 60/2014/QH13, Điều 25; Luật Hôn nhân và gia đình 52/2014/QH13, Điều 90-91",
    "Law on Civil Status 60/2014, Art. 25; Law on Marriage and Family 52/2014, Art. 90-91",
)
_ADULT = 18
_PARENT_ROLES = {"MALE": "father", "FEMALE": "mother"}


@dataclass(frozen=True, slots=True)
class ParentChildRecognitionInput:
    """Đăng ký nhận cha, mẹ, con / Recognition of a parent or a child."""

    parent: Annotated[PersonNumber, Text("người nhận hoặc được nhận là cha, mẹ", "parent")]
    child: Annotated[PersonNumber, Text("người con", "child")]
    other_parent: Annotated[
        PersonNumber | None,
        Text("người cha hoặc mẹ đã có tên trong khai sinh", "parent whom the birth names already"),
    ] = None


def _parent_role(case: ProcedureCase) -> Statement:
    """Return which parent is recognised, by sex: father or mother."""
    sex = sex_of(case.person("parent"))
    if sex.reason is not None:
        return sex
    role = _PARENT_ROLES.get(str(sex.value))
    return Statement(role) if role else Statement(reason=UnknownReason.NOT_RECORDED)


def _recorded_parents(case: ProcedureCase) -> NamedGroup:
    child = case.person("child")
    return parents_in(child.list(BIRTHS), child.list(RECOGNITIONS), child.numbers)


_NOT_REGISTERED = Text(
    "Khai sinh của người con chưa ghi người cha (mẹ) nào ở vị trí này.",
    "The child's birth names nobody yet as this parent.",
)
_REGISTERED = Text(
    "Người con đã có cha (mẹ) được đăng ký ở vị trí này; thay đổi thuộc thẩm quyền của Tòa án.",
    "The child has a registered parent in this place already; a court decides on a change.",
)
_REGISTRATION_UNKNOWN = Text(
    "Chưa xác định được người con đã có cha (mẹ) được đăng ký ở vị trí này hay chưa.",
    "It is not known whether the child has a registered parent in this place already.",
)


def _kinship_not_registered(case: ProcedureCase) -> RuleResult:
    """Law 60/2014 Art. 25: a parent is registered once; whoever it is, the answer is the same."""
    recorded, role, parent = _recorded_parents(case), _parent_role(case), case.person("parent")
    for relative in recorded.relatives:
        if relative.number in parent.numbers or relative.role == role.value:
            return RuleResult.fails(_REGISTERED)
    reason = recorded.reason or role.reason
    if reason is not None:
        return RuleResult.unknown(_REGISTRATION_UNKNOWN, reason)
    return RuleResult.passes(_NOT_REGISTERED)


_NO_PRESUMED_FATHER = Text(
    "Không có người khác được pháp luật xác định là cha theo hôn nhân của người mẹ.",
    "By the mother's marriages the law presumes nobody else to be the father.",
)
_PRESUMED_FATHER = Text(
    "Người con sinh ra hoặc được thụ thai trong thời kỳ hôn nhân của người mẹ với người khác; "
    "thuộc thẩm quyền của Tòa án.",
    "The child was born or conceived during a marriage of the mother to somebody else; a court "
    "decides.",
)
_PRESUMPTION_UNKNOWN = Text(
    "Chưa xác định được có người khác được pháp luật xác định là cha theo hôn nhân của người mẹ "
    "hay không.",
    "It is not known whether the law presumes somebody else to be the father by a marriage of the "
    "mother.",
)


def _no_presumed_father(case: ProcedureCase) -> RuleResult:
    """Law 52/2014 Art. 88: the husband of the mother at the birth, or 300 days before, is father.

    The mother's marriages are read whoever is recognised.
    """
    presumed = _is_presumed_otherwise(case)
    role = _parent_role(case)
    if role.reason is not None:
        return RuleResult.unknown(_PRESUMPTION_UNKNOWN, role.reason)
    if role.value == "mother":
        return RuleResult.passes(_NO_PRESUMED_FATHER)
    if presumed.reason is not None:
        return RuleResult.unknown(_PRESUMPTION_UNKNOWN, presumed.reason)
    if presumed.value:
        return RuleResult.fails(_PRESUMED_FATHER)
    return RuleResult.passes(_NO_PRESUMED_FATHER)


def _is_presumed_otherwise(case: ProcedureCase) -> Statement:
    """Return whether a marriage of the recorded mother makes another man the father."""
    recorded, child = _recorded_parents(case), case.person("child")
    born = birth_of(child)
    numbers = [parent.number for parent in recorded.relatives if parent.role == "mother"]
    reason = recorded.reason or born.reason
    if reason is not None or not numbers or numbers[0] is None:
        return Statement(reason=reason or UnknownReason.NOT_RECORDED)
    person = child.person(numbers[0])
    if person is None or person.is_shared:
        return Statement(reason=UnknownReason.NUMBERS_INCOMPLETE)
    mother = RelativeEvidence(child, person)
    days = dict.fromkeys(day for day in (first_day(born.value), last_day(born.value)) if day)
    verdicts = [_presumption(mother, case.person("parent").numbers, day) for day in days]
    # Between two days on which nobody is presumed the father somebody may have been.
    if not verdicts or (len(verdicts) > 1 and not all(verdict.value for verdict in verdicts)):
        return Statement(reason=UnknownReason.NOT_RECORDED)
    return verdicts[0]


def _presumption(mother: Evidence, man: tuple[str, ...], born: date) -> Statement:
    """Return whether somebody else than ``man`` is the father of a child born on ``born``."""
    father = presumed_father(mother, born)
    if father.reason is not None:
        return Statement(reason=father.reason)
    return Statement(father.value is not None and father.value not in man)


_RECORDED = Text(
    "Người này được ghi là cha hoặc mẹ trong khai sinh của người con.",
    "The child's birth names this person as a parent.",
)
_NOT_RECORDED = Text(
    "Khai sinh của người con không ghi người này là cha hoặc mẹ.",
    "The child's birth does not name this person as a parent.",
)
_RECORD_UNKNOWN = Text(
    "Chưa xác định được khai sinh của người con có ghi người này là cha hoặc mẹ hay không.",
    "It is not known whether the child's birth names this person as a parent.",
)


def _other_parent_recorded(case: ProcedureCase) -> RuleResult:
    """Who consents as the other parent is a parent by the book."""
    recorded, numbers = _recorded_parents(case), case.person("other_parent").numbers
    if any(relative.number in numbers for relative in recorded.relatives):
        if recorded.reason is None:
            return RuleResult.passes(_RECORDED)
        return RuleResult.unknown(_RECORD_UNKNOWN, recorded.reason)
    reason = recorded.reason
    if reason is None and any(relative.number is None for relative in recorded.relatives):
        reason = UnknownReason.NOT_RECORDED  # a parent is named without a number
    if reason is not None:
        return RuleResult.unknown(_RECORD_UNKNOWN, reason)
    return RuleResult.fails(_NOT_RECORDED)


_CONSENT_NEEDED = Text(
    "Con chưa thành niên: người cha, mẹ đã có tên trong khai sinh (nếu có) phải đồng ý.",
    "The child is a minor: the parent whom the birth names already, if any, has to consent.",
)
_CONSENT_NOT_NEEDED = Text(
    "Không cần sự đồng ý của người cha, mẹ còn lại.", "The other parent need not consent."
)
_CONSENT_UNKNOWN = Text(
    "Chưa xác định được có cần sự đồng ý của người cha, mẹ còn lại hay không.",
    "It is not known whether the other parent has to consent.",
)


def _other_parent_consents(case: ProcedureCase) -> RuleResult:
    """Law 52/2014 Art. 90: an adult child needs no consent; the dead cannot give it."""
    born = birth_of(case.person("child"))
    is_dead = False
    if case.has("other_parent"):
        is_dead = life_status(case.person("other_parent")).value is LifeState.DEAD
    if born.reason is not None:
        return RuleResult.unknown(_CONSENT_UNKNOWN, born.reason)
    is_adult = has_reached(born.value, _ADULT, case.at)
    if is_adult is None:
        return RuleResult.unknown(_CONSENT_UNKNOWN, UnknownReason.NOT_RECORDED)
    if is_adult or is_dead:
        return RuleResult.passes(_CONSENT_NOT_NEEDED)
    return RuleResult.needs_person(_CONSENT_NEEDED)


_CONDITIONS = (
    identified("parent", _PARENT),
    identified("child", _CHILD),
    where_named("other_parent", identified("other_parent", _OTHER_PARENT)),
    alive("parent", _PARENT),
    alive("child", _CHILD),
    not_incapacitated("parent", _PARENT),
    ProcedureRule(
        "KINSHIP_NOT_REGISTERED",
        Text("quan hệ cha, mẹ, con chưa được đăng ký", "the kinship is not registered yet"),
        _LAW,
        _kinship_not_registered,
        is_concealed=True,
    ),
    ProcedureRule(
        "NO_PRESUMED_FATHER",
        Text("không có người khác được xác định là cha", "nobody else is presumed the father"),
        _PRESUMPTION_LAW,
        _no_presumed_father,
        is_concealed=True,
    ),
    document_rule(
        "KINSHIP_EVIDENCE",
        Text("có chứng cứ về quan hệ cha, mẹ, con", "evidence of the kinship"),
        _LAW,
        Text(
            "Phải có kết quả giám định ADN hoặc chứng cứ khác chứng minh quan hệ cha, mẹ, con.",
            "A DNA test or other evidence has to show the kinship.",
        ),
    ),
    person_rule(
        "PARENT_REQUESTS",
        Text("các bên tự nguyện, không tranh chấp", "of free will and without a dispute"),
        _LAW,
        Text(
            "Các bên phải có mặt, tự nguyện nhận nhau và không có tranh chấp.",
            "Both have to be present, of their own free will, and without a dispute.",
        ),
    ),
    agrees("child", _CHILD, _CONSENT_LAW),
    where_named(
        "other_parent",
        ProcedureRule(
            "OTHER_PARENT_RECORDED",
            Text(
                "người cha, mẹ còn lại có tên trong khai sinh", "the birth names the other parent"
            ),
            _LAW,
            _other_parent_recorded,
            is_concealed=True,
        ),
    ),
    ProcedureRule(
        "OTHER_PARENT_CONSENTS",
        Text("người cha, mẹ còn lại đồng ý", "the other parent consents"),
        _CONSENT_LAW,
        _other_parent_consents,
        is_concealed=True,
    ),
)
_PAPERS = (
    APPLICATION_FORM,
    identity_paper("parent", Text("người nhận là cha, mẹ", "the parent")),
    identity_paper("child", Text("người con", "the child")),
    identity_paper("other_parent", Text("người cha, mẹ còn lại", "the other parent")),
    Paper(
        "BIRTH_CERTIFICATE",
        Text("Giấy khai sinh của người con", "The child's birth certificate"),
        ("civil_status.births",),
        ("KINSHIP_NOT_REGISTERED",),
    ),
    Paper(
        "KINSHIP_EVIDENCE",
        Text(
            "Kết quả giám định ADN hoặc chứng cứ khác về quan hệ cha, mẹ, con",
            "A DNA test or other evidence of the kinship",
        ),
    ),
)
_DEADLINE = Deadline(
    3,
    TimeUnit.WORKING_DAYS,
    Text(
        "Luật Hộ tịch 60/2014/QH13, Điều 25 khoản 2; thêm không quá 5 ngày làm việc nếu phải xác "
        "minh",
        "Law on Civil Status 60/2014, Art. 25(2); 5 working days more where it is verified",
    ),
)

CHECK = CheckDefinition(
    name="parent_child_recognition",
    input=ParentChildRecognitionInput,
    roles={
        "parent": tuple(dict.fromkeys((*ALIVE_LISTS, *CAPACITY_LISTS, *SEX_LISTS))),
        "child": tuple(dict.fromkeys((*ALIVE_LISTS, RECOGNITIONS))),
        "other_parent": ALIVE_LISTS,
    },
    editions=civil_status_editions(
        "Điều 24-25",
        other_laws=("Luật Hôn nhân và gia đình 52/2014/QH13, Điều 88-91, 101",),
        deadline=_DEADLINE,
        conditions=_CONDITIONS,
        papers=_PAPERS,
    ),
    # Of the mother; then of those whom she was married to.
    later=(*(LaterReads(name, 1) for name in MARITAL_LISTS), *MARITAL_LATER),
    people=1 + MARITAL_PEOPLE,
)

PROCEDURE = Procedure(
    codes=("1.001022",),
    title=Text("Đăng ký nhận cha, mẹ, con", "Recognition of a parent or a child"),
    legal_basis=(
        "Luật Hộ tịch 60/2014/QH13, Điều 24-25",
        "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 88",
    ),
    fields={
        "population.identity": f"{IDENTITY} marital_status",
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "population.family": "*",
        "civil_status.births": "*",
        "civil_status.recognitions": "*",
        "civil_status.marriages": "*",
        "civil_status.divorces": "*",
        "civil_status.deaths": DEATH,
        "civil_status.court_notes": "*",
    },
    derived=frozenset({"family", "legal_capacity", "life_status"}),
    deciding=LIFE | MARITAL,
    check=CHECK,
)
