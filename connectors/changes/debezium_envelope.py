"""Debezium's envelopes: what a message says of a change. Pure; the stream is read elsewhere.

Read are messages with a schema (``schema`` and ``payload``) and without one. Nothing is guessed:
numbers that stand for dates or amounts are read where the schema, or the declared kind, says which.
Specification: Debezium documentation, "Data change events" and "Temporal values" of the connectors
for PostgreSQL, MySQL and MariaDB, 2.x and 3.x.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.backends.readers import UNREAD
from connectors.backends.record_maps import StoredTable
from connectors.changes.change import Change, ChangeOperation, UnreadableChange
from connectors.changes.json_rows import convert_iso, decode_object, identity_of, load_object
from connectors.codec import Unreadable
from connectors.description import Kind, Row

_OPERATIONS = {
    "c": ChangeOperation.CREATE,
    "u": ChangeOperation.UPDATE,
    "d": ChangeOperation.DELETE,
}
_SNAPSHOT, _TRUNCATE = "r", "t"
#: In place of a long value that an update left as it was and that the log of the server lacks.
_UNAVAILABLE = "__debezium_unavailable_value"
_EPOCH_DAY = date(1970, 1, 1)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - of moments without a zone
#: Names of schemas of numbers -> the unit that they count.
_DAYS = {"io.debezium.time.Date", "org.apache.kafka.connect.data.Date"}
_MOMENTS = {
    "io.debezium.time.Timestamp": timedelta(milliseconds=1),
    "org.apache.kafka.connect.data.Timestamp": timedelta(milliseconds=1),
    "io.debezium.time.MicroTimestamp": timedelta(microseconds=1),
}
_NANOSECONDS = "io.debezium.time.NanoTimestamp"
_DECIMAL = "org.apache.kafka.connect.data.Decimal"


@dataclass(frozen=True, slots=True)
class Message:
    """What a message says.

    ``change``: None for heartbeats, markers of transactions, snapshots and other tables.
    ``committed_at``: of the transaction, as the source says (UTC). ``begins_snapshot``: Debezium
    reads all tables anew, so it lost its place.
    """

    change: Change | UnreadableChange | None = None
    committed_at: datetime | None = None
    begins_snapshot: bool = False


class Envelopes:
    """Reads the messages about ``tables``, by their names in the source.

    ``whole_before``: former rows are complete (replica identity FULL; binary logs of MariaDB with
    whole rows). If not, ``before`` has the key alone, and the columns beside it look empty.
    """

    def __init__(self, tables: Mapping[str, StoredTable], whole_before: bool) -> None:
        self._by_name = {stored.table: stored for stored in tables.values()}
        self._whole_before = whole_before

    def read(self, topic: str, value: bytes | str | None, number: str) -> Message:
        """Read a message of ``topic``; ``number``: where the stream has it. Never raises.

        A message that cannot be read is a change of somebody, if its topic is one of a table.
        """
        if not value:
            return Message()  # a tombstone: the deletion came before
        stored = self._by_name.get(topic.rpartition(".")[2])
        try:
            content = load_object(value)
            return Message() if content is None else self._read_payload(stored, content, number)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, Unreadable):
            if stored is None:
                return Message()
            return Message(UnreadableChange(stored.record, number, "no envelope of Debezium"))

    def _read_payload(
        self, stored: StoredTable | None, content: Mapping[str, Any], number: str
    ) -> Message:
        payload: Any = content
        schema = None
        if "payload" in content and "op" not in content:
            payload, schema = content["payload"], content.get("schema")
        operation = None if payload is None else payload.get("op")
        if operation is None:
            return Message()  # a heartbeat, a transaction's marker, a change of the schema
        source = payload.get("source")
        source = source if isinstance(source, Mapping) else {}
        stored = self._by_name.get(str(source.get("table"))) if source.get("table") else stored
        committed_at = _committed_at(source)
        if operation == _SNAPSHOT:
            return Message(begins_snapshot=str(source.get("snapshot")) == "first")
        if stored is None or operation not in {*_OPERATIONS, _TRUNCATE}:
            return Message(committed_at=committed_at)
        change = self._change(stored, payload, schema, source, number)
        return Message(change, committed_at)

    def _change(
        self,
        stored: StoredTable,
        payload: Mapping[str, Any],
        schema: Mapping[str, Any] | None,
        source: Mapping[str, Any],
        number: str,
    ) -> Change | UnreadableChange:
        record, operation = stored.record, payload["op"]
        if operation == _TRUNCATE:
            return UnreadableChange(record, number, "the table was emptied")
        old, new = payload.get("before"), payload.get("after")
        names = _schema_names(schema)
        try:
            after = None if new is None else decode_object(stored, _converted(new, names), convert)
            keyed = _converted(new if new is not None else old or {}, names)
            identity = identity_of(stored, keyed, convert)
        except Unreadable as error:
            return UnreadableChange(record, _position(source, stored, number, ""), str(error))
        if after is None and operation != "d":
            return UnreadableChange(record, number, "the message holds no row")
        position = _position(source, stored, number, f"{operation}{identity}")
        before = self._before(stored, old, names)
        moment = _committed_at(source)
        return Change(record, _OPERATIONS[operation], identity, before, after, position, moment)

    def _before(
        self, stored: StoredTable, old: Mapping[str, Any] | None, names: Mapping[str, Any]
    ) -> Row | None:
        if old is None or not self._whole_before:
            return None
        try:
            return decode_object(stored, _converted(old, names), convert)
        except Unreadable:
            return None


def convert(value: object, kind: Kind | None) -> object:
    """Turn a value of an envelope into one that a driver would give."""
    if value == _UNAVAILABLE:
        return UNREAD
    if kind is Kind.DATE and isinstance(value, int) and not isinstance(value, bool):
        return _EPOCH_DAY + timedelta(days=value)
    if kind in {Kind.PARTIAL_DATE, Kind.DATETIME} and isinstance(value, int):
        return UNREAD  # days or years, milliseconds or microseconds: without a schema nobody knows
    if kind in {Kind.DATE, Kind.PARTIAL_DATE} and isinstance(value, str) and value.endswith("Z"):
        return convert_iso(value[:-1], kind)  # io.debezium.time.IsoDate
    return convert_iso(value, kind)


def _converted(
    row: Mapping[str, object], names: Mapping[str, Mapping[str, Any]]
) -> dict[str, object]:
    """Turn the values that have a schema with a name into those of a driver."""
    return {name: _by_schema(value, names.get(name, {})) for name, value in row.items()}


def _by_schema(value: object, schema: Mapping[str, Any]) -> object:
    name = schema.get("name")
    if value is None or name is None or isinstance(value, bool):
        return value
    try:
        if isinstance(value, int):
            return _moment_by_schema(value, str(name))
        if name == _DECIMAL and isinstance(value, str):
            digits = int.from_bytes(base64.b64decode(value, validate=True), "big", signed=True)
            return Decimal(digits).scaleb(-int(schema.get("parameters", {}).get("scale", 0)))
    except (OverflowError, ValueError, binascii.Error):
        return UNREAD
    return value


def _moment_by_schema(value: int, name: str) -> object:
    if name in _DAYS:
        return _EPOCH_DAY + timedelta(days=value)
    if name == _NANOSECONDS:
        return _EPOCH + timedelta(microseconds=value // 1000)
    return _EPOCH + value * _MOMENTS[name] if name in _MOMENTS else value


def _schema_names(schema: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    """Return the schema of each column, of those that have one with a name."""
    for part in (schema or {}).get("fields", ()):
        if part.get("field") in {"after", "before"}:
            return {field["field"]: field for field in part.get("fields", ()) if "name" in field}
    return {}


def _committed_at(source: Mapping[str, Any]) -> datetime | None:
    if isinstance(source.get("ts_us"), int):
        return _moment(source["ts_us"], 1000)
    return _moment(source.get("ts_ms"), 1)


def _moment(value: object, per_millisecond: int) -> datetime | None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return None
    moment = datetime(1970, 1, 1, tzinfo=UTC)
    return moment + timedelta(microseconds=value * 1000 // per_millisecond)


def _position(source: Mapping[str, Any], stored: StoredTable, number: str, change: str) -> str:
    """Return where the source has a change: Debezium may write it twice, to other places.

    The log sequence number of PostgreSQL, or file and place of a binary log, together with the row.
    """
    names = ("lsn", "txId", "file", "pos", "row", "gtid")
    places = [str(source[name]) for name in names if source.get(name) is not None]
    if not change or not ("lsn" in source or "pos" in source):
        return number
    text = "\n".join((stored.record.name, change, *places))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
