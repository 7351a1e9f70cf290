"""Evidence for the functions of derived views, out of rows that a test writes down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

from connectors.registry import installed_databases
from gateway.answer import Identification
from gateway.derived.view import (
    Conclusion,
    DerivedView,
    Facts,
    ListReads,
    Question,
    RelatedPerson,
    UnknownReason,
    reads_of,
)

TODAY = date(2026, 11, 23)
PERSON = "001090012345"

#: Rows by list (``database.lookup``): a row names the columns that it has.
Lists = Mapping[str, Sequence[Mapping[str, Any]]]


@cache
def _installed_reads(derived: DerivedView) -> ListReads:
    reads = reads_of(derived, installed_databases())
    assert reads is not None
    return reads


@dataclass
class WrittenEvidence:
    """Evidence that is there at once (``gateway.derived.view.Evidence``).

    Rows found through another record belong to everybody. ``missing``: why lists are not complete,
    by list, or by list and key. ``earlier``: other numbers of people. ``closed``: lists that the
    caller may not see.
    """

    derived: DerivedView
    lists: Lists
    question: Question
    numbers: tuple[str, ...] = (PERSON,)
    identification: Identification = Identification.IDENTIFIED
    is_own_view: bool = False
    missing: Mapping[str, UnknownReason] = field(default_factory=dict)
    earlier: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()

    def list(self, name: str) -> Facts:
        assert name in self.derived.lists, name
        return self._facts(name, self.numbers)

    def under(self, name: str, keys: Sequence[str], of: RelatedPerson | None = None) -> Facts:
        return self._facts(name, keys)

    def person(self, number: str) -> RelatedPerson | None:
        for present, others in self.earlier.items():
            if number in (present, *others):
                return RelatedPerson((present, *others), Identification.IDENTIFIED)
        return RelatedPerson((number,), Identification.IDENTIFIED)

    def may_show(self, name: str, column: str) -> bool:
        return name not in self.closed

    def _facts(self, name: str, keys: Sequence[str]) -> Facts:
        record, lookup = _installed_reads(self.derived)[name]
        reasons = (self.missing.get(f"{name} {key}") for key in keys)
        reason = self.missing.get(name) or next((each for each in reasons if each), None)
        rows = [
            tuple(row.get(column.name) for column in record.columns)
            for row in self.lists.get(name, ())
            if lookup.through or any(row.get(column) in keys for column in lookup.by)
        ]
        return Facts(record, rows, reason is None, reason, name)


def conclude(derived: DerivedView, lists: Lists, on: date = TODAY, **evidence: Any) -> Conclusion:
    """Return what a view concludes about ``PERSON`` from ``lists``, as of ``on``."""
    question = Question(on, TODAY)
    return derived.compute(WrittenEvidence(derived, lists, question, **evidence))


def verdict(conclusion: Conclusion) -> object:
    """Return the name of the value, or of the reason why there is none."""
    value = conclusion.value if conclusion.reason is None else conclusion.reason
    return getattr(value, "name", value)
