"""Linkage with Spark, for clusters. Without its extra nothing of this module can be used.

Splink's own functions for Spark (a jar) are not needed: comparisons use what Spark has built in.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reconcile.engines.spark_session import file_location, spark_settings, start_spark
from reconcile.linkage.backend import empty_table
from reconcile.settings import ReconcileSettings
from rules.text_forms import Replace, TextForm, Translate, Trim, Wrap

#: Splink's columns build on each other through aliases, and the constraints that Spark infers of
#: them multiply: they alone fill 600 MB, however few the people. Nothing here needs them.
_PLANS: Mapping[str, str] = {"spark.sql.constraintPropagation.enabled": "false"}


class SparkLinkage:
    """Spark, and tables as Parquet in ``folder``, which all workers reach; both end at the end.

    Raises EngineFailure where Spark cannot be started.
    """

    dialect = "spark"

    def __init__(self, folder: Path, settings: ReconcileSettings) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        chosen = {**spark_settings(settings, folder), **_PLANS}
        self._folder = folder
        self._session = start_spark("justice-gateway linkage", chosen)

    def quote(self, text: str) -> str:
        """Return a literal."""
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def read(self, table: str, files: Path, columns: tuple[str, ...]) -> None:
        """Make a view of the Parquet files of an extract."""
        parts = [file_location(file) for file in sorted(files.glob("part-*.parquet"))]
        if not parts:
            self.view(table, empty_table(columns))
            return
        self._session.read.parquet(*parts).select(*columns).createOrReplaceTempView(table)

    def create(self, table: str, query: str) -> None:
        """Make a table of a query, computed once."""
        path = file_location(self._folder / table)
        self._session.sql(query).write.parquet(path)
        self._session.read.parquet(path).createOrReplaceTempView(table)

    def view(self, table: str, query: str) -> None:
        """Make a view of a query, computed whenever it is read."""
        self._session.sql(query).createOrReplaceTempView(table)

    def register_numbers(self, table: str, numbers: Collection[str]) -> None:
        """Make a view with the column ``number`` that is in memory only."""
        rows = [(number,) for number in numbers]
        self._session.createDataFrame(rows, "number string").createOrReplaceTempView(table)

    def create_forms(self, table: str, source: str, forms: Mapping[str, TextForm]) -> None:
        """Make a table of the column ``text`` of ``source`` and its forms, a column each."""
        columns = ", ".join(f"{self._form(form)} as {name}" for name, form in forms.items())
        self.create(table, f"select text, {columns} from {source}")

    def _form(self, form: TextForm) -> str:
        text = "text" if form.base is None else self._form(form.base)
        for step in form.steps:
            match step:
                case Translate(source, target):
                    text = f"translate({text}, {self.quote(source)}, {self.quote(target)})"
                case Replace(old, new):
                    text = f"replace({text}, {self.quote(old)}, {self.quote(new)})"
                case Trim():
                    text = f"trim({text})"
                case Wrap(before, behind):
                    text = f"concat({self.quote(before)}, {text}, {self.quote(behind)})"
        return text

    def batches(self, query: str) -> Iterator[pa.RecordBatch]:
        """Yield the result of a query, which workers write; in memory is a batch of it."""
        path = self._folder / "result"
        self._session.sql(query).write.parquet(file_location(path))
        try:
            for file in sorted(path.glob("part-*.parquet")):  # in the order of the result
                with pq.ParquetFile(file) as parquet:
                    yield from parquet.iter_batches(10_000)
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def splink_api(self) -> Any:
        """Return Splink's interface to this engine."""
        from splink.backends.spark import SparkAPI

        self._session.sparkContext.setCheckpointDir(file_location(self._folder / "checkpoints"))
        return SparkAPI(  # type: ignore[no-untyped-call]
            spark_session=self._session,
            break_lineage_method="parquet",
            register_udfs_automatically=False,
        )

    def close(self) -> None:
        """Stop Spark and remove its files."""
        self._session.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
