"""The folder of prepared tables: what is there, and of which run.

Each table is a folder with a folder a bucket (``bucket=0/*.parquet``). It is written beside its
place and then renamed, so that what is there is whole. ``of.json`` says of what it was made: the
extracts, the rules, the day, the division. Where these are others, everything is made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from reconcile.layout import RunFolder
from reconcile.manifest import Manifest

_PARTIAL = ".partial"


class PreparedTables:
    """The prepared tables of a run, by one engine."""

    def __init__(self, folder: RunFolder, manifest: Manifest, engine: str, buckets: int) -> None:
        """Take what is there, or clear the folder; raises OSError."""
        self._path = folder.prepared
        self.buckets = buckets
        origin = json.dumps(
            [
                engine,
                buckets,
                manifest.run,
                manifest.day,
                manifest.rules,
                sorted(manifest.databases),
                {name: asdict(progress) for name, progress in sorted(manifest.extracts.items())},
            ]
        )
        digest = hashlib.sha256(origin.encode()).hexdigest()
        label = self._path / "of.json"
        if not label.is_file() or label.read_text("utf-8") != digest:
            shutil.rmtree(self._path, ignore_errors=True)
            self._path.mkdir(mode=0o700, parents=True)
            label.write_text(digest, "utf-8")
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir(mode=0o700)

    @property
    def temporary(self) -> Path:
        """A folder for what an engine cannot hold in memory; empty at each start."""
        return self._path / "temporary"

    def is_there(self, table: str) -> bool:
        """Say whether a table is there, whole."""
        return (self._path / table).is_dir()

    @contextmanager
    def table_folder(self, table: str) -> Iterator[Path]:
        """Give the path of a folder to write a table to; it gets its name in the end."""
        partial = self._path / f"{table}{_PARTIAL}"
        shutil.rmtree(partial, ignore_errors=True)
        yield partial
        partial.mkdir(exist_ok=True)
        for file in partial.rglob("*.parquet"):
            _synchronise(file)
        partial.rename(self._path / table)
        _synchronise(self._path)

    def files(self, table: str, bucket: int | None = None) -> list[Path]:
        """Return the Parquet files of a table, or of one bucket of it."""
        folders = "*" if bucket is None else f"bucket={bucket}"
        return sorted((self._path / table).glob(f"{folders}/*.parquet"))


def _synchronise(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
