"""Contradictions are planted at a rate, and what is planted changes nothing else."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from connectors.synthetic import PopulationOptions, clusters, write
from connectors.synthetic.names import without_marks


def test_by_default_nothing_is_planted() -> None:
    (cluster,) = clusters(PopulationOptions(people=1, disagreement_rate=0.0))
    assert {item.rule for item in cluster.contradictions} <= {
        "MARITAL_STATUS",
        "SHARED_NUMBER",
        "UNENDED_MARRIAGE",
    }


def test_lives_are_the_same_whatever_is_planted() -> None:
    options = PopulationOptions(people=200)
    planted = PopulationOptions(people=200, contradiction_rate=0.5)
    for plain, faulty in zip(clusters(options), clusters(planted), strict=True):
        assert plain.truth == faulty.truth
        assert len(faulty.contradictions) > len(plain.contradictions)
        assert set(plain.contradictions) <= set(faulty.contradictions)


def test_every_contradiction_names_rows_that_are_there() -> None:
    for cluster in clusters(PopulationOptions(people=300, contradiction_rate=0.5)):
        ids = Counter(
            str(row[column])
            for rows in cluster.rows.values()
            for row in rows
            for column in (
                *("event_id", "entry_id", "citizen_id", "case_no", "notarial_no"),
                *("record_no", "request_no"),
            )
            if column in row
        )
        for item in cluster.contradictions:
            assert all(ids[record_id] for record_id in item.record_ids), item


def test_contradictions_are_written_beside_the_truth(tmp_path: Path) -> None:
    options = PopulationOptions(people=60, contradiction_rate=0.5)
    paths = {name: tmp_path / f"{name}.sqlite" for name in ("population", "civil_status")}
    write((POPULATION, CIVIL_STATUS), paths, options, tmp_path / "truth.jsonl")
    lines = (tmp_path / "contradictions.jsonl").read_text("utf-8").splitlines()
    expected = [item for cluster in clusters(options) for item in cluster.contradictions]
    assert [tuple(json.loads(line)["record_ids"]) for line in lines] == [
        item.record_ids for item in expected
    ]


def test_names_without_marks_are_ascii() -> None:
    assert without_marks("Đỗ Thị Hoà") == "Do Thi Hoa"
