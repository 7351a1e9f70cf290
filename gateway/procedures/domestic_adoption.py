"""P6: domestic adoption.

Law on Adoption 52/2010/QH12 Art. 8 and 14: the child's age, the adopter's age (20 years more than
the child's, save for step-parents, aunts and uncles), capacity and marriage, and that the child is
nobody's adopted child yet. It is the one purpose for which protection shows adoptions at all
(``gateway.protection.adoption``), so it covers the whole of that record.

Grandparents do not adopt grandchildren, nor siblings each other (Art. 13, own knowledge). A
step-parent is married to the child's parent, who consents as such and adopts nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated

from connectors.civil_status.family import RelationBeforeAdoption
from connectors.description import Text
from connectors.values import PersonNumber
from gateway.derived.kin import RECOGNITIONS, look_up, parents_in
from gateway.derived.marital_status import MaritalState, marital_status
from gateway.derived.marriages import BookMarriage, marriages_of
from gateway.derived.registers import BIRTHS, Statement, first_day, in_force, last_day
from gateway.derived.view import Evidence, LaterReads, UnknownReason
from gateway.procedures.allow_lists import DEATH, EVENT, IDENTITY, LIFE, MARITAL, PARTY, inside
from gateway.procedures.checks.age import birth_of, full_years, has_reached
from gateway.procedures.checks.capacity import CAPACITY_LISTS, fully_capable
from gateway.procedures.checks.civil_status_editions import (
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
from gateway.procedures.checks.parentage import ADOPTIONS
from gateway.procedures.checks.parents import recorded_parents, with_gaps
from gateway.procedures.checks.rule import CheckRule, ProcedureCase, ProcedureRule, RuleResult
from gateway.procedures.procedure import Procedure

_CHILD = Text("Trẻ em được nhận làm con nuôi", "The child")
_ADOPTER = Text("Người nhận con nuôi", "The adopter")
_SPOUSE = Text("Vợ hoặc chồng của người nhận con nuôi", "The adopter's spouse")
_CHILD_LAW = Text("Luật Nuôi con nuôi 52/2010/QH12, Điều 8", "Law on Adoption 52/2010, Art. 8")
_ADOPTER_LAW = Text("Luật Nuôi con nuôi 52/2010/QH12, Điều 14", "Law on Adoption 52/2010, Art. 14")
_CONSENT_LAW = Text("Luật Nuôi con nuôi 52/2010/QH12, Điều 21", "Law on Adoption 52/2010, Art. 21")
_BARRED_LAW = Text("Luật Nuôi con nuôi 52/2010/QH12, Điều 13", "Law on Adoption 52/2010, Art. 13")
_CHILD_AGE, _KIN_CHILD_AGE, _OLDER_BY = 16, 18, 20
#: Parents whose births are read, at most.
_PARENTS = 4
_KIN = frozenset({RelationBeforeAdoption.STEP, RelationBeforeAdoption.AUNT_UNCLE})


@dataclass(frozen=True, slots=True)
class DomesticAdoptionInput:
    """Đăng ký nuôi con nuôi trong nước / Domestic adoption."""

    child: Annotated[PersonNumber, Text("trẻ em được nhận làm con nuôi", "child")]
    adopter: Annotated[PersonNumber, Text("người nhận con nuôi", "adopter")]
    spouse: Annotated[
        PersonNumber | None,
        Text("vợ hoặc chồng của người nhận con nuôi", "adopter's spouse"),
    ] = None
    relation: Annotated[
        RelationBeforeAdoption | None,
        Text(
            "quan hệ với trẻ em trước khi nhận nuôi; bỏ trống là không có quan hệ",
            "relation to the child before; unrelated if left out",
        ),
    ] = None


def _is_kin(case: ProcedureCase) -> bool:
    """Say whether the adopter claims to be a step-parent, an aunt or an uncle (Art. 14(3))."""
    return case.input.relation in _KIN


_CHILD_YOUNG = Text(
    "Trẻ em còn trong độ tuổi được nhận làm con nuôi.", "The child is of an age to be adopted."
)
_CHILD_OLD = Text(
    "Người được nhận làm con nuôi đã quá độ tuổi.", "The child is too old to be adopted."
)
_CHILD_AGE_UNKNOWN = Text(
    "Chưa xác định được tuổi của trẻ em.", "The child's age is not known well enough."
)


def _child_young_enough(case: ProcedureCase) -> RuleResult:
    """Art. 8(1)-(2): below 16; below 18 where a step-parent, aunt or uncle adopts."""
    born = birth_of(case.person("child"))
    if born.reason is not None:
        return RuleResult.unknown(_CHILD_AGE_UNKNOWN, born.reason)
    limit = _KIN_CHILD_AGE if _is_kin(case) else _CHILD_AGE
    reaches = has_reached(born.value, limit, case.at)
    if reaches is None:
        return RuleResult.unknown(_CHILD_AGE_UNKNOWN, UnknownReason.NOT_RECORDED)
    if reaches:
        return RuleResult.fails(_CHILD_OLD, born.basis)
    return RuleResult.passes(_CHILD_YOUNG, born.basis)


def _older_than_child(role: str, label: Text) -> CheckRule:
    """Art. 14(1)(b): 20 years older or more; (3): not asked of step-parents, aunts and uncles."""
    older = Text(f"{label.vi} hơn trẻ em từ {_OLDER_BY} tuổi trở lên.",
                 f"{label.en} is {_OLDER_BY} years or more older than the child.")  # fmt: skip
    not_older = Text(
        f"{label.vi} không hơn trẻ em từ {_OLDER_BY} tuổi trở lên.",
        f"{label.en} is less than {_OLDER_BY} years older than the child.",
    )
    exempt = Text("Cha dượng, mẹ kế, cô, cậu, dì, chú, bác ruột: không xét khoảng cách tuổi.",
                  "No difference in age is asked of step-parents, aunts and uncles.")  # fmt: skip
    not_known = Text(f"{label.vi}: chưa xác định được khoảng cách tuổi với trẻ em.",
                     f"{label.en}: the difference in age to the child is not known.")  # fmt: skip

    def check(case: ProcedureCase) -> RuleResult:
        older_born, child_born = birth_of(case.person(role)), birth_of(case.person("child"))
        if _is_kin(case):
            return RuleResult.passes(exempt)
        reason = older_born.reason or child_born.reason
        if reason is not None:
            return RuleResult.unknown(not_known, reason)
        verdict = _is_older_by(older_born, child_born)
        if verdict is None:
            return RuleResult.unknown(not_known, UnknownReason.NOT_RECORDED)
        decide = RuleResult.passes if verdict else RuleResult.fails
        return decide(older if verdict else not_older, older_born.basis, child_born.basis)

    return check


def _is_older_by(older: Statement, child: Statement) -> bool | None:
    """Say whether somebody was 20 when the child was born; None: that is not known."""
    days = (first_day(older.value), last_day(older.value), first_day(child.value),
            last_day(child.value))  # fmt: skip
    first, last, child_first, child_last = days
    if first is None or last is None or child_first is None or child_last is None:
        return None
    if full_years(last, child_first) >= _OLDER_BY:
        return True
    return None if full_years(first, child_last) >= _OLDER_BY else False


_SINGLE = Text("Người nhận con nuôi không đang có vợ, chồng.", "The adopter is not married.")
_COUPLE = Text(
    "Hai người nhận con nuôi là vợ chồng của nhau.", "The adopter is married to the spouse named."
)
_SPOUSE_MISSING = Text(
    "Người nhận con nuôi đang có vợ, chồng: cả hai phải cùng nhận con nuôi.",
    "The adopter is married: both spouses have to adopt, and be named.",
)
_NO_COUPLE = Text(
    "Hai người được nêu không phải là vợ chồng của nhau.",
    "The two who are named are not married to each other.",
)
_COUPLE_UNKNOWN = Text(
    "Chưa xác định được tình trạng hôn nhân của người nhận con nuôi.",
    "The adopter's marital status is not known.",
)


def _single_or_couple(case: ProcedureCase) -> RuleResult:
    """Art. 8(3): a child is adopted by a single person, or by both spouses."""
    adopter = case.person("adopter")
    status = marital_status(adopter)
    is_with_spouse = _are_married(case) if case.has("spouse") else None
    if status.reason is not None:
        return RuleResult.unknown(_COUPLE_UNKNOWN, status.reason)
    is_married = status.value is MaritalState.MARRIED
    if not case.has("spouse"):
        return RuleResult.fails(_SPOUSE_MISSING) if is_married else RuleResult.passes(_SINGLE)
    if not is_married or is_with_spouse is False:
        return RuleResult.fails(_NO_COUPLE)
    if is_with_spouse is None:
        return RuleResult.unknown(_COUPLE_UNKNOWN, UnknownReason.NOT_RECORDED)
    return RuleResult.passes(_COUPLE)


def _are_married(case: ProcedureCase) -> bool | None:
    """Say whether a marriage of the adopter's that holds is with the spouse named."""
    numbers = case.person("spouse").numbers
    spouses = [union.spouse for union in _standing(case.person("adopter"))]
    if any(spouse in numbers for spouse in spouses):
        return True
    return None if None in spouses else False


