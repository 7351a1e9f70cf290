"""P6: registration of guardianship, its supervision and its end.

Law on Civil Status 60/2014/QH13 Art. 19-23; Civil Code 91/2015/QH13 Art. 46-63 (both from own
knowledge): the ward's age and capacity, whether parents or a spouse are there to represent them,
the guardian's capacity, and the guardianships that either has already. The reason of a guardianship
is the ward's capacity, so it is needed; the reason of its end may be an adoption, so it is not.

A minor whose parents can act gets a guardian only if a court has restricted their rights, or both
cannot care for the child and ask for one (Civil Code Art. 47(1)(b)): a document has to show that.
Whoever is restricted in capacity has a representative by the court's decision (Art. 24) and no
guardian. A child of six or more is heard (Art. 54). All of this is an assumption as above.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from connectors.description import Text
from connectors.values import PersonNumber
from gateway.derived.guardianship import can_act_as_parent
from gateway.derived.kin import RECOGNITIONS
from gateway.derived.legal_capacity import CapacityState, wardships
from gateway.derived.life_status import LIFE_LISTS
from gateway.derived.view import Evidence, LaterReads, UnknownReason
from gateway.procedures.allow_lists import DEATH, IDENTITY, KINSHIP, LIFE, MARITAL
from gateway.procedures.checks.capacity import CAPACITY_LISTS, capacity_on, fully_capable
from gateway.procedures.checks.civil_status_editions import (
    APPLICATION_FORM,
    civil_status_editions,
    identity_paper,
)
from gateway.procedures.checks.consent import document_rule, person_rule
from gateway.procedures.checks.definition import (
    CheckDefinition,
    Deadline,
    Paper,
    TimeUnit,
)
from gateway.procedures.checks.life import ALIVE_LISTS, alive, identified
from gateway.procedures.checks.optional_role import where_named
from gateway.procedures.checks.parents import recorded_parents
from gateway.procedures.checks.rule import ProcedureCase, ProcedureRule, RuleResult
from gateway.procedures.procedure import Procedure

_WARD = Text("Người được giám hộ", "The ward")
_GUARDIAN = Text("Người giám hộ", "The guardian")
_SUPERVISOR = Text("Người giám sát việc giám hộ", "The supervisor")
_LAW = Text(
    "Luật Hộ tịch 60/2014/QH13, Điều 19-21; Bộ luật Dân sự 91/2015/QH13, Điều 46-48",
    "Law on Civil Status 60/2014, Art. 19-21; Civil Code 91/2015, Art. 46-48",
)
_GUARDIAN_LAW = Text("Bộ luật Dân sự 91/2015/QH13, Điều 49", "Civil Code 91/2015, Art. 49")
_SUPERVISOR_LAW = Text("Bộ luật Dân sự 91/2015/QH13, Điều 51", "Civil Code 91/2015, Art. 51")
_WISHES_LAW = Text("Bộ luật Dân sự 91/2015/QH13, Điều 54", "Civil Code 91/2015, Art. 54")
_ADULT_WARDS = frozenset({CapacityState.INCAPACITATED, CapacityState.COGNITION_DIFFICULTY})
_NO_WARDS = frozenset({CapacityState.FULL, CapacityState.RESTRICTED, CapacityState.ENDED})
#: Parents whom births and recognitions may name, at most.
_PARENTS = 4


@dataclass(frozen=True, slots=True)
class GuardianshipInput:
    """Đăng ký giám hộ / Registration of guardianship."""

    ward: Annotated[PersonNumber, Text("người được giám hộ", "ward")]
    guardian: Annotated[PersonNumber, Text("người giám hộ", "guardian")]
    supervisor: Annotated[
        PersonNumber | None, Text("người giám sát việc giám hộ", "supervisor")
    ] = None


_NEEDS_GUARDIAN = Text(
    "Người được giám hộ thuộc trường hợp phải có người giám hộ.", "The ward needs a guardian."
)
_NEEDS_NO_GUARDIAN = Text(
    "Người được giám hộ không thuộc trường hợp phải có người giám hộ.",
    "The ward is not somebody who has a guardian.",
)
_NEED_TO_SHOW = Text(
    "Phải có giấy tờ chứng minh cha mẹ bị Tòa án hạn chế quyền đối với con, hoặc đều không có điều "
    "kiện chăm sóc, giáo dục con và yêu cầu người giám hộ.",
    "A document has to show that a court has restricted the parents' rights, or that neither can "
    "care for the child and both ask for a guardian.",
)
_NEED_UNKNOWN = Text(
    "Chưa xác định được người được giám hộ có thuộc trường hợp phải có người giám hộ hay không.",
    "It is not known whether the ward needs a guardian.",
)


def _needs_guardian(case: ProcedureCase) -> RuleResult:
    """Civil Code Art. 47. Parents are looked at whatever the ward's age and capacity."""
    ward = case.person("ward")
    parents = _parents_can_act(ward)
    capacity = capacity_on(ward, case.at)
    if capacity.reason is not None:
        return RuleResult.unknown(_NEED_UNKNOWN, capacity.reason)
    if capacity.value in _NO_WARDS:
        return RuleResult.fails(_NEEDS_NO_GUARDIAN)
    if capacity.value in _ADULT_WARDS:
        return RuleResult.passes(_NEEDS_GUARDIAN)
    if isinstance(parents, UnknownReason):
        return RuleResult.unknown(_NEED_UNKNOWN, parents)
    if parents:
        return RuleResult.needs_document(_NEED_TO_SHOW)
    return RuleResult.passes(_NEEDS_GUARDIAN)


