"""Lives are coherent: parents, marriages and deaths are consistent.

Covers ``connectors.synthetic.bonds``, ``connectors.synthetic.circumstances``,
``connectors.synthetic.family``, ``connectors.synthetic.households``,
``connectors.synthetic.kinship``, ``connectors.synthetic.model``.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from connectors.synthetic import MaritalSpell
from connectors.synthetic.draw import age_on
from tests.support.synthetic_people import Sample, the_sample


@pytest.fixture(scope="module")
def sample() -> Sample:
    return the_sample()


def test_parents_exist_and_are_at_least_fifteen_years_older(sample: Sample) -> None:
    children = 0
    for person in sample.people.values():
        for number in (
            person.mother_id,
            person.father_id,
            person.birth_mother_id,
            person.birth_father_id,
        ):
            if number is not None:
                children += 1
                assert age_on(sample.people[number].birth_date, person.birth_date) >= 15
    assert children > len(sample.people)


def test_mothers_live_at_the_birth_and_are_under_fifty(sample: Sample) -> None:
    for person in sample.people.values():
        if person.birth_mother_id is not None:
            mother = sample.people[person.birth_mother_id]
            assert mother.death_date is None or mother.death_date > person.birth_date
            assert mother.missing_since is None or mother.missing_since > person.birth_date
            assert age_on(mother.birth_date, person.birth_date) < 50


def test_children_and_parents_name_each_other(sample: Sample) -> None:
    for person in sample.people.values():
        for child_id in person.children:
            child = sample.people[child_id]
            assert person.id in (child.mother_id, child.father_id)
        for parent_id in (person.mother_id, person.father_id):
            assert parent_id is None or person.id in sample.people[parent_id].children
        assert len(set(person.children)) == len(person.children)


def test_only_founders_and_found_children_have_no_mother(sample: Sample) -> None:
    for person in sample.people.values():
        if person.mother_id is None:
            assert person.founder


def test_marriages_of_a_person_never_overlap(sample: Sample) -> None:
    for person in sample.people.values():
        spells = person.marital_history
        assert all(
            earlier.end is not None and earlier.end < later.start
            for earlier, later in pairwise(spells)
        )
        assert all(spell.end is None or spell.end > spell.start for spell in spells)


def test_spouses_agree_about_their_marriage(sample: Sample) -> None:
    for person in sample.people.values():
        for spell in person.marital_history:
            mirrored = MaritalSpell(person.id, spell.start, spell.end, spell.ended_by)
            assert mirrored in sample.people[spell.spouse_id].marital_history


def test_spouses_are_of_legal_age_alive_and_of_different_sex(sample: Sample) -> None:
    for person in sample.people.values():
        for spell in person.marital_history:
            age = age_on(person.birth_date, spell.start)
            assert age >= (20 if person.sex == "MALE" else 18)
            assert person.death_date is None or person.death_date > spell.start
            assert person.missing_since is None or person.missing_since > spell.start
            assert sample.people[spell.spouse_id].sex != person.sex


def test_nobody_marries_kin_within_three_generations(sample: Sample) -> None:
    def lineage(number: str) -> set[str]:
        ancestors, generation = {number}, [number]
        for _ in range(2):
            generation = [
                parent
                for person in generation
                for parent in (sample.people[person].mother_id, sample.people[person].father_id)
                if parent is not None
            ]
            ancestors.update(generation)
        return ancestors

    for person in sample.people.values():
        for spell in person.marital_history:
            assert not lineage(person.id) & lineage(spell.spouse_id)


def test_nothing_happens_after_today(sample: Sample) -> None:
    today = sample.options.today
    for person in sample.people.values():
        days: list[date | None] = [person.birth_date, person.death_date, person.missing_since]
        days += [day for spell in person.marital_history for day in (spell.start, spell.end)]
        assert all(day is None or day < today for day in days)


def test_adopters_are_older_and_the_adopted_were_under_sixteen(sample: Sample) -> None:
    assert sample.civil("adoptions")
    for row in sample.civil("adoptions"):
        child = sample.people[str(row["child_id"])]
        handover = row["handover_date"]
        assert child.adopted
        assert isinstance(handover, date)
        assert age_on(child.birth_date, handover) < 16
        for role in ("adopter_father_id", "adopter_mother_id"):
            if role in row:
                adopter = sample.people[str(row[role])]
                older = age_on(adopter.birth_date, child.birth_date)
                assert older >= (16 if row["relation_before"] == "STEP" else 20)
                assert child.id in adopter.adopted_children


def test_guardians_are_adults_and_alive_when_they_begin(sample: Sample) -> None:
    assert sample.civil("guardianships")
    for row in sample.civil("guardianships"):
        guardian = sample.people[sample.holder_of(row, "guardian_citizen_id") or ""]
        ward = sample.people[str(row["ward_id"])]
        start = row["start_date"]
        assert isinstance(start, date)
        assert guardian.id != ward.id
        assert age_on(guardian.birth_date, start) >= 18
        assert guardian.death_date is None or guardian.death_date > start
        assert (row["reason"] == "MINOR") == (age_on(ward.birth_date, start) < 18)
