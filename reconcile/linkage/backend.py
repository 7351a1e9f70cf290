"""What an engine of linkage does: keep tables of text, run SQL, and serve Splink.

The SQL of this package is in the part of the language that DuckDB and Spark share, and so are the
functions of comparisons (``levenshtein``, ``substr``): both engines give the same weights.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from rules.text_forms import TextForm


class LinkageBackend(Protocol):
    """An engine with tables of its own. ``dialect``: as Splink names it."""

    dialect: str

    def quote(self, text: str) -> str:
        """Return a literal."""
        ...

    def read(self, table: str, files: Path, columns: tuple[str, ...]) -> None:
        """Make a view of the Parquet files of an extract."""
        ...

    def create(self, table: str, query: str) -> None:
        """Make a table of a query, computed once."""
        ...

    def view(self, table: str, query: str) -> None:
        """Make a view of a query, computed whenever it is read."""
        ...

    def register_numbers(self, table: str, numbers: Collection[str]) -> None:
        """Make a view with the column ``number`` that is in memory only."""
        ...

    def create_forms(self, table: str, source: str, forms: Mapping[str, TextForm]) -> None:
        """Make a table of the column ``text`` of ``source`` and its forms, a column each."""
        ...

    def batches(self, query: str) -> Iterator[pa.RecordBatch]:
        """Yield the result of a query; in memory is a batch of it."""
        ...

    def splink_api(self) -> Any:
        """Return Splink's interface to this engine."""
        ...

    def close(self) -> None:
        """Release memory, files and processes."""
        ...


def empty_table(columns: tuple[str, ...]) -> str:
    """Return a query of these columns without rows: a record of which nothing was extracted."""
    return f"select {', '.join(f'cast(null as string) as {name}' for name in columns)} where 1 = 0"
