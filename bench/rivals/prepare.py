"""Making our views in the rivals' database, beside their tables."""

from __future__ import annotations

import asyncio

import asyncpg

from bench.rivals.tables import statements


def prepare() -> None:
    """Make the views, roles and indexes anew. Takes some seconds."""
    asyncio.run(_prepare())


async def _prepare() -> None:
    connection = await asyncpg.connect("postgresql://postgres@127.0.0.1:55432/reg")
    try:
        for one in statements():
            await connection.execute(one)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
