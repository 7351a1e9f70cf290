"""What entitles people to legal aid: hardship of households, disability, merit, violence.

Facts of the simulation, the same for every case of a person; hardship is shared by the members of
a household, as certificates of poor and near-poor households are (Decree 07/2021/NĐ-CP). Rates are
assumptions of this project of the order of public figures: about 2% of households poor and 2% near
poor, several times as many among minorities; some 3% of people with a certified disability.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from connectors.synthetic.draw import age_on, stream
from connectors.synthetic.households import households
from connectors.synthetic.model import Citizen, Family
from connectors.synthetic.places import Home

#: Shares of poor households, and of poor and near-poor ones together.
_HARDSHIP = {True: (0.012, 0.03), False: (0.08, 0.15)}
#: Facts of grown people of any age, as shares from 0 on; women's only for violence.
_FACTS = (
    (0.03, "DISABLED"),
    (0.0325, "HIV"),
    (0.0335, "TRAFFICKING_VICTIM"),
    (0.055, "DOMESTIC_VIOLENCE_VICTIM"),
)
#: Facts of those born before 1960.
_OLD_FACTS = ((0.07, "MERITORIOUS"), (0.13, "MARTYR_FAMILY"), (0.15, "AGENT_ORANGE"))
_ALLOWANCE_AT = 80
_ALLOWED = {"DISABLED", "AGENT_ORANGE", "HIV"}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The circumstances of one cluster: hardship and facts by the index of the person."""

    hardship: dict[int, str]
    facts: dict[int, str]

    def proof(self, person: Citizen, day: date) -> str | None:
        """Return the hardship that somebody can prove (Decree 144/2017/NĐ-CP Art. 2), or None."""
        if self.hardship.get(person.index) == "NEAR_POOR":
            return "NEAR_POOR"
        allowed = self.facts.get(person.index) in _ALLOWED
        if allowed or age_on(person.born, day) >= _ALLOWANCE_AT:
            return "MONTHLY_ALLOWANCE"
        return None

    def categories(self, person: Citizen, day: date) -> Iterator[tuple[str, str]]:
        """Yield the categories that somebody meets on ``day``, each with its proof of hardship.

        Law 11/2017/QH14 Art. 7; ages as ``domain.md`` 3.2.
        """
        age, fact = age_on(person.born, day), self.facts.get(person.index)
        proof, near = self.proof(person, day), self.hardship.get(person.index)
        if fact == "MERITORIOUS":
            yield fact, "NONE_REQUIRED"
        if near == "POOR":
            yield "POOR_HOUSEHOLD", "NONE_REQUIRED"
        if age < 16:
            yield "CHILD", "NONE_REQUIRED"
        elif age < 18:
            yield "ACCUSED_16_18", "NONE_REQUIRED"
        elif near == "NEAR_POOR":
            yield "ACCUSED_NEAR_POOR", "NEAR_POOR"
        if person.group != "Kinh" and in_special_area(person.home_on(day)):
            yield "ETHNIC_MINORITY_SPECIAL_AREA", "NONE_REQUIRED"
        if proof is None:
            return
        if 16 <= age < 18:
            yield "VICTIM_16_18", proof
        if age >= 60:
            yield "ELDERLY", proof
        if fact == "DOMESTIC_VIOLENCE_VICTIM" and person.union_on(day) is None:
            return
        if fact is not None and fact != "MERITORIOUS":
            yield fact, proof


def circumstances(family: Family) -> Circumstances:
    """Draw the circumstances of a cluster; households are those of the population database."""
    options = family.options
    rng = stream(options.seed, family.index, "circumstances")
    hardship: dict[int, str] = {}
    for household in households(family, stream(options.seed, family.index, "population")):
        chance, head = rng.random(), household.members[0][0]
        poor, near = _HARDSHIP[head.group == "Kinh"]
        if chance < near:
            level = "POOR" if chance < poor else "NEAR_POOR"
            hardship |= {member.index: level for member, _ in household.members}
    facts = {person.index: _fact(rng, person) for person in family.people}
    return Circumstances(hardship, {index: fact for index, fact in facts.items() if fact})


def _fact(rng: Random, person: Citizen) -> str | None:
    chance = rng.random()
    if person.born.year < 1960:
        for below, fact in _OLD_FACTS:
            if chance < below:
                return fact
        chance = rng.random()
    for below, fact in _FACTS:
        if chance < below:
            woman = person.sex == "FEMALE" and person.unions
            return fact if fact != "DOMESTIC_VIOLENCE_VICTIM" or woman else None
    return None


def in_special_area(at: Home) -> bool:
    """Whether a commune is one of extreme difficulty: an assumption, three rural ones in ten.

    The Government's list is outside of these databases (``domain.md`` 3.2).
    """
    return at.commune.startswith("xã") and zlib.crc32(at.code.encode()) % 10 < 3
