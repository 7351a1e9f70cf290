"""Learning the model: u from random pairs with a fixed seed, m by expectation maximisation.

No record with a known person is needed. Learned on the extracts of a run, a model is a file
(``model.write_model``) that later runs are given, so that they all weigh alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconcile.linkage.backend import LinkageBackend
from reconcile.linkage.comparisons import TRAINING
from reconcile.linkage.model import (
    LevelProbabilities,
    LinkageModel,
    blocking_rule,
    splink_settings,
)
from reconcile.linkage.needs import LINKED_RECORDS
from reconcile.linkage.scoring import linker_of, people_count

_SEED = 2026
_RANDOM_PAIRS = 5e6
_EM_PAIRS = 2e6
#: The least probabilities of a level: no single comparison decides against a person, nor does what
#: was not seen in learning decide for them.
_LEAST_M, _LEAST_U = 1e-4, 1e-6


def learn_model(
    backend: LinkageBackend,
    learned: str,
    records: Sequence[str] = LINKED_RECORDS,
    random_pairs: float = _RANDOM_PAIRS,
) -> LinkageModel:
    """Learn from the prepared tables. ``learned``: from what, in words, for the file.

    Only DuckDB samples the same pairs each time.
    """
    people = people_count(backend)
    return LinkageModel(
        {record: _learn(backend, record, people, random_pairs) for record in records}, learned
    )


def _learn(
    backend: LinkageBackend, record: str, people: int, random_pairs: float
) -> dict[str, LevelProbabilities]:
    linker = linker_of(backend, record, splink_settings(record, people, None))
    training = linker.training
    training.estimate_u_using_random_sampling(
        max_pairs=random_pairs, seed=_SEED, min_count_per_level=None
    )
    for columns in TRAINING[record]:
        training.estimate_parameters_using_expectation_maximisation(
            blocking_rule(columns), max_pairs=_EM_PAIRS, record_sample_proportion=1.0
        )
    settings: dict[str, Any] = linker.misc.save_model_to_json()
    return {
        comparison["output_column_name"]: _probabilities(
            [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        )
        for comparison in settings["comparisons"]
    }


def _probabilities(levels: list[dict[str, Any]]) -> LevelProbabilities:
    """Return m and u of the levels, each of which sum to 1: sessions learn them apart."""
    columns = []
    for name, least in (("m_probability", _LEAST_M), ("u_probability", _LEAST_U)):
        values = [_probability(level, name, least) for level in levels]
        columns.append([value / sum(values) for value in values])
    return tuple(zip(*columns, strict=True))


def _probability(level: dict[str, Any], name: str, least: float) -> float:
    value = level.get(name)
    return max(float(value), least) if isinstance(value, float) else least
