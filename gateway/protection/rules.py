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


def _no_record(record: Record) -> bool:
    return False


def _never(caller: Caller, own: bool) -> bool:
    return False


def _no_row(record: Record, row: Row, caller: Caller) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Rule:
    """One protection.

    ``about`` says which record types may be withheld as a whole, and ``withholds`` from whom,
    before anything is fetched; ``own``: it is the citizen's own view. ``after_death``: what is not
    withheld is shown only once the person is known to be dead. ``concerns`` says of which record
    types single rows may be hidden, and ``hides`` decides for a row of one of those, before it is
    filtered or counted.
    """

    name: str
    about: Callable[[Record], bool] = _no_record
    withholds: Callable[[Caller, bool], bool] = _never
    after_death: bool = False
    concerns: Callable[[Record], bool] = _no_record
    hides: Callable[[Record, Row, Caller], bool] = _no_row


RULES: tuple[Rule, ...] = (
    Rule("adoption", adoption.about, adoption.withholds, False, adoption.concerns, adoption.hides),
    Rule("original", concerns=original.concerns, hides=original.hides),
    Rule("will", will.about, will.withholds, True, will.concerns, will.hides),
    Rule("violation", violation.about, violation.withholds),
    Rule("address", address.about, address.withholds),
    Rule("represented", represented.about, represented.withholds),
    Rule("public notice", concerns=public_notice.concerns, hides=public_notice.hides),
)


@dataclass(frozen=True, slots=True)
class _Of:
    """The rules that are about one record type. ``among``: the rules that they were taken from."""

    among: tuple[Rule, ...]
    withholding: tuple[Rule, ...]
    hiding: tuple[Rule, ...]
    opens_on_death: bool


#: By database and record: most have no rule at all, and every list of every answer asks.
_KNOWN: dict[tuple[str, str], _Of] = {}


def _of(record: Record) -> _Of:
    name = (record.database, record.name)
    known = _KNOWN.get(name)
    if known is None or known.among is not RULES:
        withholding = tuple(rule for rule in RULES if rule.about(record))
        hiding = tuple(rule for rule in RULES if rule.concerns(record))
        after_death = any(rule.after_death for rule in withholding)
        known = _KNOWN[name] = _Of(RULES, withholding, hiding, after_death)
    return known


def is_withheld(record: Record, caller: Caller, own: bool) -> bool:
    """Say whether some rule withholds all records of this type from ``caller``."""
    return any(rule.withholds(caller, own) for rule in _of(record).withholding)


def opens_on_death(record: Record) -> bool:
    """Say whether records of this type are shown only once the person is known to be dead."""
    return _of(record).opens_on_death


def visible_rows(record: Record, rows: tuple[Row, ...], caller: Caller) -> tuple[Row, ...]:
    """Return the rows that no rule hides, in the same order."""
    rules = _of(record).hiding
    if not rules or not rows:
        return rows
    return tuple(row for row in rows if not any(rule.hides(record, row, caller) for rule in rules))
