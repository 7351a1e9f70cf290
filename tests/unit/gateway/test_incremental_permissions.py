"""The permission table over deferred sections: for every demo caller and field.

What payloads amount to is the answer without ``@defer``, which ``test_permission_table`` holds
against the rules; and nothing is in any payload that is not in that answer. A section of which the
caller may see nothing is never waited for: whether it is there does not tell when its database
answers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from connectors.description import Group
from connectors.registry import installed_databases
from gateway.cli.demo import CALLERS
from gateway.settings import DatabaseSettings
from tests.support.faults import Gated
from tests.support.payloads import asking, merge
from tests.support.rights import WIDE
from tests.support.running import Running, running
from tests.support.table import PERSON, backends, lists, sentinel

in_its_loop = pytest.mark.asyncio(loop_scope="module")
DATABASES = tuple(database for database in installed_databases() if database.records)
LISTS = tuple(lists(DATABASES))
FACTS = ("lifeStatus", "maritalStatus", "legalCapacity", "guardianship", "residence")
CASES = [
    (name, caller.scopes, purpose)
    for name, caller in CALLERS.items()
    for purpose in caller.purposes[:2] or (None,)
] + [("citizen", ("me",), None)]


def selections() -> dict[str, str]:
    """Return what is selected of each section and each fact, with every list and field."""
    selected: dict[str, list[str]] = {}
    for question in LISTS:
        words = question.database.name.split("_")
        section = words[0] + "".join(word.title() for word in words[1:])
        selected.setdefault(section, []).append(question.selection)
    sections = {name: " ".join(texts) for name, texts in selected.items()}
    return {**sections, **dict.fromkeys(FACTS, "state sources { state }")}


def of_people(root: str) -> str:
    """Return a query with a fragment of the person for each section and fact."""
    fields = (f'... @defer(label: "{name}") {{ {name} {{ {text} }} }}' for name, text in FIELDS)
    return f"{{ {root} {{ id {' '.join(fields)} }} }}"


def of_the_query(root: str) -> str:
    """Return a query with a fragment of its own for the person of each section and fact."""
    fields = (
        f'... @defer(label: "{name}") {{ {name}: {root} {{ {name} {{ {text} }} }} }}'
        for name, text in FIELDS
    )
    return f"{{ first: {root} {{ id }} {' '.join(fields)} }}"


def of_sections(root: str) -> str:
    """Return a query with a fragment of each section."""
    fields = (
        f'{name} {{ ... @defer(label: "{name}") {{ {text} }} }}'
        for name, text in FIELDS
        if name not in FACTS
    )
    return f"{{ {root} {{ id {' '.join(fields)} }} }}"


FIELDS = tuple(selections().items())
QUERIES = (of_people, of_the_query, of_sections)


def refused_sections(data: Mapping[str, Any]) -> set[str]:
    """Return the sections of which the caller may see nothing, by the states in an answer."""
    people = [person for person in data.values() if person is not None]
    sections = {
        name: list(_states(person[name]))
        for person in people
        for name in person.keys() - {"id", *FACTS}
    }
    return {name for name, states in sections.items() if set(states) == {"DENIED"}}


def _states(section: Mapping[str, Any]) -> Iterator[str]:
    for value in section.values():
        if isinstance(value, Mapping) and "source" in value:
            yield value["source"]["state"]


@dataclass(frozen=True)
class Held:
    """A gateway whose databases, but for the population database, wait at a gate."""

    gateway: Running
    gates: Sequence[Gated]

    def close(self) -> None:
        for gated in self.gates:
            gated.gate.clear()

    def open(self) -> None:
        for gated in self.gates:
            gated.gate.set()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def held(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Held]:
    live = {
        database.name: DatabaseSettings(group=Group.OPERATING, timeout=120)
        for database in DATABASES
    }
    sources: dict[str, Any] = {**backends(DATABASES)}
    for name in sources.keys() - {"population"}:
        sources[name] = Gated(sources[name])
    gates = [source for source in sources.values() if isinstance(source, Gated)]
    folder = tmp_path_factory.mktemp("held")
    limits = WIDE.model_copy(update={"aliases": 30, "repeated_fields": 30})
    async with running(folder, sources, DATABASES, live, limits=limits) as gateway:
        yield Held(gateway, gates)


@pytest.mark.parametrize(
    ("name", "scopes", "purpose"), CASES, ids=[f"{name} {purpose}" for name, _, purpose in CASES]
)
@pytest.mark.parametrize("query_of", QUERIES, ids=[query.__name__ for query in QUERIES])
@in_its_loop
async def test_payloads_amount_to_the_answer_and_nothing_leaks(
    held: Held,
    query_of: Callable[[str], str],
    name: str,
    scopes: tuple[str, ...],
    purpose: str | None,
) -> None:
    root = "me" if name == "citizen" else f'person(id: "{PERSON}")'
    query = query_of(root)
    subject = PERSON if name == "citizen" else "somebody"
    held.close()
    asked = asking(held.gateway, query, None, scopes, purpose=purpose, subject=subject)
    async with asked as client:
        await client.next()
        held.open()
        await client.rest()
    token = held.gateway.token(*scopes, subject=subject, purposes=[purpose or "none"])
    stated = {"x_purpose": purpose} if purpose else {"x_purpose": "", "x_case_number": ""}
    answer = await held.gateway.post(query, None, token, **stated)
    whole = answer.json()
    assert "VALIDATION_FAILED" not in answer.text
    if name in {"officer", "bench", "citizen"}:
        assert len(client.payloads) > 1, "a single payload proves nothing"
    elif "data" not in whole:
        assert client.payloads == [whole]
        return
    merged = merge(client.payloads)
    assert merged["data"] == whole["data"]
    assert sorted(map(str, merged.get("errors", ()))) == sorted(map(str, whole.get("errors", ())))
    announced = [each for payload in client.payloads for each in payload.get("pending", ())]
    assert not {each["label"] for each in announced} & refused_sections(whole["data"])
    assert {step for each in announced for step in each["path"]} <= {
        *whole["data"],
        *(name for name, _ in FIELDS),
    }
    sent = client.content.decode()
    secrets = {sentinel(leaf.record, leaf.column) for each in LISTS for _, leaf in each.leaves}
    assert not [secret for secret in secrets if secret in sent and secret not in answer.text]
