"""Protection: rules of law that decide whether records may be shown at all.

``RULES`` shows them all, in the order in which they are asked. A rule sees the record type, the
caller and the purpose; concealment never depends on whether a record exists (design section 7).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connectors.description import Record, Row
from gateway.access.caller import Caller
from gateway.protection import adoption, will


@dataclass(frozen=True, slots=True)
class Rule:
    """One protection.

    ``withholds`` decides, before anything is fetched, that a record type is not shown at all.
    ``concerns`` says of which record types single rows may be hidden, and ``hides`` decides for a
    row of one of those, before it is filtered or counted.
    """

    name: str
    withholds: Callable[[Record, Caller], bool]
    concerns: Callable[[Record], bool]
    hides: Callable[[Record, Row, Caller], bool]


RULES: tuple[Rule, ...] = (
    Rule("adoption", adoption.withholds, adoption.concerns, adoption.hides),
    Rule("will", will.withholds, will.concerns, will.hides),
)


def is_withheld(record: Record, caller: Caller) -> bool:
    """Say whether some rule withholds all records of this type from ``caller``."""
    return any(rule.withholds(record, caller) for rule in RULES)


def visible(record: Record, rows: tuple[Row, ...], caller: Caller) -> tuple[Row, ...]:
    """Return the rows that no rule hides, in the same order."""
    rules = [rule for rule in RULES if rule.concerns(record)] if rows else []
    if not rules:
        return rows
    return tuple(row for row in rows if not any(rule.hides(record, row, caller) for rule in rules))
