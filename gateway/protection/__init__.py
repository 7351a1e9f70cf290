"""Protection: rules of law that decide whether records may be shown at all.

``RULES`` shows them all, in the order in which they are asked. A rule sees the record type, the
caller with the purpose, whether it is the citizen's own view, and for some the person's life state;
concealment never depends on whether a record exists (design section 7).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connectors.description import Record, Row
from gateway.access.caller import Caller
from gateway.protection import (
    address,
    adoption,
    original,
    public_notice,
    represented,
    violation,
    will,
)


def _nothing(record: Record, caller: Caller, own: bool) -> bool:
    return False


def _no_record(record: Record) -> bool:
    return False


def _no_row(record: Record, row: Row, caller: Caller) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Rule:
    """One protection.

    ``withholds`` decides, before anything is fetched, that a record type is not shown at all;
    ``own``: it is the citizen's own view. ``after_death`` that it is shown only once the person is
    known to be dead. ``concerns`` says of which record types single rows may be hidden, and
    ``hides`` decides for a row of one of those, before it is filtered or counted.
    """

    name: str
    withholds: Callable[[Record, Caller, bool], bool] = _nothing
    after_death: Callable[[Record], bool] = _no_record
    concerns: Callable[[Record], bool] = _no_record
    hides: Callable[[Record, Row, Caller], bool] = _no_row


RULES: tuple[Rule, ...] = (
    Rule("adoption", adoption.withholds, concerns=adoption.concerns, hides=adoption.hides),
    Rule("original", concerns=original.concerns, hides=original.hides),
    Rule("will", will.withholds, will.concerns_wills, will.concerns, will.hides),
    Rule("violation", violation.withholds),
    Rule("address", address.withholds),
    Rule("represented", represented.withholds),
    Rule("public notice", concerns=public_notice.concerns, hides=public_notice.hides),
)


def is_withheld(record: Record, caller: Caller, own: bool) -> bool:
    """Say whether some rule withholds all records of this type from ``caller``."""
    return any(rule.withholds(record, caller, own) for rule in RULES)


def opens_on_death(record: Record) -> bool:
    """Say whether records of this type are shown only once the person is known to be dead."""
    return any(rule.after_death(record) for rule in RULES)


def visible(record: Record, rows: tuple[Row, ...], caller: Caller) -> tuple[Row, ...]:
    """Return the rows that no rule hides, in the same order."""
    rules = [rule for rule in RULES if rule.concerns(record)] if rows else []
    if not rules:
        return rows
    return tuple(row for row in rows if not any(rule.hides(record, row, caller) for rule in rules))
