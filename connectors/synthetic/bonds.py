"""Legal bonds: adoption, recognition, guardianship.

They are added after the lives have been simulated, among the people of the cluster. Law on Adoption
52/2010 Art. 8 and 14 (a child under 16, adopters at least 20 years older except step-parents, one
single person or a married couple); Law on Civil Status 60/2014 Art. 24-25 (recognition); Civil Code
2015 Art. 46-63 (guardianship).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from connectors.synthetic import names
from connectors.synthetic.draw import age_on, birthday, later, pick, workday
from connectors.synthetic.kinship import akin, could_be_parent
from connectors.synthetic.model import (
    AdoptionEvent,
    Citizen,
    Family,
    GuardianshipEvent,
    Note,
    Recognition,
    Union,
)
from connectors.synthetic.names import Name

_ADOPTION_RATE = 0.15
_STEP_RATE = 0.3


def bind_partners(family: Family) -> None:
    """Add adoptions, recognitions and guardianships of minors to a simulated cluster."""
    for child in list(family.people):
        if child.founder:
            continue
        if child.abandoned and child.renamed is not None and child.former_name is not None:
            _record(family, child, child.father, child.mother, child.renamed, child.former_name)
            continue
        if _outside_marriage(child):
            if family.rng.random() < _ADOPTION_RATE:
                _adopt(family, child)
            if child.adoption is None and child.father is not None:
                _recognise(family, child)
    for union in family.unions:
        _adopt_step_children(family, union)
    for child in family.people:
        _guard_orphan(family, child)


def _outside_marriage(child: Citizen) -> bool:
    return child.mother is not None and not any(
        child in union.children for union in child.mother.unions
    )


def _adopt(family: Family, child: Citizen) -> None:
    """Let a couple of the cluster adopt a child that was born outside marriage, or was found."""
    rng, today = family.rng, family.options.today
    handover = workday(later(rng, child.born, 60, 2200))
    if handover >= min(today, child.gone) or child.children or child.unions:
        return
    couples = [u for u in family.unions if _may_adopt(u, child, handover)]
    if not couples:
        return
    union = min(couples, key=lambda u: len(u.children))
    if child.father is None and rng.random() < 0.5:
        _find(child)
    else:
        _detach(child)
    old, child.former_name = child.name, child.name
    child.name = names.build(union.husband.name.family, child.name.middle, child.name.given_name)
    child.renamed = handover
    child.mother, child.father = union.wife, union.husband
    child.home = union.home
    for parent in (union.wife, union.husband):
        parent.children.append(child)
        parent.adopted.append(child)
    _record(family, child, union.husband, union.wife, handover, old)


def _may_adopt(union: Union, child: Citizen, day: date) -> bool:
    return (
        union.husband.union_on(day) is union
        and all(p.alive_on(day) for p in (union.husband, union.wife))
        and all(could_be_parent(p, child.born) for p in (union.husband, union.wife))
        and union.start < child.born
        and not akin(union.wife, child)
        and not akin(union.husband, child)
    )


def _find(child: Citizen) -> None:
    """Make a child a foundling, whose parents nobody knows."""
    _detach(child)
    child.birth_mother = None
    child.abandoned = True


def _detach(child: Citizen) -> None:
    """End the bond with the parents by birth (Law 52/2010 Art. 24(4))."""
    for parent in (child.mother, child.father):
        if parent is not None:
            parent.children.remove(child)
    child.mother = child.father = None


def _adopt_step_children(family: Family, union: Union) -> None:
    """Let a step-parent adopt a child whose other parent is dead or unknown."""
    for parent, step in ((union.wife, union.husband), (union.husband, union.wife)):
        for child in list(parent.children):
            if child.adoption is not None or child in union.children or child.recognition:
                continue
            day = workday(later(family.rng, union.start, 200, 900))
            if _may_step(family, union, child, step, day) and family.rng.random() < _STEP_RATE:
                _become_step(family, child, step, day)


def _may_step(family: Family, union: Union, child: Citizen, step: Citizen, day: date) -> bool:
    other = child.father if step.sex == "MALE" else child.mother
    return (
        child.born < union.start
        and day < family.options.today
        and day < birthday(child.born, 16)
        and (other is None or (other.died is not None and other.died < union.start))
        and child.alive_on(day)
        and step.alive_on(day)
        and step.union_on(day) is union
        and (child.born - step.born).days > 16 * 366
        and not akin(step, child)
        and not any(step.union_on(day) is other_union for other_union in child.unions)
    )


def _become_step(family: Family, child: Citizen, step: Citizen, day: date) -> None:
    father, mother = (step, None) if step.sex == "MALE" else (None, step)
    other = child.father if father else child.mother
    if other is None:  # the birth is registered anew with both parents
        if father:
            child.father = father
        else:
            child.mother = mother
        step.children.append(child)
    step.adopted.append(child)
    _record(family, child, father, mother, day, child.name, "STEP")


def _record(
    family: Family,
    child: Citizen,
    father: Citizen | None,
    mother: Citizen | None,
    day: date,
    old: Name,
    relation: str = "UNRELATED",
) -> None:
    adoption = AdoptionEvent(
        family.event_id("NC"), child, father, mother, workday(later(family.rng, day, -20, -1)), day,
        relation, old,
    )  # fmt: skip
    child.adoption = adoption
    family.adoptions.append(adoption)
    note = Note(family.event_id("TA"), "ADOPTION", child, adoption.decided, day)
    family.notes.append(note)


def _recognise(family: Family, child: Citizen) -> None:
    """Have the father recognise the child, with the birth or later; or a court determine it."""
    rng, father = family.rng, child.father
    assert father is not None
    combined = rng.random() < 0.4
    day = workday(later(rng, child.born, 5, 50) if combined else later(rng, child.born, 90, 3000))
    if day >= min(family.options.today, child.gone):
        combined, day = True, workday(later(rng, child.born, 3, 30))
    if not father.alive_on(day) or (not combined and rng.random() < 0.15):
        family.notes.append(
            Note(family.event_id("TA"), "PARENTAGE_DETERMINATION", father, day, day, child=child)
        )
        return
    recognition = Recognition(family.event_id("NR"), father, child, day, combined)
    child.recognition = recognition
    family.recognitions.append(recognition)


def _guard_orphan(family: Family, child: Citizen) -> None:
    """Give a guardian to a minor whose parents are dead or gone (Civil Code Art. 47, 52)."""
    parents = [p for p in (child.mother, child.father) if p is not None]
    if not parents or any(p.missing for p in parents):
        return
    day = workday(later(family.rng, max(p.gone for p in parents), 20, 90))
    today, grown = family.options.today, birthday(child.born, 18)
    if not child.alive_on(day) or day >= min(grown, today):
        return
    for kind, guardian in _relatives(child):
        if guardian.alive_on(day) and age_on(guardian.born, day) >= 18:
            end = min(grown, guardian.gone, child.gone)
            _guard(family, child, guardian, kind, "MINOR", day, end if end < today else None)
            return


def _relatives(child: Citizen) -> Iterator[tuple[str, Citizen]]:
    """Yield possible guardians, in the order of Civil Code Art. 52."""
    parents = [p for p in (child.mother, child.father) if p is not None]
    for parent in parents:
        yield from (("NATURAL", sibling) for sibling in parent.children if sibling is not child)
    elders = [e for p in parents for e in (p.mother, p.father) if e is not None]
    yield from (("NATURAL", elder) for elder in elders)
    for elder in elders:
        yield from (("NATURAL", aunt) for aunt in elder.children if aunt not in parents)
    for parent in parents:
        yield from (("APPOINTED", u.spouse(parent)) for u in parent.unions)


def _guard(
    family: Family,
    ward: Citizen,
    guardian: Citizen,
    kind: str,
    reason: str,
    start: date,
    end: date | None,
) -> None:
    guardianship = GuardianshipEvent(
        family.event_id("GH"), ward, guardian, kind, reason, start, end
    )
    family.guardianships.append(guardianship)
    if end is None:
        ward.ward = guardianship
        guardian.guardian_of.append(ward)


def guard_adult(family: Family, ward: Citizen, reason: str, day: date, end: date | None) -> None:
    """Give a guardian to somebody who lost civil act capacity (Civil Code Art. 53, 54)."""
    union = ward.union_on(day)
    near = [union.spouse(ward)] if union else []
    near += sorted(ward.children, key=lambda child: child.born)
    near += [p for p in (ward.father, ward.mother) if p is not None]
    able = [p for p in near if p.alive_on(day) and age_on(p.born, day) >= 18]
    if not able:
        return
    kind = "NATURAL" if reason == "INCAPACITATED" else "COURT_DESIGNATED"
    guardian = able[0] if kind == "NATURAL" else pick(family.rng, able)
    last = min(date.max if end is None else end, guardian.gone, ward.gone)
    start = workday(later(family.rng, day, 5, 40))
    if start >= min(last, family.options.today):
        return
    _guard(
        family, ward, guardian, kind, reason, start, last if last < family.options.today else None
    )
