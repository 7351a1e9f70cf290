"""Old records lose their numbers at a rate, the truth says whose they are, all else stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from connectors.synthetic import Cluster, PopulationOptions, clusters, write

OPTIONS = PopulationOptions(people=800, unnumbered_rate=0.4, contradiction_rate=0.1)
RECORDS = ("births", "marriages", "deaths")


@pytest.fixture(scope="module")
def pairs() -> list[tuple[Cluster, Cluster]]:
    """Clusters with all numbers, and the same with records without."""
    numbered = PopulationOptions(people=800, contradiction_rate=0.1)
    return list(zip(clusters(numbered), clusters(OPTIONS), strict=True))


def test_by_default_every_record_has_its_numbers(pairs: list[tuple[Cluster, Cluster]]) -> None:
    assert not any(numbered.unnumbered for numbered, _ in pairs)


def test_lives_and_contradictions_and_other_rows_stay(pairs: list[tuple[Cluster, Cluster]]) -> None:
    for numbered, faulty in pairs:
        assert numbered.truth == faulty.truth
        assert numbered.contradictions == faulty.contradictions
        lost = {item.record_id for item in faulty.unnumbered}
        for key, rows in numbered.rows.items():
            for before, after in zip(rows, faulty.rows[key], strict=True):
                assert before.get("event_id") in lost or before == after
        contradicting = {id_ for item in faulty.contradictions for id_ in item.record_ids}
        assert not lost & contradicting


def test_the_truth_is_the_number_that_the_row_had(pairs: list[tuple[Cluster, Cluster]]) -> None:
    people = {person.id for numbered, _ in pairs for person in numbered.truth}
    columns = {"person": "citizen_id", "husband": "husband_citizen_id", "wife": "wife_citizen_id"}
    count = former = 0
    for numbered, faulty in pairs:
        before, after = _by_id(numbered), _by_id(faulty)
        for item in faulty.unnumbered:
            count += 1
            assert item.person_id in people
            former += before[item.record_id][columns[item.role]] != item.person_id
            assert before[item.record_id]["registration_kind"] == "DIGITISED"
            assert not [name for name in after[item.record_id] if name.endswith("citizen_id")]
    assert count > 100
    assert 0 < former < count / 5  # filed under a former number


def test_copies_have_faults_of_every_kind(pairs: list[tuple[Cluster, Cluster]]) -> None:
    faults = {fault for _, faulty in pairs for item in faulty.unnumbered for fault in item.faults}
    assert faults >= {
        "abbreviated",
        "day and month swapped",
        "misread",
        "no marks",
        "parents swapped",
        "place",
        "year alone",
    }


def test_the_truth_of_unnumbered_records_is_written_beside_the_truth(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{name}.sqlite" for name in ("population", "civil_status")}
    options = PopulationOptions(people=60, unnumbered_rate=0.5)
    write((POPULATION, CIVIL_STATUS), paths, options, tmp_path / "truth.jsonl")
    lines = (tmp_path / "unnumbered.jsonl").read_text("utf-8").splitlines()
    expected = [item for cluster in clusters(options) for item in cluster.unnumbered]
    assert [(json.loads(x)["record_id"], json.loads(x)["person_id"]) for x in lines] == [
        (item.record_id, item.person_id) for item in expected
    ]


def test_a_run_without_such_records_writes_no_file_about_them(tmp_path: Path) -> None:
    paths = {"population": tmp_path / "population.sqlite"}
    write((POPULATION,), paths, PopulationOptions(people=1), tmp_path / "truth.jsonl")
    assert not (tmp_path / "unnumbered.jsonl").exists()


def _by_id(cluster: Cluster) -> dict[str, dict[str, object]]:
    return {
        str(row["event_id"]): dict(row)
        for record in RECORDS
        for row in cluster.rows.get(("civil_status", record), ())
    }
