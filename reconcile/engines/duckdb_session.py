"""DuckDB as the session of an engine: in this process, beyond its memory on disk.

It has no extensions but those that are built in, and downloads none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa

from reconcile.engines.dialects import DuckdbDialect
from reconcile.engines.engine import EngineFailure

_FETCHED_ROWS = 5_000
#: What of the memory of a run is the engine's: the rest is for Python and what streams.
_SHARE = 0.7
#: Faults whose messages speak of files, memory and columns; others may quote a value.
_PLAIN_FAULTS = (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.BinderException)


class DuckdbSession:
    """A database of DuckDB in memory. ``memory``: bytes; ``temporary``: where it spills to."""

    def __init__(self, memory: int, threads: int, temporary: Path) -> None:
        self.dialect: sa.Dialect = DuckdbDialect()
        # One at a time has the least in memory.
        self.cases_at_once = 1
        with _explained():
            self._connection = duckdb.connect(
                ":memory:",
                config={
                    "memory_limit": f"{int(memory * _SHARE)}B",
                    "threads": str(threads),
                    "temp_directory": str(temporary),
                    "preserve_insertion_order": "false",
                    "autoinstall_known_extensions": "false",
                    "autoload_known_extensions": "false",
                    "allow_community_extensions": "false",
                },
            )
            self._connection.execute("SET enable_progress_bar = false")

    def define(self, schema: str | None, name: str, text: str) -> None:
        """Make a view."""
        with _explained():
            if schema is not None:
                self._connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            self._connection.execute(f"CREATE OR REPLACE VIEW {_name(schema, name)} AS {text}")

    def define_files(
        self, schema: str | None, name: str, files: Sequence[Path], columns: Sequence[str]
    ) -> frozenset[str]:
        """Make a view of Parquet files."""
        if not files:
            empty = ", ".join(f'CAST(NULL AS TEXT) AS "{column}"' for column in columns)
            self.define(schema, name, f"SELECT {empty} WHERE false")
            return frozenset(columns)
        source = f"read_parquet([{', '.join(map(_literal, files))}], hive_partitioning = false)"
        with _explained():
            described = self._connection.execute(f"DESCRIBE FROM {source}").fetchall()
        present = {row[0] for row in described}
        shown = [column for column in columns if column in present]
        listed = ", ".join(f'CAST("{column}" AS TEXT) AS "{column}"' for column in shown)
        self.define(schema, name, f"SELECT {listed} FROM {source}")  # noqa: S608 - ours
        return frozenset(shown)

    def write(self, text: str, folder: Path, buckets: int) -> None:
        """Write a table, a folder a bucket."""
        digits = "substr(sha256(person), 1, 8)"
        bucket = f"CAST(CAST('0x' || {digits} AS BIGINT) % {buckets} AS INTEGER)"
        divided = f"SELECT *, {bucket} AS bucket FROM ({text}) AS written"  # noqa: S608 - ours
        options = "FORMAT parquet, COMPRESSION zstd, PARTITION_BY (bucket)"
        with _explained():
            self._connection.execute(f"COPY ({divided}) TO {_literal(folder)} ({options})")

    def rows(self, text: str) -> Iterator[Sequence[Any]]:
        """Yield the rows of a statement as they are fetched."""
        with _explained():
            result = self._connection.execute(text)
            while rows := result.fetchmany(_FETCHED_ROWS):
                yield from rows

    def close(self) -> None:
        """Close the database; what it held in memory is gone."""
        self._connection.close()


@contextmanager
def _explained() -> Iterator[None]:
    """Turn faults of DuckDB into ``EngineFailure``."""
    try:
        yield
    except _PLAIN_FAULTS as error:
        raise EngineFailure(f"DuckDB: {error}") from None
    except duckdb.Error as error:
        raise EngineFailure(f"DuckDB: {type(error).__name__}") from None


def _name(schema: str | None, name: str) -> str:
    return f'"{name}"' if schema is None else f'"{schema}"."{name}"'


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
