"""Incremental delivery: what is complete first leaves first, and all of it is the same answer.

Databases wait at a gate, so that the order is the test's. Covers ``gateway.execution.incremental``,
``gateway.execution.deferred_fragments``, ``gateway.plan.defer``, ``gateway.deliver`` and
``gateway.http.payloads``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
from graphql import experimental_execute_incrementally, parse

from gateway.access.caller import Caller
from gateway.execution.execute import record_rules
from gateway.execution.operation import OperationRequest
from gateway.execution.reference import ReferenceContext
from gateway.execution.state import ExecutionState
from gateway.limits.verification_attempts import ATTEMPTS
from gateway.procedures.procedure import UNIFIED
from gateway.settings import DatabaseSettings, Limits
from tests.support.faults import Gated
from tests.support.metrics import value_of
from tests.support.payloads import asking, merge
from tests.support.people import DEAD, HOA, LAN, NOBODY, OLD_NUMBER, SHARED_NUMBER, backends
from tests.support.running import OFFICER, Running, codes, running

IDENTITY = "population { identity { item { fullName } source { state } } }"
MARRIAGES = """civilStatus { marriages { items { eventId wife { person { id } } }
  source { state } } }"""
RESIDENCES = "homes: population { residences { items { recordId } source { state } } }"
CIVIL = '... @defer(label: "civil") { ' + MARRIAGES + " }"
HOMES = '... @defer(label: "homes") { ' + RESIDENCES + " }"


def person(selection: str) -> str:
    return "query($id: PersonNumber!) { person(id: $id) { " + selection + " } }"


@dataclass(frozen=True)
class Gates:
    """A gateway whose marriages and residences wait until their gates are open."""

    gateway: Running
    civil: Gated
    homes: Gated

    async def open(self) -> None:
        """Let everything answer."""
        self.civil.gate.set()
        self.homes.gate.set()

    async def whole(self, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
        """Return the answer in a single payload, with both gates open."""
        await self.open()
        return await self.gateway.ask(query, variables)


@pytest_asyncio.fixture
async def gates(tmp_path: Path) -> AsyncIterator[Gates]:
    sources = backends()
    civil = Gated(sources["civil_status"], "marriages")
    homes = Gated(sources["population"], "residences")
    async with running(tmp_path, {"civil_status": civil, "population": homes}) as gateway:
        yield Gates(gateway, civil, homes)


def labels(payload: Mapping[str, Any]) -> list[str]:
    return [pending.get("label") for pending in payload.get("pending", ())]


async def test_the_rest_arrives_while_the_database_of_a_deferred_section_does_not_answer(
    gates: Gates,
) -> None:
    query = person(f"id {CIVIL} {IDENTITY}")
    async with asking(gates.gateway, query, {"id": HOA}) as client:
        first = await client.next()
        assert not gates.civil.gate.is_set()
        assert first["pending"] == [{"id": "0", "path": ["person"], "label": "civil"}]
        assert set(first["data"]["person"]) == {"id", "population"}
        gates.civil.gate.set()
        last = await client.next()
    assert set(last) == {"incremental", "completed", "hasNext"}
    assert merge(client.payloads) == await gates.whole(query, {"id": HOA})


async def test_what_is_complete_with_the_first_payload_is_part_of_it_in_its_place(
    gates: Gates,
) -> None:
    query = person(f"id ... @defer {{ {IDENTITY} }} {MARRIAGES}")
    await gates.open()
    async with asking(gates.gateway, query, {"id": HOA}) as client:
        (answer,) = await client.rest()
    assert client.headers[b"content-type"].startswith(b"application/json")
    assert set(answer) == {"data"}
    undeferred = await gates.gateway.post(
        person(f"id {IDENTITY} {MARRIAGES}"), {"id": HOA}, gates.gateway.token(*OFFICER)
    )
    assert client.content == undeferred.content


async def test_one_error_names_all_lists_of_a_payload_that_may_lack_rows(gates: Gates) -> None:
    await gates.open()
    deferred = person(f"id ... @defer {{ {IDENTITY} }} {MARRIAGES}")
    async with asking(gates.gateway, deferred, {"id": NOBODY}) as client:
        (answer,) = await client.rest()
    assert codes(answer) == ["PERSON_NOT_IDENTIFIED"]
    lists = answer["errors"][0]["extensions"]["lists"]
    assert lists == ["civilStatus.marriages", "population.identity"]


async def test_each_fragment_leaves_when_it_is_complete(gates: Gates) -> None:
    query = person(f"id {CIVIL} {HOMES}")
    async with asking(gates.gateway, query, {"id": HOA}) as client:
        assert labels(await client.next()) == ["civil", "homes"]
        gates.homes.gate.set()
        second = await client.next()
        assert [each["id"] for each in second["completed"]] == ["1"]
        assert second["hasNext"]
        gates.civil.gate.set()
        third = await client.next()
        assert [each["id"] for each in third["completed"]] == ["0"]
    assert merge(client.payloads) == await gates.whole(query, {"id": HOA})


async def test_a_fragment_within_another_follows_it(gates: Gates) -> None:
    query = person(f'id ... @defer(label: "outer") {{ {MARRIAGES} {HOMES} }}')
    async with asking(gates.gateway, query, {"id": HOA}) as client:
        assert labels(await client.next()) == ["outer"]
        gates.civil.gate.set()
        second = await client.next()
        assert labels(second) == ["homes"]
        assert [each["id"] for each in second["completed"]] == ["0"]
        gates.homes.gate.set()
        await client.rest()
    assert merge(client.payloads) == await gates.whole(query, {"id": HOA})


async def test_an_inner_fragment_that_is_complete_earlier_comes_with_the_outer_one(
    gates: Gates,
) -> None:
    query = person(f'id ... @defer(label: "outer") {{ {MARRIAGES} {HOMES} }}')
    async with asking(gates.gateway, query, {"id": HOA}) as client:
        await client.next()
        await gates.homes.is_waiting.wait()
        gates.homes.gate.set()
        await gates.civil.is_waiting.wait()
        gates.civil.gate.set()
        await client.rest()
    assert merge(client.payloads) == await gates.whole(query, {"id": HOA})


async def test_a_field_outside_of_the_fragment_too_belongs_to_the_first_payload(
    gates: Gates,
) -> None:
    outside = "civilStatus { marriages { items { status } source { state } } }"
    query = person(f"id {outside} ... @defer {{ {MARRIAGES} {RESIDENCES} }}")
    async with asking(gates.gateway, query, {"id": HOA}) as client:
        gates.civil.gate.set()
        first = await client.next()
        marriages = first["data"]["person"]["civilStatus"]["marriages"]
        assert set(marriages["items"][0]) == {"status", "eventId", "wife"}
        assert first["pending"] == [{"id": "0", "path": ["person"]}]
        gates.homes.gate.set()
        await client.rest()
    assert merge(client.payloads) == await gates.whole(query, {"id": HOA})


async def test_a_field_of_two_fragments_comes_once_and_completes_both(gates: Gates) -> None:
    both = f'... @defer(label: "a") {{ {MARRIAGES} }}'
    query = person(f'id {both} ... @defer(label: "b") {{ {MARRIAGES} {RESIDENCES} }}')
    async with asking(gates.gateway, query, {"id": HOA}) as client:
        assert labels(await client.next()) == ["a", "b"]
        gates.civil.gate.set()
        second = await client.next()
        assert [each["id"] for each in second["completed"]] == ["0"]
        gates.homes.gate.set()
        third = await client.next()
        assert set(third["incremental"][0]["data"]) == {"homes"}
    assert merge(client.payloads) == await gates.whole(query, {"id": HOA})


async def test_every_person_of_a_list_has_fragments_of_their_own(gates: Gates) -> None:
    query = f"query($ids: [PersonNumber!]!) {{ persons(ids: $ids) {{ id {CIVIL} }} }}"
    variables = {"ids": [HOA, SHARED_NUMBER, LAN, HOA, NOBODY]}
    async with asking(gates.gateway, query, variables) as client:
        first = await client.next()
        paths = [pending["path"] for pending in first["pending"]]
        assert paths == [["persons", 0], ["persons", 2], ["persons", 3], ["persons", 4]]
        assert first["data"]["persons"][1] is None  # two hold the number
        gates.civil.gate.set()
        await client.rest()
    merged, whole = merge(client.payloads), await gates.whole(query, variables)
    assert merged["data"] == whole["data"]
    assert sorted(codes(merged)) == sorted(codes(whole))


@pytest.mark.parametrize("number", [HOA, OLD_NUMBER, DEAD, LAN])
async def test_a_person_of_whom_everything_is_deferred_is_empty_at_first(
    gates: Gates, number: str
) -> None:
    query = person(f'... @defer(label: "civil") {{ id notices {{ code }} {MARRIAGES} }}')
    async with asking(gates.gateway, query, {"id": number}) as client:
        first = await client.next()
        assert first["data"] == {"person": {}}
        gates.civil.gate.set()
        await client.rest()
    assert merge(client.payloads) == await gates.whole(query, {"id": number})


async def test_notices_are_told_with_the_first_payload_where_they_are_not_selected(
    gates: Gates,
) -> None:
    async with asking(gates.gateway, person(f"id {CIVIL}"), {"id": DEAD}) as client:
        first = await client.next()
        gates.civil.gate.set()
        await client.rest()
    assert first["extensions"]["notices"]
    assert all("extensions" not in payload for payload in client.payloads[1:])


@pytest.mark.parametrize("fault", ["down", "defect", "maintenance", "unmapped", "spoilt"])
async def test_what_fails_in_a_fragment_is_told_there_as_without_it(
    gates: Gates, fault: str
) -> None:
    query = person(f"id {CIVIL}")
    gates.civil.fault = fault
    async with asking(gates.gateway, query, {"id": HOA}) as client:
        first = await client.next()
        gates.civil.gate.set()
        last = await client.next()
    assert "errors" not in first
    marriages = last["incremental"][0]["data"]["civilStatus"]["marriages"]
    assert marriages["items"] is None
    whole = await gates.whole(query, {"id": HOA})
    assert merge(client.payloads)["data"] == whole["data"]
    assert codes(merge(client.payloads)) == codes(whole)


async def test_a_database_that_is_late_says_so_in_its_fragment(tmp_path: Path) -> None:
    sources = backends()
    sources["civil_status"] = Gated(sources["civil_status"])
    hasty = {"civil_status": DatabaseSettings(timeout=0.05)}
    async with (
        running(tmp_path, sources, databases_=hasty) as gateway,
        asking(gateway, person(f"id {CIVIL}"), {"id": HOA}) as client,
    ):
        assert "errors" not in await client.next()
        last = await client.next()
    (part,) = last["incremental"]
    assert part["data"]["civilStatus"]["marriages"]["source"]["state"] == "TIMED_OUT"
    assert codes(part) == ["SOURCE_TIMED_OUT"]


async def test_a_root_field_comes_later_as_a_whole_with_its_notices(gates: Gates) -> None:
    query = f"""query($id: PersonNumber!) {{ a: person(id: $id) {{ id notices {{ code }} }}
      ... @defer(label: "b") {{ b: person(id: $id) {{ id {MARRIAGES} }} }} }}"""
    async with asking(gates.gateway, query, {"id": DEAD}) as client:
        first = await client.next()
        assert first["pending"] == [{"id": "0", "path": [], "label": "b"}]
        assert set(first["data"]) == {"a"}
        gates.civil.gate.set()
        last = await client.next()
    whole = await gates.whole(query, {"id": DEAD})
    assert "extensions" not in first
    assert last["extensions"] == whole.pop("extensions")
    assert merge(client.payloads) == whole


async def test_a_refused_root_field_is_refused_in_the_first_payload(gates: Gates) -> None:
    query = f"""query($id: PersonNumber!) {{ ... @defer {{ me {{ id }} }}
      person(id: $id) {{ id {CIVIL} }} }}"""
    async with asking(gates.gateway, query, {"id": HOA}) as client:
        first = await client.next()
        assert labels(first) == ["civil"]
        assert first["data"] == {"me": None, "person": {"id": HOA}}
        gates.civil.gate.set()
        await client.rest()
    assert merge(client.payloads) == await gates.whole(query, {"id": HOA})


async def test_people_of_deferred_root_fields_count_towards_the_limit(tmp_path: Path) -> None:
    query = """query($ids: [PersonNumber!]!) { ... @defer { a: persons(ids: $ids) { id } }
      b: persons(ids: $ids) { id } }"""
    variables = {"ids": [HOA, LAN]}
    async with running(tmp_path, limits=Limits(persons=3, deadline=120)) as gateway:
        async with asking(gateway, query, variables) as client:
            merged = merge(await client.rest())
        whole = await gateway.ask(query, variables)
    assert codes(merged) == ["TOO_MANY_PERSONS"]
    assert (merged["data"], merged["errors"]) == (whole["data"], whole["errors"])


async def test_the_inner_fragments_of_a_person_who_is_not_shown_never_come(gates: Gates) -> None:
    query = f"""query($id: PersonNumber!, $other: PersonNumber!) {{
      ... @defer(label: "a") {{ a: person(id: $id) {{ id {CIVIL} }}
        b: person(id: $other) {{ {RESIDENCES} }} }} }}"""
    async with asking(gates.gateway, query, {"id": SHARED_NUMBER, "other": HOA}) as client:
        assert labels(await client.next()) == ["a"]
        gates.homes.gate.set()
        last = await client.next()
    assert last["incremental"][0]["data"] == {"a": None}
    assert not last["hasNext"]
    whole = await gates.whole(query, {"id": SHARED_NUMBER, "other": HOA})
    assert merge(client.payloads)["data"] == whole["data"]


@pytest.mark.parametrize("born", ["1990-02-03", "1990-02-04"], ids=["matching", "another date"])
@pytest.mark.parametrize("place", ["at the root", "in the person"])
async def test_an_attempt_to_match_is_counted_once_whatever_is_deferred(
    gates: Gates, place: str, born: str
) -> None:
    arguments = f'id: $id, matching: {{ birthDate: "{born}" }}'
    query = f"query($id: PersonNumber!) {{ person({arguments}) {{ id {CIVIL} }} }}"
    if place == "at the root":
        named = f"person({arguments}) {{ id {MARRIAGES} }}"
        query = f'query($id: PersonNumber!) {{ ... @defer(label: "civil") {{ {named} }} }}'
    before = {each: value_of(ATTEMPTS, each) for each in ("match", "no match")}
    async with asking(gates.gateway, query, {"id": HOA}) as client:
        first = await client.next()
        gates.civil.gate.set()
        await client.rest()
    after = {each: value_of(ATTEMPTS, each) for each in before}
    assert sum(after.values()) == sum(before.values()) + 1
    whole = await gates.whole(query, {"id": HOA})
    merged = merge(client.payloads)
    assert merged["data"] == whole["data"]
    assert merged.get("errors") == whole.get("errors")
    is_shown, is_root = born == "1990-02-03", place == "at the root"
    assert labels(first) == (["civil"] if is_root or is_shown else [])
    roles = [
        [person["role"] for person in entry["persons"] if person["role"] != "KIN"]
        for entry in gates.gateway.journal()[:-1]
    ]
    role = "NAMED" if is_shown else "REFUSED"
    assert roles == ([[], [role]] if is_root else [[role]] + [[role]] * is_shown)


async def test_the_report_of_a_section_is_the_same_beside_a_deferred_list(tmp_path: Path) -> None:
    kept = {
        name: DatabaseSettings(timeout=120, fresh=1_000) for name in ("population", "civil_status")
    }
    alias = "again: civilStatus { marriages(fresh: true) { items { eventId } } }"
    query = person(
        "id civilStatus { marriages { items { eventId } } source { state fromCache } } "
        f"... @defer {{ {alias} }}"
    )
    async with running(tmp_path, databases_=kept) as gateway:
        await gateway.ask(query.replace("(fresh: true)", ""), {"id": HOA})
        async with asking(gateway, query, {"id": HOA}) as client:
            payloads = await client.rest()
        assert merge(payloads) == await gateway.ask(query.replace("@defer", ""), {"id": HOA})


async def test_no_fragment_is_announced_of_a_person_who_is_not_shown(gates: Gates) -> None:
    async with asking(gates.gateway, person(f"id {CIVIL}"), {"id": SHARED_NUMBER}) as client:
        (answer,) = await client.rest()
    assert answer["data"] == {"person": None}
    assert "pending" not in answer


async def test_a_citizen_reads_their_own_view_in_payloads(gates: Gates) -> None:
    query = f"{{ me {{ id {CIVIL} }} }}"
    asked = asking(gates.gateway, query, None, ("me",), purpose=None, subject=HOA)
    async with asked as client:
        assert labels(await client.next()) == ["civil"]
        gates.civil.gate.set()
        await client.rest()
    whole = await gates.gateway.post(
        query, None, gates.gateway.token("me", subject=HOA), x_purpose="", x_case_number=""
    )
    assert merge(client.payloads) == whole.json()


QUERIES = {
    "one": person(f"id {CIVIL} {IDENTITY}"),
    "two": person(f"id {CIVIL} {HOMES}"),
    "nested": person(f'id ... @defer(label: "outer") {{ {MARRIAGES} {HOMES} }}'),
    "a named fragment": person('id ...C @defer(label: "c")')
    + f" fragment C on Person {{ {MARRIAGES} }}",
    "everything": person(f"{CIVIL} {HOMES}"),
    "in both": person(f'id {CIVIL} ... @defer(label: "b") {{ {MARRIAGES} {RESIDENCES} }}'),
    "two roots": f"""query($id: PersonNumber!) {{
      a: person(id: $id) {{ id {CIVIL} }} b: person(id: $id) {{ id {HOMES} }} }}""",
    "in an inner one too": person(
        f'id ... @defer(label: "outer") {{ {MARRIAGES} ... @defer(label: "inner") {{ {MARRIAGES}'
        f" {RESIDENCES} }} }}"
    ),
    "at the root": f"""query($id: PersonNumber!) {{ b: person(id: $id) {{ id }}
      ... @defer(label: "a") {{ a: person(id: $id) {{ {CIVIL} {RESIDENCES} }} }} }}""",
    "in a section": person(
        'id civilStatus { ... @defer(label: "s") { marriages { items { eventId } } } }'
    ),
    "an empty one around": person(f"id ... @defer {{ {CIVIL} }}"),
    "not deferred": person(f"id ... @defer(if: false) {{ {RESIDENCES} }} {CIVIL}"),
}


async def _payloads_of_core(gates: Gates, query: str) -> list[dict[str, Any]]:
    """Return the payloads of graphql-core's own incremental execution over the same schema."""
    resources = gates.gateway.service.resources
    officer = Caller("test-client", scopes=frozenset(OFFICER), purpose=UNIFIED)
    document = await resources.plans.document(query, officer.client)
    operation, until = document.operation(None), resources.clock.monotonic() + 100
    request = OperationRequest(document, operation, {"id": HOA}, officer, until)
    state = ExecutionState(resources.settings.limits)
    context = ReferenceContext(resources, record_rules(resources, request), state, "request-1")
    executed: Any = experimental_execute_incrementally(
        resources.schema, parse(query), context_value=context, variable_values={"id": HOA}
    )
    result = await executed
    payloads = [result.initial_result.formatted]
    await _open_in_turn(gates)
    payloads += [each.formatted async for each in result.subsequent_results]
    decoded: list[dict[str, Any]] = orjson.loads(orjson.dumps(payloads))
    return decoded


