"""Person numbers are unique across clusters and have the meaning of domain.md 1.1.

Covers ``connectors.synthetic.places``.
"""

from __future__ import annotations

from datetime import date

import pytest

from connectors.synthetic import PopulationOptions, clusters
from connectors.synthetic.family import simulate
from connectors.synthetic.numbers import MAX_CLUSTERS, NumberGenerator
from connectors.synthetic.places import prefixes
from tests.support.synthetic_people import Sample, the_sample


@pytest.fixture(scope="module")
def sample() -> Sample:
    return the_sample()


def test_numbers_of_fifty_thousand_people_are_unique() -> None:
    options = PopulationOptions(people=50_000)
    numbers: set[str] = set()
    people = index = 0
    while people < options.people:
        of_cluster = [person.number for person in simulate(options, index).people]
        people += len(of_cluster)
        numbers.update(of_cluster)
        index += 1
    assert len(numbers) == people


def test_clusters_far_apart_with_the_same_head_share_no_number() -> None:
    heads: set[str] = set()
    numbers: set[str] = set()
    clusters_tried = [*range(300), *range(MAX_CLUSTERS - 300, MAX_CLUSTERS)]
    for index in clusters_tried:
        generator = NumberGenerator(1, index, prefixes())
        for _ in range(12):  # more than a cluster may have under one head
            number = generator.citizen_id("001", "FEMALE", date(1990, 5, 1))
            heads.add(number[:6])
            numbers.add(number)
    assert len(numbers) == 12 * len(clusters_tried)
    assert heads == {"001190", "002190"}


def test_cards_of_clusters_share_no_number() -> None:
    cards = {
        NumberGenerator(1, index, prefixes()).identity_card("079")
        for index in range(0, MAX_CLUSTERS, 97)
    }
    assert len(cards) == len(range(0, MAX_CLUSTERS, 97))


def test_a_cluster_that_cannot_be_numbered_is_refused() -> None:
    with pytest.raises(ValueError, match="clusters"):
        NumberGenerator(1, MAX_CLUSTERS, prefixes())


def test_digits_agree_with_sex_birth_year_and_province(sample: Sample) -> None:
    old, new = set(prefixes()), {row["birth_place_province_code"] for row in _places(sample)}
    for person in sample.people.values():
        number, born = person.id, person.birth_date
        century = 0 if born.year < 2000 else 2
        assert int(number[3]) == century + (person.sex == "FEMALE")
        assert number[4:6] == f"{born.year % 100:02d}"
        if born < date(2025, 7, 1):
            assert number[:3] in old
        else:
            assert number[1:3] in new


def _places(sample: Sample) -> list[dict[str, object]]:
    return [dict(row) for row in sample.population("identity")]


def test_earlier_numbers_belong_to_one_person_unless_shared_on_purpose(sample: Sample) -> None:
    holders: dict[str, list[str]] = {}
    for person in sample.people.values():
        for number in person.earlier_numbers:
            holders.setdefault(number, []).append(person.id)
    assert not holders.keys() & sample.people.keys()
    for people in holders.values():
        for number in people[: len(people) if len(people) > 1 else 0]:
            assert any(
                conflict.what == "SHARED_NUMBER" for conflict in sample.people[number].conflicts
            )
    kinds = {len(number) for number in holders}
    assert kinds == {9, 12}


def test_the_population_has_as_many_people_as_asked_for_up_to_a_cluster() -> None:
    count = sum(len(cluster.truth) for cluster in clusters(PopulationOptions(people=500)))
    assert 500 <= count < 620
