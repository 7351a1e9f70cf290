"""A dry run reports the denials of the real request, and fetches nothing.

Covers ``gateway.permission.denials``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.procedures.procedure import UNIFIED
from gateway.settings import Limits
from tests.support.dry_runs import (
    ADOPTION,
    CHECK,
    CHILD,
    GUARDIANSHIP,
    NOTHING_STATED,
    child,
    run_trial,
)
from tests.support.people import LAN
from tests.support.running import Running, running
from tests.support.worlds import ALL, EVERY, LIVE, WAYS, acting, answer

KIN = """query($id: PersonNumber!) { person(id: $id) {
  population { identity { item { ethnicity sex citizenId } source { state } }
    protectionOrders { items { orderNo } source { state } } }
  civilStatus { source { state }
    births { items { eventId ethnicity note birthCircumstance mother { name ethnicity
      person { id population { identity { item { religion } source { state } } } } }
      person { civilStatus { courtNotes { items { content } source { state } } } } }
      source { state } }
    adoptions { items { eventId childId child { id } } source { state } }
    courtNotes { items { content eventId } source { state } } } } }"""
PAPERS = """query($id: PersonNumber!) { persons(ids: [$id]) { ...papers }
  again: person(id: $id) { notary { wills { items { notarialNo } source { state } } } } }
  fragment papers on Person { administrativeViolations {
    fines: sanctions { items { decisionNo executions { items { receiptNo } source { state } } }
      source { state } }
    left: records @skip(if: true) { items { recordNo } }
    isConsideredUnsanctioned { value }
    handlingDecisions(first: 3) { items { measure person { id } } source { state } } }
  notary { transactions { items { value kind parties { items { role party { ethnicity } }
      source { state } } } source { state } } }
  legalAid { cases { items { beneficiaryCategory } source { state } }
    beneficiary { item { citizenId } source { state } } } }"""
OWN_VIEW = """{ me { id
  civilStatus { births { items { ethnicity mother { person { population { residences {
    items { entryId } source { state } } } } } } source { state } }
    adoptions { items { eventId } source { state } } }
  notary { wills { items { keeperId } source { state } } }
  legalAid { cases { items { caseNo } source { state } } }
  administrativeViolations { isConsideredUnsanctioned { value }
    sanctions { items { fineAmount } source { state } } } }
  databases { name } }"""
READ = tuple(scope for scope in EVERY if scope.endswith(":read"))
FEW_SCOPES = ("population:read", "civil_status.births:read", "civil_status.births:sensitive",
       "administrative_violations:read", "notary.wills:read")  # fmt: skip
OFFICERS = {
    "nothing": (("operate",), UNIFIED),
    "reads": (READ, UNIFIED),
    "some": (FEW_SCOPES, UNIFIED),
    "everything": (EVERY, UNIFIED),
    "guardianship": (EVERY, GUARDIANSHIP),
    "check": (READ, CHECK),
    "adoption": (EVERY, ADOPTION),
}


async def dry_run_and_answer(
    gateway: Running, token: str, document: str, **stated: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the trial and the real answer."""
    result = await run_trial(gateway, token, document, **stated)
    variables = {"id": CHILD} if "$id" in document else None
    return result, (await gateway.post(document, variables, token, **stated)).json()


def forbidden(body: Mapping[str, Any]) -> set[tuple[str, tuple[str, ...]]]:
    """Return where an answer was denied, without positions in lists, and what was missing."""
    return {
        (_path(error["path"]), tuple(error["extensions"]["missing"]))
        for error in body.get("errors", [])
        if error["extensions"]["code"] == "FORBIDDEN"
    }


