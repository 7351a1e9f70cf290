"""Values in Redis that are not entries: changed, moved, or of another key or log."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.backends.base import MessageEvidence, read_rows
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.registry import installed_databases
from gateway.answer import Answer, State
from gateway.cache.invalidations import Position
from gateway.cache.memory import CacheEntry, entry_weight
from gateway.cache.seal import EntryRejected, Seal
from gateway.fetch.source import Source
from gateway.keys.keyring import Secret
from gateway.runtime.clock import SystemClock
from gateway.settings import DatabaseSettings
from tests.support.caches import SECRET
from tests.support.people import HOA
from tests.support.table import raw_row

SOURCE = Source(CIVIL_STATUS, None, DatabaseSettings(), SystemClock())
MARRIAGES = CIVIL_STATUS.by_name["marriages"]
SEAL = Seal.of(SECRET)
KEY, POSITION = "justice-gateway:rows:{a}:b:marriages", Position("run", (7 << 64) | 3)


def _entry(**values: object) -> CacheEntry:
    record = MARRIAGES
    raw = [values.get(column.name) for column in record.columns]
    rows = read_rows(record, [raw]).rows
    report = SOURCE.report(
        MARRIAGES,
        State.ANSWERED,
        as_of=datetime(2026, 11, 1, tzinfo=UTC),
        fetched_at=datetime(2026, 11, 28, 1, 2, 3, 450_000, tzinfo=UTC),
        from_cache=True,
        evidence=MessageEvidence("i", "r", "h"),
    )
    assert report.fetched_at is not None
    answer = Answer(report, rows, 0, True)
    read_at = report.fetched_at.timestamp()
    return CacheEntry(answer, POSITION, read_at, entry_weight(rows))


MARRIAGE = {
    "event_id": "M1",
    "husband_citizen_id": HOA,
    "registration_date": "2015-01-01",
    "ended_on": "2020",
    "amendments": ["một", "hai"],
    "re_registered": True,
    "source_updated_at": "2026-01-02T03:04:05+07:00",
}


def _open(value: bytes, key: str = KEY, epoch: str = "run", seal: Seal = SEAL) -> CacheEntry:
    return seal.open(key, value, epoch, MARRIAGES, SOURCE.report)


def test_an_entry_comes_back_as_it_was() -> None:
    entry = _entry(**MARRIAGE)
    result = _open(SEAL.close(KEY, entry))
    for restored, sealed in (
        (result.answer.report, entry.answer.report),
        (result.answer, entry.answer),
    ):
        names = {field.name for field in fields(sealed)} - {"report"}
        assert all(getattr(restored, name) == getattr(sealed, name) for name in names)
    assert (result.position, result.read_at) == (entry.position, entry.read_at)
    assert result.mentions(MARRIAGES) == {HOA}


def test_what_is_sealed_shows_nothing() -> None:
    value = SEAL.close(KEY, _entry(**MARRIAGE))
    assert HOA.encode() not in value
    assert SEAL.close(KEY, _entry(**MARRIAGE)) != value


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("foreign", lambda value: value[:-1] + bytes([value[-1] ^ 1])),
        ("foreign", lambda value: value[:40]),
        ("corrupt", lambda value: b""),
        ("corrupt", lambda value: b"something else"),
        ("key", lambda value: value[:1] + b"00000000" + value[9:]),
    ],
)
def test_a_changed_value_is_none(reason: str, change: object) -> None:
    assert callable(change)
    with pytest.raises(EntryRejected, match=reason):
        _open(change(SEAL.close(KEY, _entry(**MARRIAGE))))


def test_a_value_that_stood_elsewhere_or_in_another_life_of_redis_is_none() -> None:
    value = SEAL.close(KEY, _entry(**MARRIAGE))
    for key, epoch in ((KEY + "x", "run"), (KEY, "another run")):
        with pytest.raises(EntryRejected, match="foreign"):
            _open(value, key, epoch)


def test_a_value_of_an_older_key_is_none() -> None:
    older = Seal.of(Secret.of(b"an older key of the tests, long enough"))
    with pytest.raises(EntryRejected, match="key"):
        _open(older.close(KEY, _entry(**MARRIAGE)))


def test_every_kind_of_value_of_every_record_comes_back() -> None:
    databases = tuple(database for database in installed_databases() if database.records)
    kinds: set[type] = set()
    for database in databases:
        source = Source(database, None, DatabaseSettings(), SystemClock())
        for record in database.records:
            rows = read_rows(record, [tuple(raw_row(database, record).values())]).rows
            assert rows, record.name
            kinds |= {type(value) for row in rows for value in row}
            report = source.report(record, State.ANSWERED, fetched_at=SystemClock().now())
            entry = CacheEntry(Answer(report, rows), POSITION, 1.0, 1)
            opened_entry = SEAL.open(KEY, SEAL.close(KEY, entry), "run", record, source.report)
            assert opened_entry.answer.rows == rows
    assert {Decimal, datetime, bool, int, tuple} <= kinds
