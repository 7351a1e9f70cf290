"""Whether two people are so related that they may not marry each other.

Law on Marriage and Family 52/2014/QH13 Art. 5(2)(d), 3(18), domain.md 3.1 (R6, R7): no marriage

- of relatives in direct line, or within three generations: of common parents or grandparents, of
  one of them too;
- of an adopter and the adopted; of a parent and a child's spouse; of a spouse and the other's
  child: now or in the past.

All of it is one rule with one sentence for each state. What bars a marriage may be an adoption or a
replaced birth, which are nobody's to learn: two rules would tell by their states which it is. So
everything is read of everybody alike, whatever it holds and whatever other rules come to, and the
rule leaves neither a basis nor a reason. Its states are public, and so is what follows from them.

Relatives by an adoption count as relatives where a birth names the adopters: to leave them out
would tell of the adoption. Whoever's parents or grandparents are not all recorded may be related
to anybody: UNKNOWN. So may be who could have married on paper before the books were electronic.

The walk reads the person, the parents and the spouses, and finds out whose numbers the grandparents
are. It ends there, whatever records say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from connectors.description import Text
from gateway.answer import Identification
from gateway.derived.kin import (
    CHILDREN,
    RECOGNITIONS,
    REGISTERED_FAMILY,
    look_up,
    recognised_children,
    registered_kin,
)
from gateway.derived.marital_status import (
    MaritalState,
    could_have_married_on_paper,
    marital_status,
)
from gateway.derived.marriages import ANNULLED, MARRIAGES, marriages_of
from gateway.derived.registers import BIRTHS, NOTES, first_day, in_force
from gateway.derived.view import Evidence, LaterReads, RelatedPerson, UnknownReason
from gateway.procedures.checks.age import birth_of, full_years
from gateway.procedures.checks.marital import MARITAL_LISTS
from gateway.procedures.checks.parentage import (
    ADOPTIONS,
    PARENTAGE_LISTS,
    Parentage,
    adopters_in,
    is_doubtful_adoption,
    parentage_of,
)
from gateway.procedures.checks.rule import ProcedureCase, ProcedureRule, RuleResult

#: The lists that the rule reads of somebody.
KINSHIP_LISTS = tuple(
    dict.fromkeys((*MARITAL_LISTS, *PARENTAGE_LISTS, CHILDREN, REGISTERED_FAMILY))
)
#: As many parents and spouses of one person are looked at, and as many grandparents.
_MOST = 20
KINSHIP_LATER = tuple(LaterReads(name, 2 * _MOST) for name in PARENTAGE_LISTS)
KINSHIP_PEOPLE = 4 * _MOST
#: What is read past protection, of everybody.
KINSHIP_UNPROTECTED = frozenset({BIRTHS, CHILDREN, ADOPTIONS})
KINSHIP_LAW = Text(
    "Luật Hôn nhân và gia đình 52/2014/QH13, Điều 3 khoản 18, Điều 5 khoản 2 điểm d, Điều 8",
    "Law on Marriage and Family 52/2014, Art. 3(18), 5(2)(d), 8",
)
#: Nobody is a great-grandparent of somebody who is fewer years younger (an assumption).
_THREE_GENERATIONS = 36

_TITLE = Text(
    "không có quan hệ họ hàng, nuôi dưỡng hoặc thông gia mà pháp luật cấm kết hôn",
    "no relationship by blood, adoption or marriage that bars a marriage",
)
_CLEAR = Text(
    "Hai người không có quan hệ mà pháp luật cấm kết hôn với nhau.",
    "They are in no relationship that bars a marriage between them.",
)
_BARRED = Text(
    "Hai người thuộc một trường hợp cấm kết hôn theo điểm d khoản 2 Điều 5 Luật Hôn nhân và gia "
    "đình.",
    "Their marriage is barred by Art. 5(2)(d) of the Law on Marriage and Family.",
)
_OPEN = Text(
    "Dữ liệu hiện có chưa đủ để xác định hai người có quan hệ mà pháp luật cấm kết hôn hay không.",
    "The records at hand do not suffice to say whether a relationship bars their marriage.",
)


@dataclass(slots=True)
class _Kin:
    """What is known of the relatives of one person, by all numbers of each, or as written.

    ``numbers``: the person's. ``ancestors``: parents and grandparents. ``parents``: by law;
    ``former_parents``: whose bond with the person has ended, by an adoption or with it.
    ``descendants``: children. ``adopted``: who adopted the person, or whom the person adopted.
    ``spouses`` and ``parents_in_law``: now or in the past. ``doubtful_*``: of what was cancelled or
    annulled, or through somebody whose bond had ended. ``is_known``: nobody may be missing.
    """

    numbers: frozenset[str]
    ancestors: set[str] = field(default_factory=set)
    parents: set[str] = field(default_factory=set)
    former_parents: set[str] = field(default_factory=set)
    descendants: set[str] = field(default_factory=set)
    adopted: set[str] = field(default_factory=set)
    doubtful_adopted: set[str] = field(default_factory=set)
    spouses: set[str] = field(default_factory=set)
    doubtful_spouses: set[str] = field(default_factory=set)
    parents_in_law: set[str] = field(default_factory=set)
    doubtful_parents_in_law: set[str] = field(default_factory=set)
    is_known: bool = True

    def require(self, holds: bool) -> None:
        """Note that somebody may be missing unless ``holds``."""
        self.is_known = self.is_known and holds


def no_close_kin(first: str, second: str) -> ProcedureRule:
    """Return the rule that the people in two roles may marry, as far as relatives go."""

    def check(case: ProcedureCase) -> RuleResult:
        couple = (case.person(first), case.person(second))
        kin, partner = (_kin_of(evidence) for evidence in couple)
        if _is_barred(kin, partner) or _is_barred(partner, kin):
            return RuleResult.fails(_BARRED)
        is_open = _is_doubtful(kin, partner) or _is_doubtful(partner, kin)
        is_known = kin.is_known and partner.is_known
        if is_open or not is_known or _may_be_ancestor(*couple):
            return RuleResult.unknown(_OPEN, UnknownReason.NOT_COVERED)
        return RuleResult.passes(_CLEAR)

    return ProcedureRule("NO_CLOSE_KIN", _TITLE, KINSHIP_LAW, check, is_concealed=True)


def _is_barred(kin: _Kin, partner: _Kin) -> bool:
    """Say whether what is known of ``kin`` bars a marriage with ``partner``."""
    line = partner.numbers | partner.ancestors
    return bool(
        (kin.numbers | kin.ancestors | kin.descendants) & line
        or kin.adopted & partner.numbers
        or kin.parents_in_law & partner.numbers
        or kin.spouses & partner.parents
    )


def _is_doubtful(kin: _Kin, partner: _Kin) -> bool:
    """Say whether the law leaves open whether what is known of ``kin`` bars it."""
    return bool(
        kin.doubtful_adopted & partner.numbers
        or kin.doubtful_parents_in_law & partner.numbers
        or kin.doubtful_spouses & (partner.parents | partner.former_parents)
        or kin.spouses & partner.former_parents
    )


def _may_be_ancestor(*couple: Evidence) -> bool:
    """Say whether one may be a great-grandparent of the other: as far as the walk does not go."""
    days = [first_day(birth_of(evidence).value) for evidence in couple]
    born = sorted(day for day in days if day is not None)
    return len(born) < len(days) or full_years(born[0], born[-1]) >= _THREE_GENERATIONS


def _kin_of(evidence: Evidence) -> _Kin:
    """Return what is known of somebody's relatives; asks for all of it, whatever is known."""
    kin = _Kin(frozenset(evidence.numbers))
    births, adoptions, recognitions = (evidence.list(name) for name in PARENTAGE_LISTS)
    parentage = parentage_of(births, adoptions, recognitions, evidence.numbers)
    kin.require(parentage.is_known)
    _add_adopted(kin, evidence, parentage)
    _add_descendants(kin, evidence)
    _add_spouses(kin, evidence)
    _add_parents(kin, evidence, parentage)
    _require_registered(kin, evidence)
    return kin


