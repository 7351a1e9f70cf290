"""Which engine runs."""

from __future__ import annotations

from pathlib import Path

from reconcile.engines.duckdb_session import DuckdbSession
from reconcile.engines.engine import Engine
from reconcile.engines.statement_engine import SqlSession, StatementEngine
from reconcile.settings import ReconcileSettings


def open_engine(settings: ReconcileSettings, name: str | None = None) -> Engine:
    """Return the engine of the settings, or ``name``; nothing is started before it prepares.

    What Spark needs is imported then too.
    """

    def duckdb(temporary: Path) -> SqlSession:
        return DuckdbSession(settings.memory, settings.threads, temporary)

    def spark(temporary: Path) -> SqlSession:
        from reconcile.engines.spark_session import open_spark_session

        return open_spark_session(settings, temporary)

    chosen = name or settings.engine
    return StatementEngine(chosen, settings.buckets, spark if chosen == "spark" else duckdb)
