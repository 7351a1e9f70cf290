"""Why a source, a record or a row is not read. No message has a value of a row or a password."""

from __future__ import annotations


class NotReadInBulk(Exception):
    """A database cannot be read as a whole; the message says why. It counts as not read."""


class SourceFailed(Exception):
    """A record could not be read to its end.

    ``database``, ``record``: which. ``reason``: why, without values. What was read before stays
    valid: the record can be resumed.
    """

    def __init__(self, database: str, record: str, reason: str) -> None:
        super().__init__(f"{database}.{record}: {reason}")
        self.database = database
        self.record = record
        self.reason = reason


class RowUnreadable(SourceFailed):
    """A value cannot be read, and settings say that the run stops then.

    ``column``: where. ``position``: the place of its row among the rows of the record, from 1, in
    the order in which they are read.
    """

    def __init__(self, database: str, record: str, column: str, position: int) -> None:
        super().__init__(database, record, f"{column} of row {position} cannot be read")
        self.column = column
        self.position = position
