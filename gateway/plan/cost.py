"""Cost: an upper bound on what an operation makes the gateway read, known before anything is read.

One unit is one key read of one list, or one row that may be shown. A list costs its key and as many
rows as its ``first`` admits (at most the declared ``limit``; one for a single record). What hangs
on its rows costs that many times as much. A person costs the three reads that resolve a number, and
their lists. The bound depends on the document and its variables alone, not on the caller or on what
is stored, so that it reveals nothing (design section 7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass

from gateway.catalogue.checks import CheckBinding
from gateway.catalogue.entities import REPRESENTATIONS
from gateway.catalogue.sections import MOST_LINKED
from gateway.derived.view import DerivedView, ListReads
from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.list_arguments import LONGEST_LOG_PAGE, ListArguments
from gateway.plan.selection import (
    AccessLogShape,
    Analysis,
    CheckShape,
    ChildListShape,
    DerivedShape,
    EntitiesShape,
    InterestsShape,
    ListShape,
    LookupShape,
    PersonLinkShape,
    PersonRootShape,
    PersonShape,
    RowEntries,
    RowEntry,
    RowsShape,
    SectionEntry,
    SectionReportShape,
    SectionShape,
    StructShape,
    TimelineShape,
    Typename,
    VerifyShape,
)
from gateway.plan.timeline_arguments import TimelineArguments
from gateway.procedures.procedure import national

#: Reads that resolve a number to a person.
_RESOLVE_READS = 3

#: The dynamic arguments of a request, coerced, slot by slot.
_Results = Sequence[object]


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a part: ``fixed``, and what depends on the arguments of a request."""

    fixed: int
    varying: tuple[Callable[[_Results], int], ...] = ()

    def at(self, arguments: _Results) -> int:
        """Return the upper bound for a request with ``arguments``, coerced, slot by slot.

        Arguments that only the reference executor can place cost nothing.
        """
        return self.fixed + sum(vary(arguments) for vary in self.varying)


def cost(analysis: Analysis) -> Cost:
    """Return the cost of an operation, to be evaluated with the arguments of each request."""
    roots = (root for root in analysis.roots.values() if not isinstance(root, Typename))
    return _add(0, (_root(root) for root in roots))


def _add(fixed: int, parts: Iterable[Cost]) -> Cost:
    """Return ``fixed`` and ``parts`` together."""
    costs = list(parts)
    varying = tuple(vary for part in costs for vary in part.varying)
    return Cost(fixed + sum(part.fixed for part in costs), varying)


def _multiply(count: int, part: Cost) -> Cost:
    return Cost(count * part.fixed, tuple(_scale(count, vary) for vary in part.varying))


def _scale(count: int, vary: Callable[[_Results], int]) -> Callable[[_Results], int]:
    return lambda arguments: count * vary(arguments)


def _root(
    root: PersonRootShape | EntitiesShape | LookupShape | VerifyShape | CheckShape,
) -> Cost:
    if isinstance(root, VerifyShape):
        return Cost(_RESOLVE_READS)
    if isinstance(root, CheckShape):
        return _checks(root)
    if isinstance(root, LookupShape):
        return _add(1, [_list(root.list)])  # the key is read in capitals too
    if isinstance(root, EntitiesShape):
        of_types = [_person(shape.person) for shape in root.types.values()]
        return _for_each(root.arguments, REPRESENTATIONS, of_types)
    person = _person(root.person)
    return person if root.name != "persons" else _for_each(root.arguments, "ids", [person])


def _for_each(
    arguments: Mapping[str, object] | DynamicArguments, name: str, parts: Sequence[Cost]
) -> Cost:
    """Return the costliest of ``parts`` for each item of the argument called ``name``."""

    def costliest(results: _Results) -> int:
        return max(part.at(results) for part in parts)

    if isinstance(arguments, DynamicArguments):
        slot = arguments.slot
        return Cost(0, (lambda results: _count(results[slot], name) * costliest(results),))
    count = _count(arguments, name)
    if len(parts) == 1:
        return _multiply(count, parts[0])
    return Cost(0, (lambda results: count * costliest(results),))


def _count(arguments: object, name: str) -> int:
    items = arguments[name] if isinstance(arguments, Mapping) else ()
    assert isinstance(items, Sized)
    return len(items)


