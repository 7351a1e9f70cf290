"""Answers of facts held against the truth of a generated population.

An answer may be right, or not known for a reason that the generator planted or that the law leaves
open; it may never be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from connectors.synthetic import Cluster, PersonTruth
from connectors.synthetic.draw import age_on
from connectors.synthetic.fact_truth import FactTruth

Answer = Mapping[str, Any]

#: What is asked of each person.
FACTS = """
  lifeStatus(validOn: $on) { value state reason }
  maritalStatus(validOn: $on) { value state reason }
  legalCapacity(validOn: $on) { value state reason }
  guardianship(validOn: $on) {
    value { need representatives { role citizenId } } state reason }
  residence(validOn: $on) { value { kind communeCode provinceCode } state reason }
  hasActiveBlock(validOn: $on) { value state reason }
  family(validOn: $on) { state reason value {
    parents { items { kinship citizenId } reason } children { items { kinship citizenId } reason }
    siblings { items { kinship citizenId } reason } spouses { items { kinship citizenId } reason }
    grandparents { items { kinship citizenId } reason } } }
"""
#: Since then every marriage is in the electronic books; nobody marries below this age.
_ELECTRONIC, _YOUNGEST = date(2016, 1, 1), 17
TODAY = date(2026, 11, 23)
_MARITAL = {"SINGLE": "NEVER_MARRIED"}
_MARITAL_GAPS = {
    "MARITAL_STATUS",
    "MARRIAGE_NOT_REGISTERED",
    "DIVORCE_NOT_NOTED",
    "SPOUSE_DEATH_NOT_REGISTERED",
}


@dataclass
class Truths:
    """The truth about everybody, by number."""

    people: dict[str, PersonTruth] = field(default_factory=dict)
    facts: dict[str, FactTruth] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)

    def add(self, cluster: Cluster) -> None:
        """Add a cluster."""
        for person, fact in zip(cluster.truth, cluster.facts, strict=True):
            self.people[person.id], self.facts[person.id] = person, fact
            for number in (person.id, *person.earlier_numbers):
                self.holders.setdefault(number, person.id)

    def gaps(self, *numbers: str | None) -> set[str]:
        """Return what was planted for any of these people."""
        known = [self.people[number] for number in numbers if number is not None]
        return {conflict.what for person in known for conflict in person.conflicts}

    def kin(self, number: str) -> dict[str, set[str]]:
        """Return the relatives of a person, by group."""
        person = self.people[number]
        parents = [p for p in (person.mother_id, person.father_id) if p is not None]
        elders = {
            elder
            for parent in parents
            for elder in (self.people[parent].mother_id, self.people[parent].father_id)
            if elder is not None
        }
        siblings = {child for parent in parents for child in self.people[parent].children}
        spouses = {
            spell.spouse_id for spell in person.marital_history if spell.ended_by != "ANNULMENT"
        }
        return {
            "parents": {*parents},
            "children": {*person.children},
            "siblings": siblings - {number},
            "spouses": spouses,
            "grandparents": elders,
        }


def life_on(truth: FactTruth, day: date) -> str:
    kinds = truth.kinds_on(day)
    return "DEAD" if "DEAD" in kinds else "MISSING" if "MISSING" in kinds else "ALIVE"


def marital_on(truths: Truths, number: str, day: date) -> str:
    """Return the marital status on ``day``; of the dead, on the day before they died."""
    truth = truths.facts[number]
    died = [spell.start for spell in truth.spells if spell.kind == "DEAD" and spell.covers(day)]
    status = truth.marital_on(died[0] - timedelta(days=1) if died else day)
    return _MARITAL.get(status, status)


def capacity_on(truths: Truths, number: str, day: date) -> str:
    kinds = truths.facts[number].kinds_on(day)
    for kind, state in (("DEAD", "ENDED"), ("INCAPACITATED", ""), ("RESTRICTED", ""),
                        ("COGNITION_DIFFICULTY", "")):  # fmt: skip
        if kind in kinds:
            return state or kind
    age = age_on(truths.people[number].birth_date, day)
    if age >= 18:
        return "FULL"
    return "MINOR_15_TO_18" if age >= 15 else "MINOR_6_TO_15" if age >= 6 else "MINOR_UNDER_6"


def faults(truths: Truths, number: str, answer: Answer, day: date) -> Iterator[str]:
    """Yield what is wrong with the facts about a person, of ``day``."""
    person, truth = truths.people[number], truths.facts[number]
    is_unborn = person.birth_date > day
    gaps = truths.gaps(number)
    life_gaps = {"DEATH_NOT_REGISTERED", "LIFE_STATUS"}
    expected: dict[str, tuple[object, set[str], bool]] = {
        "lifeStatus": (life_on(truth, day), life_gaps, False),
        "maritalStatus": (
            marital_on(truths, number, day),
            life_gaps | _MARITAL_GAPS,
            _may_lack_marriages(truths, number, day),
        ),
        "legalCapacity": (capacity_on(truths, number, day), life_gaps, False),
        "hasActiveBlock": (
            "BLOCK" in truth.kinds_on(day),
            set(),
            day < TODAY or "JOINT_MEASURE" in truth.kinds_on(day),
        ),
    }
    for name, (value, excuses, is_open) in expected.items():
        got, reason = answer[name]["value"], answer[name]["reason"]
        if is_unborn:
            continue
        if reason is None and got != value:
            yield f"{number} {name}: {got}, but {value}"
        if reason is not None and not (gaps & excuses or is_open or "SHARED_NUMBER" in gaps):
            yield f"{number} {name}: {reason}, but {value}, and {gaps} planted"
    if not is_unborn:
        yield from _residence_faults(truths, number, answer["residence"], day)
        yield from _guardianship_faults(truths, number, answer["guardianship"], day)
        yield from _family_faults(truths, number, answer["family"], day)


def _may_lack_marriages(truths: Truths, number: str, day: date) -> bool:
    """Say whether a marriage may be missing from the books, or its end inferred on a past day."""
    person = truths.people[number]
    spouses = [spell.spouse_id for spell in person.marital_history]
    if truths.gaps(*spouses) & (_MARITAL_GAPS | {"DEATH_NOT_REGISTERED", "SHARED_NUMBER"}):
        return True
    could_marry = age_on(person.birth_date, min(day, _ELECTRONIC)) >= _YOUNGEST
    status = marital_on(truths, number, day)
    return could_marry and (status == "NEVER_MARRIED" or day < TODAY)


def _residence_faults(truths: Truths, number: str, answer: Answer, day: date) -> Iterator[str]:
    truth, gaps = truths.facts[number], truths.gaps(number)
    if answer["reason"] is not None:
        if "SHARED_NUMBER" not in gaps:
            yield f"{number} residence: {answer['reason']}"
        return
    permanent = [
        f"{home['communeCode']} {home['provinceCode']}"
        for home in answer["value"]
        if home["kind"] == "PERMANENT"
    ]
    if permanent != truth.values_on("HOME", day) and "LIFE_STATUS" not in gaps:
        yield f"{number} residence: {permanent}, but {truth.values_on('HOME', day)}"


def _guardianship_faults(truths: Truths, number: str, answer: Answer, day: date) -> Iterator[str]:
    person, truth = truths.people[number], truths.facts[number]
    capacity, guardians = capacity_on(truths, number, day), truth.values_on("GUARDIAN", day)
    parents = [p for p in (person.mother_id, person.father_id) if p is not None]
    gaps = truths.gaps(number, *parents)
    if answer["reason"] is not None:
        is_left_open = capacity == "RESTRICTED" or (
            capacity not in {"FULL", "ENDED"} and not guardians and not _able(truths, parents, day)
        )
        excuses = {"DEATH_NOT_REGISTERED", "LIFE_STATUS", "BIRTH_NOT_REGISTERED", "SHARED_NUMBER"}
        if not (is_left_open or gaps & excuses):
            yield f"{number} guardianship: {answer['reason']}, {capacity} {gaps}"
        return
    who = {representative["citizenId"] for representative in answer["value"]["representatives"]}
    who = {truths.holders[each] for each in who}
    if capacity in {"FULL", "ENDED"}:
        right: set[str] = set()
    else:
        right = {*guardians} or {*_able(truths, parents, day)}
    if who != right:
        yield f"{number} guardianship: {who}, but {right} ({capacity})"


def _able(truths: Truths, parents: list[str], day: date) -> list[str]:
    """Return the parents who live, are not missing and not incapacitated."""
    unable = {"DEAD", "MISSING", "INCAPACITATED"}
    return [parent for parent in parents if not truths.facts[parent].kinds_on(day) & unable]


def _family_faults(truths: Truths, number: str, answer: Answer, day: date) -> Iterator[str]:
    kin = truths.kin(number)
    person = truths.people[number]
    if answer["reason"] is not None:
        if "SHARED_NUMBER" not in truths.gaps(number):
            yield f"{number} family: {answer['reason']}"
        return
    for group, members in kin.items():
        reason, items = answer["value"][group]["reason"], answer["value"][group]["items"] or []
        named = {item["citizenId"] for item in items if item["citizenId"] is not None}
        right = {member for member in members if truths.people[member].birth_date <= day}
        if group == "spouses":
            right = {
                spell.spouse_id
                for spell in person.marital_history
                if spell.start <= day and spell.ended_by != "ANNULMENT"
            }
        if named - right:
            yield f"{number} {group}: {named - right} are none of theirs"
        if reason is None and named != right:
            yield f"{number} {group}: {right - named} are missing"
        if reason is not None and not _is_group_open(truths, number, group, members, day):
            yield f"{number} {group}: {reason} of {right}"
        for item in items:
            yield from _kinship_faults(truths, number, item, day)


def _kinship_faults(truths: Truths, number: str, item: Answer, day: date) -> Iterator[str]:
    person, other = truths.people[number], item["citizenId"]
    kinship = item["kinship"]
    if other is None:
        return
    relative = truths.people[other]
    right: dict[str, set[str | None]] = {
        "MOTHER": {person.mother_id},
        "FATHER": {person.father_id},
        "CHILD": {*person.children},
        "MATERNAL_GRANDMOTHER": {truths.people[person.mother_id or number].mother_id},
        "MATERNAL_GRANDFATHER": {truths.people[person.mother_id or number].father_id},
        "PATERNAL_GRANDMOTHER": {truths.people[person.father_id or number].mother_id},
        "PATERNAL_GRANDFATHER": {truths.people[person.father_id or number].father_id},
    }
    if kinship in right and other not in right[kinship]:
        yield f"{number}: {other} is no {kinship}"
    parents = {person.mother_id, person.father_id} - {None}
    shared = parents & {relative.mother_id, relative.father_id}
    if kinship.endswith("SIBLING") and (kinship == "FULL_SIBLING") is not (len(shared) > 1):
        yield f"{number}: {other} is no {kinship}"
    married = any(
        spell.spouse_id == other and spell.start <= day and (spell.end is None or day < spell.end)
        for spell in person.marital_history
    )
    died = "DEAD" in truths.facts[number].kinds_on(day)
    if kinship == "SPOUSE" and not married and not died:
        yield f"{number}: {other} is no {kinship}"
    if kinship == "FORMER_SPOUSE" and married:
        yield f"{number}: {other} is no {kinship}"


def _is_group_open(truths: Truths, number: str, group: str, members: set[str], day: date) -> bool:
    """Say whether something was planted, or the law leaves open, that hides a relative."""
    person = truths.people[number]
    parents = [p for p in (person.mother_id, person.father_id) if p is not None]
    births = {"BIRTH_NOT_REGISTERED", "SHARED_NUMBER"}
    match group:
        case "parents":
            return bool(truths.gaps(number, *members) & births)
        case "children":
            return bool(truths.gaps(number, *members) & births)
        case "siblings":
            # Of founders only the names of the parents are known.
            return person.founder or bool(truths.gaps(number, *parents, *members) & births)
        case "grandparents":
            is_open = person.founder or any(truths.people[parent].founder for parent in parents)
            return is_open or bool(truths.gaps(number, *parents, *members) & births)
    could_marry = age_on(person.birth_date, min(day, _ELECTRONIC)) >= _YOUNGEST
    excuses = _MARITAL_GAPS | {"DEATH_NOT_REGISTERED", "LIFE_STATUS", "SHARED_NUMBER"}
    return could_marry or bool(truths.gaps(number, *members) & excuses)
