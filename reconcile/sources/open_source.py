"""Opens the source that a database is, by its URL."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from reconcile.host import DatabaseAccess
from reconcile.sources.failures import NotReadInBulk
from reconcile.sources.mariadb import MariadbRecords
from reconcile.sources.parquet import ParquetRecords
from reconcile.sources.postgresql import PostgresqlRecords
from reconcile.sources.source import RecordSource
from reconcile.sources.sqlite import SqliteRecords
from reconcile.sources.stored_records import stored_records

#: Before the path of a folder with Parquet files.
_PARQUET = "parquet:"


def open_source(access: DatabaseAccess) -> RecordSource:
    """Return the source of a database; nothing is opened before the first read.

    Raises NotReadInBulk where there is none: behind X-Road nobody may read everything, or settings
    name no URL. Raises ValueError for settings that cannot be used; no message has the URL.
    """
    name = access.database.name
    if access.behind_xroad:
        raise NotReadInBulk(f"{name} is behind X-Road, which has no bulk reading")
    if access.url is None:
        raise NotReadInBulk(f"settings name no URL of {name}")
    records = stored_records(access.database, access.maps, access.zone)
    if access.url.startswith(_PARQUET):
        return ParquetRecords(records, Path(access.url.removeprefix(_PARQUET)))
    try:
        url = sa.make_url(access.url)
    except ArgumentError:
        raise ValueError(f"databases.{name}.url cannot be read") from None
    make = url.get_backend_name()
    if make == "postgresql":
        return PostgresqlRecords(records, url, access.server)
    if make in ("mysql", "mariadb"):
        return MariadbRecords(records, url, access.server)
    if make == "sqlite" and url.database:
        return SqliteRecords(records, Path(url.database))
    raise NotReadInBulk(f"{name}: there is no bulk reading of {make}")
