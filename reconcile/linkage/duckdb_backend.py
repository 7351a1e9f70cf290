"""Linkage with DuckDB: embedded, within the memory that was given, the rest on disk."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from reconcile.linkage.backend import empty_table
from rules.text_forms import TextForm, text_function

_BATCH = 50_000


class DuckDBLinkage:
    """Tables in a database file in ``folder``, which is removed at the end.

    ``memory``: bytes of DuckDB's buffers; what Arrow and Python hold comes on top of it.
    """

    dialect = "duckdb"

    def __init__(self, folder: Path, memory: int, threads: int) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        self._folder = folder
        self._connection = duckdb.connect(
            str(folder / "linkage.duckdb"),
            config={
                "memory_limit": f"{memory // 1_000_000}MB",
                "threads": threads,
                "temp_directory": str(folder / "spill"),
                "preserve_insertion_order": False,
                # Nothing is downloaded in closed networks, nor loaded from elsewhere.
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )

    def quote(self, text: str) -> str:
        """Return a literal."""
        return "'" + text.replace("'", "''") + "'"

    def read(self, table: str, files: Path, columns: tuple[str, ...]) -> None:
        """Make a view of the Parquet files of an extract."""
        if not any(files.glob("part-*.parquet")):
            self._connection.execute(f"create view {table} as {empty_table(columns)}")
            return
        selected = ", ".join(columns)
        pattern = self.quote(str(files / "part-*.parquet"))
        self._connection.execute(
            f"create view {table} as select {selected} from read_parquet({pattern})"
        )

    def create(self, table: str, query: str) -> None:
        """Make a table of a query, computed once."""
        self._connection.execute(f"create table {table} as {query}")

    def view(self, table: str, query: str) -> None:
        """Make a view of a query, computed whenever it is read."""
        self._connection.execute(f"create temporary view {table} as {query}")

    def register_numbers(self, table: str, numbers: Collection[str]) -> None:
        """Make a view with the column ``number`` that is in memory only."""
        self._connection.register(table, pa.table({"number": pa.array(numbers, pa.string())}))

    def create_forms(self, table: str, source: str, forms: Mapping[str, TextForm]) -> None:
        """Make a table of the column ``text`` of ``source`` and its forms, a column each.

        By the functions of ``rules.text_forms``: 7 us a text. DuckDB's ``translate`` builds its
        table anew for each row, which takes 160 us.
        """
        functions = {name: text_function(form) for name, form in forms.items()}
        columns = ", ".join(f"{name} string" for name in ("text", *forms))
        self._connection.execute(f"create table {table} ({columns})")
        with self._connection.cursor() as reader:
            for batch in reader.sql(f"select text from {source}").to_arrow_reader(_BATCH):
                texts = batch.column(0).to_pylist()
                columns_of_batch = {"text": texts} | {
                    name: [function(text) for text in texts] for name, function in functions.items()
                }
                self._connection.register("forms_batch", pa.table(columns_of_batch))
                self._connection.execute(f"insert into {table} from forms_batch")
                self._connection.unregister("forms_batch")

    def batches(self, query: str) -> Iterator[pa.RecordBatch]:
        """Yield the result of a query; in memory is a batch of it."""
        yield from self._connection.sql(query).to_arrow_reader(_BATCH)

    def splink_api(self) -> Any:
        """Return Splink's interface to this engine."""
        from splink.backends.duckdb import DuckDBAPI

        return DuckDBAPI(connection=self._connection)

    def close(self) -> None:
        """Close the database and remove its files."""
        self._connection.close()
        shutil.rmtree(self._folder, ignore_errors=True)
