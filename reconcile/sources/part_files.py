"""The files of an extract: parts, each complete or not there, and the rows that cannot be read.

    part-00000.parquet, ...         columns of text
    unreadable.parquet              at the end: ``UNREADABLE``
    unreadable-00000.parquet, ...   of each part, until then

Where the next part begins is in the metadata of the last part, so that no identity of a row is in
the manifest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reconcile.layout import require_version, versioned

#: Rows of a row group of Parquet: what readers divide their work by.
_GROUP_ROWS = 100_000
_FILE = re.compile(r"(part-[0-9]+|unreadable(-[0-9]+)?)\.parquet(\.tmp)?")
_UNTIL = b"justice_gateway.reconcile.until"

#: A row for each number of a person in a row with an unreadable value. ``column``: that of the
#: value. ``identity``: of the row, null where it cannot be read. ``number``: null where the row has
#: none that can be read, or where the value is itself the number of a person or a key of the row,
#: so that somebody else may be concerned.
UNREADABLE = pa.schema(
    [
        pa.field("column", pa.string(), nullable=False),
        pa.field("identity", pa.string()),
        pa.field("number", pa.string()),
    ]
)


class PartFolder:
    """The folder of the extract of one record. Raises OSError where it cannot be written."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.path = folder
        self._schema = schema

    def part(self, number: int) -> Path:
        """Return the file of a part."""
        return self.path / f"part-{number:05d}.parquet"

    @property
    def unreadable(self) -> Path:
        """The file with all rows that cannot be read."""
        return self.path / "unreadable.parquet"

    def prepare(self, parts: int) -> str | None:
        """Leave so many parts, and return where the next begins; None: with the first row.

        Raises OSError, OtherVersion or ValueError where the last part is not there, not of this
        version, or of other columns.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        complete = {self.part(number).name for number in range(parts)}
        complete |= {self._unreadable_of(number).name for number in range(parts)}
        for file in self.path.iterdir():
            if _FILE.fullmatch(file.name) and file.name not in complete:
                file.unlink()
        if not parts:
            return None
        file = self.part(parts - 1)
        schema = pq.read_schema(file)
        require_version(schema, file)
        if schema.names != self._schema.names:
            raise ValueError(f"{file}: it has other columns than this run reads")
        until = schema.metadata.get(_UNTIL)
        if until is None:
            raise ValueError(f"{file}: it does not say where the next part begins")
        return str(until.decode())

    @contextmanager
    def write_part(self, number: int, until: str | None) -> Iterator[PartWriter]:
        """Give a writer of a part that ends at ``until``; the part is there after the block.

        Of a block that raises, nothing is left.
        """
        schema = versioned(self._schema)
        if until is not None:
            schema = schema.with_metadata({**schema.metadata, _UNTIL: until.encode()})
        with (
            written_file(self._unreadable_of(number), versioned(UNREADABLE)) as unreadable,
            written_file(self.part(number), schema) as part,
        ):
            writer = PartWriter(part, unreadable)
            yield writer
            writer.flush()

    def join_unreadable(self, parts: int) -> None:
        """Make one file of the unreadable rows of all parts."""
        with written_file(self.unreadable, versioned(UNREADABLE)) as whole:
            for number in range(parts):
                with pq.ParquetFile(self._unreadable_of(number)) as file:
                    for batch in file.iter_batches():
                        whole.write_batch(batch)

    def remove_pieces(self) -> None:
        """Remove the unreadable rows of each part, which are in one file now."""
        for file in self.path.glob("unreadable-*.parquet"):
            file.unlink()

    def _unreadable_of(self, number: int) -> Path:
        return self.path / f"unreadable-{number:05d}.parquet"


class PartWriter:
    """Writes the rows of a part, and those that cannot be read.

    Batches are joined to row groups: those of a slow source are small.
    """

    def __init__(self, part: Any, unreadable: Any) -> None:
        self._part = part
        self._unreadable = unreadable
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    def write(self, texts: pa.RecordBatch, unreadable: pa.Table | None) -> None:
        """Write a batch; ``unreadable``: as ``UNREADABLE``, of its rows."""
        self._waiting.append(texts)
        self._rows += texts.num_rows
        if self._rows >= _GROUP_ROWS:
            self.flush()
        if unreadable is not None:
            self._unreadable.write_table(unreadable)

    def flush(self) -> None:
        """Write what waits."""
        if self._rows:
            self._part.write_table(pa.Table.from_batches(self._waiting), row_group_size=self._rows)
        self._waiting.clear()
        self._rows = 0


@contextmanager
def written_file(file: Path, schema: pa.Schema) -> Iterator[Any]:
    """Give a writer of Parquet; ``file`` is there, and on disk, after the block, or not at all.

    Only the owner may read it.
    """
    temporary = file.with_name(f"{file.name}.tmp")
    try:
        with os.fdopen(
            os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb"
        ) as stream:
            writer = pq.ParquetWriter(stream, schema)
            try:
                yield writer
            except BaseException:
                with suppress(Exception):  # a full disk fails the second time too
                    writer.close()
                raise
            writer.close()
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
        _synchronise(file.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _synchronise(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
