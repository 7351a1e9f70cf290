"""Whom linkage must leave out, by number: read from the sources, and kept in memory only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconcile.host import DatabaseAccess
from reconcile.settings import ReconcileSettings
from reconcile.sources.failures import NotReadInBulk, SourceFailed
from reconcile.sources.open_source import open_source
from reconcile.sources.pace import SourcePace
from reconcile.sources.source import RowRange


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Numbers of people, as the sources write them.

    ``protected``: of who has an order that protects an address, of any day: nothing is proposed for
    them, nor are their names compared as those of relatives. ``adopted``: no births are proposed
    for them, as the birth before an adoption would tell of it.
    """

    protected: frozenset[str]
    adopted: frozenset[str]


class ExclusionsUnknown(Exception):
    """Whom to leave out cannot be known, so that nothing may be linked; no message has a number."""


def read_exclusions(databases: Sequence[DatabaseAccess], settings: ReconcileSettings) -> Exclusions:
    """Read whom to leave out, at the pace and in the window of each source.

    Raises ExclusionsUnknown where a source or a value cannot be read.
    """
    by_name = {access.database.name: access for access in databases}
    numbers = []
    for name, record, column in (
        ("population", "protection_orders", "citizen_id"),
        ("civil_status", "adoptions", "child_id"),
    ):
        if name not in by_name:
            raise ExclusionsUnknown(f"{name} is not declared")
        try:
            read = frozenset(_numbers(by_name[name], record, column, settings))
        except (NotReadInBulk, SourceFailed) as error:
            raise ExclusionsUnknown(str(error)) from None
        numbers.append(read)
    return Exclusions(*numbers)


def _numbers(
    access: DatabaseAccess, record: str, column: str, settings: ReconcileSettings
) -> Iterator[str]:
    pace = SourcePace(settings.rate(access.database.name))
    source = open_source(access)
    identity = access.database.by_name[record].identity
    try:
        pace.wait_until_open()
        reading = source.reading(record, (identity, column))
        for raw in source.batches(reading, RowRange(None, None), pace.batch_rows):
            batch = reading.read(raw)
            if batch.faults:
                place = f"{access.database.name}.{record}"
                raise ExclusionsUnknown(f"{place}: a value cannot be read")
            yield from (of for of in batch.texts.column(column).to_pylist() if of is not None)
            pace.count(raw.rows)
    finally:
        source.disconnect()
