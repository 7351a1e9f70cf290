"""The rows behind keyed hashes, for the operator: hashes are computed anew over the extracts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from reconcile.linkage.backend import LinkageBackend
from reconcile.linkage.clerk_list import ClearRows, ProposedRecord
from reconcile.linkage.needs import LINKED_RECORDS, linkage_needs
from reconcile.linkage.proposals_file import ProposalHasher

#: What is shown of a person; of a record all that was extracted.
_PERSON = ("citizen_id", "full_name", "other_name", "birth_date", "sex", "birth_place_as_recorded")


def clear_rows(
    backend: LinkageBackend, hasher: ProposalHasher, shown: Iterable[ProposedRecord]
) -> ClearRows:
    """Return the rows behind the records and people shown, by their hash.

    Reads the prepared tables of ``preparation`` once through; costs some microseconds a row.
    """
    records = list(shown)
    rows = _matching(
        backend,
        f"select {', '.join(_PERSON)} from source_identity",
        "citizen_id",
        hasher.person,
        {person.person for of in records for person in of.people},
    )
    for record in LINKED_RECORDS:
        rows |= _matching(
            backend,
            f"select {', '.join(linkage_needs()['civil_status', record])} from source_{record}",
            "event_id",
            lambda identity, record=record: hasher.row("civil_status", record, identity),  # type: ignore[misc]
            {of.record_row for of in records if of.record == record},
        )
    return rows


def _matching(
    backend: LinkageBackend,
    query: str,
    identity: str,
    hashed: Callable[[str], str],
    hashes: set[str],
) -> dict[str, dict[str, str]]:
    rows: dict[str, dict[str, str]] = {}
    if hashes:
        for batch in backend.batches(query):
            for place, value in enumerate(batch.column(identity).to_pylist()):
                digest = hashed(value)
                if digest in hashes:
                    (row,) = batch.slice(place, 1).to_pylist()
                    rows[digest] = {name: of for name, of in row.items() if of is not None}
    return rows
