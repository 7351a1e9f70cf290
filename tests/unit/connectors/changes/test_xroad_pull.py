"""Changes over X-Road: a partner that forgets, goes backwards, or answers otherwise than agreed.

Covers ``connectors.xroad.change_messages``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import orjson
import pytest

from connectors.backends.base import SourceMaintenance, SourceRefused, SourceUnavailable
from connectors.changes.change import (
    Change,
    ChangeOperation,
    CheckpointLost,
    UnreadableChange,
)
from connectors.changes.xroad_pull import XroadChangeSource, XroadPullOptions
from connectors.xroad.change_messages import parse_changes_request
from connectors.xroad.messages import MalformedMessage
from connectors.xroad.stand_in import Behaviour
from tests.support.backend_samples import DATABASE, thing, union
from tests.support.partner_changes import CHANGES, Partner
from tests.support.xroad import CLIENT, options


@pytest.fixture
def partner() -> Partner:
    return Partner()


@pytest.fixture
async def source(partner: Partner) -> AsyncIterator[XroadChangeSource]:
    source = partner.source()
    await source.open()
    yield source
    await source.close()


async def test_a_partner_that_has_forgotten_may_have_kept_changes_from_us(
    partner: Partner, source: XroadChangeSource
) -> None:
    checkpoint = await source.start()
    for name in ("u1", "u2"):
        await partner.insert("unions", union(name))
    partner.stand_in.changes.forgotten = 1
    with pytest.raises(CheckpointLost):
        await source.read(checkpoint, 10)


async def test_a_partner_that_restored_an_older_copy_is_noticed(
    partner: Partner, source: XroadChangeSource
) -> None:
    checkpoint = await source.start()
    partner.stand_in.changes.epoch = 2
    with pytest.raises(CheckpointLost):
        await source.read(checkpoint, 10)


async def test_only_chosen_records_are_asked_for(partner: Partner) -> None:
    source = partner.source(records=("things",))
    checkpoint = await source.start()
    await partner.insert("unions", union("u1"))
    await partner.insert("things", thing("t1"))
    page = await source.read(checkpoint, 10)
    assert [c.identity for c in page.changes if isinstance(c, Change)] == ["t1"]
    await source.close()
    with pytest.raises(ValueError, match="has no record deaths"):
        partner.source(records=("deaths",))


async def test_errors_of_the_partner_and_of_the_transport_are_told_apart(
    partner: Partner, source: XroadChangeSource
) -> None:
    checkpoint = await source.start()
    for behaviour, error in (
        (Behaviour(maintenance=True), SourceMaintenance),
        (Behaviour(error="server.serverproxy.access_denied"), SourceRefused),
        (Behaviour(error="server.clientproxy.network_error"), SourceUnavailable),
    ):
        partner.stand_in.behaviour = behaviour
        with pytest.raises(error):
            await source.read(checkpoint, 10)


def answering(body: object, status: int = 200) -> XroadChangeSource:
    """Return a source whose partner always gives the same answer."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        proof = {
            "X-Road-Id": request.headers["X-Road-Id"],
            "X-Road-Service": str(CHANGES),
            "X-Road-Request-Id": "1",
            "X-Road-Request-Hash": "2",
        }
        return httpx2.Response(status, content=orjson.dumps(body), headers=proof)

    return XroadChangeSource(
        DATABASE,
        options(client=CLIENT, service=CHANGES),
        XroadPullOptions(),
        now=lambda: datetime(2026, 11, 30, tzinfo=UTC),
        transport=httpx2.MockTransport(answer),
    )


ROW: dict[str, object] = {
    "event_id": "u1",
    "one_id": None,
    "other_id": None,
    "registered_on": None,
    "mood": None,
}
ENTRY: dict[str, object] = {
    "record": "unions",
    "operation": "c",
    "identity": "u1",
    "before": None,
    "after": ROW,
    "committedAt": None,
    "position": "1",
}
ANSWER: dict[str, Any] = {
    "changes": [ENTRY],
    "checkpoint": "2",
    "completeUntil": None,
    "hasMore": False,
}
CHECKPOINT = '{"xroad": "1"}'


async def test_an_answer_as_agreed_is_read() -> None:
    page = await answering(ANSWER).read(CHECKPOINT, 1)
    (change,) = page.changes
    assert isinstance(change, Change)
    assert (change.identity, change.position, change.committed_at) == ("u1", "1", None)


async def test_a_former_row_that_cannot_be_read_was_there() -> None:
    entry = ENTRY | {"operation": "w", "before": {"event_id": "u1"}}
    page = await answering(ANSWER | {"changes": [entry]}).read(CHECKPOINT, 1)
    (change,) = page.changes
    assert isinstance(change, Change)
    assert (change.operation, change.before) == (ChangeOperation.UPDATE, None)


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        ANSWER | {"checkpoint": 2},
        ANSWER | {"hasMore": "yes"},
        ANSWER | {"completeUntil": "2026-11-30T00:00:00"},
        ANSWER | {"changes": [ENTRY, ENTRY]},
        ANSWER | {"changes": [ENTRY | {"record": "deaths"}]},
        ANSWER | {"changes": [ENTRY | {"operation": "x"}]},
        ANSWER | {"changes": [ENTRY | {"after": None}]},
        ANSWER | {"changes": [ENTRY | {"position": None}]},
        ANSWER | {"changes": [], "checkpoint": "1", "hasMore": True},
    ],
)
async def test_an_answer_otherwise_than_agreed_is_none(answer: object) -> None:
    with pytest.raises(SourceUnavailable):
        await answering(answer).read(CHECKPOINT, 1)


async def test_a_row_that_leaves_out_a_column_is_a_change_of_somebody() -> None:
    row = {name: value for name, value in ROW.items() if name != "mood"}
    answer = ANSWER | {"changes": [ENTRY | {"after": row}]}
    (change,) = (await answering(answer).read(CHECKPOINT, 1)).changes
    assert isinstance(change, UnreadableChange)
    assert change.fault == "mood is left out"


async def test_nothing_is_complete_until_later_than_it_was_asked_for() -> None:
    answer = ANSWER | {"completeUntil": "2027-01-01T00:00:00+00:00"}
    page = await answering(answer).read(CHECKPOINT, 1)
    assert page.complete_until == datetime(2026, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"records": 1, "after": null, "most": 1}'])
def test_requests_that_are_none_are_refused(body: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse_changes_request(body)
