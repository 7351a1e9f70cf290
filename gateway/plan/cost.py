"""Cost: how much an operation may make the gateway read, at most, before anything is read.

One unit is one key asked of one list, or one row that may be shown. A list costs its key and as
many rows as its ``first`` lets through (declared ``limit`` at most; one for a single record); what
hangs on its rows costs that many times as much. A person costs the three reads by which a number is
resolved, and their lists. The bound depends on the document and its variables alone: not on the
caller, nor on what is stored, so that it gives nothing away (design section 7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.list_arguments import LONGEST_LOG_PAGE, ListArguments
from gateway.plan.selection import (
    AccessLogShape,
    Analysis,
    ChildListShape,
    DerivedShape,
    ListShape,
    LookupShape,
    PersonLinkShape,
    PersonRootShape,
    PersonShape,
    RowEntries,
    RowsShape,
    SectionReportShape,
    SectionShape,
    StructShape,
    Typename,
    VerifyShape,
)

#: Reads by which a number is resolved to a person.
_RESOLVING = 3

#: What came of the arguments that need variables, slot by slot.
_Judged = Sequence[object]


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a part: ``fixed``, and what depends on the arguments of a request."""

    fixed: int
    varying: tuple[Callable[[_Judged], int], ...] = ()

    def at(self, arguments: _Judged) -> int:
        """Return the most that it may cost. ``arguments``: what came of the dynamic ones.

        Arguments that only the reference executor can place cost nothing.
        """
        return self.fixed + sum(one(arguments) for one in self.varying)


def cost(analysis: Analysis) -> Cost:
    """Return the cost of an operation: worked out once, then looked up by its arguments."""
    roots = (one for one in analysis.roots.values() if not isinstance(one, Typename))
    return _sum(0, (_root(one) for one in roots))


def _sum(fixed: int, parts: Iterable[Cost]) -> Cost:
    found = list(parts)
    varying = tuple(one for part in found for one in part.varying)
    return Cost(fixed + sum(part.fixed for part in found), varying)


def _times(many: int, part: Cost) -> Cost:
    return Cost(many * part.fixed, tuple(_multiplied(many, one) for one in part.varying))


def _multiplied(many: int, one: Callable[[_Judged], int]) -> Callable[[_Judged], int]:
    return lambda arguments: many * one(arguments)


def _root(root: PersonRootShape | LookupShape | VerifyShape) -> Cost:
    if isinstance(root, VerifyShape):
        return Cost(_RESOLVING)
    if isinstance(root, LookupShape):
        return _sum(1, [_list(root.list)])  # a key is asked in capitals too
    person, given = _person(root.person), root.arguments
    if root.name != "persons":
        return person
    if not isinstance(given, DynamicArguments):
        return _times(_people(given), person)
    slot = given.slot
    return Cost(0, (lambda arguments: _people(arguments[slot]) * person.at(arguments),))


def _people(given: object) -> int:
    return len(given["ids"]) if isinstance(given, Mapping) else 0


def _person(shape: PersonShape) -> Cost:
    sections = (one for _, one in shape.entries if isinstance(one, SectionShape))
    logs = sum(isinstance(one, AccessLogShape) for _, one in shape.entries)
    return _sum(
        _RESOLVING + logs * LONGEST_LOG_PAGE,
        (_section(inner) for one in sections for _, inner in one.entries),
    )


def _section(shape: object) -> Cost:
    if isinstance(shape, ListShape):
        return _list(shape)
    if isinstance(shape, DerivedShape):
        reads, hanging = shape.computed.reads, shape.computed.derived.hanging
        # Each list under one key, and what hangs on as many rows as its list may have.
        return Cost(len(reads) - 1 + reads[hanging[1]][0].limit)
    return Cost(int(isinstance(shape, SectionReportShape) and shape.needs_read))


def _list(shape: ListShape) -> Cost:
    rows = (one for _, one in shape.entries if isinstance(one, RowsShape))
    row = _sum(1, (_row(one.entries) for one in rows))
    if not isinstance(shape.arguments, DynamicArguments):
        many = _rows(shape, shape.arguments)
        return Cost(0) if many is None else _sum(1, [_times(many, row)])
    slot = shape.arguments.slot

    def judged(arguments: _Judged) -> int:
        many = _rows(shape, arguments[slot])
        return 0 if many is None else 1 + many * row.at(arguments)

    return Cost(0, (judged,))


def _rows(shape: ListShape, wanted: object) -> int | None:
    """Return how many rows may be shown; None where the arguments could not be judged."""
    if not isinstance(wanted, ListArguments):
        return None
    return 1 if shape.record.single else min(wanted.first, shape.record.limit)


def _row(entries: RowEntries) -> Cost:
    return _sum(0, (_below(inner) for _, inner in entries))


def _below(shape: object) -> Cost:
    match shape:
        case StructShape():
            return _row(shape.entries)
        case PersonLinkShape():
            return _person(shape.person)
        case ChildListShape():
            return _list(shape.list)
        case _:
            return Cost(0)
