"""What of the databases that settings follow can never be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.notary import DATABASE as NOTARY
from gateway.changes.changes import Changes, followed_databases
from gateway.databases.change_sources import make_change_source
from gateway.keys.files import create_missing
from gateway.settings import (
    ChangeSettings,
    DatabaseSettings,
    FollowSettings,
    RecordSettings,
    Redis,
    Settings,
    load,
)
from tests.support.running import TestClock

DATABASES = (CIVIL_STATUS, NOTARY)
OUTBOX = FollowSettings(source="outbox")


def following(folder: Path, cache_lag: float | None = None, **records: RecordSettings) -> Settings:
    url = f"sqlite:///{folder / 'register.sqlite'}"
    civil_status = DatabaseSettings(url=url, records=records, changes=OUTBOX, cache_lag=cache_lag)
    notary = DatabaseSettings(url=url, records={"preventive_infos": RecordSettings(mapped=False)})
    return load(folder=folder, databases={"civil_status": civil_status, "notary": notary})


async def test_what_followed_tables_cannot_tell_is_known_also_after_a_reload(
    tmp_path: Path,
) -> None:
    settings = following(tmp_path, births=RecordSettings(missing=("registration_kind",)))
    create_missing(settings, demo=False)
    changes = Changes.from_settings(settings, DATABASES, TestClock(), make_change_source)
    assert changes is not None
    assert {name: [each.kind for each in events] for name, events in changes.untold.items()} == {
        "civil_status": ["BIRTH"]
    }
    mended = changes.reloaded(following(tmp_path), DATABASES, make_change_source)
    assert mended.untold == {"civil_status": []}
    await changes.log.close()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (None, "cache_lag needs changes"),
        (
            FollowSettings(source="watermark", column="updated_at"),
            "cache_lag needs changes that tell of deletions, not a watermark",
        ),
    ],
)
def test_a_bound_needs_changes_that_tell_of_everything(
    changes: FollowSettings | None, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        DatabaseSettings(url="sqlite:///register.sqlite", cache_lag=2.0, changes=changes)


def test_a_bound_is_longer_than_the_time_between_two_heartbeats(tmp_path: Path) -> None:
    settings = following(tmp_path, cache_lag=1.0)
    create_missing(settings, demo=False)
    reason = "databases.civil_status.cache_lag: must be longer than changes.heartbeat_seconds, 1"
    with pytest.raises(ValueError, match=reason):
        Changes.from_settings(settings, DATABASES, TestClock(), make_change_source)


def test_a_bound_needs_invalidations_that_go_as_far_as_the_event_log(tmp_path: Path) -> None:
    settings = following(tmp_path, cache_lag=2.0)
    create_missing(settings, demo=False)
    shared = ChangeSettings(engine="nats", url="nats://127.0.0.1:4222")
    settings = settings.model_copy(update={"changes": shared})
    with pytest.raises(ValueError, match=r"civil_status\.cache_lag: needs redis\.url"):
        followed_databases(settings, DATABASES)
    with_redis = settings.model_copy(update={"redis": Redis(url="redis://127.0.0.1:6379")})
    assert set(followed_databases(with_redis, DATABASES)) == {"civil_status"}
