"""An unreadable row is not a fault of its database, and affects no other caller."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date

import pytest

from connectors.backends.sql import SqlBackend
from connectors.description import Group
from connectors.notary import DATABASE as NOTARY
from gateway.answer import Answer, State
from gateway.catalogue.read import Read
from gateway.fetch.breaker import BreakerState
from gateway.fetch.source import Source
from gateway.runtime.clock import SystemClock
from gateway.settings import DatabaseSettings
from tests.support.backend_samples import AN, BINH, CHI, RawRows
from tests.support.backend_servers import write_server
from tests.support.servers import Server

pytestmark = pytest.mark.services

DATABASE = replace(NOTARY, group=Group.OPERATING)
TRANSACTIONS = DATABASE.by_name["transactions"]


@pytest.fixture
async def source(postgresql: Server) -> AsyncIterator[Source]:
    """Give the notaries' database, in which An has two deeds, Bình and Chi one each."""
    parties = {"d1": AN, "d2": AN, "d3": BINH, "d4": CHI}
    rows: RawRows = {
        "transactions": [
            {"notarial_no": deed, "notarised_on": date(2020, 5, place)}
            for place, deed in enumerate(parties, start=1)
        ],
        "transaction_parties": [
            {"entry_id": deed, "notarial_no": deed, "party_citizen_id": person}
            for deed, person in parties.items()
        ],
    }
    await write_server(postgresql, rows, described=DATABASE)
    backend = SqlBackend(DATABASE, postgresql.url)
    settings = DatabaseSettings.model_validate({"timeout": 20})
    yield Source(DATABASE, backend, settings, SystemClock())
    await backend.close()


async def _ask(source: Source, *keys: str) -> list[Answer]:
    return await source.fetch(Read(TRANSACTIONS, TRANSACTIONS.lookups[0]), keys, 20)


@pytest.mark.parametrize(
    "spoil",
    [
        ["UPDATE transactions SET notarised_on = '20203-05-01' WHERE notarial_no = 'd2'"],
        [
            "ALTER TABLE transactions DROP COLUMN content_hash",
            "ALTER TABLE transactions RENAME TO theirs",
            "CREATE VIEW transactions AS SELECT *, "
            "(1 / (1 - (notarial_no = 'd2')::int))::text AS content_hash FROM theirs",
        ],
    ],
    ids=["value", "view"],
)
async def test_who_has_a_spoilt_row_gets_a_part_and_the_others_all_however_often(
    postgresql: Server, source: Source, spoil: list[str]
) -> None:
    await postgresql.execute(*spoil)
    for _ in range(14):
        (answer,) = await _ask(source, AN)
        assert (answer.report.state, answer.unreadable) == (State.PARTIAL, 1)
    answers = await _ask(source, BINH, AN, CHI)
    assert [partial_answer.report.state for partial_answer in answers] == [
        State.ANSWERED,
        State.PARTIAL,
        State.ANSWERED,
    ]
    assert [len(partial_answer.rows or ()) for partial_answer in (answers[0], answers[2])] == [1, 1]
    assert source.breaker.state is BreakerState.CLOSED
