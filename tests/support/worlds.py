"""Every database in memory, for tests of hidden rows, and callers of all kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from connectors.backends.base import Backend
from connectors.backends.memory import MemoryBackend
from connectors.description import Group
from connectors.registry import installed_databases
from gateway.access.tokens import issue
from gateway.settings import DatabaseSettings
from tests.support.faults import Faulty
from tests.support.people import population_rows
from tests.support.running import Running, execute_field_by_field, signing_key

Row = dict[str, object]
#: database -> record -> rows.
Rows = Mapping[str, Mapping[str, list[Row]]]

ALL = installed_databases()
LIVE = {database.name: DatabaseSettings(timeout=120, group=Group.OPERATING) for database in ALL}
#: Every scope that an officer can have.
EVERY = tuple(
    f"{database.name}:{action}"
    for database in ALL
    for action in ("read", "sensitive", "restricted")
)
#: The two ways in which an operation is answered.
WAYS = ("by plan", "field by field")


class World(dict[str, Backend]):
    """Backends by name; each notes what it was asked and can be told to fail."""

    def of(self, name: str) -> Faulty:
        source = self[name]
        assert isinstance(source, Faulty)
        return source

    @property
    def fetched(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """What was asked of any database: database and record, lookup, keys."""
        return [
            (f"{name}.{record}", lookup, keys)
            for name in self
            for record, lookup, keys in self.of(name).fetched
        ]

    def forget(self) -> None:
        """Forget what was asked so far."""
        for name in self:
            self.of(name).fetched.clear()


def world(rows: Rows) -> World:
    """Return all databases holding ``rows``; the population's are the cast's if none are given."""
    rows_of: Rows = {"population": population_rows(), **rows}
    return World(
        {
            database.name: Faulty(
                MemoryBackend(
                    database,
                    {
                        record.name: rows_of.get(database.name, {}).get(record.name, [])
                        for record in database.records
                    },
                )
            )
            for database in ALL
        }
    )


def together(*several: Rows) -> dict[str, dict[str, list[Row]]]:
    """Return all the rows of ``several``."""
    merged: dict[str, dict[str, list[Row]]] = {}
    for rows in several:
        for database, records in rows.items():
            for record, more_rows in records.items():
                merged.setdefault(database, {}).setdefault(record, []).extend(more_rows)
    return merged


def answer(way: str, patch: pytest.MonkeyPatch) -> None:
    """Have operations about persons answered in one of ``WAYS``."""
    if way == WAYS[0]:
        return

    patch.setattr("tests.support.running.EXECUTE", execute_field_by_field)


def acting(
    gateway: Running,
    subject: str,
    act_for: str,
    authorisation: str | None = None,
    scopes: Sequence[str] = ("me",),
) -> str:
    """Return the token of a citizen who asks for somebody else."""
    return issue(
        signing_key(gateway.service.resources.settings),
        gateway.service.resources.settings.access,
        gateway.clock.now(),
        subject=subject,
        client="citizens' front end",
        scopes=scopes,
        act_for=act_for,
        authorisation=authorisation,
    )
