"""Finds the databases that installed packages declare by entry point.

A package (this one or any other) adds a database with one line in its ``pyproject.toml``::

    [project.entry-points."justice_gateway.databases"]
    notary = "connectors.notary:DATABASE"
"""

from __future__ import annotations

from importlib.metadata import entry_points

from connectors.description import Database

GROUP = "justice_gateway.databases"


def installed_databases() -> tuple[Database, ...]:
    """Return every declared database, ordered by name.

    Raises TypeError for an entry point that is no database, ValueError for a name declared twice.
    """
    databases: dict[str, Database] = {}
    for point in entry_points(group=GROUP):
        database = point.load()
        if not isinstance(database, Database):
            raise TypeError(f"entry point {point.name} is no database")
        if database.name in databases:
            raise ValueError(f"two connectors declare the database {database.name}")
        databases[database.name] = database
    return tuple(databases[name] for name in sorted(databases))
