"""Events whose rows the law hides by now are shown to nobody, and none is lost in silence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.changes.event import LifeEventKind
from gateway.changes.feed import FeedPage
from tests.support.feeds import PURPOSES, Feeds, events_caller
from tests.support.people import HOA, LAN, OLD_NUMBER
from tests.support.running import running
from tests.support.worlds import ALL, LIVE, Row, World, world

BIRTH, DEATH, CORRECTION = LifeEventKind.BIRTH, LifeEventKind.DEATH, LifeEventKind.CORRECTION
CALLER = events_caller()


def birth(event_id: str, **values: object) -> Row:
    return {"event_id": event_id, "citizen_id": HOA, "status": "VALID", **values}


def civil_status(**records: list[Row]) -> World:
    return world({"civil_status": records})


async def shown(
    tmp_path: Path,
    backends: World,
    *events: tuple[LifeEventKind, str, str],
    numbers: Sequence[str] = (),
) -> FeedPage:
    """Return the page with those of ``events`` (kind, record, row) that are shown."""
    async with running(tmp_path, backends, ALL, databases_=LIVE, purposes=PURPOSES) as gateway:
        feeds = Feeds(gateway, tmp_path)
        await feeds.register(CALLER, HOA, numbers=numbers)
        for kind, record, row in events:
            await feeds.happen(kind, HOA, record, row)
        return await feeds.read(CALLER)


async def test_a_row_that_is_there_shows_its_event(tmp_path: Path) -> None:
    backends = civil_status(
        births=[birth("B1")], deaths=[{"event_id": "D1", "citizen_id": HOA, "status": "VALID"}]
    )
    page = await shown(tmp_path, backends, (BIRTH, "births", "B1"), (DEATH, "deaths", "D1"))
    assert [(each.event.kind, each.shows_row) for each in page.edges] == [
        (BIRTH, True),
        (DEATH, True),
    ]


async def test_a_birth_that_was_registered_anew_since_shows_neither_entry(tmp_path: Path) -> None:
    backends = civil_status(births=[birth("B1", status="SUPERSEDED"), birth("B2")])
    page = await shown(tmp_path, backends, (BIRTH, "births", "B1"), (BIRTH, "births", "B2"))
    assert page.edges == []
    assert not page.is_waiting


async def test_a_birth_that_replaces_an_entry_under_a_former_number_is_not_shown(
    tmp_path: Path,
) -> None:
    former = birth("B1", citizen_id=OLD_NUMBER, status="SUPERSEDED")
    backends = civil_status(births=[former, birth("B2")])
    page = await shown(tmp_path, backends, (BIRTH, "births", "B2"), numbers=[OLD_NUMBER])
    assert page.edges == []


async def test_a_birth_whose_entry_is_gone_is_not_shown(tmp_path: Path) -> None:
    """Its owner may have replaced it by an entry that was registered anew, without a mark."""
    page = await shown(tmp_path, civil_status(births=[birth("B2")]), (BIRTH, "births", "B1"))
    assert page.edges == []
    assert not page.is_waiting


@pytest.mark.parametrize(
    "others", [[], [birth("B1")], [birth("B2")]], ids=["alone", "with it", "with another"]
)
async def test_a_birth_among_entries_that_cannot_be_read_may_be_missed(
    tmp_path: Path, others: list[Row]
) -> None:
    """The entry itself may be it, or the one that was registered anew."""
    unreadable = birth("B3", status="NO SUCH STATUS")
    backends = civil_status(births=[*others, unreadable])
    page = await shown(tmp_path, backends, (BIRTH, "births", "B1"))
    assert [each.event.kind for each in page.edges] == [LifeEventKind.EVENTS_MISSED]
    assert not page.is_waiting


async def test_a_birth_that_was_replaced_is_not_shown_whatever_cannot_be_read_beside_it(
    tmp_path: Path,
) -> None:
    rows = [birth("B1", status="SUPERSEDED"), birth("B2", status="NO SUCH STATUS")]
    page = await shown(tmp_path, civil_status(births=rows), (BIRTH, "births", "B1"))
    assert page.edges == []


async def test_a_correction_of_what_was_replaced_or_tells_of_an_adoption_is_not_shown(
    tmp_path: Path,
) -> None:
    change = {"citizen_id": HOA, "status": "VALID"}
    backends = civil_status(
        changes=[
            {"event_id": "C1", "event_type": "ADOPTION", **change},
            {"event_id": "C2", **change, "status": "SUPERSEDED"},
            {"event_id": "C3", "event_type": "CHANGE_CORRECTION", **change},
        ]
    )
    rows = [(CORRECTION, "changes", row) for row in ("C1", "C2", "C3")]
    page = await shown(tmp_path, backends, *rows)
    assert [each.event.row for each in page.edges] == ["C3"]


async def test_adoptions_are_of_no_feed_whatever_the_purpose(tmp_path: Path) -> None:
    backends = civil_status(adoptions=[{"event_id": "A1", "child_id": HOA, "status": "VALID"}])
    agency = events_caller("agency", "2.001263", "civil_status:read", "civil_status:restricted")
    purposes = {"2.001263": next(iter(PURPOSES.values()))}
    async with running(tmp_path, backends, ALL, databases_=LIVE, purposes=purposes) as gateway:
        feeds = Feeds(gateway, tmp_path)
        await feeds.register(agency, HOA)
        await feeds.happen(CORRECTION, HOA, "adoptions", "A1")
        page = await feeds.read(agency)
    assert page.edges == []
    assert ((), "adoptions") in {(each.missing, each.record) for each in page.denied}


async def test_an_event_whose_row_is_gone_does_not_name_it(tmp_path: Path) -> None:
    page = await shown(tmp_path, civil_status(), (DEATH, "deaths", "D1"))
    assert [(each.event.kind, each.shows_row) for each in page.edges] == [(DEATH, False)]


@pytest.mark.parametrize("fault", ["down", "maintenance"])
async def test_while_the_database_is_silent_events_wait_and_keep_their_order(
    tmp_path: Path, fault: str
) -> None:
    backends = civil_status(deaths=[{"event_id": "D1", "citizen_id": HOA, "status": "VALID"}])
    async with running(tmp_path, backends, ALL, databases_=LIVE, purposes=PURPOSES) as gateway:
        feeds = Feeds(gateway, tmp_path)
        await feeds.register(CALLER, HOA)
        case = await feeds.happen(LifeEventKind.CASE_OPENED)
        death = await feeds.happen(DEATH, HOA, "deaths", "D1")
        block = await feeds.happen(LifeEventKind.BLOCK_PLACED)
        backends.of("civil_status").fault = fault
        page = await feeds.read(CALLER)
        assert [each.event.id for each in page.edges] == [case.id]
        assert page.is_waiting
        assert page.has_more
        complete = {each.database: each.complete_until for each in page.sources}
        assert complete["civil_status"] is None
        assert complete["notary"] is None
        assert complete["civil_enforcement"] is not None
        backends.of("civil_status").fault = None
        assert await feeds.ids_of(CALLER, after=page.end_cursor) == [death.id, block.id]


async def test_where_it_cannot_be_told_events_are_said_to_be_missed(tmp_path: Path) -> None:
    unreadable: Row = {"event_id": None, "citizen_id": HOA}
    backends = civil_status(deaths=[unreadable])
    page = await shown(tmp_path, backends, (DEATH, "deaths", "D1"))
    (edge,) = page.edges
    assert (edge.event.kind, edge.event.database) == (LifeEventKind.EVENTS_MISSED, "civil_status")
    assert (edge.event.person, edge.event.row, edge.interest) == (None, None, None)
    assert edge.event.since is not None
    assert not page.is_waiting


async def test_rows_that_no_rule_hides_are_not_read(tmp_path: Path) -> None:
    backends = world({})
    async with running(tmp_path, backends, ALL, databases_=LIVE, purposes=PURPOSES) as gateway:
        feeds = Feeds(gateway, tmp_path)
        await feeds.register(CALLER, HOA, LAN)
        await feeds.happen(LifeEventKind.BLOCK_PLACED)
        backends.forget()
        assert len((await feeds.read(CALLER)).edges) == 1
        assert backends.fetched == []
