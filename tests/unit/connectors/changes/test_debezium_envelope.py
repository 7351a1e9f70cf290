"""Envelopes of Debezium: with a schema and without, keys alone, snapshots, dates, heartbeats."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.backends.record_maps import RecordMap, map_records
from connectors.changes.change import Change, ChangeOperation, UnreadableChange
from connectors.changes.debezium_envelope import Envelopes, Message
from tests.support.backend_samples import AN, DATABASE, THINGS, UNIONS

TOPIC = "justice.public.unions"
SOURCE = {
    "connector": "postgresql", "schema": "public", "table": "unions", "ts_ms": 1_764_500_000_123,
    "lsn": 24023128, "txId": 556, "snapshot": "false",
}  # fmt: skip
ROW = {"event_id": "u1", "one_id": AN, "other_id": None, "registered_on": "1957", "mood": None}
COMMITTED = datetime(2025, 11, 30, 10, 53, 20, 123_000, tzinfo=UTC)
THING = {column.name: None for column in THINGS.columns} | {"thing_id": "t1", "owner_id": AN}


def read(payload: object, topic: str = TOPIC, *, whole_before: bool = True, **maps: Any) -> Message:
    tables = map_records(DATABASE, maps or None, "Asia/Ho_Chi_Minh" if maps else None)
    value = None if payload is None else json.dumps(payload).encode()
    return Envelopes(tables, whole_before).read(topic, value, "7")


def change(payload: object, topic: str = TOPIC, **more: Any) -> Change:
    message = read(payload, topic, **more)
    assert isinstance(message.change, Change), message
    return message.change


def envelope(operation: str, before: object, after: object, **source: object) -> dict[str, object]:
    return {"op": operation, "before": before, "after": after, "source": {**SOURCE, **source}}


def thing_value(column: str, value: object, schema: dict[str, Any] | None = None) -> object:
    """Return what is read of one column of a thing."""
    payload = envelope("c", None, {**THING, column: value}, table="things")
    content: dict[str, Any] = payload
    if schema is not None:
        fields = [{"field": "after", "fields": [{"field": column, **schema}]}]
        content = {"schema": {"fields": fields}, "payload": payload}
    message = read(content, "justice.public.things", things=RecordMap())
    if isinstance(message.change, UnreadableChange):
        return message.change.fault
    assert isinstance(message.change, Change)
    assert message.change.after is not None
    return message.change.after[THINGS.positions[column]]


def test_an_envelope_says_what_the_row_was_and_is() -> None:
    told = change(envelope("u", {**ROW, "mood": "CALM"}, {**ROW, "mood": "LOUD"}))
    assert (told.record, told.operation, told.identity) == (UNIONS, ChangeOperation.UPDATE, "u1")
    assert told.before is not None
    assert told.after is not None
    assert (told.before[-1], told.after[-1]) == ("CALM", "LOUD")
    assert told.committed_at == COMMITTED


def test_a_schema_beside_the_payload_changes_nothing() -> None:
    plain = envelope("c", None, ROW)
    assert change({"schema": {"type": "struct"}, "payload": plain}) == change(plain)


def test_where_before_has_the_key_alone_nothing_is_known_of_the_row() -> None:
    key = dict.fromkeys(ROW) | {"event_id": "u1"}
    told = change(envelope("d", key, None), whole_before=False)
    assert (told.operation, told.identity) == (ChangeOperation.DELETE, "u1")
    assert (told.before, told.after) == (None, None)


def test_a_deletion_without_the_identity_is_one_of_somebody() -> None:
    message = read(envelope("d", {"id": 7}, None))
    assert isinstance(message.change, UnreadableChange)
    assert message.change.fault == "event_id is missing"


def test_a_tombstone_says_nothing_more() -> None:
    assert read(None) == Message()
    assert read({"schema": None, "payload": None}) == Message()


def test_a_snapshot_is_no_change_and_its_beginning_is_told() -> None:
    assert read(envelope("r", None, ROW, snapshot="true")) == Message()
    assert read(envelope("r", None, ROW, snapshot="incremental")) == Message()
    assert read(envelope("r", None, ROW, snapshot="first")).begins_snapshot


def test_an_emptied_table_is_a_change_of_somebody() -> None:
    message = read(envelope("t", None, None))
    assert message.change == UnreadableChange(UNIONS, "7", "the table was emptied")


def test_other_tables_say_only_how_far_the_log_was_read() -> None:
    message = read(envelope("u", None, {"id": 1}, table="heartbeat"), "justice.public.heartbeat")
    assert (message.change, message.committed_at) == (None, COMMITTED)


def test_a_message_in_the_log_says_how_far_it_was_read() -> None:
    source = {
        "version": "3.6.3.Final", "connector": "postgresql", "name": "justice", "db": "postgres",
        "ts_ms": 1_764_500_000_123, "ts_us": 1_764_500_000_123_456, "snapshot": "false",
        "sequence": '["22288144","22288208"]', "schema": "", "table": "", "txId": 732,
        "lsn": 22_288_208, "xmin": None, "origin": None, "origin_lsn": None,
    }  # fmt: skip
    payload = {"op": "m", "source": source, "message": {"prefix": "heartbeat", "content": ""}}
    message = read(payload, "justice.message")
    assert message == Message(committed_at=COMMITTED + timedelta(microseconds=456))


def test_heartbeats_and_markers_of_transactions_say_nothing() -> None:
    assert read({"ts_ms": 1_764_500_000_123}, "__debezium-heartbeat.justice") == Message()
    marker = {"status": "END", "id": "571:53195832", "ts_ms": 1_764_500_000_123}
    assert read(marker, "justice.transaction") == Message()


@pytest.mark.parametrize("value", [b"{", b"[]", b'"x"', b'{"op": "c", "source": {}}'])
def test_what_is_no_envelope_is_a_change_of_somebody(value: bytes) -> None:
    message = Envelopes(map_records(DATABASE), True).read(TOPIC, value, "7")
    assert isinstance(message.change, UnreadableChange)
    assert message.change.record is UNIONS


def test_the_same_change_written_twice_has_one_position() -> None:
    tables = map_records(DATABASE)
    value = json.dumps(envelope("c", None, ROW)).encode()
    first, second = (Envelopes(tables, True).read(TOPIC, value, number) for number in "78")
    assert first.change is not None
    assert second.change is not None
    assert first.change.position == second.change.position
    other = change(envelope("c", None, {**ROW, "event_id": "u2"}))
    assert first.change.position != other.position


_AFTERNOON = datetime(2024, 2, 29, 16, tzinfo=UTC)
_MICROSECONDS = round(_AFTERNOON.timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("column", "value", "schema", "expected"),
    [
        ("day", 19_782, None, date(2024, 2, 29)),
        ("day", -4_688, None, date(1957, 3, 2)),
        ("day", "2024-02-29Z", None, date(2024, 2, 29)),
        ("day", "2024-02-29", None, date(2024, 2, 29)),
        ("day", 19_782, {"name": "io.debezium.time.Date"}, date(2024, 2, 29)),
        ("moment", "2024-02-29T16:00:00Z", None, _AFTERNOON),
        ("moment", _MICROSECONDS, None, "moment cannot be read"),
        (
            "moment",
            _MICROSECONDS,
            {"name": "io.debezium.time.MicroTimestamp"},
            _AFTERNOON - timedelta(hours=7),
        ),
        (
            "moment",
            _MICROSECONDS // 1000,
            {"name": "io.debezium.time.Timestamp"},
            _AFTERNOON - timedelta(hours=7),
        ),
        (
            "moment",
            _MICROSECONDS * 1000,
            {"name": "io.debezium.time.NanoTimestamp"},
            _AFTERNOON - timedelta(hours=7),
        ),
        ("about", 1957, None, "about cannot be read"),
        ("amount", "1250000.50", None, Decimal("1250000.50")),
        (
            "amount",
            base64.b64encode((125_000_050).to_bytes(4, "big")).decode(),
            {"name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "2"}},
            Decimal("1250000.50"),
        ),
        ("amount", "B4Rw", None, "amount cannot be read"),
        ("title", "__debezium_unavailable_value", None, "title cannot be read"),
        ("open", True, None, True),
        ("open", 0, None, False),
        ("names", '["Ánh"]', None, ("Ánh",)),
        ("names", ["Ánh"], None, ("Ánh",)),
    ],
)
def test_values_are_read_where_it_is_said_what_they_are(
    column: str, value: object, schema: dict[str, Any] | None, expected: object
) -> None:
    assert thing_value(column, value, schema) == expected
