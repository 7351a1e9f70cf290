"""Parquet files that are replaced as a whole, and may be encrypted.

Encryption is Parquet's own (AES-256-GCM over footer and columns), under the operator's key itself,
by pyarrow: nothing is downloaded, and other readers of Parquet can read it with the key.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from reconcile.findings.key_files import KeyRefused
from reconcile.layout import require_version, versioned

#: Rows of a row group: what a reader holds at least.
GROUP_ROWS = 10_000


def write_table(
    file: Path, schema: pa.Schema, tables: Iterable[pa.Table], key: bytes | None = None
) -> int:
    """Replace ``file`` atomically by these tables; returns the number of rows. Raises OSError.

    On return it is on disk. ``key``: 32 bytes; None: in clear.
    """
    temporary = file.with_name(f"{file.name}.partial")
    encryption: dict[str, Any] = {}
    if key is not None:
        encryption["encryption_properties"] = pe.create_encryption_properties(key)
    rows = 0
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    with (
        os.fdopen(descriptor, "wb") as stream,
        pq.ParquetWriter(stream, versioned(schema), compression="zstd", **encryption) as writer,
    ):
        for table in tables:
            writer.write_table(
                table.replace_schema_metadata(versioned(schema).metadata), row_group_size=GROUP_ROWS
            )
            rows += table.num_rows
    _synchronise(temporary)
    temporary.replace(file)
    _synchronise(file.parent)
    return rows


def open_file(file: Path, key: bytes | None = None) -> pq.ParquetFile:
    """Open a file of this version.

    Raises KeyRefused where it is under another key, OtherVersion, OSError.
    """
    try:
        decryption = None if key is None else pe.create_decryption_properties(key)
        opened = pq.ParquetFile(file, decryption_properties=decryption)
    except FileNotFoundError:
        raise
    except OSError:
        if key is None:
            raise
        raise KeyRefused(f"{file}: it is not under this key") from None
    require_version(opened.schema_arrow, file)
    return opened


def read_range(
    file: Path, column: str, begin: str, end: str | None, key: bytes | None = None
) -> Iterator[pa.Table]:
    """Yield the rows of which ``column`` is at or after ``begin``, and before ``end``.

    Groups of rows that have none are not read: files that are sorted by the column are read once
    where they are read range by range.
    """
    with open_file(file, key) as opened:
        place = opened.schema_arrow.get_field_index(column)
        for group in range(opened.num_row_groups):
            bounds = opened.metadata.row_group(group).column(place).statistics
            if bounds is not None and bounds.has_min_max and _is_beside(bounds, begin, end):
                continue
            table = opened.read_row_group(group)
            chosen = pc.greater_equal(table[column], begin)
            if end is not None:
                chosen = pc.and_(chosen, pc.less(table[column], end))
            yield table.filter(chosen)


def count_rows(file: Path, key: bytes | None = None) -> int:
    """Return the number of rows of a file; raises what ``open_file`` raises."""
    with open_file(file, key) as opened:
        return int(opened.metadata.num_rows)


def _is_beside(bounds: Any, begin: str, end: str | None) -> bool:
    return bool(bounds.max < begin or (end is not None and bounds.min >= end))


def _synchronise(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
