"""The model of linkage: how probable each level is among matches (m) and among others (u).

``model.json`` has the probabilities that were learned; a file of another version, or for other
comparisons, is refused. Two runs, and both engines, give the same weights with the same model: what
differs is the last digits of logarithms (``TOLERANCE``, relative).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from reconcile.linkage.comparisons import BLOCKING, COMPARISONS, LinkageComparison

MODEL_VERSION = 1
TOLERANCE = 1e-12
#: Names of less than a millionth of the people weigh as if they were a millionth.
_LEAST_FREQUENCY = 1e-6

#: m and u of each level, the best first.
LevelProbabilities = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class LinkageModel:
    """Probabilities by record and comparison. ``learned``: from what they were, in words."""

    records: Mapping[str, Mapping[str, LevelProbabilities]]
    learned: str = ""


class OtherModel(ValueError):
    """A model of another version, or for other comparisons than those of this program."""


def load_model(file: Path | None = None) -> LinkageModel:
    """Return the model of a file, or the one that comes with the program; raises OtherModel."""
    resource = files("reconcile.linkage") / "model.json" if file is None else file
    content = json.loads(resource.read_text("utf-8"))
    if not isinstance(content, dict) or content.get("version") != MODEL_VERSION:
        raise OtherModel(f"{resource}: it is no model of version {MODEL_VERSION}")
    records = {
        record: {
            comparison: tuple((level["m"], level["u"]) for level in levels)
            for comparison, levels in comparisons.items()
        }
        for record, comparisons in content["records"].items()
    }
    for record, comparisons in COMPARISONS.items():
        counts = {item.name: len(item.levels) for item in comparisons}
        if counts != {name: len(levels) for name, levels in records.get(record, {}).items()}:
            raise OtherModel(f"{resource}: its comparisons of {record} are not this program's")
    return LinkageModel(records, content["learned"])


def write_model(file: Path, model: LinkageModel) -> None:
    """Write a model as JSON, with what each level means."""
    records = {
        record: {
            item.name: [
                {"level": level.text.en, "m": m, "u": u}
                for level, (m, u) in zip(item.levels, model.records[record][item.name], strict=True)
            ]
            for item in comparisons
        }
        for record, comparisons in COMPARISONS.items()
    }
    content = {"version": MODEL_VERSION, "learned": model.learned, "records": records}
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")


def splink_settings(record: str, people: int, model: LinkageModel | None) -> dict[str, Any]:
    """Return Splink's settings for a record; without a model, m and u are to be learned.

    ``people``: how many a record may be of. The prior is that one of them is behind it.
    """
    return {
        "link_type": "link_only",
        "unique_id_column_name": "unique_id",
        "source_dataset_column_name": "source_dataset",
        "probability_two_random_records_match": 1 / max(people, 2),
        "comparisons": [
            _comparison(item, None if model is None else model.records[record][item.name])
            for item in COMPARISONS[record]
        ],
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": blocking_rule(columns)} for columns in BLOCKING[record]
        ],
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": True,
        "additional_columns_to_retain": ["row_id"],
        "linker_uid": f"linkage_{record}",
    }


def blocking_rule(columns: tuple[str, ...]) -> str:
    """Return the condition that a pair agrees in all columns."""
    return " and ".join(f"l.{column} = r.{column}" for column in columns)


def _comparison(item: LinkageComparison, learned: LevelProbabilities | None) -> dict[str, Any]:
    levels: list[dict[str, Any]] = [
        {"sql_condition": item.unknown, "label_for_charts": "unknown", "is_null_level": True}
    ]
    for place, level in enumerate(item.levels):
        described: dict[str, Any] = {
            "sql_condition": level.condition or "ELSE",
            "label_for_charts": level.text.en,
        }
        if level.frequency:
            described["tf_adjustment_column"] = item.frequency
            described["tf_adjustment_weight"] = 1.0
            described["tf_minimum_u_value"] = _LEAST_FREQUENCY
        if learned is not None:
            described["m_probability"], described["u_probability"] = learned[place]
        levels.append(described)
    return {"output_column_name": item.name, "comparison_levels": levels}
