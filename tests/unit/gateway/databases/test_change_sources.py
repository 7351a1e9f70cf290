"""Settings make change sources, or are refused by name; nothing is left out in silence.

Covers ``gateway.settings.changes`` too.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from connectors.changes.change import ChangePromise
from connectors.civil_status import DATABASE as CIVIL_STATUS
from gateway.databases.change_sources import make_change_source
from gateway.settings import (
    Agreement,
    DatabaseSettings,
    FollowSettings,
    RecordSettings,
    Settings,
    Xroad,
)

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
    made = {"births": "tao_luc"}
    columns = {"deaths": "sua_luc"}
    assert promise(
        records=without, source="watermark", columns=columns, created_columns=made
    ).interval
    promised = promise(source="watermark", column="sua_luc", created_column="tao_luc", overlap=60)
    assert (promised.interval, promised.overlap) == (5.0, 60)


def test_a_source_that_could_never_tell_a_birth_is_refused() -> None:
    with pytest.raises(ValueError, match="no BIRTH could be told: created_columns must"):
        promise(source="watermark")
    assert promise(source="watermark", created_columns={"births": "tao_luc"}).tells_creations


def test_a_partner_is_asked_by_another_service_of_the_same_provider() -> None:
    xroad = Xroad(
        server="http://127.0.0.1",
        client="VN/GOV/MOJ/gateway",
        service="VN/GOV/MOJ/books/rows",
        agreement=Agreement(legal_basis="Nghị định 47/2020/NĐ-CP", expires=date(2030, 1, 1)),
    )
    follow = FollowSettings(source="xroad", service="VN/GOV/MOJ/books/changes", interval=7)
    database = DatabaseSettings(xroad=xroad, changes=follow)
    settings = Settings(databases={"civil_status": database})
    assert make_change_source(settings, CIVIL_STATUS).promise.interval == 7
    with pytest.raises(ValueError, match="not reached over X-Road"):
        promise(source="xroad", service="VN/GOV/MOJ/books/changes")


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
