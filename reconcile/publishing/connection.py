"""Connections to the database of reconciliation: PostgreSQL, MariaDB or SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from connectors.backends.server import ServerOptions, address, tls_context

_T = TypeVar("_T")
_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}
#: Seconds for which another writer of SQLite is waited for.
_PATIENCE = 30.0


async def run_in_database(
    url: str, options: ServerOptions, work: Callable[[sa.Connection], _T]
) -> _T:
    """Run ``work`` with a connection, in which it begins and ends its own transactions.

    What it does not commit is rolled back. Raises ValueError for a URL that says too little or too
    much, sqlalchemy.exc.SQLAlchemyError and OSError for a database that fails.
    """
    async with _engine(url, options) as engine, engine.connect() as connection:
        return await connection.run_sync(work)


@asynccontextmanager
async def _engine(url: str, options: ServerOptions) -> AsyncIterator[AsyncEngine]:
    engine = _make_engine(url, options)
    try:
        yield engine
    finally:
        await engine.dispose()


def _make_engine(url: str, options: ServerOptions) -> AsyncEngine:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ValueError("it is no URL of a database") from None
    make = parsed.get_backend_name()
    if make == "sqlite":
        if not parsed.database:
            raise ValueError("a URL of SQLite names a file: sqlite:////var/lib/findings.sqlite")
        sqlite = parsed.set(drivername="sqlite+aiosqlite")
        return create_async_engine(
            sqlite, connect_args={"timeout": _PATIENCE}, hide_parameters=True
        )
    if make not in _PORTS:
        raise ValueError(f"it must be PostgreSQL, MariaDB or SQLite, not {make}")
    at = address(parsed, _PORTS[make])
    password = "" if options.password is None else options.password()
    arguments: dict[str, Any] = {"ssl": tls_context(options, at)}
    if make == "postgresql":
        driver = "postgresql+asyncpg"
        arguments |= {"timeout": options.connect_timeout, "ssl": arguments["ssl"] or False}
    else:
        driver = "mariadb+asyncmy"
        arguments |= {"connect_timeout": options.connect_timeout, "charset": "utf8mb4"}
    target = sa.URL.create(driver, at.user, password or None, at.host, at.port, at.database)
    return create_async_engine(target, connect_args=arguments, hide_parameters=True)
