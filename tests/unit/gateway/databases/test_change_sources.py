"""Settings make change sources, or are refused by name; nothing is left out in silence."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.changes.change import ChangePromise
from connectors.civil_status import DATABASE as CIVIL_STATUS
from gateway.databases.change_sources import make_change_source
from gateway.settings import DatabaseSettings, FollowSettings, RecordSettings, Settings

SERVER = "postgresql://gateway@127.0.0.1:5432/ho_tich"


def promise(
    address: str | None = SERVER,
    records: dict[str, RecordSettings] | None = None,
    **follow: Any,
) -> ChangePromise:
    changes = FollowSettings(**follow)
    database = DatabaseSettings(url=address, tls="off", records=records or {}, changes=changes)
    settings = Settings(databases={"civil_status": database})
    return make_change_source(settings, CIVIL_STATUS).promise


def test_an_outbox_is_looked_at_four_times_a_second() -> None:
    promised = promise(source="outbox")
    assert (promised.interval, promised.sees_deletions, promised.sees_before) == (0.25, True, True)
    assert promise(source="outbox", listen=True, interval=2).interval == 2


def test_an_outbox_without_rows_knows_no_former_values() -> None:
    assert not promise(source="outbox", holds_rows=False).sees_before


def test_polling_needs_a_column_of_every_record_that_has_events() -> None:
    without = {"deaths": RecordSettings(missing=("source_updated_at",))}
    with pytest.raises(ValueError, match=r"^databases.civil_status.changes: columns .* of deaths$"):
        promise(records=without, source="watermark")
    assert promise(records=without, source="watermark", columns={"deaths": "sua_luc"}).interval
    promised = promise(source="watermark", column="sua_luc", overlap=60)
    assert (promised.interval, promised.overlap) == (5.0, 60)


def test_debezium_is_read_from_its_broker_and_not_from_the_database() -> None:
    promised = promise(None, source="debezium", url="nats://127.0.0.1:4222", topic="ho_tich.public")
    assert (promised.interval, promised.sees_before) == (None, False)
    with pytest.raises(ValueError, match="need a url and a topic"):
        promise(source="debezium", url="nats://127.0.0.1:4222")


@pytest.mark.parametrize(
    ("fault", "url", "follow"),
    [
        ("the database has no url", None, {"source": "outbox"}),
        ("listen: only PostgreSQL", "sqlite:///x.sqlite", {"source": "outbox", "listen": True}),
        ("no record wives", SERVER, {"source": "watermark", "columns": {"wives": "x"}}),
    ],
)
def test_what_does_not_fit_is_refused_by_name(
    fault: str, url: str | None, follow: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=fault) as refused:
        promise(url, **follow)
    assert str(refused.value).startswith("databases.civil_status.changes: ")