def withheld(value: object, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the paths of lists that say so."""
    if isinstance(value, list):
        for item in value:
            yield from withheld(item, path)
    if isinstance(value, dict):
        is_list = not {"items", "item"}.isdisjoint(value)
        if is_list and value.get("source") == {"state": "WITHHELD"}:
            yield ".".join(path)
        for name, inner in value.items():
            yield from withheld(inner, (*path, name))


def _path(path: list[str | int]) -> str:
    return ".".join(part for part in path if isinstance(part, str))


def denied_fields(result: Mapping[str, Any], state: str) -> set[tuple[str, tuple[str, ...]]]:
    return {
        (denial["path"], tuple(denial["missing"]))
        for denial in result["denied"]
        if denial["state"] == state
    }


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("document", [KIN, PAPERS], ids=["kin", "papers"])
@pytest.mark.parametrize("officer", OFFICERS)
async def test_what_is_denied_in_a_trial_is_what_is_denied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, officer: str, document: str, way: str
) -> None:
    answer(way, monkeypatch)
    scopes, purpose = OFFICERS[officer]
    async with running(tmp_path, child(), ALL, LIVE) as gateway:
        token = gateway.token(*scopes, purposes=[purpose])
        result, real = await dry_run_and_answer(gateway, token, document, x_purpose=purpose)
    assert result["code"] is None
    assert denied_fields(result, "DENIED") == forbidden(real)
    assert {path for path, _ in denied_fields(result, "WITHHELD")} == set(withheld(real["data"]))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("asker", ["citizen", "citizen with scopes", "parent", "officer"])
async def test_the_own_view_is_tried_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asker: str, way: str
) -> None:
    answer(way, monkeypatch)
    async with running(tmp_path, child(), ALL, LIVE) as gateway:
        token = {
            "citizen": gateway.token("me", subject=CHILD),
            "citizen with scopes": gateway.token("me", *EVERY, subject=CHILD),
            "parent": acting(gateway, LAN, CHILD),
            "officer": gateway.token(*EVERY),
        }[asker]
        stated = NOTHING_STATED if asker == "parent" else {}
        result, real = await dry_run_and_answer(gateway, token, OWN_VIEW, **stated)
    assert denied_fields(result, "DENIED") == forbidden(real)
    assert {path for path, _ in denied_fields(result, "WITHHELD")} == set(withheld(real["data"]))
    aid = "me.legalAid.cases" in {path for path, _ in denied_fields(result, "WITHHELD")}
    assert aid is (asker == "parent")


async def test_where_a_citizen_may_come_back_to_themselves_is_said_as_for_somebody_else(
    tmp_path: Path,
) -> None:
    """A trial asks nothing, and so cannot know to whom a record leads."""
    document = """{ me { civilStatus { births { items { person {
      population { identity { item { sex } source { state } } } } } } } } }"""
    async with running(tmp_path, child(), ALL, LIVE) as gateway:
        result, real = await dry_run_and_answer(
            gateway, gateway.token("me", subject=CHILD), document
        )
    assert "errors" not in real
    (denial,) = result["denied"]
    assert denial["path"] == "me.civilStatus.births.items.person.population.identity"


@pytest.mark.parametrize("document", [KIN, PAPERS, OWN_VIEW])
async def test_a_trial_fetches_nothing_and_touches_nobody(tmp_path: Path, document: str) -> None:
    all_sources = child()
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        for scopes in (("operate",), READ, EVERY, ("me", *EVERY)):
            await run_trial(gateway, gateway.token(*scopes, subject=CHILD), document)
        assert gateway.journal() == []
    assert all_sources.fetched == []


async def test_what_variables_could_leave_out_is_looked_at_all_the_same(tmp_path: Path) -> None:
    document = """query($id: PersonNumber!, $a: Boolean!, $b: Boolean = false) {
      person(id: $id) { civilStatus {
        births @include(if: $a) { items { ethnicity @skip(if: $a) } }
        changes @skip(if: $b) { items { reason @include(if: $b) @skip(if: $a) } }
        ... @include(if: $b) { adoptions { items { eventId } } }
        ...never @include(if: false) ...notes @skip(if: $a) } } }
      fragment never on CivilStatusSection { deaths { items { deathCause } } }
      fragment notes on CivilStatusSection { courtNotes { items { content } } }"""
    async with running(tmp_path, child(), ALL, LIVE) as gateway:
        result = await run_trial(gateway, gateway.token(*READ), document)
    assert result["code"] is None
    section = "person.civilStatus"
    assert {(denial["path"], denial["state"]) for denial in result["denied"]} == {
        (f"{section}.births.items.ethnicity", "DENIED"),
        (f"{section}.changes.items.reason", "DENIED"),
        (f"{section}.courtNotes.items.content", "DENIED"),
        (f"{section}.adoptions", "WITHHELD"),
    }


async def test_many_conditions_cost_one_plan(tmp_path: Path) -> None:
    """Not one for each of the ways in which they could turn out."""
    names = [f"v{number}" for number in range(12)]
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"births @include(if: ${name}) {{ items {{ note }} }}" for name in names)
    document = f"query({declared}) {{ me {{ civilStatus {{ {fields} }} }} }}"
    limits = Limits(deadline=120, trial_documents_per_minute=3, repeated_fields=100)
    async with running(tmp_path, child(), ALL, LIVE, limits=limits) as gateway:
        token = gateway.token("me", subject=CHILD)
        assert (await run_trial(gateway, token, document)) == {
            "code": None, "message": None, "denied": [],
        }  # fmt: skip


PERSONS = """query($ids: [PersonNumber!]!, $n: Int!) { persons(ids: $ids) {
  civilStatus { marriages(first: $n) { items { eventId } } } } }"""
COST = """query($document: String!) { myAccess { trial(document: $document) {
  code cost { atMost limit dependsOnVariables } } } }"""


async def cost_of(gateway: Running, document: str) -> dict[str, Any]:
    reply = await gateway.post(COST, {"document": document}, gateway.token(*EVERY))
    result: dict[str, Any] = reply.json()["data"]["myAccess"]["trial"]
    return result


async def test_the_cost_is_the_highest_that_variables_could_lead_to(tmp_path: Path) -> None:
    async with running(tmp_path, child(), ALL, LIVE) as gateway:
        open_ended = await cost_of(gateway, PERSONS)
        stated = await cost_of(gateway, PERSONS.replace("$n)", "3)").replace(", $n: Int!", ""))
        fixed = await cost_of(gateway, "{ me { civilStatus { marriages { items { eventId } } } } }")
        nobody = await cost_of(gateway, "{ databases { name } }")
    limit = 200_000
    assert open_ended["cost"] == {
        "atMost": 100 * (3 + 1 + 200), "limit": limit, "dependsOnVariables": True
    }  # fmt: skip
    assert stated["cost"]["atMost"] == 100 * (3 + 1 + 3)
    assert fixed["cost"] == {"atMost": 3 + 1 + 50, "limit": limit, "dependsOnVariables": False}
    assert nobody == {"code": None, "cost": None}


async def test_what_is_too_costly_whatever_its_variables_is_said_to_be_with_its_cost(
    tmp_path: Path,
) -> None:
    document = "{ me { civilStatus { marriages { items { eventId } } } } }"
    limits = Limits(deadline=120, cost=20)
    async with running(tmp_path / "enforced", child(), ALL, LIVE, limits=limits) as gateway:
        enforced = await cost_of(gateway, document)
        open_ended = await cost_of(gateway, PERSONS)
    limits = Limits(deadline=120, cost=20, cost_enforced=False)
    async with running(tmp_path / "measured", child(), ALL, LIVE, limits=limits) as gateway:
        measured = await cost_of(gateway, document)
    assert (enforced["code"], enforced["cost"]["atMost"]) == ("TOO_COSTLY", 54)
    assert open_ended["code"] is None
    assert open_ended["cost"]["atMost"] > open_ended["cost"]["limit"] == 20
    assert (measured["code"], measured["cost"]["atMost"]) == (None, 54)


async def test_dry_runs_take_nothing_from_the_documents_of_real_requests(tmp_path: Path) -> None:
    limits = Limits(deadline=120, new_documents_per_minute=4, trial_documents_per_minute=6)
    async with running(tmp_path, child(), ALL, LIVE, limits=limits) as gateway:
        token = gateway.token("me", subject=CHILD)
        documents = [f"query Q{number} {{ me {{ id }} }}" for number in range(4)]
        codes = [(await run_trial(gateway, token, document))["code"] for document in documents]
        assert codes == [None, None, "TOO_MANY_DOCUMENTS", "TOO_MANY_DOCUMENTS"]
        real = await gateway.post(documents[3], None, token)
        assert real.json() == {"data": {"me": {"id": CHILD}}}
        assert (await run_trial(gateway, token, documents[0]))["code"] is None, "it is kept"
        gateway.clock.advance(60)
        assert (await run_trial(gateway, token, documents[3]))["code"] is None


WHY = """query($document: String!, $purpose: String) { myAccess {
  trial(document: $document, purpose: $purpose) {
    denied { path line reasons { vi en } grantors { database owner { en } contact } } } } }"""


async def test_a_denial_says_why_and_who_grants_what_is_missing(tmp_path: Path) -> None:
    document = """query($id: PersonNumber!) { person(id: $id) { civilStatus {
      births { items { ethnicity } }
      adoptions { items { eventId } } } legalAid { cases { items { caseNo } } } } }"""
    settings = {**LIVE, "civil_status": LIVE["civil_status"].model_copy(
        update={"contact": "024 6273 9718"})}  # fmt: skip
    async with running(tmp_path, child(), ALL, settings) as gateway:
        token = gateway.token("civil_status:read", purposes=[CHECK])
        reply = await gateway.post(WHY, {"document": document}, token, x_purpose=CHECK)
    births, adoptions, cases = reply.json()["data"]["myAccess"]["trial"]["denied"]
    assert (births["path"], births["line"]) == ("person.civilStatus.births", 2)
    assert [reason["en"] for reason in births["reasons"]] == [
        "The purpose no-sanction-check does not cover civil_status.births."
    ]
    assert births["grantors"] == [
        {"database": "civil_status", "owner": {"en": ALL[1].owner.en}, "contact": "024 6273 9718"}
    ]
    assert adoptions["path"] == "person.civilStatus.adoptions"
    scope, _ = (reason["en"] for reason in cases["reasons"])
    assert "legal_aid:read (Legal Aid Database: PUBLIC and BASIC fields)" in scope
    assert {grantor["database"] for grantor in cases["grantors"]} == {"legal_aid"}
