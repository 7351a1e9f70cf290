"""A walk from people to people takes as many statements for a hundred as for one.

Covers ``gateway.execution.pages`` and ``gateway.execution.steps.open_people``.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from connectors.backends.postgresql import PostgresqlSession
from connectors.backends.server import ServerOptions
from connectors.backends.sql import SqlBackend
from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from connectors.synthetic import PopulationOptions, clusters
from connectors.synthetic.loading import load
from tests.support.loaded import PASSWORD, Site, site
from tests.support.running import codes, running
from tests.support.servers import Server

pytestmark = pytest.mark.services

DATABASES = (POPULATION, CIVIL_STATUS)
OPTIONS = PopulationOptions(people=400, seed=7)
#: Spouses and parents of people, and what is recorded of those.
WALK = """query($ids: [PersonNumber!]!) { persons(ids: $ids) { civilStatus {
  marriages(first: 5) { items {
    husband { name person { ...Identity } } wife { person { ...Identity } } } }
  births(first: 3) { items { mother { person { ...Identity civilStatus { births(first: 3) { items {
    mother { name } } } } } } father { person { ...Identity } } } } } } }
fragment Identity on Person { id population { identity { item { fullName } } } }"""
#: Statements at most: three by which numbers are resolved, and two for earlier numbers, of the
#: people and of their kin; and the lists of both, under the present number and under earlier ones.
#: The kin are asked for in four parts where births and marriages, under present and under earlier
#: numbers, all arrive one after another, as on a busy machine.
MOST = (3 + 2 + 2 * 2) + 4 * (3 + 2 + 2)
#: The same, asked as a router of a federated graph asks.
ENTITIES = (
    WALK.replace("[PersonNumber!]!", "[_Any!]!")
    .replace("persons(ids: $ids) {", "_entities(representations: $ids) { ... on Person {")
    .replace("\nfragment", " }\nfragment")
)


@pytest.fixture(scope="module")
def loaded(postgresql: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Load population and civil status into a server."""
    with site(postgresql, [database.name for database in DATABASES]) as loaded_site:
        folder = tmp_path_factory.mktemp("loaded") / "truth"
        asyncio.run(load(loaded_site.targets(DATABASES), OPTIONS, folder, processes=1))
        yield loaded_site


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the statements that read rows, by their text."""
    noted: Counter[str] = Counter()
    fetch = PostgresqlSession._fetch

    async def noting(session: PostgresqlSession, text: str, parts: Any) -> Sequence[Any]:
        noted[text] += 1
        return await fetch(session, text, parts)

    monkeypatch.setattr(PostgresqlSession, "_fetch", noting)
    return noted


def _people() -> list[str]:
    """Return a hundred people whose mother is recorded.

    First those whose kin had earlier numbers: these are looked under too, in two statements more.
    """
    rows: dict[tuple[str, str], list[Mapping[str, object]]] = defaultdict(list)
    earlier: set[object] = set()
    for cluster in clusters(OPTIONS):
        for key, some in cluster.rows.items():
            rows[key] += some
        earlier |= {person.id for person in cluster.truth if person.earlier_numbers}
    kin: dict[str, set[object]] = defaultdict(set)
    for row in rows["civil_status", "births"]:
        if row.get("mother_citizen_id") and row["citizen_id"] not in earlier:
            kin[str(row["citizen_id"])] |= {row["mother_citizen_id"], row.get("father_citizen_id")}
    for row in rows["civil_status", "marriages"]:
        wife = str(row["wife_citizen_id"])
        if wife in kin:
            kin[wife].add(row["husband_citizen_id"])
    return sorted(kin, key=lambda number: -len(kin[number] & earlier))[:100]


async def _count(
    loaded: Site,
    folder: Path,
    statements: Counter[str],
    people: Sequence[object],
    query: str = WALK,
) -> tuple[int, dict[str, Any]]:
    backends = {
        database.name: SqlBackend(
            database,
            loaded.url(database.name),
            server=ServerOptions(password=lambda: PASSWORD),
        )
        for database in DATABASES
    }
    async with running(folder, backends, DATABASES) as gateway:
        statements.clear()
        body = await gateway.ask(query, {"ids": list(people)})
        return statements.total(), body


async def test_the_statements_of_a_walk_do_not_grow_with_the_people(
    loaded: Site, tmp_path: Path, statements: Counter[str]
) -> None:
    people = _people()
    assert len(people) == 100
    counts, spouses = {}, 0
    for size in (1, 10, 100):
        counts[size], body = await _count(loaded, tmp_path / str(size), statements, people[:size])
        assert set(codes(body)) <= {"PERSON_NOT_IDENTIFIED"}
        spouses = sum(
            len(p["civilStatus"]["marriages"]["items"] or ()) for p in body["data"]["persons"]
        )
    assert spouses > 10
    assert max(counts.values()) <= MOST, counts


async def test_the_statements_for_entities_are_those_for_persons(
    loaded: Site, tmp_path: Path, statements: Counter[str]
) -> None:
    people = _people()
    _, persons = await _count(loaded, tmp_path / "persons", statements, people)
    of_persons = {*statements}
    representations = [{"__typename": "Person", "id": number} for number in people]
    _, entities = await _count(loaded, tmp_path / "entities", statements, representations, ENTITIES)
    assert entities["data"]["_entities"] == persons["data"]["persons"]
    assert {*statements} == of_persons
    assert statements.total() <= MOST, statements
