"""How good proposals are, measured by the truth of synthetic records.

Precision: how many of the first candidates that are probable enough are right; records of people
who are not in the population, or must not be proposed, count where somebody else is. Recall: how
many of the records whose person may be proposed have that person as such a first candidate. Bound:
how many of these are not equalled by somebody else in all that is compared, so that a model could
tell them apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from reconcile.linkage.backend import LinkageBackend
from reconcile.linkage.needs import LINKED_RECORDS
from reconcile.linkage.proposals import LinkageCandidate
from tests.support.linkage_people import LinkagePeople

#: Record, identity and role.
Key = tuple[str, str, str]
THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)


@dataclass(frozen=True, slots=True)
class LinkageQuality:
    """Measures at one threshold of probability, as shares."""

    threshold: float
    proposals: int
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class MeasuredLinkage:
    """Measures of a record, or of all. ``listed``: with their person among the candidates."""

    record: str
    records: int
    linkable: int
    listed: float
    bound: float
    by_threshold: tuple[LinkageQuality, ...]


def linked_keys(backend: LinkageBackend) -> set[Key]:
    """Return the records that were compared: unnumbered and in force."""
    keys: set[Key] = set()
    for record in LINKED_RECORDS:
        for batch in backend.batches(f"select unique_id from records_{record}"):
            for unique_id in batch.column(0).to_pylist():
                identity, _, role = unique_id.partition("|")
                keys.add((record, identity, role or "person"))
    return keys


def measure(
    keys: set[Key], candidates: Iterable[LinkageCandidate], people: LinkagePeople
) -> list[MeasuredLinkage]:
    """Return the measures of each record, and of all."""
    by_key: dict[Key, list[LinkageCandidate]] = defaultdict(list)
    for candidate in candidates:
        by_key[candidate.record, candidate.record_id, candidate.role or "person"].append(candidate)
    truth = {
        (item.record, item.record_id, item.role): item.person_id
        for item in people.records
        if (item.record, item.record_id, item.role) in keys
    }
    gone = people.absent | people.exclusions.protected
    linkable = {
        key
        for key, number in truth.items()
        if number not in gone and not (key[0] == "births" and number in people.exclusions.adopted)
    }
    names = (*LINKED_RECORDS, "all")
    return [
        _measured(
            name,
            {key: truth[key] for key in truth if name in (key[0], "all")},
            {key for key in linkable if name in (key[0], "all")},
            by_key,
        )
        for name in names
    ]


def _measured(
    name: str,
    truth: dict[Key, str],
    linkable: set[Key],
    by_key: dict[Key, list[LinkageCandidate]],
) -> MeasuredLinkage:
    listed = bound = 0
    for key in linkable:
        listed += any(candidate.number == truth[key] for candidate in by_key[key])
        bound += not _equalled(by_key[key], truth[key])
    return MeasuredLinkage(
        name,
        len(truth),
        len(linkable),
        listed / max(1, len(linkable)),
        bound / max(1, len(linkable)),
        tuple(_at(threshold, truth, linkable, by_key) for threshold in THRESHOLDS),
    )


def _at(
    threshold: float,
    truth: dict[Key, str],
    linkable: set[Key],
    by_key: dict[Key, list[LinkageCandidate]],
) -> LinkageQuality:
    first = {
        key: by_key[key][0].number
        for key in truth
        if by_key[key] and by_key[key][0].probability >= threshold
    }
    right = sum(number == truth[key] for key, number in first.items())
    return LinkageQuality(
        threshold, len(first), right / max(1, len(first)), right / max(1, len(linkable))
    )


def _equalled(candidates: list[LinkageCandidate], number: str) -> bool:
    """Whether somebody else agrees with the record in all that the person agrees in, and more."""
    person = next((item for item in candidates if item.number == number), None)
    if person is None:
        return False
    return any(
        other.number != number
        and all(
            theirs.level >= part.level
            for theirs, part in zip(other.comparisons, person.comparisons, strict=True)
        )
        for other in candidates
    )


def table(measures: list[MeasuredLinkage]) -> str:
    """Return the measures as a table in Markdown."""
    lines = [
        "| records | number | linkable | listed | bound | probability | precision | recall |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {item.record} | {item.records:,} | {item.linkable:,} | {item.listed:.4f} |"
        f" {item.bound:.4f} | {at.threshold} | {at.precision:.4f} | {at.recall:.4f} |"
        for item in measures
        for at in item.by_threshold
    ]
    return "\n".join(lines)
