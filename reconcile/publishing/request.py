"""Notes that the agency that owns a record was requested to correct it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from reconcile.publishing.tables import published_tables

_BATCH = 500


class RequestRefused(ValueError):
    """A correction cannot be noted as requested; nothing was noted."""


def request_correction(
    connection: sa.Connection, findings: Sequence[str], reference: str, now: datetime
) -> int:
    """Note for all ``findings`` that their correction was requested, or for none.

    ``reference``: of the letter to the agency. ``now``: with a zone. Returns of how many it is new:
    those that have this reference already stay as they are. Raises RequestRefused where a finding
    is not published, is corrected, or was requested under another reference.
    """
    tables = published_tables()
    table, history = tables.findings, tables.history
    if not reference.strip():
        raise RequestRefused("the reference of the request is empty")
    names = sorted(set(findings))
    states = _states(connection, names)
    faults = [
        f"{name}: {fault}" for name in names if (fault := _fault(states.get(name), reference))
    ]
    if faults:
        connection.rollback()
        raise RequestRefused("\n".join(faults))
    open_findings = [name for name in names if states[name][0] == "OPEN"]
    moment = now.astimezone(UTC).replace(microsecond=0)
    at = moment.isoformat()
    stored = moment if connection.dialect.name == "postgresql" else at
    for part in _parts(open_findings):
        updated = connection.execute(
            sa.update(table)
            .where(table.c.finding_id.in_(part), table.c.state == "OPEN")
            .values(state="REQUESTED", requested_at=stored, request_reference=reference)
        )
        if updated.rowcount != len(part):
            connection.rollback()
            raise RequestRefused("a run was published meanwhile: look at the findings again")
        line = {"state": "REQUESTED", "at": at, "reference": reference}
        connection.execute(sa.insert(history), [{"finding_id": name, **line} for name in part])
    connection.commit()
    return len(open_findings)


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _BATCH):
        yield names[start : start + _BATCH]


def _states(connection: sa.Connection, names: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """Return state and reference of each finding that is published."""
    table = published_tables().findings
    columns = table.c.finding_id, table.c.state, table.c.request_reference
    return {
        row[0]: (row[1], row[2])
        for part in _parts(names)
        for row in connection.execute(sa.select(*columns).where(table.c.finding_id.in_(part)))
    }


def _fault(published: tuple[str, str | None] | None, reference: str) -> str | None:
    """Return why a correction cannot be requested; None: it can, or was under this reference."""
    if published is None:
        return "no such finding is published"
    state, earlier = published
    if state == "CORRECTED":
        return "the registers agree already"
    if state == "REQUESTED" and earlier != reference:
        return f"its correction was requested under {earlier}"
    return None
