"""Spark as the session of an engine: in this process, or on the cluster that the settings name.

Needs the extra ``spark`` and Java 17 or newer. Both are looked for only where Spark is chosen.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import sqlalchemy as sa

from reconcile.engines.dialects import SparkDialect, spark_name
from reconcile.engines.engine import EngineFailure
from reconcile.settings import ReconcileSettings

#: What makes Spark's SQL mean what the statements say, and keeps it quiet and on this machine.
_MEANING: Mapping[str, str] = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.legacy.charVarcharAsString": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
}
_PLACE: Mapping[str, str] = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.log.level": "ERROR",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.parquet.compression.codec": "zstd",
}
_LOG = """
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %d %p %c: %m%n%ex{0}
"""


def open_spark_session(settings: ReconcileSettings, temporary: Path) -> SparkSqlSession:
    """Start Spark, or take the session of this process; some ten seconds.

    Raises EngineFailure where pyspark or Java is missing, or Spark does not start.
    """
    chosen = spark_settings(settings, temporary)
    return SparkSqlSession(start_spark("justice-gateway reconcile", chosen))


def spark_settings(settings: ReconcileSettings, temporary: Path) -> dict[str, str]:
    """Return Spark's settings: quiet, within this machine unless ``settings.spark`` names another.

    Writes the settings of its log to ``temporary``, which must exist.
    """
    return {
        "spark.master": f"local[{settings.threads}]",
        "spark.driver.memory": f"{settings.memory // 2**20}m",
        "spark.sql.shuffle.partitions": str(settings.buckets),
        "spark.local.dir": str(temporary),
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={_quiet(temporary)}",
        "spark.sql.warehouse.dir": str(temporary / "warehouse"),
        **_PLACE,
        **settings.spark,
        **_MEANING,
    }


def start_spark(name: str, chosen: Mapping[str, str]) -> Any:
    """Return a ``pyspark.sql.SparkSession`` with these settings; some ten seconds.

    Raises EngineFailure where pyspark or Java is missing, or Spark does not start.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise EngineFailure("Spark needs pyspark: install justice-gateway[reconcile,spark]")
    if not _has_java():
        raise EngineFailure("Spark needs Java 17 or newer: set JAVA_HOME, or put java on PATH")
    from pyspark.sql import SparkSession

    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    # It writes whole plans, and what values they failed at.
    logging.getLogger("SQLQueryContextLogger").disabled = True
    builder = SparkSession.builder.appName(name)
    for key, value in chosen.items():
        builder = builder.config(key, value)
    with _explained():
        return builder.getOrCreate()


def _quiet(folder: Path) -> str:
    """Write the settings of Spark's log, errors to standard error, and return their URI."""
    file = folder / "log4j2.properties"
    file.write_text(_LOG, "utf-8")
    return file.absolute().as_uri()


def _has_java() -> bool:
    home = os.environ.get("JAVA_HOME")
    if home:
        return (Path(home) / "bin" / "java").is_file()
    return shutil.which("java") is not None


class SparkSqlSession:
    """A session of Spark. ``spark``: a ``pyspark.sql.SparkSession``, stopped at the end."""

    def __init__(self, spark: Any) -> None:
        self.dialect: sa.Dialect = SparkDialect()
        # A statement costs some seconds whatever it reads.
        self.cases_at_once = 1_000
        self._spark = spark

    def define(self, schema: str | None, name: str, text: str) -> None:
        """Make a temporary view."""
        with _explained():
            self._spark.sql(text).createOrReplaceTempView(spark_name(schema, name))

    def define_files(
        self, schema: str | None, name: str, files: Sequence[Path], columns: Sequence[str]
    ) -> frozenset[str]:
        """Make a temporary view of Parquet files."""
        if not files:
            empty = ", ".join(f"CAST(NULL AS STRING) AS `{column}`" for column in columns)
            self.define(schema, name, f"SELECT {empty} WHERE false")
            return frozenset(columns)
        with _explained():
            present = set(pq.read_schema(files[0]).names)
            shown = [column for column in columns if column in present]
            reader = self._spark.read.schema(", ".join(f"`{column}` STRING" for column in shown))
            frame = reader.parquet(*map(file_location, files))
            frame.createOrReplaceTempView(spark_name(schema, name))
        return frozenset(shown)

    def write(self, text: str, folder: Path, buckets: int) -> None:
        """Write a table, a folder a bucket."""
        digits = "substr(sha2(person, 256), 1, 8)"
        bucket = f"CAST(CAST(conv({digits}, 16, 10) AS BIGINT) % {buckets} AS INT)"
        with _explained():
            divided = f"SELECT *, {bucket} AS bucket FROM ({text}) AS written"  # noqa: S608 - ours
            frame = self._spark.sql(divided)
            frame = frame.repartition(buckets, "bucket")
            frame.write.partitionBy("bucket").parquet(file_location(folder))

    def rows(self, text: str) -> Iterator[Sequence[Any]]:
        """Yield the rows of a statement, which the driver has in memory."""
        with _explained():
            yield from self._spark.sql(text).collect()

    def close(self) -> None:
        """Stop Spark."""
        self._spark.stop()


def file_location(path: Path) -> str:
    """Return a path as Spark takes it: with a scheme, and without escapes."""
    return f"file://{path.absolute()}"


@contextmanager
def _explained() -> Iterator[None]:
    """Turn faults of Spark into ``EngineFailure``: their kind alone, as they may quote values."""
    try:
        yield
    except EngineFailure:
        raise
    except Exception as error:
        kind = getattr(error, "getCondition", lambda: None)() or type(error).__name__
        raise EngineFailure(f"Spark: {kind}") from None