def _standing(evidence: Evidence) -> list[BookMarriage]:
    """Return the marriages that hold today."""
    unions, _ = marriages_of(evidence)
    return [union for union in unions if union.covers(evidence.question.today)]


_NOT_ADOPTED = Text("Trẻ em chưa là con nuôi của ai.", "The child is nobody's adopted child.")
_ADOPTED = Text(
    "Trẻ em đang là con nuôi; một người chỉ được làm con nuôi của một người hoặc một cặp vợ chồng.",
    "The child is an adopted child already, and can be that of one person or one couple only.",
)
_ADOPTION_UNKNOWN = Text(
    "Chưa xác định được trẻ em đang là con nuôi của ai hay không.",
    "It is not known whether the child is an adopted child already.",
)


def _not_adopted(case: ProcedureCase) -> RuleResult:
    """Art. 8(3); Art. 27: an adoption counts until a court terminates it."""
    child = case.person("child")
    adoptions = child.list(ADOPTIONS)
    verdicts: set[bool | None] = set()
    for row in adoptions.rows:
        if adoptions.value(row, "child_id") not in child.numbers:
            continue  # adopted by the child
        counts, ended = in_force(adoptions, row), adoptions.value(row, "termination_date")
        verdicts.add(False if ended is not None and ended <= case.today else counts)
    if True in verdicts:
        return RuleResult.fails(_ADOPTED)
    if adoptions.reason is not None or None in verdicts:
        reason = adoptions.reason or UnknownReason.NOT_RECORDED
        return RuleResult.unknown(_ADOPTION_UNKNOWN, reason)
    return RuleResult.passes(_NOT_ADOPTED)


