"""The model is a file of this program's comparisons; another is refused.

Covers ``reconcile.linkage.comparisons`` and ``reconcile.linkage.training``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.synthetic.options import PopulationOptions
from reconcile.layout import RunFolder
from reconcile.linkage.comparisons import BLOCKING, COMPARISONS, UNKNOWN
from reconcile.linkage.duckdb_backend import DuckDBLinkage
from reconcile.linkage.model import OtherModel, load_model, splink_settings, write_model
from reconcile.linkage.preparation import COMPARED, prepare
from reconcile.linkage.training import learn_model
from tests.support.linkage_people import write_people


def test_probabilities_of_every_comparison_sum_to_one() -> None:
    for comparisons in load_model().records.values():
        for levels in comparisons.values():
            assert sum(m for m, _ in levels) == pytest.approx(1)
            assert sum(u for _, u in levels) == pytest.approx(1)


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_model(tmp_path / "model.json", load_model())
    assert load_model(tmp_path / "model.json") == load_model()


@pytest.mark.parametrize("fault", ["version", "comparison", "record"])
def test_another_model_is_refused(fault: str, tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    write_model(file, load_model())
    content = json.loads(file.read_text("utf-8"))
    if fault == "version":
        content["version"] = 0
    elif fault == "comparison":
        content["records"]["births"]["given"].pop()
    else:
        del content["records"]["deaths"]
    file.write_text(json.dumps(content), "utf-8")
    with pytest.raises(OtherModel):
        load_model(file)


def test_no_pair_is_compared_for_few_common_columns() -> None:
    """A family name, a sex, a year or a province leave too many pairs, alone and together."""
    coarse = {"family", "sex", "birth_year", "province"}
    for rules in BLOCKING.values():
        for columns in rules:
            assert set(columns) <= set(COMPARED)
            assert len(columns) > 1
            assert set(columns) - coarse


def test_levels_say_what_they_mean_and_frequent_names_weigh_less() -> None:
    for record, comparisons in COMPARISONS.items():
        settings = splink_settings(record, 1_000, load_model())
        assert settings["probability_two_random_records_match"] == 1 / 1_000
        for item, described in zip(comparisons, settings["comparisons"], strict=True):
            assert item.level_text(-1) is UNKNOWN
            assert item.level_text(0) is item.levels[-1].text
            assert item.level_text(len(item.levels) - 1) is item.levels[0].text
            adjusted = [
                level for level in described["comparison_levels"] if "tf_adjustment_column" in level
            ]
            assert len(adjusted) == (item.frequency is not None)


def test_a_model_is_learned_from_records_and_people_alone(tmp_path: Path) -> None:
    """Agreement is more probable among matches than among others, in each comparison."""
    folder = RunFolder(tmp_path)
    people = write_people(folder, PopulationOptions(people=1_000, unnumbered_rate=0.8))
    backend = DuckDBLinkage(folder.prepared / "linkage", 400_000_000, threads=2)
    try:
        prepare(backend, folder, people.exclusions)
        model = learn_model(backend, "a test", ["births"], random_pairs=2e5)
    finally:
        backend.close()
    for name in ("given", "family", "birth", "place", "mother"):
        (m, u), *_ = model.records["births"][name]
        assert m > 3 * u, name
        *_, (m, u) = model.records["births"][name]
        assert m < u, name
