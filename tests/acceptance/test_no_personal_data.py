"""No personal data in logs, metrics, errors and the journal of a gateway.

A demo is asked everything by everybody, badly too, while databases go away and rows break; then all
that it wrote is searched for every number and every name of its population.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.process import Process, demo_process, stated

DOCUMENTS = (
    """query($id: PersonNumber!) { person(id: $id) { id notices { code detail } population {
    identity { item { fullName birthDate } } family { items { name memberId member { id } } } }
    civilStatus { births { items { mother { name } } } marriages { items { husband { name
    person { id } } } } } } }""",
    """{ me { id population { identity { item { fullName } } } legalAid { cases { items { caseNo }
    } }
    administrativeViolations { isConsideredUnsanctioned { value } }
    accessLog { items { at } } } }""",
    "query($id: PersonNumber!) { person(id: $id, matching: {name: $name}) { id } }",
    "query($id: PersonNumber!, $name: String) { person(id: $id, matching: {name: $name}) { id } }",
    """query($id: PersonNumber!, $name: PartialDate) {
    person(id: $id, matching: {birthDate: $name}) { id } }""",
    "query($id: Int!) { person(id: $id) { id } }",
    "query($id: PersonNumber!) { persons(ids: [$id, $id]) { nothing } }",
    "{ databases { name live { state } } }",
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with demo_process(tmp_path_factory.mktemp("personal") / ".demo") as process:
        yield process


def personal(demo: Process) -> set[str]:
    """Return every number and every full name in the demo's population."""
    path = demo.folder / "databases" / "population.sqlite"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        rows = [
            *database.execute("SELECT citizen_id, full_name FROM identity"),
            *database.execute("SELECT number, NULL FROM earlier_numbers"),
        ]
    return {str(value) for row in rows for value in row if value}


def _grouped(number: str) -> str:
    return ".".join(number[place : place + 3] for place in range(0, len(number), 3))


def answers_about(demo: Process, number: str, name: str) -> Iterator[dict[str, Any]]:
    """Ask every document as every caller; yield the answers."""
    tokens = {
        client_name: token for client_name, token in demo.tokens.items() if isinstance(token, str)
    }
    tokens |= {"anonymous": "", "nobody": "x.y.z", "number": number}
    with httpx2.Client(base_url=demo.url, timeout=20) as client:
        for caller, token in tokens.items():
            headers = {"authorization": f"Bearer {token}"} if token else {}
            if token.count(".") == 2 and caller != "nobody":
                headers |= stated(token)
            for document in DOCUMENTS:
                body = {"query": document, "variables": {"id": number, "name": name}}
                yield client.post("/graphql", json=body, headers=headers).json()
            yield client.get(
                "/graphql", params={"query": f'{{person(id:"{number}"){{id}}}}'}
            ).json()
        client.get(f"/{number}/{name}")
        officer = str(demo.tokens["officer"])
        headers = {"authorization": f"Bearer {officer}", "x-case-number": number}
        yield client.post("/graphql", json={"query": "{ __typename }"}, headers=headers).json()
        for case_number in (f"HS{number}", f"{number}01", f"HS-{_grouped(number)}/2026"):
            headers = {
                **stated(officer),
                "authorization": f"Bearer {officer}",
                "x-case-number": case_number,
                "x-request-id": f"req-{case_number.partition('/')[0]}",
            }
            body = {"query": DOCUMENTS[0], "variables": {"id": number}}
            yield client.post("/graphql", json=body, headers=headers).json()
            client.get(f"/{case_number}")


def broken_databases(demo: Process, name: str) -> Iterator[None]:
    """Take a database away, then break its rows, then put all back."""
    path = demo.folder / "databases" / f"{name}.sqlite"
    content = path.read_bytes()
    path.rename(path.with_suffix(".away"))
    yield
    path.with_suffix(".away").rename(path)
    with sqlite3.connect(path) as database:
        column = "birth_date" if name == "population" else "registration_date"
        table = "identity" if name == "population" else "births"
        database.execute(f"UPDATE {table} SET {column} = 'không phải ngày'")
    yield
    path.write_bytes(content[:4096])
    yield
    path.unlink()
    path.write_bytes(content)


def test_nothing_that_is_written_names_anybody(demo: Process) -> None:
    everybody = personal(demo)
    assert len(everybody) > 4_000
    errors: list[object] = []
    people = [str(item["id"]) for item in demo.personas[:4]]
    with sqlite3.connect(demo.folder / "databases" / "population.sqlite") as database:
        names = dict(database.execute("SELECT citizen_id, full_name FROM identity"))
    answers = 0
    for number in people:
        for answer in answers_about(demo, number, names[number]):
            errors += answer.get("errors", [])
            answers += 1
    for name in ("population", "civil_status"):
        for _ in broken_databases(demo, name):
            for answer in answers_about(demo, people[0], names[people[0]]):
                errors += answer.get("errors", [])
                answers += 1
    texts = {
        "log": (demo.folder.parent / "demo.log").read_text("utf-8"),
        "metrics": httpx2.get(f"{demo.url}/metrics").text,
        "errors": json.dumps(errors, ensure_ascii=False),
        "journal": _journal(demo.folder),
    }
    assert answers > 500
    assert len(texts["log"].splitlines()) > 20, "there must be something to search"
    assert len(texts["journal"].splitlines()) > 200
    everybody |= {_grouped(number) for number in people}
    leaks = [(source, item) for source, text in texts.items() for item in everybody if item in text]
    assert leaks == []


def _journal(folder: Path) -> str:
    files = sorted(path for path in (folder / "journal").rglob("*.jsonl*"))
    return "\n".join(path.read_text("utf-8") for path in files)
