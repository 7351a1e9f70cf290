"""Proposals as a file of a run: keyed hashes, sorted by them.

In the order of the records the file would tell which hash is of which record: rows are divided by
their hash first, and each part is sorted in memory.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from reconcile.layout import PROPOSALS, RunFolder, versioned
from reconcile.linkage.proposals import LinkageCandidate

_PARTS = "0123456789abcdef"
_BATCH = 20_000
_ORDER = [("record", "ascending"), ("record_row", "ascending"), ("role", "ascending"),
          ("weight", "descending"), ("person", "ascending")]  # fmt: skip


class ProposalHasher(Protocol):
    """Keyed hashes in hexadecimal digits, in lower case."""

    def person(self, number: str) -> str:
        """Return the hash of a person by their present number."""
        ...

    def row(self, database: str, record: str, identity: str) -> str:
        """Return the hash of a row."""
        ...


def write_proposals(
    folder: RunFolder, candidates: Iterable[LinkageCandidate], hasher: ProposalHasher
) -> Iterator[LinkageCandidate]:
    """Yield the candidates as they pass; the file is in its place after the last.

    Memory: a sixteenth of the file. Raises OSError, then there is no file, or the one before.
    """
    schema = versioned(PROPOSALS)
    work = folder.prepared / "proposals"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, mode=0o700)
    try:
        parts = {part: _Part(work / f"{part}.parquet", schema) for part in _PARTS}
        for candidate in candidates:
            row = _row(candidate, hasher)
            parts[str(row["record_row"])[0]].add(row)
            yield candidate
        for part in parts.values():
            part.close()
        _join([part.path for part in parts.values()], folder.proposals, schema)
    finally:
        shutil.rmtree(work, ignore_errors=True)


class _Part:
    """Rows that go to one file, some thousand at a time."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self._writer, self._schema = pq.ParquetWriter(path, schema), schema
        self._rows: list[dict[str, object]] = []

    def add(self, row: dict[str, object]) -> None:
        self._rows.append(row)
        if len(self._rows) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._rows, self._schema))
        self._rows.clear()

    def close(self) -> None:
        self._flush()
        self._writer.close()


def _row(candidate: LinkageCandidate, hasher: ProposalHasher) -> dict[str, object]:
    return {
        "database": "civil_status",
        "record": candidate.record,
        "record_row": hasher.row("civil_status", candidate.record, candidate.record_id),
        "role": candidate.role,
        "person": hasher.person(candidate.number),
        "weight": candidate.weight,
        "probability": candidate.probability,
        "comparisons": [
            {"name": part.name, "level": part.level, "weight": part.weight}
            for part in candidate.comparisons
        ],
    }


def _join(parts: list[Path], target: Path, schema: pa.Schema) -> None:
    temporary = target.with_suffix(".tmp")
    try:
        with pq.ParquetWriter(temporary, schema) as writer:
            for part in parts:
                writer.write_table(pq.read_table(part, schema=schema).sort_by(_ORDER))
        temporary.chmod(0o600)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
