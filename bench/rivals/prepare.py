"""Creates our views in the rivals' database, next to their tables."""

from __future__ import annotations

import asyncio

import asyncpg

from bench.rivals.tables import statements


def prepare() -> None:
    """Create the views, roles and indexes again. Takes some seconds."""
    asyncio.run(_prepare())


async def _prepare() -> None:
    connection = await asyncpg.connect("postgresql://postgres@127.0.0.1:55432/reg")
    try:
        for statement in statements():
            await connection.execute(statement)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