def _parents_can_act(ward: Evidence) -> bool | UnknownReason:
    """Say whether a parent lives and is not incapacitated, or why that is not known."""
    named = recorded_parents(ward)
    verdicts = [can_act_as_parent(ward, parent.number)[0] for parent in named.relatives]
    if True in verdicts:
        return True
    reasons = [verdict for verdict in verdicts if isinstance(verdict, UnknownReason)]
    return named.reason or next(iter(reasons), False)


_NO_GUARDIANSHIP = Text(
    "Người được giám hộ chưa có người giám hộ đã đăng ký.", "The ward has no registered guardian."
)
_GUARDIANSHIP = Text(
    "Người được giám hộ đang có người giám hộ đã đăng ký.",
    "The ward has a registered guardian already.",
)
_GUARDIANSHIP_UNKNOWN = Text(
    "Chưa xác định được người được giám hộ đang có người giám hộ hay không.",
    "It is not known whether the ward has a guardian already.",
)


def _no_guardianship(case: ProcedureCase) -> RuleResult:
    """Civil Code Art. 47(2): nobody has two guardians (a couple of parents or grandparents may)."""
    wards = wardships(case.person("ward"))
    if wards.reason is not None:
        return RuleResult.unknown(_GUARDIANSHIP_UNKNOWN, wards.reason)
    if wards.value:
        return RuleResult.fails(_GUARDIANSHIP)
    return RuleResult.passes(_NO_GUARDIANSHIP)


_TO_BE_HEARD = Text(
    "Người được giám hộ từ đủ 6 tuổi trở lên, chưa thành niên: phải xem xét nguyện vọng.",
    "The ward is a minor of six or more: their wishes are to be heard.",
)
_NOT_HEARD = Text(
    "Không phải lấy ý kiến của người được giám hộ.", "The ward's wishes need not be heard."
)
_HEARING_UNKNOWN = Text(
    "Chưa xác định được có phải lấy ý kiến của người được giám hộ hay không.",
    "It is not known whether the ward's wishes are to be heard.",
)
_HEARD = frozenset({CapacityState.MINOR_6_TO_15, CapacityState.MINOR_15_TO_18})


def _ward_heard(case: ProcedureCase) -> RuleResult:
    """Civil Code Art. 54: a minor of six or more is heard when a guardian is appointed."""
    capacity = capacity_on(case.person("ward"), case.at)
    if capacity.reason is not None:
        return RuleResult.unknown(_HEARING_UNKNOWN, capacity.reason)
    if capacity.value in _HEARD:
        return RuleResult.needs_person(_TO_BE_HEARD)
    return RuleResult.passes(_NOT_HEARD, capacity.basis)


