"""What errors of PostgreSQL, and of its driver, say of a source."""

from __future__ import annotations

import asyncpg

from connectors.backends.base import DataFault, SourceRefused, SourceUnavailable

NO_TABLE = (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError)
#: What drivers raise, and what they let through: of sockets, of TLS, of values beyond Python's.
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
#: What a statement says that was prepared for columns of other types.
CHANGED = (
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
    asyncpg.UndefinedFunctionError,
    asyncpg.DatatypeMismatchError,
)
#: What columns say that cannot be compared with each other, or with keys.
_INCOMPARABLE = (
    asyncpg.UndefinedFunctionError,
    asyncpg.DatatypeMismatchError,
    asyncpg.AmbiguousParameterError,
    asyncpg.IndeterminateDatatypeError,
    asyncpg.CannotCoerceError,
)
#: What a value says that the server cannot compute, or put into letters of ours.
SPOILT = (asyncpg.DataError, asyncpg.CardinalityViolationError)

#: What a statement of freshness says that states nothing: of other columns, or of other types.
NO_STATEMENT = (asyncpg.UndefinedColumnError, *SPOILT, *_INCOMPARABLE)


def failure(error: BaseException) -> SourceUnavailable:
    """Return what an error of a statement says of the source."""
    if isinstance(error, _INCOMPARABLE):
        return SourceRefused(reason(error))
    # Of the driver: a value that Python cannot hold. (Errors of TLS are ValueErrors as well.)
    unread = isinstance(error, ValueError | OverflowError) and not isinstance(error, OSError)
    if unread or isinstance(error, SPOILT):
        return DataFault(reason(error))
    return SourceUnavailable(reason(error))


def reason(error: BaseException) -> str:
    """Name the error, without its text: that may repeat values."""
    return type(error).__name__