@dataclass(frozen=True, slots=True)
class _Ancestors:
    """Parents and grandparents by their present numbers.

    ``reason``: why there may be more parents; ``elders_reason``: more grandparents.
    ``lists_reason``: why even those who are named are not certain: a list is not whole.
    """

    parents: frozenset[str]
    grandparents: frozenset[str]
    reason: UnknownReason | None
    elders_reason: UnknownReason | None
    lists_reason: UnknownReason | None


def _ancestors(evidence: Evidence) -> _Ancestors:
    """Return whom births name as parents and grandparents; whoever is not named is not known."""
    named = recorded_parents(evidence)
    parents: set[str] = set()
    grandparents: set[str] = set()
    reason, elders_reason = named.reason, None
    lists_reason = evidence.list(BIRTHS).reason or evidence.list(RECOGNITIONS).reason
    for parent in named.relatives:
        person = None if parent.number is None else look_up(evidence, parent.number, BIRTHS)
        if person is None or person.is_shared:
            reason = reason or UnknownReason.NUMBERS_INCOMPLETE
            continue
        parents.update(person.numbers)
        births = evidence.under(BIRTHS, person.numbers, person)
        elders = with_gaps(births, parents_in(births, None, person.numbers))
        grandparents.update(str(elder.number) for elder in elders.relatives if elder.number)
        is_numbered = all(elder.number is not None for elder in elders.relatives)
        gap = elders.reason or (None if is_numbered else UnknownReason.NOT_RECORDED)
        elders_reason = elders_reason or gap
        lists_reason = lists_reason or births.reason
    elders_reason = reason or elders_reason
    return _Ancestors(
        frozenset(parents), frozenset(grandparents), reason, elders_reason, lists_reason
    )


_RELATION_SHOWN = Text(
    "Quan hệ được nêu phù hợp với hộ tịch.", "The books show the relation that is claimed."
)
_RELATION_NOT_CLAIMED = Text(
    "Không nêu quan hệ nào với trẻ em.", "No relation to the child is claimed."
)
_RELATION_WRONG = Text(
    "Hộ tịch cho thấy không có quan hệ được nêu.", "By the books there is no such relation."
)
_RELATION_UNKNOWN = Text(
    "Chưa xác định được quan hệ được nêu.", "The relation that is claimed is not known."
)