def _add_adopted(kin: _Kin, evidence: Evidence, parentage: Parentage) -> None:
    """Add who adopted the person, and whom the person adopted."""
    kin.adopted |= parentage.adopters | parentage.former_adopters
    kin.doubtful_adopted |= parentage.doubtful
    adoptions = evidence.list(ADOPTIONS)
    for row in adoptions.rows:
        child = adoptions.value(row, "child_id")
        if child is None or not kin.numbers.intersection(adopters_in(adoptions, row)):
            continue
        is_doubtful = is_doubtful_adoption(adoptions, row)
        (kin.doubtful_adopted if is_doubtful else kin.adopted).add(str(child))


def _add_descendants(kin: _Kin, evidence: Evidence) -> None:
    """Add the children by births, in force or replaced, recognitions and judgments."""
    births, notes = evidence.list(CHILDREN), evidence.list(NOTES)
    recognitions = evidence.list(RECOGNITIONS)
    for row in births.rows:
        child = births.value(row, "citizen_id")
        if child is not None and births.code(row, "status") != "REVOKED":
            kin.descendants.add(str(child))
    kin.descendants.update(recognised_children(recognitions, evidence.numbers))
    for row in notes.rows:
        is_judgment = notes.code(row, "event_type") == "PARENTAGE_DETERMINATION"
        if is_judgment and in_force(notes, row) and notes.value(row, "citizen_id") in kin.numbers:
            kin.descendants.update(str(child) for child in notes.value(row, "child_ids") or ())
    kin.require(births.reason is None and notes.reason is None)


