"""The lists of records whose dates are events in people's lives, from the declarations.

Each connector declares which dates of its records are events (``connectors.declaration.event``). A
timeline reads the lists in which they stand: those of a person, and those that hang on rows of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connectors.description import Database, Lookup, Record, RecordEvent, Text


@dataclass(frozen=True, slots=True, eq=False)
class EventList:
    """A list with events, or on whose rows such lists hang. Equal to itself only.

    ``events``: in the order in which they happen; none in a list that is read for what hangs on it.
    ``parent``: the list on whose rows this one hangs, by the parent's column ``key``; both None
    where the list is a person's own.
    """

    record: Record
    lookup: Lookup
    events: tuple[RecordEvent, ...]
    parent: EventList | None = None
    key: str | None = None

    @property
    def database(self) -> str:
        """The name of the database that has the list."""
        return self.record.database

    @property
    def name(self) -> str:
        """The name of its record: ``civil_status.births``."""
        return f"{self.record.database}.{self.record.name}"


@dataclass(frozen=True, slots=True, eq=False)
class EventCatalogue:
    """All lists with events, a parent before what hangs on it; and the kinds of event in them.

    ``titles``: by code of the kind. ``databases``: those that have events.
    """

    lists: tuple[EventList, ...]
    titles: Mapping[str, Text] = field(init=False)
    databases: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Collect kinds and databases; raises ValueError for two titles of one kind."""
        titles: dict[str, Text] = {}
        for event_list in self.lists:
            for event in event_list.events:
                if titles.setdefault(event.kind.code, event.kind.title) != event.kind.title:
                    where = event_list.record.where
                    raise ValueError(f"{where}: {event.kind.code} has another title elsewhere")
        databases = frozenset(entry.database for entry in self.lists if entry.events)
        object.__setattr__(self, "titles", titles)
        object.__setattr__(self, "databases", databases)

    def select(
        self, databases: frozenset[str] | None, kinds: frozenset[str] | None
    ) -> tuple[EventList, ...]:
        """Return the lists that have to be read for events of ``kinds`` in ``databases``.

        None: of any. Lists on which one of them hangs are among them.
        """
        selected: dict[EventList, None] = {}
        for event_list in self.lists:
            if databases is not None and event_list.database not in databases:
                continue
            if any(kinds is None or event.kind.code in kinds for event in event_list.events):
                if event_list.parent is not None:
                    selected[event_list.parent] = None
                selected[event_list] = None
        return tuple(event_list for event_list in self.lists if event_list in selected)


def collect_event_lists(databases: Iterable[Database]) -> EventCatalogue:
    """Return the lists of ``databases`` that have events.

    They stand in the order of the databases' names, then as declared. Raises ValueError where two
    databases give one kind of event different titles.
    """
    ordered = sorted(databases, key=lambda database: database.name)
    return EventCatalogue(tuple(entry for database in ordered for entry in _lists(database)))


def _lists(database: Database) -> list[EventList]:
    """Return the lists with events of one database, and those on which they hang."""
    person_lists: dict[tuple[str, str], EventList] = {}
    hanging: list[tuple[Record, Lookup, tuple[RecordEvent, ...]]] = []
    for record in database.records:
        for lookup in record.lookups:
            events = tuple(event for event in record.events if event.lookup == lookup.name)
            if not events:
                continue
            if lookup.on is None:
                person_lists[record.name, lookup.name] = EventList(record, lookup, events)
            else:
                hanging.append((record, lookup, events))
    children = []
    for record, lookup, events in hanging:
        assert lookup.on is not None
        parent_record = database.by_name[lookup.on[0]]
        first = parent_record.lookups[0]
        parent = person_lists.setdefault(
            (parent_record.name, first.name), EventList(parent_record, first, ())
        )
        children.append(EventList(record, lookup, events, parent, lookup.on[1]))
    return [*person_lists.values(), *children]