def _relation_shown(case: ProcedureCase) -> RuleResult:
    """Art. 8(2), 14(3): who claims to be a step-parent, aunt or uncle is one by the books."""
    is_related, reason = _CLAIMS[case.input.relation](case)
    if not _is_kin(case):
        return RuleResult.passes(_RELATION_NOT_CLAIMED)
    if is_related:
        return RuleResult.passes(_RELATION_SHOWN)
    if reason is not None:
        return RuleResult.unknown(_RELATION_UNKNOWN, reason)
    return RuleResult.fails(_RELATION_WRONG)


def _is_step_parent(case: ProcedureCase) -> tuple[bool, UnknownReason | None]:
    """Say whether the adopter is married to a parent of the child, or why that is not known."""
    adopter, child = case.person("adopter"), _ancestors(case.person("child"))
    status, unions = marital_status(adopter), _standing(adopter)
    if status.reason is not None or child.lists_reason is not None:
        return False, status.reason or child.lists_reason
    spouses = {union.spouse for union in unions if status.value is MaritalState.MARRIED}
    if spouses & child.parents:
        return True, None
    return False, UnknownReason.NOT_RECORDED if None in spouses else child.reason


def _is_aunt_or_uncle(case: ProcedureCase) -> tuple[bool, UnknownReason | None]:
    """Say whether the adopter has a parent in common with a parent of the child."""
    adopter, child = _ancestors(case.person("adopter")), _ancestors(case.person("child"))
    lists_reason = adopter.lists_reason or child.lists_reason
    if lists_reason is None and adopter.parents & child.grandparents:
        return True, None
    return False, lists_reason or adopter.reason or child.elders_reason


def _is_unrelated(case: ProcedureCase) -> tuple[bool, UnknownReason | None]:
    return True, None


_CLAIMS: dict[
    RelationBeforeAdoption | None, Callable[[ProcedureCase], tuple[bool, UnknownReason | None]]
] = {
    RelationBeforeAdoption.STEP: _is_step_parent,
    RelationBeforeAdoption.AUNT_UNCLE: _is_aunt_or_uncle,
    RelationBeforeAdoption.UNRELATED: _is_unrelated,
    None: _is_unrelated,
}

_NOT_BARRED = Text(
    "Người nhận con nuôi không phải là ông, bà, anh, chị, em của trẻ em.",
    "The adopter is no grandparent and no sibling of the child.",
)
_BARRED = Text(
    "Người nhận con nuôi là cha, mẹ, ông, bà hoặc anh, chị, em của trẻ em.",
    "The adopter is a parent, a grandparent or a sibling of the child.",
)
_BAR_UNKNOWN = Text(
    "Chưa xác định được người nhận con nuôi có phải là ông, bà, anh, chị, em của trẻ em hay không.",
    "It is not known whether the adopter is a grandparent or a sibling of the child.",
)


def _not_barred_kin(case: ProcedureCase) -> RuleResult:
    """Art. 13: no adoption by grandparents, nor by siblings; nobody adopts their own child."""
    child, numbers = _ancestors(case.person("child")), case.person("adopter").numbers
    adopter = _ancestors(case.person("adopter"))
    if child.parents & adopter.parents or {*numbers} & (child.parents | child.grandparents):
        return RuleResult.fails(_BARRED)
    reason = child.elders_reason or adopter.reason
    if reason is not None:
        return RuleResult.unknown(_BAR_UNKNOWN, reason)
    return RuleResult.passes(_NOT_BARRED)


def _means(case: ProcedureCase) -> RuleResult:
    """Art. 14(1)(c): health, means and housing; (3): not asked of step-parents, aunts, uncles."""
    if _is_kin(case):
        return RuleResult.passes(
            Text(
                "Cha dượng, mẹ kế, cô, cậu, dì, chú, bác ruột: không phải chứng minh điều kiện "
                "kinh tế, chỗ ở, sức khỏe.",
                "Means, housing and health need not be shown by step-parents, aunts and uncles.",
            )
        )
    return RuleResult.needs_document(
        Text(
            "Phải có giấy khám sức khỏe và văn bản xác nhận hoàn cảnh gia đình, kinh tế, chỗ ở.",
            "Documents have to show health, family circumstances, means and housing.",
        )
    )


