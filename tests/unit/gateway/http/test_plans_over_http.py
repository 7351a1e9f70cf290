"""Plans as clients meet them: cost, the plan on request, refusals, and answers without a plan."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema
from prometheus_client import REGISTRY

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from gateway.audit.entry import person_hash
from gateway.catalogue.sections import bind_sections
from gateway.execution.plan_cache import Compiler, Generate, Parse, PlanCache
from gateway.http.parameters import GRAPHQL_JSON, JSON
from gateway.plan.document import Document, parse_document
from gateway.plan.plan import Plan
from gateway.procedures.procedure import UNIFIED
from gateway.settings import Limits
from gateway.shape.codegen import compile_plan
from tests.support.faults import Faulty
from tests.support.people import HOA, LAN, backends
from tests.support.running import CASE_NUMBER, OFFICER, OPERATOR, Running, codes, running

MARRIAGES = """query($id: PersonNumber!, $n: Int = 5) { person(id: $id) { id
  civilStatus { marriages(first: $n) { items { eventId } source { state } } } } }"""
COSTLY = """query($ids: [PersonNumber!]!) { persons(ids: $ids) { civilStatus {
  divorces(first: 200) { items { wife { civilStatus {
    divorces(first: 200) { items { eventId } } } } } } } } }"""
CROWD = [f"0010900{number:05d}" for number in range(100)]


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


@asynccontextmanager
async def _plans(
    gateway: Running, parse: Parse = parse_document, generate: Generate = compile_plan
) -> AsyncIterator[None]:
    """Have the gateway make its documents and plans in this way."""
    service = gateway.service
    resources = service.resources
    plans = PlanCache(
        resources.schema,
        bind_sections((POPULATION, CIVIL_STATUS)),
        resources.settings.limits,
        gateway.clock,
        compiler=Compiler(parse=parse, generate=generate),
    )
    gateway.app.state.service = replace(service, resources=replace(resources, plans=plans))
    try:
        yield
    finally:
        plans.close()
        gateway.app.state.service = service


def _counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"justice_gateway_{name}_total", labels) or 0.0


async def _extensions(gateway: Running, *scopes: str, **extensions: object) -> dict[str, Any]:
    answer = await gateway.client.post(
        "/graphql",
        json={"query": MARRIAGES, "variables": {"id": HOA}, "extensions": extensions},
        headers={
            "authorization": f"Bearer {gateway.token(*OFFICER, *scopes)}",
            "x-purpose": UNIFIED,
            "x-case-number": CASE_NUMBER,
        },
    )
    assert answer.status_code == 200
    shown: dict[str, Any] = answer.json().get("extensions", {})
    return shown


async def test_callers_who_may_see_plans_are_told_the_cost(gateway: Running) -> None:
    shown = await _extensions(gateway, "plans")
    assert shown["cost"] == {"atMost": 9, "limit": 200_000}
    assert "plan" not in shown, "it was not asked for"


async def test_the_plan_is_shown_on_request_to_those_who_may_see_it(gateway: Running) -> None:
    shown = await _extensions(gateway, "plans", plan=True)
    assert shown["plan"][0] == "query (without a name): cost at most 9"
    assert any("civil_status.marriages" in line for line in shown["plan"])
    assert "plan" not in await _extensions(gateway, "plans", plan=False)


async def test_other_callers_learn_neither_plan_nor_cost(gateway: Running) -> None:
    assert not {"plan", "cost"} & (await _extensions(gateway, plan=True)).keys()


async def test_whether_the_plan_is_wanted_is_true_or_false(gateway: Running) -> None:
    answer = await gateway.client.post(
        "/graphql", json={"query": "{__typename}", "extensions": {"plan": "yes"}}
    )
    assert (answer.status_code, codes(answer.json())) == (422, ["BAD_REQUEST"])


@pytest.mark.parametrize("media_type", [JSON, GRAPHQL_JSON])
async def test_what_multiplies_into_millions_is_refused_before_anything_is_read(
    tmp_path: Path, media_type: str
) -> None:
    known = backends()
    sources = {name: Faulty(one) for name, one in known.items()}
    async with running(tmp_path, sources) as gateway:
        token = gateway.token(*OFFICER)
        answer = await gateway.post(COSTLY, {"ids": CROWD}, token, accept=media_type)
        journal = gateway.journal()
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "TOO_COSTLY"
    assert error["extensions"]["cost"] == 100 * (3 + 1 + 200 * (1 + 3 + 1 + 200))
    assert [one.fetched for one in sources.values()] == [[], []]
    (entry,) = journal
    assert (entry["result"], entry["codes"]) == ("REFUSED", ["TOO_COSTLY"])
    assert [one["person"] for one in entry["persons"]] == [
        person_hash(gateway.service.resources.person_hash, number) for number in CROWD[:10]
    ]
    assert entry["personsNamed"] == len(CROWD)
    assert {one["role"] for one in entry["persons"]} == {"REFUSED"}
    assert entry["sections"] == {}, "nothing was read"


async def test_the_cost_says_nothing_of_what_the_caller_may_see(gateway: Running) -> None:
    answers = [
        await gateway.ask(COSTLY, {"ids": CROWD}, scopes)
        for scopes in (OFFICER, ("civil_status:read",), ("legal_aid:read",))
    ]
    assert len({str(one) for one in answers}) == 1


async def test_a_limit_that_is_only_tried_out_counts_and_answers(tmp_path: Path) -> None:
    limits = Limits(deadline=120, cost=8, cost_enforced=False)
    before = _counted("too_costly_operations", outcome="measured")
    async with running(tmp_path, limits=limits) as gateway:
        body = await gateway.ask(MARRIAGES, {"id": HOA})
    assert len(body["data"]["person"]["civilStatus"]["marriages"]["items"]) == 2
    assert _counted("too_costly_operations", outcome="measured") == before + 1


async def test_an_operation_that_cannot_be_compiled_is_answered_all_the_same(
    tmp_path: Path,
) -> None:
    async with running(tmp_path / "one") as gateway:
        planned = await gateway.ask(MARRIAGES, {"id": HOA})

    def broken(*_: object) -> Plan:
        raise RuntimeError("the generator has a defect")

    before = _counted("unplanned_operations", reason="no code")
    async with running(tmp_path / "two") as gateway, _plans(gateway, generate=broken):
        answers = [
            await gateway.ask(MARRIAGES, {"id": HOA}, (*OFFICER, *scopes))
            for scopes in ((), ("plans",))
        ]
        journal = gateway.journal()
    assert answers[0] == planned
    assert answers[1]["data"] == planned["data"]
    assert _counted("unplanned_operations", reason="no code") == before + 2
    assert [one["sections"] for one in journal] == [{"civil_status.marriages": "ANSWERED"}] * 2


async def test_a_null_that_a_default_would_have_filled_is_an_error_at_its_place(
    gateway: Running,
) -> None:
    """GraphQL 5.8.5 permits the variable for its default; its null cannot be judged before."""
    before = _counted("unplanned_operations", reason="arguments")
    body = await gateway.ask(MARRIAGES, {"id": HOA, "n": None})
    assert body["data"]["person"] == {"id": HOA, "civilStatus": {"marriages": None}}
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "INVALID_VARIABLES"
    assert error["path"] == ["person", "civilStatus", "marriages"]
    assert _counted("unplanned_operations", reason="arguments") == before + 1


async def test_a_null_that_decides_what_is_included_is_refused(gateway: Running) -> None:
    query = "query($a: Boolean = true) { me @include(if: $a) { id } }"
    body = await gateway.ask(query, {"a": None}, ("me",), subject=HOA)
    assert codes(body) == ["INVALID_VARIABLES"]
    assert "data" not in body
    assert (await gateway.ask(query, {}, ("me",), subject=HOA))["data"] == {"me": {"id": HOA}}
    assert (await gateway.ask(query, {"a": False}, ("me",), subject=HOA))["data"] == {}


async def test_planned_and_other_root_fields_come_in_the_order_asked(gateway: Running) -> None:
    query = """{ z: databases { name } me { id } a: __typename
      s: __type(name: "Person") { name } m: databases(group: PLANNED) { name } again: me { askedAs }
    }"""
    body = await gateway.ask(query, None, ("me", *OPERATOR), subject=HOA)
    assert list(body["data"]) == ["z", "me", "a", "s", "m", "again"]
    assert body["data"]["me"] == {"id": HOA}
    assert body["data"]["s"] == {"name": "Person"}
    assert body["data"]["a"] == "Query"
    assert [one["name"] for one in body["data"]["z"]] == ["population", "civil_status"]


async def test_names_that_mean_something_elsewhere_are_only_names(gateway: Running) -> None:
    names = ("class", "None", "__proto__", "constructor", "self", "r", "f", "live", "k0", "lambda")
    fields = " ".join(f"{name}: id" for name in names)
    body = await gateway.ask(f"{{ me {{ {fields} }} }}", None, ("me",), subject=HOA)
    assert body["data"]["me"] == dict.fromkeys(names, HOA)


async def test_a_client_with_ever_new_documents_is_told_when_to_come_back(tmp_path: Path) -> None:
    limits = Limits(deadline=120, new_documents_per_minute=10)
    async with running(tmp_path, limits=limits) as gateway:
        token = gateway.token(*OFFICER, client="scanner")
        for number in range(50):
            answer = await gateway.post(f"query Q{number} {{__typename}}", None, token)
            if answer.status_code != 200:
                break
        assert number == 10
        assert (answer.status_code, codes(answer.json())) == (429, ["TOO_MANY_DOCUMENTS"])
        assert answer.headers["retry-after"] == "6"
        assert (await gateway.post("query Q0 {__typename}", None, token)).status_code == 200
        other = gateway.token(*OFFICER, client="other")
        assert (await gateway.post("query Q11 {__typename}", None, other)).status_code == 200
        gateway.clock.advance(6)
        assert (await gateway.post("query Q11a {__typename}", None, token)).status_code == 200


async def test_hundreds_of_operations_in_one_document_are_refused(gateway: Running) -> None:
    answer = await gateway.post("".join(f"query Q{n} {{__typename}} " for n in range(330)))
    assert (answer.status_code, codes(answer.json())) == (422, ["TOO_MANY_TOKENS"])
    answer = await gateway.post("".join(f"query Q{n} {{__typename}} " for n in range(11)))
    assert (answer.status_code, codes(answer.json())) == (422, ["TOO_MANY_DEFINITIONS"])


async def test_a_new_document_waits_for_others_until_its_deadline_and_no_longer(
    tmp_path: Path,
) -> None:
    go = threading.Event()

    def slow(schema: GraphQLSchema, limits: Limits, text: str) -> Document:
        if "Slow" in text:
            go.wait(60)
        return parse_document(schema, limits, text)

    async with (
        running(tmp_path, limits=Limits(deadline=0.2)) as gateway,
        _plans(gateway, parse=slow),
    ):
        first = await gateway.post("query Slow {__typename}")
        second = await gateway.post("query Q {__typename}", token=gateway.token(*OFFICER))
        go.set()
    for answer in (first, second):
        assert (answer.status_code, codes(answer.json())) == (503, ["GATEWAY_BUSY"])
        assert int(answer.headers["retry-after"]) >= 1


async def test_metrics_can_be_read_and_name_nobody(gateway: Running) -> None:
    await gateway.ask(MARRIAGES, {"id": LAN, "n": None})
    headers = {"authorization": f"Bearer {gateway.token('metrics:read')}"}
    answer = await gateway.client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'justice_gateway_unplanned_operations_total{reason="arguments"}' in answer.text
    assert LAN not in answer.text
