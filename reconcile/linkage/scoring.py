"""Splink's part: a linker over the prepared tables of a record, and the weights of pairs."""

from __future__ import annotations

import logging
from typing import Any

from reconcile.linkage.backend import LinkageBackend


def people_count(backend: LinkageBackend) -> int:
    """Return how many people records may be of."""
    return row_count(backend, "(select distinct row_id from people) as different")


def row_count(backend: LinkageBackend, table: str) -> int:
    """Return how many rows a table has."""
    (batch,) = backend.batches(f"select count(*) as rows from {table}")
    return int(batch.column(0)[0].as_py())


def linker_of(backend: LinkageBackend, record: str, settings: dict[str, Any]) -> Any:
    """Return Splink's linker of the records and the people."""
    from splink import Linker

    logging.getLogger("splink").setLevel(logging.WARNING)
    api = backend.splink_api()
    tables = [
        api.register(f"records_{record}", dataset_display_name=f"a_records_{record}"),
        api.register(f"people_{record}", dataset_display_name=f"b_people_{record}"),
    ]
    return Linker(tables, settings, log_level=None)
