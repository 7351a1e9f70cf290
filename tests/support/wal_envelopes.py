"""What Debezium would write of the log of PostgreSQL, as ``test_decoding`` shows it.

The envelopes are those of Debezium 3 without a schema (recorded from its engine, 3.6.3): columns by
name, ``source`` with the moment of the commit and the place in the log, and ``message`` for what
``pg_logical_emit_message`` wrote. Columns of text, of dates and of moments are enough here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

_EPOCH = date(1970, 1, 1)
_OPERATIONS = {"INSERT": "c", "UPDATE": "u", "DELETE": "d"}
_CHANGE = re.compile(r'table "?(\w+)"?\."?(\w+)"?: (INSERT|UPDATE|DELETE): (.*)', re.DOTALL)
_MESSAGE = re.compile(r"message: transactional: 1 prefix: (\w+), sz: \d+ content:(.*)", re.DOTALL)
_COMMIT = re.compile(r"COMMIT \d+ \(at (.+)\)")
_COLUMN = re.compile(r"\"?(\w+)\"?\[([\w ]+)\]:(null|'(?:[^']|'')*')")
#: Between the former row and the present one, in an update of a table with whole former rows.
_OLD, _NEW = "old-key: ", " new-tuple: "


@dataclass(frozen=True)
class LogRecord:
    """A line of ``test_decoding``. ``place``: in the log, as in ``0/16B3748``."""

    place: str
    text: str


@dataclass(frozen=True)
class Transaction:
    """A committed transaction. ``end``: where the log goes on. ``messages``: topic and value."""

    end: str
    messages: Sequence[tuple[str, bytes]]


def transactions(records: Sequence[LogRecord], prefix: str) -> Iterator[Transaction]:
    """Return what Debezium writes of each transaction; ``prefix``: of topics."""
    changes: list[LogRecord] = []
    for record in records:
        if record.text.startswith("BEGIN"):
            changes = []
        elif commit := _COMMIT.fullmatch(record.text):
            moment = datetime.fromisoformat(commit[1])
            yield Transaction(record.place, [_message(each, moment, prefix) for each in changes])
        else:
            changes.append(record)


def _message(record: LogRecord, committed_at: datetime, prefix: str) -> tuple[str, bytes]:
    """Return the topic and the envelope of a change."""
    change = _CHANGE.fullmatch(record.text)
    if change is None:
        message = _MESSAGE.fullmatch(record.text)
        assert message is not None, record.text
        payload: dict[str, object] = {
            "op": "m",
            "source": _source(record, committed_at, "", ""),
            "message": {"prefix": message[1], "content": ""},
        }
        return f"{prefix}.message", json.dumps(payload).encode()
    schema, table, operation, columns = change.groups()
    old, _, new = columns.removeprefix(_OLD).rpartition(_NEW)
    before, after = {"INSERT": ("", new), "DELETE": (new, ""), "UPDATE": (old, new)}[operation]
    payload = {
        "before": _row(before),
        "after": _row(after),
        "op": _OPERATIONS[operation],
        "source": _source(record, committed_at, schema, table),
    }
    return f"{prefix}.{schema}.{table}", json.dumps(payload).encode()


def _source(
    record: LogRecord, committed_at: datetime, schema: str, table: str
) -> dict[str, object]:
    upper, _, lower = record.place.partition("/")
    microseconds = round(committed_at.timestamp() * 1_000_000)
    return {
        "connector": "postgresql",
        "schema": schema,
        "table": table,
        "ts_ms": microseconds // 1_000,
        "ts_us": microseconds,
        "lsn": (int(upper, 16) << 32) + int(lower, 16),
        "snapshot": "false",
    }


def _row(columns: str) -> dict[str, object] | None:
    if not columns:
        return None
    return {name: _value(kind, text) for name, kind, text in _COLUMN.findall(columns)}


def _value(kind: str, text: str) -> object:
    if text == "null":
        return None
    value = text[1:-1].replace("''", "'")
    if kind == "date":
        return (date.fromisoformat(value) - _EPOCH).days
    if kind == "timestamp with time zone":
        return datetime.fromisoformat(value).astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value
