"""Rates match domain.md section 5; the stream is reproducible and bounded.

Covers ``connectors.synthetic.demography``, ``connectors.synthetic.draw``,
``connectors.synthetic.options``, ``connectors.synthetic.clusters``,
``connectors.synthetic.courts``.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from datetime import timedelta

import pytest

from connectors.synthetic import PLANTED, PersonTruth, PopulationOptions, clusters
from connectors.synthetic.bonds import bind_partners
from connectors.synthetic.clusters import make
from connectors.synthetic.courts import decide
from connectors.synthetic.draw import age_on
from connectors.synthetic.family import simulate
from connectors.synthetic.registers import register
from connectors.synthetic.truth import truths
from tests.support.synthetic_people import Sample, the_sample


@pytest.fixture(scope="module")
def sample() -> Sample:
    return the_sample()


TODAY = PopulationOptions(people=1).today


@pytest.fixture(scope="module")
def lives() -> list[PersonTruth]:
    """The truth of 20,000 people, without their rows."""
    options, people, index = PopulationOptions(people=20_000), list[PersonTruth](), 0
    while len(people) < options.people:
        people += truths(simulate(options, index))
        index += 1
    return people


def living(people: list[PersonTruth]) -> list[PersonTruth]:
    return [person for person in people if person.life_state == "ALIVE"]


def test_the_age_structure_is_roughly_that_of_the_country(lives: list[PersonTruth]) -> None:
    ages = [age_on(person.birth_date, TODAY) for person in living(lives)]
    assert 0.17 < sum(age < 15 for age in ages) / len(ages) < 0.26
    assert 0.07 < sum(age >= 65 for age in ages) / len(ages) < 0.12


def test_births_and_deaths_of_recent_years_are_roughly_as_many_as_they_should_be(
    lives: list[PersonTruth],
) -> None:
    years, alive = (2022, 2023, 2024, 2025), len(living(lives))
    births = sum(live.birth_date.year in years for live in lives)
    deaths = sum(live.death_date is not None and live.death_date.year in years for live in lives)
    assert 11 < births / len(years) / alive * 1000 < 16
    assert 5 < deaths / len(years) / alive * 1000 < 9


def test_the_marital_stock_is_roughly_that_of_the_census(lives: list[PersonTruth]) -> None:
    adults = [person for person in living(lives) if age_on(person.birth_date, TODAY) >= 15]
    share = {k: n / len(adults) for k, n in Counter(o.marital_status for o in adults).items()}
    assert 0.045 < share["WIDOWED"] < 0.09
    assert 0.02 < share["DIVORCED"] < 0.06
    assert 0.28 < 1 - share["MARRIED"] < 0.40


def test_first_marriages_of_recent_cohorts_are_about_as_late_as_registered(
    lives: list[PersonTruth],
) -> None:
    for sex, expected in (("MALE", 29.4), ("FEMALE", 26.0)):
        ages = [
            (live.marital_history[0].start - live.birth_date).days / 365.25
            for live in lives
            if live.sex == sex and live.marital_history and 1985 <= live.birth_date.year < 1992
        ]
        assert abs(sum(ages) / len(ages) - expected) < 1.8


def test_births_and_deaths_are_registered_in_time_missed_and_late_at_the_given_rates() -> None:
    options, born, registered, late, died, noted, slow = (
        PopulationOptions(people=1),
        0,
        0,
        0,
        0,
        0,
        0,
    )
    for index in range(430):
        family = simulate(options, index)
        bind_partners(family)
        decide(family)
        register(family)
        for person in family.people:
            entry = person.original_entry or person.birth_entry
            if 1980 <= person.born.year <= 2021:
                born += 1
                if entry is not None:
                    registered += 1
                    late += entry.on - person.born > timedelta(days=60)
            if person.died and 2000 <= person.died.year < 2024 and not person.declared_dead:
                died += 1
                if person.death_entry is not None:
                    noted += 1
                    slow += person.death_entry.on - person.died > timedelta(days=15)
    assert born > 8_000
    assert registered / born == pytest.approx(0.966, abs=0.01)
    # Registrations anew of old births come on top of the 15.1%.
    assert late / registered == pytest.approx(0.151 + 0.06, abs=0.035)
    assert noted / died == pytest.approx(0.96, abs=0.025)
    assert slow / noted == pytest.approx(0.307, abs=0.035)


def test_disagreements_come_at_the_rate_asked_for() -> None:
    planted = people = 0
    for cluster in clusters(PopulationOptions(people=3_000, disagreement_rate=0.1)):
        people += len(cluster.truth)
        planted += sum(
            any(
                c.what in ("BIRTH_DATE", "NAME_FORM", "LIFE_STATUS", "MARITAL_STATUS")
                for c in p.conflicts
            )
            for p in cluster.truth
        )
    assert planted / people == pytest.approx(0.1, abs=0.025)


def test_without_faults_asked_for_none_are_planted() -> None:
    options = PopulationOptions(people=600, disagreement_rate=0, earlier_number_rate=0)
    for cluster in clusters(options):
        for person in cluster.truth:
            # Left are numbers shared by mistake and births registered twice, under two numbers.
            planted = {conflict.what for conflict in person.conflicts} & set(PLANTED)
            assert planted <= {"SHARED_NUMBER"}
            assert all(len(filing.number) == 12 for filing in person.filed_under)


def test_the_same_seed_gives_the_same_rows_and_another_seed_others() -> None:
    first, second = (list(clusters(PopulationOptions(people=400))) for _ in range(2))
    assert first == second
    other = list(clusters(PopulationOptions(people=400, seed=7)))
    assert [c.truth for c in other] != [c.truth for c in first]


def test_a_cluster_does_not_depend_on_those_before_it(sample: Sample) -> None:
    assert make(sample.options, 9) == sample.clusters[9]


def test_more_people_extend_the_population_and_change_nobody() -> None:
    fewer_people = list(clusters(PopulationOptions(people=300)))
    more_people = list(clusters(PopulationOptions(people=600)))
    assert more_people[: len(fewer_people)] == fewer_people


@pytest.mark.parametrize("wrong", [{"people": 0}, {"people": 1, "disagreement_rate": 1.5}])
def test_options_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        PopulationOptions(**wrong)  # type: ignore[arg-type]  # the point of the test


def peak(people: int) -> int:
    """Return the most memory in use at once while a population streams by."""
    gc.collect()
    tracemalloc.start()
    for _ in clusters(PopulationOptions(people=people)):
        pass
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak_bytes


@pytest.mark.long
def test_memory_does_not_grow_with_the_number_of_people() -> None:
    peak(200)  # fill the caches that are kept
    assert peak(3_000) < peak(800) * 1.3 + 1_000_000
