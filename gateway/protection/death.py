"""Whether a person is known to be dead: what some protections wait for.

Law on Civil Status 60/2014/QH13 Art. 32-34, 60(2): the civil status book says so, and prevails over
other databases. If it could not be asked, the person counts as living: what is not known to be
open stays closed (design section 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.description import Lookup, Record
from gateway.answer import Answer
from gateway.fetch.source import Source

_IN_FORCE = frozenset({"VALID", "AMENDED"})


def deaths_of(sources: Mapping[str, Source]) -> tuple[Record, Lookup] | None:
    """Return the record and the list in which deaths stand; None where none is declared."""
    source = sources.get("civil_status")
    record = source.database.by_name.get("deaths") if source else None
    if record is None:
        return None
    return record, next(one for one in record.lookups if one.name == "deaths")


def is_dead(record: Record, answers: Sequence[Answer]) -> bool:
    """Say whether any of the ``answers``, under a person's numbers, has a death in force.

    Rows read earlier say nothing: a declaration of death may have been revoked since.
    """
    place = record.positions["status"]
    fresh = (answer.rows or () for answer in answers if not answer.report.from_cache)
    return any(row[place] in _IN_FORCE for rows in fresh for row in rows)
