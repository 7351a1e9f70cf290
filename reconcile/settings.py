"""The settings of national runs: ``reconcile.toml``, all of them with defaults."""

from __future__ import annotations

import tomllib
from datetime import time
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceRate(_Part):
    """How a source may be read. ``rows_per_second`` None: as fast as it answers.

    ``begins``, ``ends``: the daily window in which it may be read, in Vietnam's time; it may go
    over midnight. Outside it the run waits. ``part_rows``: rows of a part, after each of which a
    run can be resumed.
    """

    rows_per_second: float | None = Field(default=None, gt=0)
    begins: time | None = None
    ends: time | None = None
    part_rows: int = Field(default=250_000, gt=0)


class ReconcileSettings(_Part):
    """Settings of runs. Sizes in bytes.

    ``folder``: where runs are written; relative to the file. ``memory``: of the engine and what
    streams to it; beyond it the engine writes to disk. ``threads``: of the engine. ``buckets``:
    parts into which people are divided by a hash of their number; a unit of work is a bucket.
    ``sources``: by name of the database; ``source``: of those that are not named there.
    ``on_failure``: whether a source that fails, or a row that cannot be read, stops the run or is
    left out and said. ``spark``: Spark's own settings, such as ``"spark.master"`` of a cluster; the
    folder must then be one that all of it sees.
    """

    folder: Path = Path("reconcile")
    engine: Literal["duckdb", "spark"] = "duckdb"
    memory: int = Field(default=1_400_000_000, ge=200_000_000)
    threads: int = Field(default=2, gt=0)
    buckets: int = Field(default=8, gt=0, le=4096)
    source: SourceRate = SourceRate()
    sources: dict[str, SourceRate] = Field(default={})
    on_failure: Literal["stop", "continue"] = "stop"
    spark: dict[str, str] = Field(default={})

    def rate(self, database: str) -> SourceRate:
        """Return how a database may be read."""
        return self.sources.get(database, self.source)


def load_reconcile_settings(file: Path | None) -> ReconcileSettings:
    """Return the settings of a file, or the defaults; raises ValueError with every fault.

    A relative ``folder`` is relative to the file.
    """
    if file is None:
        return ReconcileSettings()
    settings = ReconcileSettings.model_validate(tomllib.loads(file.read_text("utf-8")))
    return settings.model_copy(update={"folder": file.parent / settings.folder})
