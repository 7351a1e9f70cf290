"""Protection: the rules of law that decide whether records may be shown at all.

``RULES`` lists them in the order in which they decide. A rule sees the record type, the caller with
the purpose, and whether it is the citizen's own view; some wait for the person's death. Concealment
never depends on whether a record exists (design section 7).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from connectors.description import Record, Row
from connectors.row_template import RowCondition
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


def _never(caller: Caller, is_own_view: bool) -> bool:
    return False


def _from_everybody(caller: Caller) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Rule:
    """One protection.

    ``applies_to`` says which record types may be withheld as a whole, and ``withholds`` from which
    caller, in the citizen's own view or not; both decide before anything is fetched.
    ``after_death``: what is not withheld is shown only once the person is known to be dead.
    ``may_hide_rows_of`` says of which record types single rows may be hidden, before they are
    filtered or counted: ``hidden_rows`` which of them, and ``hides_from`` from whom.
    """

    name: str
    applies_to: Callable[[Record], bool] = _no_record
    withholds: Callable[[Caller, bool], bool] = _never
    after_death: bool = False
    may_hide_rows_of: Callable[[Record], bool] = _no_record
    hidden_rows: Callable[[Record], RowCondition] | None = None
    hides_from: Callable[[Caller], bool] = _from_everybody


RULES: tuple[Rule, ...] = (
    Rule(
        "adoption",
        adoption.applies_to,
        adoption.withholds,
        False,
        adoption.may_hide_rows_of,
        adoption.hidden_rows,
        adoption.hides_from,
    ),
    Rule(
        "original",
        may_hide_rows_of=original.may_hide_rows_of,
        hidden_rows=original.hidden_rows,
        hides_from=original.hides_from,
    ),
    Rule("will", will.applies_to, will.withholds, True, will.may_hide_rows_of, will.hidden_rows),
    Rule("violation", violation.applies_to, violation.withholds),
    Rule("address", address.applies_to, address.withholds),
    Rule("represented", represented.applies_to, represented.withholds),
    Rule(
        "public notice",
        may_hide_rows_of=public_notice.may_hide_rows_of,
        hidden_rows=public_notice.hidden_rows,
    ),
)


@dataclass(frozen=True, slots=True)
class _RecordRules:
    """The rules that apply to one record type."""

    withholding: tuple[Rule, ...]
    hiding: tuple[tuple[Rule, RowCondition], ...]
    opens_on_death: bool


class ProtectionRules:
    """Decides by rules what may be shown of records.

    Which rules apply is worked out once a record: most have no rule at all, and every list of every
    answer asks.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._by_record: dict[Record, _RecordRules] = {}

    def is_withheld(self, record: Record, caller: Caller, is_own_view: bool) -> bool:
        """Say whether some rule withholds all records of this type from ``caller``."""
        return any(rule.withholds(caller, is_own_view) for rule in self._of(record).withholding)

    def opens_on_death(self, record: Record) -> bool:
        """Say whether records of this type are shown only once the person is known to be dead."""
        return self._of(record).opens_on_death

    def may_hide_rows_of(self, record: Record) -> bool:
        """Say whether some rule may hide single rows of this type."""
        return bool(self._of(record).hiding)

    def visible_rows(
        self, record: Record, rows: tuple[Row, ...], caller: Caller
    ) -> tuple[Row, ...]:
        """Return the rows that no rule hides, in the same order."""
        if not rows:
            return rows
        conditions = self.hidden_rows(record, caller)
        if not conditions:
            return rows
        return tuple(
            row for row in rows if not any(condition.holds(record, row) for condition in conditions)
        )

    def hidden_rows(self, record: Record, caller: Caller) -> tuple[RowCondition, ...]:
        """Return which rows of this type are hidden from ``caller``: those of which any is true."""
        hiding = self._of(record).hiding
        return tuple([condition for rule, condition in hiding if rule.hides_from(caller)])

    def _of(self, record: Record) -> _RecordRules:
        rules = self._by_record.get(record)
        if rules is None:
            withholding = tuple(rule for rule in self._rules if rule.applies_to(record))
            hiding = tuple(
                (rule, rule.hidden_rows(record))
                for rule in self._rules
                if rule.hidden_rows is not None and rule.may_hide_rows_of(record)
            )
            after_death = any(rule.after_death for rule in withholding)
            rules = self._by_record[record] = _RecordRules(withholding, hiding, after_death)
        return rules


#: The protection that the law demands.
PROTECTION = ProtectionRules(RULES)
is_withheld = PROTECTION.is_withheld
opens_on_death = PROTECTION.opens_on_death
visible_rows = PROTECTION.visible_rows