def _spouse_adopts(case: ProcedureCase) -> bool:
    return case.has("spouse") and case.input.relation is not RelationBeforeAdoption.STEP


def _of_adopting_spouse(rule: ProcedureRule) -> ProcedureRule:
    """Return ``rule`` for a spouse who adopts too: not where a step-parent adopts."""
    parent = Text(
        "Vợ, chồng là cha, mẹ của trẻ em, không nhận con nuôi, hoặc hồ sơ không có người này.",
        "The spouse is the child's parent and does not adopt, or nobody is named.",
    )

    def check(case: ProcedureCase) -> RuleResult:
        return rule.check(case) if _spouse_adopts(case) else RuleResult.passes(parent)

    return ProcedureRule(rule.code, rule.title, rule.law, check, rule.is_concealed)


def _older(role: str, label: Text) -> ProcedureRule:
    title = Text(
        f"{label.vi}: hơn trẻ em từ {_OLDER_BY} tuổi", f"{label.en}: {_OLDER_BY} years older"
    )
    return ProcedureRule(
        f"{role.upper()}_OLDER", title, _ADOPTER_LAW, _older_than_child(role, label)
    )


_CONDITIONS = (
    identified("child", _CHILD),
    identified("adopter", _ADOPTER),
    where_named("spouse", identified("spouse", _SPOUSE)),
    alive("child", _CHILD),
    alive("adopter", _ADOPTER),
    where_named("spouse", alive("spouse", _SPOUSE)),
    ProcedureRule(
        "CHILD_YOUNG_ENOUGH",
        Text(
            "trẻ em dưới 16 tuổi (dưới 18 tuổi nếu là con riêng, cháu)",
            "the child is below 16, or 18 if adopted by a step-parent, aunt or uncle",
        ),
        _CHILD_LAW,
        _child_young_enough,
    ),
    ProcedureRule(
        "NOT_ADOPTED",
        Text("trẻ em chưa là con nuôi của ai", "the child is nobody's adopted child"),
        _CHILD_LAW,
        _not_adopted,
        is_concealed=True,
    ),
    ProcedureRule(
        "SINGLE_OR_COUPLE",
        Text("người nhận là người độc thân hoặc cả hai vợ chồng", "a single person or a couple"),
        _CHILD_LAW,
        _single_or_couple,
        is_concealed=True,
    ),
    fully_capable("adopter", _ADOPTER, _ADOPTER_LAW),
    _of_adopting_spouse(fully_capable("spouse", _SPOUSE, _ADOPTER_LAW)),
    _older("adopter", _ADOPTER),
    _of_adopting_spouse(_older("spouse", _SPOUSE)),
    ProcedureRule(
        "RELATION_SHOWN",
        Text("quan hệ được nêu với trẻ em", "the relation claimed"),
        _ADOPTER_LAW,
        _relation_shown,
        is_concealed=True,
    ),
    ProcedureRule(
        "NO_BARRED_KIN",
        Text("không phải là ông, bà, anh, chị, em", "no grandparent and no sibling"),
        _BARRED_LAW,
        _not_barred_kin,
        is_concealed=True,
    ),
    ProcedureRule(
        "ADOPTER_MEANS",
        Text("điều kiện sức khỏe, kinh tế, chỗ ở", "health, means and housing"),
        _ADOPTER_LAW,
        _means,
    ),
    document_rule(
        "CRIMINAL_RECORD",
        Text("không có án tích thuộc trường hợp cấm", "no conviction that bars an adoption"),
        _ADOPTER_LAW,
        Text(
            "Lý lịch tư pháp do Bộ Công an quản lý: phải có phiếu lý lịch tư pháp.",
            "The Ministry of Public Security keeps criminal records: one has to be brought.",
        ),
    ),
    person_rule(
        "ADOPTERS_REQUEST",
        Text("người nhận con nuôi tự nguyện", "the adopters ask of their free will"),
        _CONSENT_LAW,
        Text(
            "Người nhận con nuôi, cả hai nếu là vợ chồng, phải ký đơn và có mặt.",
            "The adopters, both if they are a couple, have to sign and to be present.",
        ),
    ),
    person_rule(
        "PARENTS_CONSENT",
        Text("cha mẹ đẻ hoặc người giám hộ đồng ý", "the birth parents or a guardian consent"),
        _CONSENT_LAW,
        Text(
            "Cha mẹ đẻ phải đồng ý; nếu không còn hoặc không xác định được thì người giám hộ.",
            "The birth parents have to consent; a guardian if they are dead or unknown.",
        ),
    ),
    agrees("child", _CHILD, _CONSENT_LAW),
)
_PAPERS = (
    Paper("APPLICATION", Text("Đơn xin nhận con nuôi", "Application for the adoption")),
    identity_paper("child", Text("trẻ em", "the child")),
    identity_paper("adopter", Text("người nhận con nuôi", "the adopter")),
    identity_paper("spouse", Text("vợ hoặc chồng", "the spouse")),
    Paper(
        "BIRTH_CERTIFICATE",
        Text("Giấy khai sinh của trẻ em", "The child's birth certificate"),
        ("civil_status.births",),
        ("CHILD_YOUNG_ENOUGH", "NO_BARRED_KIN"),
    ),
    Paper(
        "MARITAL_STATUS",
        Text(
            "Giấy chứng nhận kết hôn hoặc giấy xác nhận tình trạng hôn nhân",
            "Marriage certificate or confirmation of marital status",
        ),
        ("civil_status.marriages", "civil_status.marital_status_confirmations"),
        ("SINGLE_OR_COUPLE",),
    ),
    Paper("CRIMINAL_RECORD", Text("Phiếu lý lịch tư pháp", "Criminal record")),
    Paper(
        "ADOPTER_MEANS",
        Text(
            "Giấy khám sức khỏe; văn bản xác nhận hoàn cảnh gia đình, chỗ ở, kinh tế",
            "Health certificate; confirmation of family circumstances, housing and means",
        ),
        is_needed=lambda case: not _is_kin(case),
    ),
    Paper(
        "CHILD_HEALTH",
        Text("Giấy khám sức khỏe, ảnh của trẻ em", "The child's health certificate and photos"),
    ),
)
_DEADLINE = Deadline(
    30,
    TimeUnit.DAYS,
    Text("Luật Nuôi con nuôi 52/2010/QH12, Điều 19", "Law on Adoption 52/2010, Art. 19"),
)
#: The Law on Adoption has a period of its own, under the Law on Civil Status of 2026 too.
_EDITIONS = tuple(
    replace(edition, deadline=_DEADLINE)
    for edition in civil_status_editions(
        "Điều 3",
        other_laws=("Luật Nuôi con nuôi 52/2010/QH12, Điều 8, 13-14, 17-22",),
        competent_body=Text(
            "Ủy ban nhân dân cấp xã nơi thường trú của trẻ em hoặc của người nhận con nuôi",
            "The commune People's Committee where the child or the adopter resides",
        ),
        deadline=_DEADLINE,
        conditions=_CONDITIONS,
        papers=_PAPERS,
    )
)
_OF_ADOPTER = tuple(dict.fromkeys((*ALIVE_LISTS, *CAPACITY_LISTS, *MARITAL_LISTS, RECOGNITIONS)))

