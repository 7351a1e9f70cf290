"""The bodies of our service over X-Road: requests and answers, as JSON.

docs/reference/xroad.md specifies them for providers. Numbers of people are in bodies only: paths
and headers are monitored and logged on both sides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from connectors.backends.base import Batch, Rows, read_rows
from connectors.backends.readers import UNREAD
from connectors.codec import encode_text
from connectors.description import Lookup, Record, Row

#: The most that security servers let through, in either direction.
LARGEST = 10 * 1024 * 1024
#: What a provider answers, with 404, of a record that it does not keep.
NOT_KEPT = "RECORD_NOT_KEPT"
#: What a provider answers, with 503, while it is in maintenance.
MAINTENANCE = "MAINTENANCE"


class MalformedMessage(Exception):
    """A body is not of the agreed form. The message names no value."""


@dataclass(frozen=True, slots=True)
class RowsRequest:
    """A request to a provider for the rows of some keys."""

    record: str
    lookup: str
    keys: tuple[str, ...]


def request_body(record: Record, lookup: Lookup, keys: Sequence[str]) -> bytes:
    """Return the body that requests the rows of ``record`` for ``keys``."""
    return orjson.dumps(
        {"record": record.name, "lookup": lookup.name, "keys": keys, "most": record.fetch_limit}
    )


def parse_request(body: bytes) -> RowsRequest:
    """Parse a request; raises MalformedMessage."""
    try:
        content = orjson.loads(body)
        keys = content["keys"]
        record, lookup = content["record"], content["lookup"]
    except (ValueError, TypeError, KeyError):
        raise MalformedMessage("no such question") from None
    texts = isinstance(keys, list) and all(
        isinstance(text, str) for text in (record, lookup, *keys)
    )
    if not texts:
        raise MalformedMessage("no such question")
    return RowsRequest(record, lookup, tuple(keys))


def answer_body(record: Record, batch: Batch) -> bytes:
    """Return the body that answers with ``batch``."""
    return orjson.dumps(
        {
            "asOf": None if batch.as_of is None else batch.as_of.astimezone(UTC).isoformat(),
            "columns": [column.name for column in record.columns],
            "found": {
                key: {
                    "rows": [[encode_text(value) for value in row] for row in rows.rows],
                    "unreadable": rows.unreadable,
                    "truncated": rows.truncated,
                }
                for key, rows in batch.by_key.items()
            },
            "failed": sorted(batch.failed),
        }
    )


def parse_answer(record: Record, keys: Sequence[str], body: bytes) -> Batch:
    """Parse the answer for ``keys``; raises MalformedMessage.

    An omitted key is not a key without rows, and an omitted column is not one without values: the
    answer is malformed then. A value that is not text costs its row.
    """
    try:
        content = _loaded(body)
        places = {name: place for place, name in enumerate(content["columns"])}
        order = [places[column.name] for column in record.columns]
        failed = dict.fromkeys(content["failed"], "the provider could not answer it")
        rows_by_key = content["found"]
        by_key = {key: _rows(record, order, rows_by_key[key]) for key in keys if key not in failed}
        return Batch(by_key, _moment(content["asOf"]), failed)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise MalformedMessage(f"no such answer ({type(error).__name__})") from None


def _loaded(body: bytes) -> Any:
    """Parse JSON; undecodable text becomes ``UNREAD``. Raises ValueError for other bodies."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return _readable(json.loads(body.decode("utf-8", "surrogateescape")))
    except RecursionError:
        raise ValueError from None


def _readable(value: Any) -> Any:
    """Replace text with invalid bytes or surrogates by ``UNREAD``."""
    if isinstance(value, list):
        return [_readable(item) for item in value]
    if isinstance(value, dict):
        return {key: _readable(item) for key, item in value.items()}
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return UNREAD
    return value


def _rows(record: Record, order: Sequence[int], content: Mapping[str, object]) -> Rows:
    rows, unreadable, truncated = content["rows"], content["unreadable"], content["truncated"]
    if not isinstance(rows, list) or not isinstance(truncated, bool):
        raise TypeError
    if not isinstance(unreadable, int) or isinstance(unreadable, bool) or unreadable < 0:
        raise TypeError
    if any(len(row) != len(order) for row in rows):
        raise ValueError
    read = read_rows(record, [[row[place] for place in order] for row in rows])
    decoded: tuple[Row, ...] = read.rows
    return Rows(decoded, read.unreadable + unreadable, read.truncated or truncated, read.faults)


def _moment(stated: object) -> datetime | None:
    if stated is None:
        return None
    moment = datetime.fromisoformat(str(stated))
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)
