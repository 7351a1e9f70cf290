"""Counting the rows of a record at its source, for statistics: past the cache, once a snapshot."""

from __future__ import annotations

import asyncio
from typing import cast

import structlog

from connectors.backends.base import NotMapped, SourceMaintenance, SourceUnavailable
from connectors.backends.row_counts import CountingBackend, CountRequest, GroupCounts
from connectors.description import Text
from gateway.answer import SourceReport, State
from gateway.fetch.breaker import BreakerState
from gateway.fetch.source import Source

#: Why a source that answers about people has no counts: see decision 70.
_COUNTS_NOT = Text(
    "Nguồn này trả lời về từng người, không đếm bản ghi: không có số liệu thống kê.",
    "This source answers about people and does not count records: there are no statistics of it.",
)

log = structlog.get_logger(__name__)


async def count_at_source(
    source: Source, request: CountRequest, seconds: float
) -> tuple[SourceReport, GroupCounts | None]:
    """Return the report of a count, and the counts; None where they are not known.

    ``seconds``: how long it may take. Never raises for what a source does. The source reads all
    rows of the record once.
    """
    record = request.record
    certain = source.certain_answer(record)
    if certain is not None:
        return certain.report, None
    if not hasattr(source.backend, "count"):
        return source.report(record, State.NOT_OPERATING, message=_COUNTS_NOT), None
    if source.breaker.state is BreakerState.OPEN:
        return source.report(record, State.UNAVAILABLE), None
    backend = cast("CountingBackend", source.backend)
    state = State.UNAVAILABLE
    try:
        async with asyncio.timeout(seconds):
            return source.report(record, State.ANSWERED), await backend.count(request)
    except TimeoutError:
        state = State.TIMED_OUT
    except NotMapped:
        state = State.NOT_OPERATING
    except SourceMaintenance:
        state = State.MAINTENANCE
    except SourceUnavailable as error:
        log.warning("count failed", database=record.database, record=record.name, reason=str(error))
    return source.report(record, state), None
