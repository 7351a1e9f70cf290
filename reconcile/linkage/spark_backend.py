"""Linkage with Spark, for clusters. Without its extra nothing of this module can be used.

Splink's own functions for Spark (a jar) are not needed: comparisons use what Spark has built in.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from reconcile.linkage.backend import empty_table


def spark_session(folder: Path, memory: int, threads: int) -> Any:
    """Return the running session, or one on this machine with its files in ``folder``.

    A session that ``spark-submit`` started is on its cluster. Raises ModuleNotFoundError without
    pyspark, and what pyspark raises without Java.
    """
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    return (
        SparkSession.builder.master(f"local[{threads}]")
        .appName("justice-gateway linkage")
        .config("spark.driver.memory", f"{memory // 1_000_000}m")
        .config("spark.local.dir", str(folder / "local"))
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.sql.shuffle.partitions", str(4 * threads))
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "Asia/Ho_Chi_Minh")
        .getOrCreate()
    )


class SparkLinkage:
    """Tables as Parquet in ``folder``, which all workers reach. The session is the caller's."""

    dialect = "spark"

    def __init__(self, session: Any, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        self._session, self._folder = session, folder

    def quote(self, text: str) -> str:
        """Return a literal."""
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def read(self, table: str, files: Path, columns: tuple[str, ...]) -> None:
        """Make a view of the Parquet files of an extract."""
        if not any(files.glob("part-*.parquet")):
            self._session.sql(empty_table(columns)).createOrReplaceTempView(table)
            return
        pattern = str(files / "part-*.parquet")
        self._session.read.parquet(pattern).select(*columns).createOrReplaceTempView(table)

    def create(self, table: str, query: str) -> None:
        """Make a table of a query, computed once."""
        path = str(self._folder / table)
        self._session.sql(query).write.parquet(path)
        self._session.read.parquet(path).createOrReplaceTempView(table)

    def view(self, table: str, query: str) -> None:
        """Make a view of a query, computed whenever it is read."""
        self._session.sql(query).createOrReplaceTempView(table)

    def register_numbers(self, table: str, numbers: Collection[str]) -> None:
        """Make a view with the column ``number`` that is in memory only."""
        rows = [(number,) for number in numbers]
        self._session.createDataFrame(rows, "number string").createOrReplaceTempView(table)

    def drop(self, table: str) -> None:
        """Remove a table that is there."""
        self._session.catalog.dropTempView(table)
        shutil.rmtree(self._folder / table, ignore_errors=True)

    def batches(self, query: str) -> Iterator[pa.RecordBatch]:
        """Yield the result of a query; in memory is one partition of it."""
        names: list[str] | None = None
        rows: list[tuple[object, ...]] = []
        result = self._session.sql(query)
        names = list(result.columns)
        for row in result.toLocalIterator():
            rows.append(tuple(row))
            if len(rows) >= 10_000:
                yield _batch(names, rows)
                rows = []
        if rows:
            yield _batch(names, rows)

    def splink_api(self) -> Any:
        """Return Splink's interface to this engine."""
        from splink.backends.spark import SparkAPI

        self._session.sparkContext.setCheckpointDir(str(self._folder / "checkpoints"))
        return SparkAPI(  # type: ignore[no-untyped-call]
            spark_session=self._session,
            break_lineage_method="checkpoint",
            register_udfs_automatically=False,
        )

    def close(self) -> None:
        """Remove the tables; the session goes on."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _batch(names: list[str], rows: list[tuple[object, ...]]) -> pa.RecordBatch:
    columns = [pa.array(list(values)) for values in zip(*rows, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=names)
