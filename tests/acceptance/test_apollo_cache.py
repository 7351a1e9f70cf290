"""Apollo Client's cache with the shipped policies: partial answers, separate and merged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    FieldNode,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

from tests.support.faults import Faulty
from tests.support.people import HOA, LAN, backends
from tests.support.running import Running, running

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "tests" / "acceptance" / "apollo" / "node_modules"
POLICIES = ROOT / "clients" / "typescript"
SCRIPT = ROOT / "tests" / "acceptance" / "apollo" / "cache.mjs"
STRICT = (
    "--strict", "--module", "esnext", "--target", "es2022", "--moduleResolution", "bundler",
)  # fmt: skip

PERSON = "query($id: PersonNumber!) { person(id: $id) { %s } }"
STATE = "truncated nextCursor source { state %s }"
FIRST = (
    PERSON
    % f"""civilStatus {{ marriages {{
  items {{ recordId eventId status husband {{ name }} }} {STATE % "asOf fetchedAt"} }} }}"""
)
SECOND = (
    PERSON
    % f"""civilStatus {{ database {{ name title {{ vi }} }} marriages {{
  items {{ recordId registrationDate husband {{ citizenId }} }} {STATE % "database { name }"} }} }}
  population {{ identity {{ item {{ recordId fullName }} exists source {{ state }} }} }}"""
)
KIN = (
    PERSON
    % f"""civilStatus {{ marriages {{ items {{ recordId
  husband {{ person {{ id askedAs civilStatus {{ marriages {{
    items {{ recordId eventId }} {STATE % ""} }} }} }} }} }} {STATE % ""} }} }}"""
)


class _Typenames(Visitor):
    """Adds ``__typename`` to each selection below the root, as Apollo Client does."""

    def enter_selection_set(
        self, node: SelectionSetNode, _key: object, parent: object, *_: object
    ) -> Any:
        if isinstance(parent, OperationDefinitionNode):
            return None
        added = FieldNode(name=NameNode(value="__typename"))
        return SelectionSetNode(selections=(*node.selections, added))


@dataclass(frozen=True)
class Read:
    """What the cache gives back: for each query whether it is whole and its data; the records."""

    answers: Sequence[Mapping[str, Any]]
    records: Sequence[str]
    said: Sequence[str]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the policies, compiled strictly."""
    if shutil.which("node") is None or not (PACKAGES / "@apollo").is_dir():
        if os.environ.get("REQUIRE_SERVICES"):
            pytest.fail("node or the packages of tests/acceptance/apollo are missing")
        pytest.skip("node or the packages of tests/acceptance/apollo are missing")
    folder = tmp_path_factory.mktemp("policies")
    (folder / "node_modules").symlink_to(PACKAGES)
    (folder / "package.json").write_text('{"type": "module"}', "utf-8")
    for name in ("apollo-cache.ts", "client-types.ts"):
        text = (
            (POLICIES / name).read_text("utf-8").replace('"./client-types"', '"./client-types.js"')
        )
        (folder / name).write_text(text, "utf-8")
    node(folder, "node_modules/typescript/bin/tsc", *STRICT, "--skipLibCheck", "apollo-cache.ts")
    return folder