def _add_spouses(kin: _Kin, evidence: Evidence) -> None:
    """Add the spouses, now and before, and their parents."""
    marriages = evidence.list(MARRIAGES)
    unions, reason = marriages_of(evidence)
    annulled = {union.event for union in unions if union.end_reason == ANNULLED}
    for row in marriages.rows:
        number = _spouse_in(evidence, row)
        if number is None:
            kin.require(False)
        elif in_force(marriages, row) and marriages.value(row, "event_id") not in annulled:
            kin.spouses.add(number)
        else:
            kin.doubtful_spouses.add(number)
    kin.require(reason is None)
    if could_have_married_on_paper(evidence):
        kin.require(marital_status(evidence).value is MaritalState.NEVER_MARRIED)
    for number in _bounded(kin, kin.spouses | kin.doubtful_spouses):
        spouse = _person(kin, evidence, number)
        if spouse is None:
            continue
        is_valid = number in kin.spouses
        (kin.spouses if is_valid else kin.doubtful_spouses).update(spouse.numbers)
        parentage = _parentage_of(evidence, spouse)
        kin.require(parentage.is_known)
        parents = kin.parents_in_law if is_valid else kin.doubtful_parents_in_law
        parents |= parentage.legal | parentage.adopters
        kin.doubtful_parents_in_law |= parentage.former | parentage.former_adopters
        kin.doubtful_parents_in_law |= parentage.doubtful


def _spouse_in(evidence: Evidence, row: tuple[object, ...]) -> str | None:
    """Return the number of the other spouse in a marriage; None: it is not recorded."""
    marriages = evidence.list(MARRIAGES)
    spouses = [marriages.value(row, f"{role}_citizen_id") for role in ("husband", "wife")]
    other_spouses = [spouse for spouse in spouses if spouse not in evidence.numbers]
    return (
        str(other_spouses[0]) if len(other_spouses) == 1 and other_spouses[0] is not None else None
    )


def _add_parents(kin: _Kin, evidence: Evidence, parentage: Parentage) -> None:
    """Add the parents, and the grandparents whom their births name."""
    by_law = parentage.legal | parentage.adopters
    ended = parentage.former | parentage.former_adopters | parentage.doubtful
    elders: set[str] = set()
    for number in _bounded(kin, by_law | ended):
        parent = _person(kin, evidence, number)
        if parent is None:
            continue
        grand = _parentage_of(evidence, parent)
        (kin.parents if number in by_law else kin.former_parents).update(parent.numbers)
        if number in parentage.ancestors:
            kin.ancestors.update(parent.numbers)
            kin.require(grand.is_known)
            elders |= grand.ancestors
    for number in _bounded(kin, elders):
        elder = _person(kin, evidence, number, reads=())
        if elder is not None:
            kin.ancestors.update(elder.numbers)


def _bounded(kin: _Kin, numbers: Iterable[str]) -> list[str]:
    """Return ``numbers`` in order, as many as are looked at; notes where there are more."""
    ordered = sorted(numbers)
    kin.require(len(ordered) <= _MOST)
    return ordered[:_MOST]


def _person(
    kin: _Kin, evidence: Evidence, number: str, reads: tuple[str, ...] = PARENTAGE_LISTS
) -> RelatedPerson | None:
    """Return whose ``number`` is; None: it is not known (yet), or it belongs to several."""
    person = look_up(evidence, number, *reads)
    kin.require(
        person is not None
        and not person.is_shared
        and person.identification is not Identification.NOT_IDENTIFIED
        and person.identification.is_complete
    )
    return None if person is None or person.is_shared else person


def _parentage_of(evidence: Evidence, person: RelatedPerson) -> Parentage:
    births, adoptions, recognitions = (
        evidence.under(name, person.numbers, person) for name in PARENTAGE_LISTS
    )
    return parentage_of(births, adoptions, recognitions, person.numbers)


def _require_registered(kin: _Kin, evidence: Evidence) -> None:
    """Note where the population database names a parent or spouse whom the book does not.

    Law on Identification 26/2023/QH15 Art. 9(15). It is a hint that somebody is missing, and makes
    nobody a relative (the civil status book prevails).
    """
    family = evidence.list(REGISTERED_FAMILY)
    kin.require(family.reason is None)
    parents = {*registered_kin(family, "FATHER"), *registered_kin(family, "MOTHER")}
    kin.require(parents <= kin.parents | kin.former_parents)
    spouses = {*registered_kin(family, "SPOUSE")}
    kin.require(spouses <= kin.spouses | kin.doubtful_spouses)
