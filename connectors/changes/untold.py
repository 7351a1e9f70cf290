"""Which events a change source can never tell, by its promise and by how tables are mapped: pure.

Nothing comes of such events whatever happens, so silence about them means nothing. Whoever follows
them has to be told so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.backends.record_maps import RecordMap
from connectors.changes.change import ChangePromise
from connectors.codec import decode_value
from connectors.description import ChangeRule, ChangeTrigger, Database, Record

_C = ChangeTrigger
_DECLARED = RecordMap()
#: What a source does not see, as ``UntoldEvents.wants`` names it.
_CREATIONS, _FORMER_ROWS, _DELETIONS = "creations", "former rows", "deletions"
_STATES = "states between looks"
#: What a row may do, and undo, without a look in between.
_OF_STATES = frozenset({_C.CREATED, _C.ENTERED, _C.NUMBERED, _C.KEYED})


@dataclass(frozen=True, slots=True)
class UntoldEvents:
    """Events of ``kind`` that name ``record`` and that a source can never tell.

    ``are_all``: it can tell none of them; False: it can tell others of that kind and record.
    ``wants``: for want of what: ``record.column``, ``record``, ``creations``, ``former rows``,
    ``deletions``, ``states between looks`` (a block that was placed and lifted meanwhile).
    """

    kind: str
    record: str
    are_all: bool
    wants: tuple[str, ...]


@dataclass(slots=True)
class _Kind:
    """What is found out about a kind of event of one record."""

    is_any_told: bool = False
    wants: dict[str, None] = field(default_factory=dict)


def untold_kinds(records: Iterable[Record], promise: ChangePromise) -> frozenset[str]:
    """Return the kinds of events that ``records`` declare and of which a source can tell none.

    Whoever follows such a kind by that source must be told so: there never is an event, whatever
    happens.
    """
    rules = [rule for record in records for rule in record.changes]
    possible_kinds = {
        rule.kind for rule in rules if len(_unseen(rule, promise)) < len(rule.triggers)
    }
    return frozenset(rule.kind for rule in rules) - possible_kinds


def untold_events(
    database: Database, maps: Mapping[str, RecordMap], promise: ChangePromise | None
) -> Sequence[UntoldEvents]:
    """Return the events that can never be told, by kind and record in the order declared.

    ``maps``: by record, how tables are mapped; without one it is as declared. ``promise`` None: of
    a source that sees everything. Columns that a table has and never fills are not known.
    """
    kinds: dict[tuple[str, str], _Kind] = {}
    for record in database.records:
        for rule in record.changes:
            kind = kinds.setdefault((rule.kind, rule.shown[0]), _Kind())
            needed = dict.fromkeys(_needed(database, record, rule, maps))
            people = dict.fromkeys(_people(database, record, rule, maps))
            unseen = {} if promise is None else _unseen(rule, promise)
            kind.wants |= needed | people | dict.fromkeys(unseen.values())
            if promise is not None and promise.reads_present_rows and rule.triggers & _OF_STATES:
                kind.wants[_STATES] = None
            is_none_seen = len(unseen) == len(rule.triggers)
            is_untold = needed or is_none_seen or len(people) == len(rule.people)
            kind.is_any_told = kind.is_any_told or not is_untold
    return [
        UntoldEvents(name, record, not kind.is_any_told, tuple(kind.wants))
        for (name, record), kind in kinds.items()
        if kind.wants
    ]


def _needed(
    database: Database, record: Record, rule: ChangeRule, maps: Mapping[str, RecordMap]
) -> Iterator[str]:
    """Yield the records and columns for want of which a rule never tells an event."""
    yield from _unmapped(record, maps)
    stored = maps.get(record.name, _DECLARED)
    for test in rule.when:
        if _value(record, stored, test.column) not in {_ANY, *test.values}:
            yield f"{record.name}.{test.column}"
    for test in rule.unless:
        if _value(record, stored, test.column) in test.values:
            yield f"{record.name}.{test.column}"
    columns = [] if rule.recent is None else [rule.recent[0]]
    if rule.sole is not None:
        columns += next(lookup for lookup in record.lookups if lookup.name == rule.sole).by
    if rule.read is not None:
        columns.append(rule.read.key)
        yield from _unmapped(database.by_name[rule.read.record], maps)
    yield from _missing(record, columns, maps)


def _people(
    database: Database, record: Record, rule: ChangeRule, maps: Mapping[str, RecordMap]
) -> Iterator[str]:
    """Yield the columns for want of which some of the people of a rule are not told of."""
    holder = record if rule.read is None else database.by_name[rule.read.record]
    yield from _missing(holder, rule.people, maps)


def _unmapped(record: Record, maps: Mapping[str, RecordMap]) -> Iterator[str]:
    if not maps.get(record.name, _DECLARED).mapped:
        yield record.name


def _missing(
    record: Record, columns: Collection[str], maps: Mapping[str, RecordMap]
) -> Iterator[str]:
    missing = maps.get(record.name, _DECLARED).missing
    return (f"{record.name}.{column}" for column in columns if column in missing)


#: Stands for whatever value a row has in a column.
_ANY = object()


def _value(record: Record, stored: RecordMap, column: str) -> object:
    """Return the value of all rows in a column; ``_ANY``: rows have values of their own."""
    if column in stored.missing:
        return None
    if column not in stored.constants:
        return _ANY
    return decode_value(record.columns[record.positions[column]], stored.constants[column])


def _unseen(rule: ChangeRule, promise: ChangePromise) -> dict[ChangeTrigger, str]:
    """Return the triggers of a rule that a source never sees, and for want of what."""
    unseen = {}
    if not (promise.tells_creations or rule.repeatable):
        unseen[_C.CREATED] = _CREATIONS
    if not promise.sees_before:
        unseen |= dict.fromkeys((_C.CHANGED, _C.DELETED), _FORMER_ROWS)
        if not rule.repeatable:
            unseen |= dict.fromkeys((_C.ENTERED, _C.NUMBERED, _C.KEYED), _FORMER_ROWS)
    if not promise.sees_deletions:
        unseen[_C.DELETED] = _DELETIONS
    return {trigger: want for trigger, want in unseen.items() if trigger in rule.triggers}
