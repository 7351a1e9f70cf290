"""Which records the events of each kind name, from the declarations of the databases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from connectors.changes.untold import UntoldEvents
from connectors.description import Database, Record
from gateway.changes.event import LifeEventKind


@dataclass(frozen=True, slots=True)
class Origin:
    """A record that events of ``kind`` name. ``lookups``: the lists in which their people see it.

    A change of a row may be told as an event of another record: a party's row tells of the case.
    ``untold``: that some, or all, of these events can never be told; None: they can.
    """

    kind: LifeEventKind
    record: Record
    lookups: tuple[str, ...]
    untold: UntoldEvents | None = None

    @property
    def is_told(self) -> bool:
        """Whether any event of it can be told."""
        return self.untold is None or not self.untold.are_all

    @property
    def wants(self) -> tuple[str, ...]:
        """For want of what some events can never be told, as callers see it; none: they can."""
        words = () if self.untold is None else self.untold.wants
        return tuple(f"source:{self.record.database}.{word}" for word in words)


def origins_of(
    databases: Iterable[Database],
    untold: Mapping[str, Sequence[UntoldEvents]] = MappingProxyType({}),
) -> tuple[Origin, ...]:
    """Return the origins of all kinds, by database and record in the order declared.

    ``untold``: by database, what can never be told. Costs a microsecond a rule. A kind that this
    gateway does not know has no origin.
    """
    lookups: dict[tuple[LifeEventKind, Record], dict[str, None]] = {}
    for database in databases:
        for record in database.records:
            for rule in record.changes:
                if rule.kind in LifeEventKind.__members__:
                    key = (LifeEventKind[rule.kind], database.by_name[rule.shown[0]])
                    lookups.setdefault(key, {})[rule.lookup] = None
    never = {
        (name, events.kind, events.record): events
        for name, all_events in untold.items()
        for events in all_events
    }
    return tuple(
        Origin(kind, record, tuple(names), never.get((record.database, kind.name, record.name)))
        for (kind, record), names in lookups.items()
    )


def lookups_by_record(origins: Iterable[Origin]) -> Mapping[Record, tuple[str, ...]]:
    """Return the lists in which people see each record, whatever the kind of event."""
    lookups: dict[Record, dict[str, None]] = {}
    for origin in origins:
        lookups.setdefault(origin.record, {}).update(dict.fromkeys(origin.lookups))
    return {record: tuple(names) for record, names in lookups.items()}
