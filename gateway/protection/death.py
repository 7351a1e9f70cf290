"""Whether a person is known to be dead: what some protections wait for.

Law on Civil Status 60/2014/QH13 Art. 32-34, 60(2): the civil status book says so, and prevails over
other databases. If it could not be asked, the person counts as living: what is not known to be
open stays closed (design section 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.description import Record
from gateway.answer import Answer
from gateway.catalogue.read import Read
from gateway.fetch.source import Source

#: The statuses of entries of the civil status book that count; others were cancelled or replaced.
IN_FORCE = frozenset({"VALID", "AMENDED"})


def deaths_of(sources: Mapping[str, Source]) -> Read | None:
    """Return the read of deaths, past the cache; None where none are declared."""
    source = sources.get("civil_status")
    read = source.reads.get("deaths") if source else None
    return None if read is None else read.with_freshness(True)


def is_dead(record: Record, answers: Sequence[Answer]) -> bool:
    """Say whether any of the ``answers``, under a person's numbers, has a death in force.

    Rows read earlier say nothing: a declaration of death may have been revoked since.
    """
    place = record.positions["status"]
    fresh = (answer.rows or () for answer in answers if not answer.report.from_cache)
    return any(row[place] in IN_FORCE for rows in fresh for row in rows)
