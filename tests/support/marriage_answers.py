"""Checks of marriages held against the truth of a generated population.

A rule may be right, or not known for a reason that the generator planted or that the law leaves
open; it may never be wrong. ``couples`` yields people at random, and kin of every degree, whom the
simulation would never marry to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from random import Random

from connectors.synthetic import PersonTruth
from connectors.synthetic.draw import age_on
from tests.support.fact_answers import TODAY, Truths, capacity_on, life_on, marital_on

_ELECTRONIC, _YOUNGEST = date(2016, 1, 1), 17
_THREE_GENERATIONS = 36
_LIFE_GAPS = {"DEATH_NOT_REGISTERED", "LIFE_STATUS"}
_BIRTH_GAPS = {"BIRTH_NOT_REGISTERED", "SHARED_NUMBER"}
_MARRIAGE_GAPS = {
    "MARITAL_STATUS",
    "MARRIAGE_NOT_REGISTERED",
    "DIVORCE_NOT_NOTED",
    "SPOUSE_DEATH_NOT_REGISTERED",
}


@dataclass
class Kinship:
    """Who is what to whom, in truth, by numbers."""

    truths: Truths
    adopters: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Note who adopted whom."""
        for person in self.truths.people.values():
            for child in person.adopted_children:
                self.adopters.setdefault(child, set()).add(person.id)

    def person(self, number: str) -> PersonTruth:
        return self.truths.people[number]

    def parents(self, number: str) -> set[str]:
        """Return the parents by law, as the birth in force names them."""
        person = self.person(number)
        return {parent for parent in (person.mother_id, person.father_id) if parent is not None}

    def all_parents(self, number: str) -> set[str]:
        """Return the parents by law and by blood."""
        person = self.person(number)
        by_blood = (person.birth_mother_id, person.birth_father_id)
        return self.parents(number) | {parent for parent in by_blood if parent is not None}

    def elders(self, number: str, generations: int) -> set[str]:
        """Return the ancestors by law and by blood, up to some generations."""
        reached = generation = {number}
        for _ in range(generations):
            generation = {elder for member in generation for elder in self.all_parents(member)}
            reached = reached | generation
        return reached - {number}

    def spouses(self, number: str, *, annulled: bool = False) -> set[str]:
        """Return the spouses now and before; or those of annulled marriages."""
        return {
            spell.spouse_id
            for spell in self.person(number).marital_history
            if (spell.ended_by == "ANNULMENT") is annulled
        }

    def step_parents(self, number: str) -> set[str]:
        parents = self.parents(number) | self.adopters.get(number, set())
        spouses = {spouse for parent in parents for spouse in self.spouses(parent)}
        return spouses - parents

    def parents_in_law(self, number: str) -> set[str]:
        return {
            parent
            for spouse in self.spouses(number)
            for parent in self.parents(spouse) | self.adopters.get(spouse, set())
        }

    def is_related(self, one: str, other: str) -> bool:
        """Say whether they are kin: in line, or with a common parent or grandparent."""
        line, other_line = ({each, *self.elders(each, 2)} for each in (one, other))
        return bool(line & other_line) or one in self.elders(other, 3) or other in self.elders(
            one, 3
        )  # fmt: skip

    def is_bound(self, one: str, other: str) -> bool:
        """Say whether an adoption or a marriage binds or bound them, so that they may not marry."""
        pairs = ((one, other), (other, one))
        return any(
            first in self.adopters.get(second, set())
            or first in self.parents_in_law(second)
            or first in self.step_parents(second)
            for first, second in pairs
        )

    def is_left_open(self, one: str, other: str) -> bool:
        """Say whether the law leaves open whether they may marry."""
        return any(
            second in self.all_parents(spouse) | self.adopters.get(spouse, set())
            or spouse in self.all_parents(second) | self.adopters.get(second, set())
            for first, second in ((one, other), (other, one))
            for spouse in self.spouses(first) | self.spouses(first, annulled=True)
        )


def couples(kinship: Kinship, count: int, seed: int = 7) -> Iterator[tuple[str, str, str]]:
    """Yield ``count`` couples: what they are to each other, groom and bride.

    Half of them are kin, as many of each kind as there are, or strangers of whom all grandparents
    are known; the others are any two people.
    """
    rng = Random(seed)
    everybody = sorted(kinship.truths.people)
    pools = [_pool(kinship, everybody, rng, name) for name in _KINDS]
    planted = 0
    while planted < count // 2 and pools:
        for pool in list(pools):
            couple = next(pool, None)
            if couple is None:
                pools.remove(pool)
            elif planted < count // 2:
                planted += 1
                yield couple
    for _ in range(count - planted):
        one, other = rng.sample(everybody, 2)
        yield ("random", *_in_place(kinship, one, other))


