"""Who may not marry whom: kin within three generations (Law 52/2014 Art. 5(2)(d), 3(18))."""

from __future__ import annotations

from datetime import date

from connectors.synthetic.model import Citizen


def akin(person: Citizen, other: Citizen) -> bool:
    """Whether two people may not marry: kin within three generations, or a parent's spouse."""
    if _lineage(person) & _lineage(other):
        return True
    return any(
        union.spouse(parent) is child
        for child, elder in ((person, other), (other, person))
        for parent in (elder.mother, elder.father)
        if parent is not None
        for union in parent.unions
    )


def _lineage(person: Citizen) -> set[int]:
    """Return somebody, their parents and grandparents; by birth and by adoption."""
    indexes = {person.index}
    generation = [person]
    for _ in range(2):
        generation = [
            parent
            for member in generation
            for parent in (member.mother, member.father, member.birth_mother, member.birth_father)
            if parent is not None
        ]
        indexes.update(member.index for member in generation)
    return indexes


def could_be_parent(adopter: Citizen, born: date) -> bool:
    """Whether somebody is old enough to adopt (Law 52/2010 Art. 14), and not too old for a parent.

    Who has parents that could not be so by birth would be known to be adopted.
    """
    return 20 * 366 < (born - adopter.born).days < (43 if adopter.sex == "FEMALE" else 45) * 365
