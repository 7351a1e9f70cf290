"""Links the records of a run: prepares, scores, writes the proposals, and counts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from reconcile.layout import RunFolder
from reconcile.linkage.backend import LinkageBackend
from reconcile.linkage.exclusions import Exclusions
from reconcile.linkage.model import LinkageModel
from reconcile.linkage.needs import LINKED_RECORDS, linkage_needs
from reconcile.linkage.preparation import prepare, unreadable_identities
from reconcile.linkage.proposals import SURE_PROBABILITY, candidates
from reconcile.linkage.proposals_file import ProposalHasher, write_proposals
from reconcile.linkage.scoring import people_count, row_count
from reconcile.manifest import Manifest


@dataclass(frozen=True, slots=True)
class LinkageCount:
    """Of a record: people without a number, how many have a candidate, how many a sure one.

    ``unreadable``: rows that were not compared, as a value of theirs could not be read.
    """

    unnumbered: int
    with_candidate: int
    sure: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class LinkageSummary:
    """What linking came to, by record. ``people``: among whom candidates were sought."""

    people: int
    counts: Mapping[str, LinkageCount]


class ExtractsIncomplete(ValueError):
    """Extracts that linkage reads are missing, or were not read to their end."""


def require_extracts(manifest: Manifest, folder: RunFolder) -> None:
    """Raise ExtractsIncomplete unless all that linkage reads was read to its end, and is there.

    Of somebody who was not read nothing could be proposed, and somebody else might be: that a
    record has no other candidate would then not be so.
    """
    names = [f"{database}.{record}" for database, record in linkage_needs()]
    extracts = manifest.extracts
    removed = [
        f"{database}.{record}"
        for database, record in linkage_needs()
        if not folder.extract(database, record).is_dir()
    ]
    missing = [
        name
        for name in names
        if name not in extracts or not extracts[name].complete or extracts[name].failure is not None
    ]
    if missing:
        raise ExtractsIncomplete(f"not extracted to the end: {', '.join(missing)}")
    if removed:
        raise ExtractsIncomplete(
            f"its extracts were removed: {', '.join(removed)} (run with --keep-extracts)"
        )


def link_records(
    backend: LinkageBackend,
    folder: RunFolder,
    exclusions: Exclusions,
    model: LinkageModel,
    hasher: ProposalHasher,
) -> LinkageSummary:
    """Write ``proposals.parquet`` of a run; returns what was counted.

    ``backend`` is the caller's to close. Raises OSError where a file cannot be written.
    """
    prepare(backend, folder, exclusions)
    with_candidate, sure = Counter[str](), Counter[str]()
    for candidate in write_proposals(folder, candidates(backend, model), hasher):
        if candidate.rank == 1:
            with_candidate[candidate.record] += 1
            sure[candidate.record] += candidate.probability >= SURE_PROBABILITY
    counts = {
        record: LinkageCount(
            row_count(backend, f"records_{record}"),
            with_candidate[record],
            sure[record],
            len(unreadable_identities(folder, record)),
        )
        for record in LINKED_RECORDS
    }
    return LinkageSummary(people_count(backend), counts)


def summary_lines(summary: LinkageSummary) -> list[str]:
    """Return the counts in words."""
    lines = [f"{summary.people:,} people were compared; protected people are not among them"]
    for record, count in summary.counts.items():
        lines.append(
            f"{record}: {count.unnumbered:,} without a number, {count.with_candidate:,} with a"
            f" candidate, {count.sure:,} of probability {SURE_PROBABILITY} or more"
            f"; {count.unreadable:,} rows not compared, as a value could not be read"
        )
    return lines