def node(folder: Path, *command: str) -> str:
    completed = subprocess.run(
        ["node", *command], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


async def step(gateway: Running, query: str, number: str = LAN) -> dict[str, Any]:
    """Ask as Apollo Client would; return the query with its answer."""
    with_typenames = print_ast(visit(parse(query), _Typenames()))
    body = await gateway.ask(with_typenames, {"id": number})
    return {"query": query, "variables": {"id": number}, "data": body["data"]}


def cached(compiled: Path, *steps: Mapping[str, Any], plain: bool = False) -> Read:
    """Write the answers into a cache and read each query out of it."""
    (compiled / "steps.json").write_text(json.dumps(steps), "utf-8")
    shutil.copy(SCRIPT, compiled)
    output = node(compiled, SCRIPT.name, ".", "steps.json", *(["plain"] if plain else []))
    return Read(**json.loads(output))


def is_whole(read: Read, *steps: Mapping[str, Any]) -> list[bool]:
    """Say of each query whether the cache gives exactly what was answered."""
    for answer, question in zip(read.answers, steps, strict=True):
        assert not answer["complete"] or answer["data"] == question["data"]
    return [answer["complete"] for answer in read.answers]


async def test_two_partial_queries_on_a_person_stay_readable(
    tmp_path: Path, compiled: Path
) -> None:
    async with running(tmp_path) as gateway:
        first, second = await step(gateway, FIRST, HOA), await step(gateway, SECOND, HOA)
    read = cached(compiled, first, second)
    assert read.said == []
    assert is_whole(read, first, second) == [True, True]
    assert sorted(key.split(":")[0] for key in read.records) == ["Identity", "Marriage", "Marriage"]
    # Without the policies the second answer takes the first one's records away.
    assert is_whole(cached(compiled, first, second, plain=True), first, second)[0] is False


async def test_an_answer_that_is_not_known_never_meets_the_rows_of_another(
    tmp_path: Path, compiled: Path
) -> None:
    sources = backends()
    failing = {**sources, "civil_status": Faulty(sources["civil_status"], "down")}
    async with running(tmp_path / "up", sources) as gateway:
        before = await step(gateway, FIRST)
    async with running(tmp_path / "down", failing) as gateway:
        after = await step(gateway, SECOND)
    marriages = after["data"]["person"]["civilStatus"]["marriages"]
    assert marriages["source"]["state"] == "UNAVAILABLE"
    assert is_whole(cached(compiled, before, after), before, after) == [False, True]
    assert is_whole(cached(compiled, after, before), after, before) == [False, True]


async def test_a_list_with_a_record_more_takes_nothing_from_the_shorter_one(
    tmp_path: Path, compiled: Path
) -> None:
    rows: list[dict[str, object]] = [
        {"event_id": "M1", "wife_citizen_id": LAN, "registration_date": "2015-01-01"},
        {"event_id": "M2", "wife_citizen_id": LAN, "registration_date": "2016-01-01"},
    ]
    async with running(tmp_path, backends(civil_status={"marriages": rows[:1]})) as gateway:
        shorter = await step(gateway, FIRST)
    async with running(tmp_path, backends(civil_status={"marriages": rows})) as gateway:
        longer = await step(gateway, SECOND)
    assert is_whole(cached(compiled, shorter, longer), shorter, longer) == [False, True]


async def test_a_record_that_two_people_share_is_one_and_theirs_both(
    tmp_path: Path, compiled: Path
) -> None:
    async with running(tmp_path) as gateway:
        steps = [
            await step(gateway, FIRST, LAN),
            await step(gateway, SECOND, HOA),
            await step(gateway, KIN, LAN),
        ]
    read = cached(compiled, *steps)
    assert is_whole(read, *steps) == [True, True, True]
    assert sorted(key.split(":")[0] for key in read.records) == ["Identity", "Marriage", "Marriage"]


async def test_somebody_else_behind_a_link_is_not_the_person_before(
    tmp_path: Path, compiled: Path
) -> None:
    query = (
        PERSON
        % f"""civilStatus {{ marriages {{ items {{ recordId
      husband {{ person {{ askedAs %s }} }} }} {STATE % ""} }} }}"""
    )
    rows: dict[str, object] = {"event_id": "M1", "wife_citizen_id": LAN}
    steps = []
    for husband, selected in ((HOA, "id"), ("001050000001", "identification")):
        changed_sources = backends(
            civil_status={"marriages": [{**rows, "husband_citizen_id": husband}]}
        )
        async with running(tmp_path, changed_sources) as gateway:
            steps.append(await step(gateway, query % selected))
    assert is_whole(cached(compiled, *steps), *steps) == [False, True]


async def test_a_record_without_its_id_is_refused_not_mixed(tmp_path: Path, compiled: Path) -> None:
    query = PERSON % f"civilStatus {{ marriages {{ items {{ eventId }} {STATE % ''} }} }}"
    async with running(tmp_path) as gateway:
        question = await step(gateway, query)
    (message,) = cached(compiled, question).said
    assert "recordId" in message or "Missing field" in message or "go.apollo.dev" in message


async def test_several_people_keep_their_places(tmp_path: Path, compiled: Path) -> None:
    query = "query($ids: [PersonNumber!]!) { persons(ids: $ids) { askedAs civilStatus { %s } } }"
    selected = f"marriages {{ items {{ recordId %s }} {STATE % ''} }}"
    steps = []
    async with running(tmp_path) as gateway:
        for field in ("eventId", "status"):
            question = query % (selected % field)
            text = print_ast(visit(parse(question), _Typenames()))
            variables = {"ids": [HOA, LAN]}
            body = await gateway.ask(text, variables)
            steps.append({"query": question, "variables": variables, "data": body["data"]})
    assert is_whole(cached(compiled, *steps), *steps) == [True, True]


def test_the_types_that_ship_are_those_of_the_schema() -> None:
    from connectors.registry import installed_databases
    from tests.support.running import built
    from tools.client_types import FILE, client_types

    databases = installed_databases()
    assert FILE.read_text("utf-8") == client_types(built(databases), databases)
