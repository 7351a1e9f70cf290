"""The arguments of a list of records: which rows, in which order, how many, after which cursor.

They apply to the rows that permission and protection leave. A row whose date or status is not known
is never filtered away: it might match. An access log takes a page size and a cursor only.
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
#: Rows on the longest page.
LONGEST_PAGE = 200
#: The same for an access log.
LOG_FIRST = 20
LONGEST_LOG_PAGE = 100


class Order(Coded):
    """The order of a list."""

    NEWEST_FIRST = "mới nhất trước", "newest first"
    OLDEST_FIRST = "cũ nhất trước", "oldest first"


@dataclass(frozen=True, slots=True)
class ListArguments:
    """The arguments of a list, parsed.

    ``first``: rows on the page. ``since``, ``until``: inclusive. ``status``: names of codes, None
    for any. ``fresh``: past the cache, never STALE. ``after``: the end of the page before.
    """

    first: int = DEFAULT_FIRST
    since: date | None = None
    until: date | None = None
    status: frozenset[str] | None = None
    oldest_first: bool = False
    fresh: bool = False
    after: Cursor | None = None

    @property
    def selects_all(self) -> bool:
        """Whether every row belongs to the list, in the order of the source, from the first on."""
        return (
            self.since is None
            and self.until is None
            and self.status is None
            and self.after is None
            and not self.oldest_first
        )

    @property
    def order(self) -> tuple[object, ...]:
        """The arguments that filter and order rows, the same for every page."""
        status = None if self.status is None else sorted(self.status)
        return (self.since, self.until, status, self.oldest_first)


def parse_list_arguments(record: Record, arguments: Mapping[str, Any]) -> ListArguments:
    """Return the arguments of a list of ``record``, from those that graphql-core coerced.

    Raises GatewayError INVALID_VALUE for values that make no sense, before anything is read.
    """
    if record.single:
        return ListArguments(fresh=bool(arguments.get("fresh")))
    status, order = arguments.get("status"), arguments.get("order")
    after = arguments.get("after")
    parsed = ListArguments(
        first=arguments.get("first", DEFAULT_FIRST),
        since=arguments.get("from"),
        until=arguments.get("to"),
        status=None if status is None else frozenset(value.value for value in status),
        oldest_first=order is not None and order.value == Order.OLDEST_FIRST.name,
        fresh=bool(arguments.get("fresh")),
        after=None if after is None else parse_cursor(after),
    )
    most = longest_page(record)
    if not 1 <= parsed.first <= most:
        raise GatewayError("INVALID_VALUE", f"first must be a number from 1 to {most}")
    if parsed.since and parsed.until and parsed.since > parsed.until:
        raise GatewayError("INVALID_VALUE", "from must not be later than to")
    return parsed


def longest_page(record: Record) -> int:
    """Return how many rows a page of ``record`` holds at most."""
    return min(LONGEST_PAGE, record.limit)


def select_page(
    record: Record, rows: Sequence[Row], arguments: ListArguments
) -> tuple[tuple[Row, ...], bool]:
    """Return a page of ``rows`` (newest first), and whether more rows follow it."""
    matching = filter_and_order(record, rows, arguments)
    begin = arguments.after.position if arguments.after else 0
    end = begin + arguments.first
    return tuple(matching[begin:end]), len(matching) > end


def filter_and_order(
    record: Record, rows: Sequence[Row], arguments: ListArguments
) -> Sequence[Row]:
    """Return the rows of ``rows`` (newest first) that match, in the order of the arguments.

    A row whose date or status is not known matches.
    """
    matching = rows
    if record.date is not None and (arguments.since is not None or arguments.until is not None):
        matching = [
            row for row in matching if _is_in_period(row[record.positions[record.date]], arguments)
        ]
    if record.status is not None and arguments.status is not None:
        place = record.positions[record.status]
        matching = [row for row in matching if row[place] is None or row[place] in arguments.status]
    if arguments.oldest_first:
        matching = _oldest_first(record, matching)
    return matching


def _is_in_period(value: object, arguments: ListArguments) -> bool:
    if isinstance(value, PartialDate):
        first, last = value.first, value.last
    elif isinstance(value, datetime):
        first = last = legal_date(value)
    elif isinstance(value, date):
        first = last = value
    else:
        return True
    too_early = arguments.since is not None and last < arguments.since
    too_late = arguments.until is not None and first > arguments.until
    return not (too_early or too_late)


def _oldest_first(record: Record, rows: Sequence[Row]) -> Sequence[Row]:
    """Return ``rows`` (newest first) oldest first; rows without a date stay last."""
    if record.date is None:
        return rows
    place = record.positions[record.date]
    undated = [row for row in rows if row[place] is None]
    return [row for row in reversed(rows) if row[place] is not None] + undated


@dataclass(frozen=True, slots=True)
class LogArguments:
    """The arguments of an access log, parsed. ``after``: the end of the page before."""

    first: int
    after: str | None


def parse_log_arguments(coerced: Mapping[str, object]) -> LogArguments:
    """Return the arguments of an access log; raises GatewayError INVALID_VALUE."""
    first, after = coerced.get("first", LOG_FIRST), coerced.get("after")
    if not isinstance(first, int) or not 1 <= first <= LONGEST_LOG_PAGE:
        raise GatewayError("INVALID_VALUE", f"first must be a number from 1 to {LONGEST_LOG_PAGE}")
    return LogArguments(first, after if isinstance(after, str) else None)
