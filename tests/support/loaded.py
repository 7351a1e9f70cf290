"""Test databases on real servers, one for each declared database."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import sqlalchemy as sa

from connectors.backends.server import ServerOptions
from connectors.description import Database
from connectors.synthetic.loading import ServerTarget
from tests.support.servers import Server, run_in_thread

PASSWORD = "mật khẩu"


@dataclass(frozen=True)
class Site:
    """Databases on one server, by the name of what is in them, and a user who may only read."""

    server: Server
    reader: str
    databases: dict[str, Server]

    def targets(self, declared: Sequence[Database]) -> list[ServerTarget]:
        """Return what is loaded, as the server's administrator."""
        return [
            ServerTarget(
                database,
                sa.make_url(self.databases[database.name].url),
                ServerOptions(),
                self.reader,
            )
            for database in declared
            if database.name in self.databases
        ]

    def url(self, name: str) -> str:
        """Return where the gateway finds a database, as the user who may only read."""
        server = self.databases[name]
        return server.at(server.port, self.reader)


@contextmanager
def site(server: Server, names: Sequence[str]) -> Iterator[Site]:
    """Make databases and a user; all of it goes at the end."""
    mark = secrets.token_hex(4)
    reader = f"reader_{mark}"
    databases = {name: replace(server, name=f"t_{mark}_{name}") for name in names}
    is_postgresql = server.make == "postgresql"
    letters = "" if is_postgresql else " CHARACTER SET utf8mb4"
    user = reader if is_postgresql else f"{reader}@'%'"
    secret = f"PASSWORD '{PASSWORD}'" if is_postgresql else f"IDENTIFIED BY '{PASSWORD}'"
    login = " LOGIN" if is_postgresql else ""
    kind = "ROLE" if is_postgresql else "USER"
    create_user = f"CREATE {kind} {user}{login} {secret}"
    create = [f"CREATE DATABASE {database.name}{letters}" for database in databases.values()]
    force = " WITH (FORCE)" if is_postgresql else ""
    drop = [f"DROP DATABASE IF EXISTS {each.name}{force}" for each in databases.values()]
    try:
        run_in_thread(server.execute(create_user, *create, database=""))
        yield Site(server, reader, databases)
    finally:
        drop_user = f"DROP {kind} IF EXISTS {user}"
        run_in_thread(server.execute(*drop, drop_user, database=""))
