"""The first set of published operations on the demo: useful answers by every way to call.

Covers ``gateway.operations.completeness``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from connectors.registry import installed_databases
from gateway.access.tokens import issue
from gateway.catalogue.sections import bind_sections
from gateway.cli.demo import FIRST_SET
from gateway.keys.keyring import load_signing
from gateway.operations.library import OperationSet, read_operations
from gateway.operations.operation import PublishedOperation
from gateway.operations.publish import publish
from gateway.runtime.clock import SystemClock
from gateway.settings import Limits, Settings, load
from tests.support.process import Process, purposes_of
from tests.support.running import built

DATABASES = tuple(installed_databases())
CASE = "HS-DEMO-0001"
_PERSONAS = 6
#: Times of reading, and who has read since, differ from one call to the next.
CHANGING = {"fetchedAt", "factsAsOf", "accessLog"}


def shelf(folder: Path) -> OperationSet:
    make = partial(publish, built(DATABASES), bind_sections(DATABASES), Limits(), True)
    return read_operations(folder, make, OperationSet())


FIRST = shelf(FIRST_SET)


@pytest.fixture(scope="module")
def settings(demo: Process) -> Settings:
    return load(demo.folder / "gateway.toml")


def steady(value: Any) -> Any:
    """Return an answer without what changes by itself."""
    if isinstance(value, dict):
        return {key: steady(inner) for key, inner in value.items() if key not in CHANGING}
    return [steady(inner) for inner in value] if isinstance(value, list) else value


def filled(
    published: PublishedOperation, persona: dict[str, Any], personas: list[dict[str, Any]]
) -> dict[str, Any] | None:
    """Return the variables of an operation for a persona; None where it lacks one of them.

    Where the example names several people, the others are other ``personas``.
    """
    variables = filled_example(published.header.example, persona)
    others = (other["id"] for other in personas if other is not persona)
    named = [name for name, value in (variables or {}).items() if value == persona["id"]]
    return variables and {**variables, **dict(zip(named[1:], others, strict=False))}


def filled_example(example: Mapping[str, Any], persona: dict[str, Any]) -> dict[str, Any] | None:
    variables: dict[str, Any] = {}
    for name, value in example.items():
        variables[name] = value
        if isinstance(value, Mapping):
            variables[name] = filled_example(value, persona)
        elif isinstance(value, str) and value.startswith("@"):
            variables[name] = persona.get(value.partition(".")[2] or "id")
        if variables[name] is None:
            return None
    return variables


def personas_for(
    demo: Process, published: PublishedOperation
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return a few personas who have what the operation asks by, with its variables."""
    personas = demo.personas if published.header.example else demo.personas[:1]
    # Of whom registers disagree no verification matches, and those are counted.
    examples = [
        (persona, filled(published, persona, demo.personas))
        for persona in personas
        if "conflicting_data" not in persona["tags"]
    ]
    return [(persona, variables) for persona, variables in examples if variables is not None][
        :_PERSONAS
    ]


def call(
    client: httpx2.Client, path: str, body: object, token: str, purpose: str | None
) -> httpx2.Response:
    headers = {"authorization": f"Bearer {token}"}
    if purpose is not None:
        headers |= {"x-purpose": purpose, "x-case-number": CASE}
    return client.post(path, json=body, headers=headers)


def callers(demo: Process, published: PublishedOperation) -> list[tuple[str, str | None]]:
    """Return a token and a purpose for each client and purpose that may call an operation."""
    if not published.header.purposes:
        role = "citizen" if published.operation.reads_own_view else "partner"
        return [(demo.tokens[role], None)]
    names = {"demo-officer": "officer", "demo-partner": "partner"}
    for name in ("enforcement_officer", "one_stop_desk"):
        names[f"demo-{name}"] = name
    pairs: list[tuple[str, str | None]] = []
    for client in sorted(published.header.clients):
        token_purposes = purposes_of(demo.tokens[names[client]])
        purposes = [purpose for purpose in published.header.purposes if purpose in token_purposes]
        assert purposes, f"{client} may call {published.header.id} for no purpose of its token"
        pairs += [(demo.tokens[names[client]], purpose) for purpose in purposes]
    return pairs


def sufficient(
    settings: Settings, published: PublishedOperation, purpose: str | None, citizen: str
) -> str:
    """Return a token with just the rights that an operation lends."""
    is_own_view = published.operation.reads_own_view
    return issue(
        load_signing(settings, "token")[0],
        settings.access,
        SystemClock().now(),
        subject=citizen if is_own_view else "officer-1",
        client="somebody",
        scopes=("me",) if is_own_view else tuple(published.lends) or ("introspect",),
        purposes=() if purpose is None else (purpose,),
    )


def test_all_of_it_is_published() -> None:
    assert FIRST.refused == ()
    assert len(FIRST.published) == len(list(FIRST_SET.glob("*.graphql")))


@pytest.mark.parametrize("published", FIRST.published, ids=lambda item: item.header.id)
def test_every_way_to_call_it_gives_the_same_data(
    demo: Process, settings: Settings, published: PublishedOperation
) -> None:
    document = (demo.folder / "operations" / published.file.name).read_text("utf-8")
    name, by_hash = published.header.name, published.document_id
    count = 0
    with httpx2.Client(base_url=demo.url, timeout=20) as client:
        for persona, variables in personas_for(demo, published):
            count += 1
            for token, purpose in callers(demo, published):
                ordinary_token = sufficient(settings, published, purpose, demo.personas[0]["id"])
                hashed = {"documentId": by_hash, "variables": variables}
                free = {"query": document, "variables": variables}
                answers = [
                    call(client, f"/operations/{name}", variables, token, purpose),
                    call(client, f"/operations/{published.header.id}", variables, token, purpose),
                    call(client, "/graphql", hashed, token, purpose),
                    call(client, "/graphql", free, ordinary_token, purpose),
                ]
                assert [item.status_code for item in answers] == [200] * 4
                data = [steady(item.json()["data"]) for item in answers]
                assert data[0] == data[1] == data[2], persona
                if published.operation.reads_persons:
                    assert data[0] == data[3], persona
    assert count
