"""The example of a batch runs as the page says: the reads of each turn, who is answered first."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

import orjson

from connectors.backends.base import NOBODY, Asker, Backend, Batch
from connectors.description import Lookup, Record
from gateway.audit.entry import person_hash
from tests.support.faults import Faulty
from tests.support.people import HOA, LAN, backends
from tests.support.running import running

PAGE = Path(__file__).parents[3] / "docs" / "how-it-runs.md"

_ROW = re.compile(r"^\| \d \| (\w+) \| (\w+) \| ([\d, ]+) \|$", re.MULTILINE)

#: A read as the page shows it: database, lookup, keys.
Read = tuple[str, str, tuple[str, ...]]


class Noted(Faulty):
    """Notes what it is asked among what other databases are asked."""

    def __init__(self, name: str, inner: Backend, reads: list[Read]) -> None:
        super().__init__(inner)
        self.name = name
        self.reads = reads

    async def fetch(
        self, record: Record, lookup: Lookup, keys: Sequence[str], asker: Asker = NOBODY
    ) -> Batch:
        self.reads.append((self.name, lookup.name, tuple(keys)))
        return await super().fetch(record, lookup, keys, asker)


async def test_the_example_is_executed_as_the_page_says(tmp_path: Path) -> None:
    page = PAGE.read_text("utf-8")
    query = page.partition("```graphql\n")[2].partition("```")[0]
    shown: list[Read] = [
        (database, lookup, tuple(keys.split(", "))) for database, lookup, keys in _ROW.findall(page)
    ]
    reads: list[Read] = []
    sources = {name: Noted(name, backend, reads) for name, backend in backends().items()}
    async with running(tmp_path, sources) as gateway:
        bodies = await asyncio.gather(
            gateway.ask(query, {"id": HOA}, subject="A"),
            gateway.ask(query, {"id": LAN}, subject="B"),
            gateway.ask(query, {"id": HOA}, subject="A"),
        )
        together, journal = list(reads), gateway.journal()
        reads.clear()
        for number in (HOA, LAN, HOA):
            await gateway.ask(query, {"id": number})
        ring = gateway.service.resources.person_hash
    first_turn, rest = shown[:4], shown[4:]
    assert sorted(together[:4]) == sorted(first_turn)
    assert together[4:] == rest
    assert f"would take {len(reads)} calls in place of {len(together)}" in page
    persons = [body["data"]["person"] for body in bodies]
    assert orjson.dumps(persons[0]) == orjson.dumps(persons[2])
    assert [entry["subject"] for entry in journal] == ["B", "A", "A"], "Lan is answered first"
    hashes = [person["person"] for entry in journal for person in entry["persons"]]
    assert hashes == [person_hash(ring, number) for number in (LAN, HOA, HOA)]