CHECK = CheckDefinition(
    name="domestic_adoption",
    input=DomesticAdoptionInput,
    roles={
        "child": (*ALIVE_LISTS, RECOGNITIONS, ADOPTIONS),
        "adopter": _OF_ADOPTER,
        "spouse": tuple(dict.fromkeys((*ALIVE_LISTS, *CAPACITY_LISTS))),
    },
    editions=_EDITIONS,
    later=(LaterReads(BIRTHS, _PARENTS), *MARITAL_LATER),
    people=_PARENTS + MARITAL_PEOPLE,
    unprotected=frozenset({ADOPTIONS}),
)

_ADOPTION = (
    f"{EVENT} certificate_no decision_date handover_date "
    "child_id adopter_father_id adopter_mother_id "
    f"{inside('biological_mother', PARTY)} {inside('biological_father', PARTY)} "
    "adoption_scope relation_before child_new_name termination_date termination_decision_no"
)

PROCEDURE = Procedure(
    codes=("2.001263",),
    title=Text("Đăng ký nuôi con nuôi trong nước", "Domestic adoption"),
    legal_basis=("Luật Nuôi con nuôi 52/2010/QH12, Điều 8, 14",),
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
        "civil_status.adoptions": _ADOPTION,
        "civil_status.guardianships": "*",
        "civil_status.court_notes": "*",
    },
    derived=frozenset(
        {"guardianship", "legal_capacity", "life_status", "marital_status", "residence"}
    ),
    deciding=LIFE | MARITAL,
    check=CHECK,
)
