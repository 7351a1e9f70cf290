"""Who may be behind records without a number: the best candidates of each, to be decided on.

A proposal is never a finding. The weight is log2 of the odds that the record is of this person,
before it is known that it is of one person only; the probability takes that into account: of two
candidates with the same weight none is more probable than one half.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconcile.linkage.backend import LinkageBackend
from reconcile.linkage.comparisons import COMPARISONS, SIBLINGS
from reconcile.linkage.model import LinkageModel, splink_settings
from reconcile.linkage.scoring import linker_of, people_count, row_count

#: Candidates of a record that are listed at most, and the least weight of each: odds of 1 in 32.
CANDIDATES = 5
LEAST_WEIGHT = -5.0
#: From here on a first candidate is taken for certain enough to be decided on at a glance; its
#: precision and recall are in docs/reference/linkage.md.
SURE_PROBABILITY = 0.95


@dataclass(frozen=True, slots=True)
class ComparisonWeight:
    """A part of a weight. ``level``: the number of levels below it, -1 for unknown."""

    name: str
    level: int
    weight: float


@dataclass(frozen=True, slots=True)
class LinkageCandidate:
    """A candidate in clear, which leaves memory only hashed, or for the operator.

    ``role``: ``husband`` or ``wife`` of a marriage, else None. ``rank``: from 1.
    """

    record: str
    record_id: str
    role: str | None
    number: str
    rank: int
    weight: float
    probability: float
    comparisons: tuple[ComparisonWeight, ...]


def candidates(backend: LinkageBackend, model: LinkageModel) -> Iterator[LinkageCandidate]:
    """Yield the candidates of all records, record by record, the most probable first.

    Reads the prepared tables. Memory: the backend's, and a batch of candidates.
    """
    people = people_count(backend)
    for record in COMPARISONS:
        if people and row_count(backend, f"records_{record}"):
            yield from _of_record(backend, record, people, model)


def _of_record(
    backend: LinkageBackend, record: str, people: int, model: LinkageModel
) -> Iterator[LinkageCandidate]:
    linker = linker_of(backend, record, splink_settings(record, people, model))
    predictions = linker.inference.predict(threshold_match_weight=LEAST_WEIGHT)
    parts = [
        (f"gamma_{item.name}", _weight_columns(item.name, item.frequency is not None))
        for item in COMPARISONS[record]
    ]
    query = _ranked(predictions.physical_name, parts)
    for batch in backend.batches(query):
        for row in batch.to_pylist():
            yield _candidate(record, row)


def _weight_columns(name: str, adjusted: bool) -> str:
    return f"mw_{name} + mw_tf_adj_{name}" if adjusted else f"mw_{name}"


def _ranked(predictions: str, parts: list[tuple[str, str]]) -> str:
    """Return the query of the best candidates; a person with another name counts once.

    Brothers and sisters are none.
    """
    columns = ", ".join(
        f"{level} as level_{place}, {weight} as weight_{place}"
        for place, (level, weight) in enumerate(parts)
    )
    order = "round(match_weight, 6) desc, row_id_r, unique_id_r"
    return f"""
        select * from (
          select *, row_number() over (partition by unique_id_l order by {order}) as place,
            power(cast(2 as double), match_weight) / (1 + sum(power(cast(2 as double),
              match_weight)) over (partition by unique_id_l)) as probability
          from (select *, row_number() over (partition by unique_id_l, row_id_r
              order by {order}) as name_place
            from (select unique_id_l, unique_id_r, row_id_l, row_id_r, match_weight, {columns}
              from {predictions} where not ({SIBLINGS})) as pairs) as names
          where name_place = 1) as people
        where place <= {CANDIDATES} order by unique_id_l, place"""


def _candidate(record: str, row: dict[str, Any]) -> LinkageCandidate:
    _, _, role = row["unique_id_l"].partition("|")
    return LinkageCandidate(
        record=record,
        record_id=row["row_id_l"],
        role=role or None,
        number=row["row_id_r"],
        rank=row["place"],
        weight=row["match_weight"],
        probability=row["probability"],
        comparisons=tuple(
            ComparisonWeight(item.name, row[f"level_{place}"], row[f"weight_{place}"])
            for place, item in enumerate(COMPARISONS[record])
        ),
    )
