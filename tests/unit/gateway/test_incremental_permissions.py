"""The permission table over deferred sections: for every demo caller and field.

What payloads amount to is the answer without ``@defer``, which ``test_permission_table`` holds
against the rules; and nothing is in any payload that is not in that answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
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


def fragments() -> str:
    """Return a fragment for each database, with every list and field, and one for each fact."""
    selected: dict[str, list[str]] = {}
    for question in LISTS:
        words = question.database.name.split("_")
        section = words[0] + "".join(word.title() for word in words[1:])
        selected.setdefault(section, []).append(question.selection)
    sections = [f"{name} {{ {' '.join(texts)} }}" for name, texts in selected.items()]
    facts = [f"{name} {{ state sources {{ state }} }}" for name in FACTS]
    return " ".join(f"... @defer {{ {field} }}" for field in (*sections, *facts))


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
    async with running(folder, sources, DATABASES, live, limits=WIDE) as gateway:
        yield Held(gateway, gates)


@pytest.mark.parametrize(
    ("name", "scopes", "purpose"), CASES, ids=[f"{name} {purpose}" for name, _, purpose in CASES]
)
@in_its_loop
async def test_payloads_amount_to_the_answer_and_nothing_leaks(
    held: Held, name: str, scopes: tuple[str, ...], purpose: str | None
) -> None:
    root = "me" if name == "citizen" else f'person(id: "{PERSON}")'
    query = f"{{ {root} {{ id {fragments()} }} }}"
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
    sent = client.content.decode()
    secrets = {sentinel(leaf.record, leaf.column) for each in LISTS for _, leaf in each.leaves}
    assert not [secret for secret in secrets if secret in sent and secret not in answer.text]
