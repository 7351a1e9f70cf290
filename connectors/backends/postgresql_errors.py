"""Classifies the errors of PostgreSQL and of its driver."""

from __future__ import annotations

import asyncpg

from connectors.backends.base import DataFault, SourceRefused, SourceUnavailable

NO_TABLE = (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError)
#: Errors of the driver, and those it lets through: sockets, TLS, values beyond Python's range.
FAILURES = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    EOFError,
    ValueError,
    OverflowError,
)
#: A statement was prepared for columns of other types.
CHANGED = (
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
    asyncpg.UndefinedFunctionError,
    asyncpg.DatatypeMismatchError,
)
#: Columns cannot be compared with each other, or with keys.
_INCOMPARABLE = (
    asyncpg.UndefinedFunctionError,
    asyncpg.DatatypeMismatchError,
    asyncpg.AmbiguousParameterError,
    asyncpg.IndeterminateDatatypeError,
    asyncpg.CannotCoerceError,
)
#: The server cannot compute a value, or encode it.
SPOILT = (asyncpg.DataError, asyncpg.CardinalityViolationError)

#: A statement that writes rows as JSON does not fit the tables any more, or meets such a value.
UNWRITABLE = (asyncpg.SyntaxOrAccessError, *NO_TABLE, *CHANGED, *SPOILT)

#: A table named like the statement of freshness has other columns or types.
NO_STATEMENT = (asyncpg.UndefinedColumnError, *SPOILT, *_INCOMPARABLE)


def postgresql_failure(error: BaseException) -> SourceUnavailable:
    """Return what an error of a statement means for the source."""
    if isinstance(error, _INCOMPARABLE):
        return SourceRefused(postgresql_reason(error))
    # Of the driver: a value that Python cannot hold. (Errors of TLS are ValueErrors as well.)
    unread = isinstance(error, ValueError | OverflowError) and not isinstance(error, OSError)
    if unread or isinstance(error, SPOILT):
        return DataFault(postgresql_reason(error))
    return SourceUnavailable(postgresql_reason(error))


def postgresql_reason(error: BaseException) -> str:
    """Return the name of an error, without its text: that may repeat values."""
    return type(error).__name__
