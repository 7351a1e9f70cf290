"""Who lives with whom: about 3.4 people to a household (``domain.md`` section 5).

A household is a married couple or a grown single, the unmarried children who stayed, and often a
widowed parent. The dead and the missing are in none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from connectors.synthetic.draw import age_on
from connectors.synthetic.model import Citizen, Family


@dataclass(slots=True)
class Household:
    """The members of a household and how each is related to its head, the head first."""

    file_no: str
    members: list[tuple[Citizen, str]] = field(default_factory=list)


def households(family: Family, rng: Random) -> list[Household]:
    """Divide the living of a cluster into households."""
    today = family.options.today
    heads: dict[int, Household] = {}
    homes: list[Household] = []
    for person in family.people:
        if not person.alive_on(today) or not _is_head(family, rng, person, heads):
            continue
        number = f"HS{person.home.province.new_code}{family.index:05d}{len(homes):03d}"
        household = Household(number, [(person, "HEAD")])
        homes.append(household)
        heads[person.index] = household
        union = person.union_on(today)
        if union is not None and union.spouse(person).alive_on(today):
            household.members.append((union.spouse(person), "SPOUSE"))
            heads[union.spouse(person).index] = household
    for person in family.people:
        if person.alive_on(today) and person.index not in heads:
            _lodge(person, heads, homes, family)
    return homes


def _is_head(family: Family, rng: Random, person: Citizen, heads: dict[int, Household]) -> bool:
    """Whether somebody heads a household: couples do, and two in three grown single people."""
    today = family.options.today
    if person.index in heads:
        return False
    union = person.union_on(today)
    if union is not None:
        return True
    age = age_on(person.born, today)
    if age < 18:
        return False
    return rng.random() < (0.4 if person.unions else 0.25 if age >= 28 else 0.05)


def _lodge(
    person: Citizen, heads: dict[int, Household], homes: list[Household], family: Family
) -> None:
    """Put somebody into the household of a parent, a child or a brother or sister."""
    parents = [p for p in (person.father, person.mother) if p is not None]
    near = [(parent, "CHILD") for parent in parents]
    near += [(child, "PARENT") for child in person.children]
    near += [(e, "GRANDCHILD") for p in parents for e in (p.father, p.mother) if e is not None]
    near += [(child, "OTHER") for p in parents for child in p.children if child is not person]
    for other, relation in near:
        household = heads.get(other.index)
        if household is not None:
            related = household.members[0][0] is other or relation == "CHILD"
            household.members.append((person, relation if related else "OTHER"))
            return
    number = f"HS{person.home.province.new_code}{family.index:05d}{len(homes):03d}"
    household = Household(number, [(person, "HEAD")])
    heads[person.index] = household
    homes.append(household)