def _in_place(kinship: Kinship, one: str, other: str) -> tuple[str, str]:
    """Return the man first, where they are a man and a woman."""
    return (other, one) if kinship.person(one).sex == "FEMALE" else (one, other)


def _pool(
    kinship: Kinship, everybody: list[str], rng: Random, name: str
) -> Iterator[tuple[str, str, str]]:
    """Yield couples of one kind, each once, in random order; of one sex, too."""
    order, seen = rng.sample(everybody, len(everybody)), set[frozenset[str]]()
    for number in order:
        for other in sorted(_KINDS[name](kinship, number) - {number}):
            if frozenset((number, other)) not in seen:
                seen.add(frozenset((number, other)))
                yield (name, *_in_place(kinship, number, other))


def _siblings(kinship: Kinship, number: str) -> set[str]:
    return {
        child for parent in kinship.parents(number) for child in kinship.person(parent).children
    }


def _cousins(kinship: Kinship, number: str) -> set[str]:
    return {child for aunt in _aunts(kinship, number) for child in kinship.person(aunt).children}


def _aunts(kinship: Kinship, number: str) -> set[str]:
    return {
        aunt for parent in kinship.parents(number) for aunt in _siblings(kinship, parent) - {parent}
    }


def _adopted_away(kinship: Kinship, number: str) -> set[str]:
    """Return the children of the parents by blood of somebody who was adopted."""
    by_blood = kinship.all_parents(number) - kinship.parents(number)
    return {child for parent in by_blood for child in kinship.person(parent).children} | by_blood


def _adopted_siblings(kinship: Kinship, number: str) -> set[str]:
    person = kinship.person(number)
    return _siblings(kinship, number) if person.adopted else set()


def _step_siblings(kinship: Kinship, number: str) -> set[str]:
    """Return who may marry: the children of a step-parent."""
    children = {
        child for step in kinship.step_parents(number) for child in kinship.person(step).children
    }
    return children - _siblings(kinship, number)


def _annulled(kinship: Kinship, number: str) -> set[str]:
    """Return relatives of an annulled marriage."""
    spouses = kinship.spouses(number, annulled=True)
    return {parent for spouse in spouses for parent in kinship.all_parents(spouse)}


