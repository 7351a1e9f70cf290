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
    limits = Limits(deadline=120, new_documents_per_minute=4, repeated_fields=100)
    async with running(tmp_path, child(), ALL, LIVE, limits=limits) as gateway:
        token = gateway.token("me", subject=CHILD)
        assert (await run_trial(gateway, token, document)) == {
            "code": None, "message": None, "denied": [],
        }  # fmt: skip
