"""Creates our views in the rivals' database, next to their tables."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import asyncpg

from bench.rivals.servers import POSTGRES_PORT
from bench.rivals.tables import statements

_URL = f"postgresql://postgres@127.0.0.1:{POSTGRES_PORT}/reg"
#: Servers that are measured in turn run at the same time, with up to 8 connections a database each.
_CONNECTIONS = 800


def prepare(copy: Path) -> list[str]:
    """Create the views, roles and indexes again, and return the numbers of all people.

    Takes some seconds. The first time it restarts PostgreSQL, to permit more connections.
    """
    if asyncio.run(_raise_connections()):
        for action in ("stop", "start"):
            subprocess.run([copy / "pgctl.sh", action], check=True, stdout=subprocess.DEVNULL)
    return asyncio.run(_prepare())


async def _raise_connections() -> bool:
    """Set how many connections PostgreSQL permits; say whether it must restart for that."""
    connection = await asyncpg.connect(_URL)
    try:
        if int(await connection.fetchval("SHOW max_connections")) >= _CONNECTIONS:
            return False
        await connection.execute(f"ALTER SYSTEM SET max_connections = {_CONNECTIONS}")
        return True
    finally:
        await connection.close()


async def _prepare() -> list[str]:
    connection = await asyncpg.connect(_URL)
    try:
        for statement in statements():
            await connection.execute(statement)
        await connection.execute("ANALYZE")
        rows = await connection.fetch("SELECT citizen_id FROM population.identities")
        return [row["citizen_id"] for row in rows]
    finally:
        await connection.close()
