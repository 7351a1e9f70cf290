"""The records of a database as it stores them: what settings say, for every make of source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.backends.record_maps import RecordMap, StoredTable, map_records
from connectors.description import Database
from reconcile.sources.column_texts import RecordReading
from reconcile.sources.failures import NotReadInBulk


@dataclass(frozen=True, slots=True)
class StoredRecords:
    """The records of a database, with what settings say of each."""

    database: Database
    maps: Mapping[str, RecordMap]
    tables: Mapping[str, StoredTable]

    def reading(self, record: str, columns: tuple[str, ...]) -> RecordReading:
        """Return how a record is read; raises NotReadInBulk where it is not stored."""
        if record not in self.tables:
            raise NotReadInBulk(f"{self.database.name} does not keep {record}, settings say")
        return RecordReading(self.tables[record], self.maps.get(record), columns)


def stored_records(
    database: Database, maps: Mapping[str, RecordMap], zone: str | None
) -> StoredRecords:
    """Return the records of a database; raises ValueError for settings that are wrong."""
    return StoredRecords(database, maps, map_records(database, maps, zone))
