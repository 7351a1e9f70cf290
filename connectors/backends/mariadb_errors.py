"""Classifies the errors of MariaDB and of its driver."""

from __future__ import annotations

from asyncmy.errors import Error as DriverError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from connectors.backends.base import DataFault, SourceRefused, SourceUnavailable

#: The server's numbers for: no such table, no such database.
NO_TABLE = {1146, 1049}
#: For a table, a column that the user may not read.
DENIED = {1142, 1143}
#: For values that it cannot compute: out of range, of no such form, several where one is needed.
_SPOILT = {1242, 1264, 1292, 1365, 1366, 1411, 1690}
#: For texts that do not compare.
_INCOMPARABLE = {1267, 1270, 1271}
#: A table named like the statement of freshness has other columns, or no value.
NO_STATEMENT = {1054, *_SPOILT}
FAILURES = (
    SQLAlchemyError,
    DriverError,
    OSError,
    TimeoutError,
    EOFError,
    ValueError,
    OverflowError,
)


def mariadb_failure(error: BaseException) -> SourceUnavailable:
    """Return what an error of a statement means for the source."""
    code = number(error)
    if code in _INCOMPARABLE:
        return SourceRefused(mariadb_reason(error))
    unread = isinstance(error, ValueError | OverflowError) and not isinstance(error, OSError)
    if unread or code in _SPOILT:
        return DataFault(mariadb_reason(error))
    return SourceUnavailable(mariadb_reason(error))


def number(error: BaseException) -> int | None:
    """Return the server's number of an error, None where it has none."""
    original = error.orig if isinstance(error, DBAPIError) else error
    code = original.args[0] if original is not None and original.args else None
    return code if isinstance(code, int) else None


def mariadb_reason(error: BaseException) -> str:
    """Return the name and number of an error, without its text: that may repeat values."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig else error
    code = number(error)
    return type(original).__name__ if code is None else f"{type(original).__name__} {code}"