def _known_strangers(kinship: Kinship, number: str) -> set[str]:
    """Return people of another family, both too young to have married on paper."""
    young = _young_and_known(kinship)
    if number not in young:
        return set()
    return {young[young.index(number) - len(young) // 2]}


def _young_and_known(kinship: Kinship) -> list[str]:
    cached = _YOUNG.get(id(kinship))
    if cached is None:
        cached = _YOUNG[id(kinship)] = [
            number
            for number, person in sorted(kinship.truths.people.items())
            if person.birth_date >= date(1999, 2, 1)
            and not is_kin_open(kinship, number)
            and age_on(person.birth_date, TODAY) >= _YOUNGEST
        ]
    return cached


_YOUNG: dict[int, list[str]] = {}
_KINDS: Mapping[str, Callable[[Kinship, str], set[str]]] = {
    "strangers": _known_strangers,
    "siblings": _siblings,
    "cousins": _cousins,
    "aunt or uncle": _aunts,
    "parent": Kinship.all_parents,
    "grandparent": lambda kinship, number: (
        kinship.elders(number, 2) - kinship.elders(number, 1)),
    "great-grandparent": lambda kinship, number: (
        kinship.elders(number, 3) - kinship.elders(number, 2)),
    "adopter": lambda kinship, number: kinship.adopters.get(number, set()),
    "siblings by adoption": _adopted_siblings,
    "adopted away": _adopted_away,
    "step-parent": Kinship.step_parents,
    "parent-in-law": Kinship.parents_in_law,
    "step-siblings": _step_siblings,
    "second cousins": lambda kinship, number: {
        child for cousin in _cousins(kinship, number) for child in kinship.person(cousin).children},
    "former spouse": lambda kinship, number: kinship.spouses(number),
    "annulled": _annulled,
}  # fmt: skip


def is_kin_open(kinship: Kinship, number: str) -> bool:
    """Say whether a parent, grandparent or spouse of somebody may be missing from the books."""
    person = kinship.person(number)
    everybody = {number, *kinship.all_parents(number)}
    spouses = kinship.spouses(number) | kinship.spouses(number, annulled=True)
    gaps = kinship.truths.gaps(*everybody, *spouses)
    elders = kinship.elders(number, 2)
    return bool(
        gaps & _BIRTH_GAPS
        or kinship.truths.gaps(*elders) & {"SHARED_NUMBER"}
        or kinship.truths.gaps(number) & {"MARRIAGE_NOT_REGISTERED"}
        or any(_lacks_parents(kinship.person(each)) for each in everybody | spouses)
        or age_on(person.birth_date, _ELECTRONIC) >= _YOUNGEST
    )


def _lacks_parents(person: PersonTruth) -> bool:
    parents = (
        person.mother_id, person.father_id, person.birth_mother_id, person.birth_father_id
    )  # fmt: skip
    return person.founder or None in parents


def faults(kinship: Kinship, groom: str, bride: str, states: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with the states of the rules of a marriage."""
    for role, number, years in (("GROOM", groom, 20), ("BRIDE", bride, 18)):
        yield from _person_faults(kinship.truths, role, number, years, states)
    sexes = (kinship.person(groom).sex, kinship.person(bride).sex)
    expected = "PASS" if sexes == ("MALE", "FEMALE") else "FAIL"
    if states["ONE_MAN_ONE_WOMAN"] not in {expected, *_open(kinship.truths, groom, bride)}:
        yield f"{groom} {bride} sex: {states['ONE_MAN_ONE_WOMAN']}, but {sexes}"
    for code in ("VOLUNTARY", "NOT_SHAM"):
        if states[code] != "NEEDS_PERSON":
            yield f"{groom} {bride} {code}: {states[code]}"
    yield from _kin_faults(kinship, groom, bride, states["NO_CLOSE_KIN"])


def _open(truths: Truths, *numbers: str) -> set[str]:
    """Return the state of a rule about people whose number belongs to several."""
    return {"UNKNOWN"} if "SHARED_NUMBER" in truths.gaps(*numbers) else set()


def _person_faults(
    truths: Truths, role: str, number: str, years: int, states: Mapping[str, str]
) -> Iterator[str]:
    person, truth = truths.people[number], truths.facts[number]
    gaps, life = truths.gaps(number), life_on(truth, TODAY)
    spouses = [spell.spouse_id for spell in person.marital_history]
    marital = marital_on(truths, number, TODAY)
    may_lack_marriages = bool(
        gaps & (_LIFE_GAPS | _MARRIAGE_GAPS)
        or truths.gaps(*spouses) & (_MARRIAGE_GAPS | {"DEATH_NOT_REGISTERED", "SHARED_NUMBER"})
        or (marital == "NEVER_MARRIED" and age_on(person.birth_date, _ELECTRONIC) >= _YOUNGEST)
    )
    expected = {
        "OF_AGE": (age_on(person.birth_date, TODAY) >= years, False),
        "NOT_INCAPACITATED": (
            capacity_on(truths, number, TODAY) not in {"INCAPACITATED", "ENDED"},
            bool(gaps & _LIFE_GAPS),
        ),
        "UNMARRIED": (marital != "MARRIED", may_lack_marriages),
        "IDENTIFIED": (True, False),
        "ALIVE": (life == "ALIVE", bool(gaps & _LIFE_GAPS)),
    }
    for code, (is_met, is_open) in expected.items():
        state = states[f"{role}_{code}"]
        right = {"PASS" if is_met else "FAIL", *_open(truths, number)}
        if state not in right and not (state == "UNKNOWN" and is_open):
            yield f"{number} {code}: {state}, but {is_met}, {life}, {marital} and {gaps}"


def _kin_faults(kinship: Kinship, groom: str, bride: str, state: str) -> Iterator[str]:
    said = f"{groom} {bride} kin: {state}"
    pair = (groom, bride)
    if kinship.is_related(*pair) or kinship.is_bound(*pair):
        gaps = _BIRTH_GAPS | {"MARRIAGE_NOT_REGISTERED"}
        between = {
            each
            for number in pair
            for each in (number, *kinship.elders(number, 2), *kinship.spouses(number))
        }
        has_gap = bool(kinship.truths.gaps(*between) & gaps)
        if state != "FAIL" and not (state == "UNKNOWN" and has_gap):
            yield f"{said}, but barred, and {kinship.truths.gaps(*between)}"
        return
    if state == "FAIL":
        yield f"{said}, but not related"
    is_left_open = kinship.is_left_open(*pair)
    if state == "PASS" and is_left_open:
        yield f"{said}, but the law leaves it open"
    ages = [kinship.person(number).birth_date for number in pair]
    is_open = (
        is_left_open
        or any(is_kin_open(kinship, number) for number in pair)
        or age_on(min(ages), max(ages)) >= _THREE_GENERATIONS
    )
    if state == "UNKNOWN" and not is_open:
        yield f"{said}, but everybody is known"
