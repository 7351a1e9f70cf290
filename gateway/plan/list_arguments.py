"""The arguments of a list of records: which rows, in which order, how many, from where on.

They apply to what permission and protection have left. A row whose date or status is not known is
never filtered away: it might be the one that was asked for. Those of an access log, which is a list
too, are fewer: how many, and from where on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from connectors.description import Coded, Record, Row
from connectors.values import PartialDate
from gateway.errors import GatewayError
from gateway.plan.cursors import Cursor, parse_cursor
from gateway.runtime.clock import legal_date

DEFAULT_FIRST = 50
#: The longest page.
LONGEST_PAGE = 200
#: The same of an access log.
LOG_FIRST = 20
LONGEST_LOG_PAGE = 100


class Order(Coded):
    """In which order a list is."""

    NEWEST_FIRST = "mới nhất trước", "newest first"
    OLDEST_FIRST = "cũ nhất trước", "oldest first"


@dataclass(frozen=True, slots=True)
class ListArguments:
    """What a list was asked for. Dates are inclusive. ``fresh``: past the cache, never STALE.

    ``after``: the page before ended there.
    """

    first: int = DEFAULT_FIRST
    since: date | None = None
    until: date | None = None
    status: frozenset[str] | None = None
    oldest_first: bool = False
    fresh: bool = False
    after: Cursor | None = None

    @property
    def order(self) -> tuple[object, ...]:
        """Return what chooses and orders rows, whatever the page."""
        status = None if self.status is None else sorted(self.status)
        return (self.since, self.until, status, self.oldest_first)


def parse_list_arguments(record: Record, arguments: Mapping[str, Any]) -> ListArguments:
    """Return what the arguments of a list of ``record`` ask for, as graphql-core coerced them.

    Raises GatewayError INVALID_VALUE for what makes no sense, before anything is read.
    """
    if record.single:
        return ListArguments(fresh=bool(arguments.get("fresh")))
    status, order = arguments.get("status"), arguments.get("order")
    after = arguments.get("after")
    asked = ListArguments(
        first=arguments.get("first", DEFAULT_FIRST),
        since=arguments.get("from"),
        until=arguments.get("to"),
        status=None if status is None else frozenset(one.value for one in status),
        oldest_first=order is not None and order.value == Order.OLDEST_FIRST.name,
        fresh=bool(arguments.get("fresh")),
        after=None if after is None else parse_cursor(after),
    )
    most = longest_page(record)
    if not 1 <= asked.first <= most:
        raise GatewayError("INVALID_VALUE", f"first must be a number from 1 to {most}")
    if asked.since and asked.until and asked.since > asked.until:
        raise GatewayError("INVALID_VALUE", "from must not be later than to")
    return asked


def longest_page(record: Record) -> int:
    """Return how many rows of a list of ``record`` one page holds at most."""
    return min(LONGEST_PAGE, record.limit)


def select_page(
    record: Record, rows: Sequence[Row], wanted: ListArguments
) -> tuple[tuple[Row, ...], bool]:
    """Return a page of the rows wanted out of ``rows`` (newest first), and whether more follow."""
    kept = filter_and_order(record, rows, wanted)
    begin = wanted.after.position if wanted.after else 0
    end = begin + wanted.first
    return tuple(kept[begin:end]), len(kept) > end


def filter_and_order(record: Record, rows: Sequence[Row], wanted: ListArguments) -> Sequence[Row]:
    """Return all the rows wanted out of ``rows`` (newest first), in the order wanted."""
    kept = rows
    if record.date is not None and (wanted.since is not None or wanted.until is not None):
        kept = [row for row in kept if _in_time(row[record.positions[record.date]], wanted)]
    if record.status is not None and wanted.status is not None:
        place = record.positions[record.status]
        # What is not known might be what was asked for.
        kept = [row for row in kept if row[place] is None or row[place] in wanted.status]
    if wanted.oldest_first:
        kept = _reversed_dates(record, kept)
    return kept


def _in_time(value: object, wanted: ListArguments) -> bool:
    if isinstance(value, PartialDate):
        first, last = value.first, value.last
    elif isinstance(value, datetime):
        first = last = legal_date(value)
    elif isinstance(value, date):
        first = last = value
    else:
        return True
    too_early = wanted.since is not None and last < wanted.since
    too_late = wanted.until is not None and first > wanted.until
    return not (too_early or too_late)


def _reversed_dates(record: Record, rows: Sequence[Row]) -> Sequence[Row]:
    """Turn newest-first into oldest-first; unknown dates stay last."""
    if record.date is None:
        return rows
    place = record.positions[record.date]
    undated = [row for row in rows if row[place] is None]
    return [row for row in reversed(rows) if row[place] is not None] + undated


@dataclass(frozen=True, slots=True)
class LogArguments:
    """What is asked of an access log. ``after``: the page before ended there."""

    first: int
    after: str | None


def parse_log_arguments(given: Mapping[str, object]) -> LogArguments:
    """Return what the arguments ask; raises GatewayError INVALID_VALUE."""
    first, after = given.get("first", LOG_FIRST), given.get("after")
    if not isinstance(first, int) or not 1 <= first <= LONGEST_LOG_PAGE:
        raise GatewayError("INVALID_VALUE", f"first must be a number from 1 to {LONGEST_LOG_PAGE}")
    return LogArguments(first, after if isinstance(after, str) else None)