async def _open_in_turn(gates: Gates) -> None:
    gates.civil.gate.set()
    gates.homes.gate.set()


def _announced(payloads: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what each announced fragment holds, by path and label, and whether it completed."""
    names = {
        pending["id"]: (*pending["path"], pending.get("label"))
        for payload in payloads
        for pending in payload.get("pending", ())
    }
    shown: dict[str, Any] = {str(name): [] for name in names.values()}
    for payload in payloads:
        for part in payload.get("incremental", ()):
            shown[str(names[part["id"]])].append((part["data"], part.get("subPath")))
        for completed in payload.get("completed", ()):
            shown[str(names[completed["id"]])].append(set(completed) - {"id"})
    return shown


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
async def test_payloads_have_the_form_and_the_content_of_those_of_graphql_core(
    gates: Gates, query: str
) -> None:
    if "residences" not in query.replace(f"@defer(if: false) {{ {RESIDENCES}", ""):
        gates.homes.gate.set()  # it is part of the first payload
    async with asking(gates.gateway, query, {"id": HOA}) as client:
        first = await client.next()
        await _open_in_turn(gates)
        ours = await client.rest()
    gates.civil.gate.clear()
    gates.homes.gate.clear()
    if "@defer(if: false)" in query:
        gates.homes.gate.set()
    theirs = await _payloads_of_core(gates, query)
    assert {**first, "pending": theirs[0]["pending"]} == theirs[0]
    assert sorted(map(str, first["pending"])) == sorted(map(str, theirs[0]["pending"]))
    assert merge(ours)["data"] == merge(theirs)["data"]
    assert _announced(ours) == _announced(theirs)
    shapes = [{frozenset(each) for each in payloads} for payloads in (ours, theirs)]
    assert shapes[0] <= shapes[1] | {frozenset({"incremental", "completed", "hasNext"})}
