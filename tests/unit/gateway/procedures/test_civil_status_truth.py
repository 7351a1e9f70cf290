"""What checks of civil status conclude about generated people is true, or not known.

Covers ``gateway.procedures.marital_status_certificate``, ``gateway.procedures.birth_registration``
and ``gateway.procedures.death_registration``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from connectors.backends.memory import MemoryBackend
from connectors.registry import installed_databases
from connectors.synthetic import PersonTruth
from gateway.catalogue.checks import checks_of
from tests.support.check_faults import evaluate_case
from tests.support.check_samples import sample
from tests.support.running import running
from tests.support.worlds import LIVE

DATABASES = installed_databases()
CHECKS = checks_of(DATABASES)
#: The names of the generator for what a certificate says.
STATUSES = {"NEVER_MARRIED": "SINGLE"}
PEOPLE, CHILDREN = 150, 60


def databases() -> dict[str, MemoryBackend]:
    """Return the databases of the sample."""
    rows: dict[str, dict[str, list[dict[str, object]]]] = {
        database.name: {record.name: [] for record in database.records} for database in DATABASES
    }
    for (database, record), entries in sample().rows.items():
        rows[database][record] += [dict(row) for row in entries]
    return {database.name: MemoryBackend(database, rows[database.name]) for database in DATABASES}


async def test_nobody_is_certified_with_a_status_of_somebody_else(tmp_path: Path) -> None:
    certified = 0
    async with running(tmp_path, databases(), DATABASES, LIVE) as gateway:
        for person in islice(sample().people.values(), 0, None, 2_000 // PEOPLE):
            case = {"applicant": person.id, "purpose": "OTHER"}
            check = CHECKS["marital_status_certificate"]
            evaluated = await evaluate_case(gateway, check, case, None)
            result = evaluated.conclusion.results["marital_status_certificate"]
            if result is not None and result.status is not None:
                status = result.status.name
                assert STATUSES.get(status, status) == person.marital_status, person.id
                certified += 1
    assert certified > PEOPLE // 2


def children_of_mothers() -> Iterator[tuple[PersonTruth, PersonTruth]]:
    """Yield mothers with a child of theirs."""
    people = sample().people
    for mother in people.values():
        for number in mother.children:
            child = people.get(number)
            if child is not None and child.mother_id == mother.id:
                yield mother, child


def is_in_the_books(child: PersonTruth) -> bool:
    numbers = {child.id, *child.earlier_numbers}
    return any(row.get("citizen_id") in numbers for row in sample().rows["civil_status", "births"])


async def test_no_child_who_is_registered_is_registered_again(tmp_path: Path) -> None:
    failed = 0
    async with running(tmp_path, databases(), DATABASES, LIVE) as gateway:
        for mother, child in islice(children_of_mothers(), 0, None, 10):
            born = child.birth_date.isoformat()
            father = {} if child.father_id is None else {"father": child.father_id}
            case = {"mother": mother.id, "birthDate": born, **father}
            evaluated = await evaluate_case(gateway, CHECKS["birth_registration"], case, None)
            state = evaluated.states["CHILD_NOT_REGISTERED"]
            assert not (state == "PASS" and is_in_the_books(child)), child.id
            failed += state == "FAIL"
    assert failed > CHILDREN // 2


async def test_no_death_of_the_dead_is_registered_again(tmp_path: Path) -> None:
    states = set()
    async with running(tmp_path, databases(), DATABASES, LIVE) as gateway:
        for person in islice(sample().people.values(), 0, None, 2_000 // PEOPLE):
            case = {"deceased": person.id, "deathDate": "2026-11-20"}
            evaluated = await evaluate_case(gateway, CHECKS["death_registration"], case, None)
            state = evaluated.states["DECEASED_RECORDED_ALIVE"]
            states.add((state, person.life_state))
    assert ("PASS", "ALIVE") in states
    assert ("FAIL", "DEAD") in states
    assert not states & {("PASS", "DEAD"), ("FAIL", "ALIVE")}
