"""Connections to the database of reconciliation: PostgreSQL, MariaDB or SQLite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from connectors.backends.server import ServerOptions, address, tls_context

_T = TypeVar("_T")
_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}
#: Seconds for which another writer of SQLite is waited for.
_PATIENCE = 30.0


class InvalidUrl(ValueError):
    """The URL of the database of findings cannot be used; the message leaves it out."""


async def run_in_database(
    url: str, options: ServerOptions, work: Callable[[sa.Connection], _T]
) -> _T:
    """Run ``work`` with a connection, in which it begins and ends its own transactions.

    What it does not commit is rolled back. Raises InvalidUrl for a URL that says too little or
    too much, sqlalchemy.exc.SQLAlchemyError and OSError for a database that fails.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise InvalidUrl("it is no URL of a database") from None
    if parsed.get_backend_name() == "sqlite":
        return _run_in_file(parsed, work)
    try:
        engine = _server(parsed, options)
    except ValueError as error:
        raise InvalidUrl(str(error)) from None
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _run_in_file(url: sa.URL, work: Callable[[sa.Connection], _T]) -> _T:
    if not url.database:
        raise InvalidUrl("a URL of SQLite names a file: sqlite:////var/lib/findings.sqlite")
    file = url.set(drivername="sqlite")
    engine = sa.create_engine(file, connect_args={"timeout": _PATIENCE}, hide_parameters=True)
    try:
        with engine.connect() as connection:
            return work(connection)
    finally:
        engine.dispose()


def _server(url: sa.URL, options: ServerOptions) -> AsyncEngine:
    make = url.get_backend_name()
    if make not in _PORTS:
        raise ValueError(f"it must be PostgreSQL, MariaDB or SQLite, not {make}")
    at = address(url, _PORTS[make])
    password = None if options.password is None else options.password()
    tls = tls_context(options, at)
    arguments: dict[str, Any]
    if make == "postgresql":
        driver = "postgresql+asyncpg"
        arguments = {"timeout": options.connect_timeout, "ssl": tls or False}
    else:
        driver = "mariadb+asyncmy"
        arguments = {"connect_timeout": options.connect_timeout, "ssl": tls, "charset": "utf8mb4"}
    target = sa.URL.create(driver, at.user, password, at.host, at.port, at.database)
    return create_async_engine(target, connect_args=arguments, hide_parameters=True)