_CONDITIONS = (
    identified("ward", _WARD),
    identified("guardian", _GUARDIAN),
    where_named("supervisor", identified("supervisor", _SUPERVISOR)),
    alive("ward", _WARD),
    alive("guardian", _GUARDIAN),
    where_named("supervisor", alive("supervisor", _SUPERVISOR)),
    ProcedureRule(
        "WARD_NEEDS_GUARDIAN",
        Text("thuộc trường hợp phải có người giám hộ", "the ward needs a guardian"),
        _LAW,
        _needs_guardian,
        is_concealed=True,
    ),
    ProcedureRule(
        "NO_GUARDIANSHIP_IN_FORCE",
        Text("chưa có người giám hộ", "no guardianship in force"),
        _LAW,
        _no_guardianship,
        is_concealed=True,
    ),
    fully_capable("guardian", _GUARDIAN, _GUARDIAN_LAW),
    where_named("supervisor", fully_capable("supervisor", _SUPERVISOR, _SUPERVISOR_LAW)),
    document_rule(
        "GUARDIAN_SUITABLE",
        Text(
            "người giám hộ không bị truy cứu trách nhiệm hình sự, có đủ điều kiện",
            "the guardian is not prosecuted, and able to act",
        ),
        _GUARDIAN_LAW,
        Text(
            "Lý lịch tư pháp do Bộ Công an quản lý; người giám hộ phải có giấy tờ chứng minh.",
            "Criminal records are kept by the Ministry of Public Security; the guardian has to "
            "bring a document.",
        ),
    ),
    person_rule(
        "GUARDIAN_CONSENTS",
        Text("người giám hộ đồng ý", "the guardian consents"),
        _LAW,
        Text(
            "Người giám hộ phải đồng ý; người giám sát (nếu có) cũng vậy.",
            "The guardian has to consent, and the supervisor, if any.",
        ),
    ),
    ProcedureRule(
        "WARD_HEARD",
        Text("nguyện vọng của người được giám hộ (từ đủ 6 tuổi)", "the ward is heard (from 6 on)"),
        _WISHES_LAW,
        _ward_heard,
    ),
)
_PAPERS = (
    APPLICATION_FORM,
    identity_paper("ward", Text("người được giám hộ", "the ward")),
    identity_paper("guardian", Text("người giám hộ", "the guardian")),
    identity_paper("supervisor", Text("người giám sát", "the supervisor")),
    Paper(
        "WARD_NEED",
        Text(
            "Giấy khai sinh của người được giám hộ, trích lục khai tử của cha mẹ, quyết định của "
            "Tòa án",
            "The ward's birth certificate, death extracts of the parents, court decisions",
        ),
        (
            "civil_status.births",
            "civil_status.deaths",
            "civil_status.court_notes",
            "civil_status.guardianships",
        ),
        ("WARD_NEEDS_GUARDIAN", "NO_GUARDIANSHIP_IN_FORCE"),
    ),
    Paper(
        "CRIMINAL_RECORD",
        Text("Phiếu lý lịch tư pháp của người giám hộ", "The guardian's criminal record"),
    ),
    Paper(
        "APPOINTMENT",
        Text("Văn bản cử người giám hộ (nếu được cử)", "Document of appointment, if appointed"),
    ),
)
_DEADLINE = Deadline(
    3,
    TimeUnit.WORKING_DAYS,
    Text("Luật Hộ tịch 60/2014/QH13, Điều 20-21", "Law on Civil Status 60/2014, Art. 20-21"),
)
_OF_ADULTS = tuple(dict.fromkeys((*ALIVE_LISTS, *CAPACITY_LISTS)))

CHECK = CheckDefinition(
    name="guardianship",
    input=GuardianshipInput,
    roles={
        "ward": (*_OF_ADULTS, RECOGNITIONS),
        "guardian": _OF_ADULTS,
        "supervisor": _OF_ADULTS,
    },
    editions=civil_status_editions(
        "Điều 19-23",
        other_laws=("Bộ luật Dân sự 91/2015/QH13, Điều 46-63",),
        deadline=_DEADLINE,
        conditions=_CONDITIONS,
        papers=_PAPERS,
    ),
    later=tuple(LaterReads(name, _PARENTS) for name in LIFE_LISTS),
    people=_PARENTS,
)

PROCEDURE = Procedure(
    codes=("1.004837",),
    title=Text("Đăng ký giám hộ", "Registration of guardianship"),
    legal_basis=(
        "Luật Hộ tịch 60/2014/QH13, Điều 19-23",
        "Bộ luật Dân sự 91/2015/QH13, Điều 46-63",
    ),
    fields={
        "population.identity": f"{IDENTITY} marital_status",
        "population.earlier_numbers": "*",
        "population.residences": "*",
        "population.family": "*",
        "civil_status.births": KINSHIP,
        # The spouse is the natural guardian of who has lost capacity (Civil Code Art. 53).
        "civil_status.marriages": "*",
        "civil_status.divorces": "*",
        "civil_status.deaths": DEATH,
        "civil_status.guardianships": "* reason",
        "civil_status.court_notes": "*",
    },
    derived=frozenset({"family", "guardianship", "legal_capacity", "life_status", "residence"}),
    deciding=LIFE | MARITAL,
    check=CHECK,
)