def _person(shape: PersonShape) -> Cost:
    sections = (entry for _, entry in shape.entries if isinstance(entry, SectionShape))
    facts = (_derived(entry) for _, entry in shape.entries if isinstance(entry, DerivedShape))
    logs = sum(isinstance(entry, AccessLogShape | InterestsShape) for _, entry in shape.entries)
    parts = [
        *facts,
        *(_section_entry(entry) for section in sections for _, entry in section.entries),
        *(_timeline(entry) for _, entry in shape.entries if isinstance(entry, TimelineShape)),
    ]
    return _add(_RESOLVE_READS + logs * LONGEST_LOG_PAGE, parts)


def _timeline(shape: TimelineShape) -> Cost:
    """Return the cost of each list under one key, or of each row above it, and of the page."""
    if not isinstance(shape.arguments, DynamicArguments):
        return Cost(_count_reads_and_events(shape.arguments))
    slot = shape.arguments.slot
    return Cost(0, (lambda results: _count_reads_and_events(results[slot]),))


def _count_reads_and_events(arguments: object) -> int:
    if not isinstance(arguments, TimelineArguments):  # they could not be coerced
        return 0
    keys = (
        1 if event_list.parent is None else event_list.parent.record.limit
        for event_list in arguments.lists
    )
    return arguments.first + sum(keys)


def _section_entry(shape: SectionEntry) -> Cost:
    if isinstance(shape, ListShape):
        return _list(shape)
    if isinstance(shape, DerivedShape):
        return _derived(shape)
    return Cost(int(isinstance(shape, SectionReportShape) and shape.needs_read))


def _derived(shape: DerivedShape) -> Cost:
    """Return each list under one key, what depends on rows, and the other people looked at."""
    derived = shape.computed.derived
    return Cost(len(derived.lists) + _later_reads(derived, shape.computed.reads))


def _later_reads(derived: DerivedView, reads: ListReads) -> int:
    """Return what is read in later waves at most, of things and of other people."""
    later = (
        keys if isinstance(keys, int) else reads[keys][0].limit
        for keys in (later.keys for later in derived.later)
    )
    return sum(later) + derived.people * _RESOLVE_READS


def _checks(shape: CheckShape) -> Cost:
    """Return the cost of each case that is checked; the highest where the code names none."""
    costs = {
        code: _check(check) for check in shape.checks.values() for code in check.procedure.codes
    }
    highest = max(costs.values(), default=0)

    def of(arguments: object) -> int:
        values = arguments if isinstance(arguments, Mapping) else {}
        cases = len(values.get("cases", ())) if shape.takes_cases else 1
        return cases * costs.get(national(str(values.get("code"))), highest)

    if not isinstance(shape.arguments, DynamicArguments):
        return Cost(of(shape.arguments))
    slot = shape.arguments.slot
    return Cost(0, (lambda results: of(results[slot]),))


def _check(check: CheckBinding) -> int:
    """Return the cost of the check of one procedure."""
    definition = check.definition
    people = {
        role.name: definition.most if role.is_many else 1 for role in definition.role_definitions
    }
    first = sum(
        people[role] * (_RESOLVE_READS + len(names)) for role, names in definition.roles.items()
    )
    # Keys of things are looked up as written and in capitals.
    things = sum(2 * len(names) for names in definition.things.values())
    return first + things + _later_reads(definition.view, check.reads)


def _list(shape: ListShape) -> Cost:
    selections = (entry for _, entry in shape.entries if isinstance(entry, RowsShape))
    row = _add(1, (_row(selection.entries) for selection in selections))
    if not isinstance(shape.arguments, DynamicArguments):
        count = _count_rows(shape, shape.arguments)
        return Cost(0) if count is None else _add(1, [_multiply(count, row)])
    slot = shape.arguments.slot

    def vary(results: _Results) -> int:
        count = _count_rows(shape, results[slot])
        return 0 if count is None else 1 + count * row.at(results)

    return Cost(0, (vary,))


def _count_rows(shape: ListShape, arguments: object) -> int | None:
    """Return how many rows may be shown; None where the arguments could not be coerced."""
    if not isinstance(arguments, ListArguments):
        return None
    return 1 if shape.record.single else min(arguments.first, shape.record.limit)


def _row(entries: RowEntries) -> Cost:
    return _add(0, (_row_entry(entry) for _, entry in entries))


def _row_entry(shape: RowEntry) -> Cost:
    match shape:
        case StructShape():
            return _row(shape.entries)
        case PersonLinkShape():
            count = MOST_LINKED if shape.many else 1
            return _multiply(count, _person(shape.person))
        case ChildListShape():
            return _list(shape.list)
        case _:
            return Cost(0)
