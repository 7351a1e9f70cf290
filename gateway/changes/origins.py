"""Which records the events of each kind name, from the declarations of the databases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connectors.description import Database, Record
from gateway.changes.event import LifeEventKind


@dataclass(frozen=True, slots=True)
class Origin:
    """A record that events of ``kind`` name. ``lookups``: the lists in which their people see it.

    A change of a row may be told as an event of another record: a party's row tells of the case.
    """

    kind: LifeEventKind
    record: Record
    lookups: tuple[str, ...]


def origins_of(databases: Iterable[Database]) -> tuple[Origin, ...]:
    """Return the origins of all kinds, by database and record in the order declared.

    Costs a microsecond a rule. A kind that this gateway does not know has no origin.
    """
    lookups: dict[tuple[LifeEventKind, Record], dict[str, None]] = {}
    for database in databases:
        for record in database.records:
            for rule in record.changes:
                if rule.kind in LifeEventKind.__members__:
                    key = (LifeEventKind[rule.kind], database.by_name[rule.shown[0]])
                    lookups.setdefault(key, {})[rule.lookup] = None
    return tuple(Origin(kind, record, tuple(names)) for (kind, record), names in lookups.items())


def lookups_by_record(origins: Iterable[Origin]) -> Mapping[Record, tuple[str, ...]]:
    """Return the lists in which people see each record, whatever the kind of event."""
    lookups: dict[Record, dict[str, None]] = {}
    for origin in origins:
        lookups.setdefault(origin.record, {}).update(dict.fromkeys(origin.lookups))
    return {record: tuple(names) for record, names in lookups.items()}
