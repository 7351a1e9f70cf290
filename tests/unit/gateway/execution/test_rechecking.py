"""Receipts of checks through a whole gateway, and checks made again, by plan and field by field."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from strawberry.utils.str_converters import to_camel_case

from gateway.access.tokens import issue
from gateway.keys.files import revoke, rotate
from gateway.keys.keyring import load_signing
from gateway.procedures.registry import procedure_of
from gateway.receipts.canonical import decode_base64url
from gateway.receipts.issue import ReceiptIssuer, Recipient, ShownCheck
from gateway.receipts.keys import KeyStatus, ReceiptKeys
from gateway.receipts.verify import VerifiedReceipt, select_disclosures, verify_receipt
from tests.support.checks import rules_of
from tests.support.people import DEAD, HOA, LAN, OLD_NUMBER
from tests.support.running import CASE_NUMBER, Running, codes, running
from tests.support.worlds import ALL, LIVE, WAYS, Row, Rows, answer, world

P12, MARRIAGE = "no-sanction-check", "1.000894"
#: Who stands in which role of the checks that there are.
PEOPLE = {
    code: roles
    for code, roles in {P12: {"applicant": HOA}, MARRIAGE: {"groom": HOA, "bride": LAN}}.items()
    if (procedure := procedure_of(code)) is not None and procedure.check is not None
}
FINED: Rows = {
    "administrative_violations": {
        "sanctions": [
            {"decision_no": "S-2026-77", "decision_date": "2026-10-01",
             "violator_citizen_id": HOA, "main_sanction": "FINE", "status": "EXECUTED",
             "sector": "Giao thông"}
        ],
        "executions": [
            {"execution_id": "E", "decision_no": "S-2026-77", "completed_on": "2026-10-05"}
        ],
    }
}  # fmt: skip
_CHECK = """query($code: String!, $input: CheckInput!, $at: Date) {
  checkProcedure(code: $code, input: $input, at: $at) {
    outcome at factsAsOf law receipt again: receipt
    rules { code state reason evidence { database record id } }
    sources { state fetchedAt database { name } } silent { name } } }"""
_RECHECK = """query($receipt: String!) {
  recheck(receipt: $receipt) { changed outcomeBefore issuedAt rules { code before now }
    check { outcome at rules { code state } receipt } } }"""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


def _input(code: str, people: Mapping[str, object]) -> dict[str, object]:
    procedure = procedure_of(code)
    assert procedure is not None
    assert procedure.check is not None
    return {to_camel_case(procedure.check.name): people}


async def _check(
    gateway: Running,
    code: str = P12,
    people: Mapping[str, object] | None = None,
    at: str | None = None,
) -> dict[str, Any]:
    """Return what a check answers, with its receipt."""
    variables = {"code": code, "input": _input(code, people or PEOPLE[code]), "at": at}
    token = gateway.token("procedures:check", purposes=[code])
    body = (await gateway.post(_CHECK, variables, token, x_purpose=code)).json()
    checked: dict[str, Any] = body["data"]["checkProcedure"]
    return checked


async def _recheck(
    gateway: Running, receipt: str, code: str = P12, token: str | None = None, **headers: str
) -> dict[str, Any]:
    token = token or gateway.token("procedures:check", purposes=[code])
    stated = {"x_purpose": code, **headers}
    body: dict[str, Any] = (
        await gateway.post(_RECHECK, {"receipt": receipt}, token, **stated)
    ).json()
    return body


def _verify(gateway: Running, receipt: str) -> VerifiedReceipt:
    return verify_receipt(receipt, gateway.service.resources.receipts.keys)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("code", PEOPLE)
async def test_a_receipt_states_what_the_answer_shows(tmp_path: Path, code: str) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        checked = await _check(gateway, code)
        assert checked["again"] == checked["receipt"]
        verified = _verify(gateway, checked["receipt"])
        statement = verified.statement
        check = statement.check
        assert (check.procedure, check.outcome.name) == (code, checked["outcome"])
        assert check.at.isoformat() == checked["at"]
        assert check.facts_as_of is not None
        assert check.facts_as_of.isoformat() == checked["factsAsOf"]
        assert list(check.law) == checked["law"]
        assert [
            (rule.code, rule.state.name, rule.reason and rule.reason.name, len(rule.evidence))
            for rule in check.rules
        ] == [
            (rule["code"], rule["state"], rule["reason"], len(rule["evidence"]))
            for rule in checked["rules"]
        ]
        assert [
            (
                source.database,
                source.state.name,
                source.fetched_at and source.fetched_at.isoformat(),
            )
            for source in check.sources
        ] == [
            (source["database"]["name"], source["state"], source["fetchedAt"])
            for source in checked["sources"]
        ]
        assert len({(source.database, source.list) for source in check.sources}) == len(
            check.sources
        )
        assert verified.people == PEOPLE[code]
        assert verified.case_number == CASE_NUMBER
        assert statement.client == "test-client"
        (entry,) = gateway.journal()
        assert statement.request_id == entry["requestId"]
        assert verified.key.status is KeyStatus.CURRENT


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("code", PEOPLE)
async def test_a_receipt_verifies_by_the_published_keys_alone(tmp_path: Path, code: str) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        receipt = (await _check(gateway, code))["receipt"]
        published = await gateway.client.get("/keys")
        assert published.headers["content-type"] == "application/jwk-set+json"
        keys = ReceiptKeys.of_jwks(published.json())
        assert verify_receipt(receipt, keys).people == PEOPLE[code]


@pytest.mark.usefixtures("way")
async def test_a_database_that_did_not_answer_is_stated(tmp_path: Path) -> None:
    known = world({})
    known.of("civil_status").fault = "down"
    known.of("administrative_violations").fault = "down"
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        check = _verify(gateway, (await _check(gateway))["receipt"]).statement.check
        assert check.outcome.name == "UNKNOWN"
        assert set(check.silent) == {"civil_status", "administrative_violations"}
        silent = [source for source in check.sources if source.state.name == "UNAVAILABLE"]
        assert {source.database for source in silent} == {"civil_status"}
        assert all(source.fetched_at is not None for source in silent)
        reasons = {rule.code: rule.reason and rule.reason.name for rule in check.rules}
        assert reasons["UNSANCTIONED"] == "SOURCE_FAILED"


@pytest.mark.usefixtures("way")
async def test_what_is_withheld_is_not_in_a_receipt(tmp_path: Path) -> None:
    async with running(tmp_path, world(FINED), ALL, LIVE) as gateway:
        receipt = (await _check(gateway))["receipt"]
        payload = decode_base64url(receipt.split(".")[1]).decode()
        assert "administrative_violations" not in payload
        disclosures = [decode_base64url(text).decode() for text in receipt.split("~")[1:-1]]
        for text in (payload, *disclosures):
            assert "S-2026-77" not in text
            assert "Giao thông" not in text


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("code", PEOPLE)
async def test_nobody_but_the_people_of_the_case_is_in_a_receipt(tmp_path: Path, code: str) -> None:
    """Relatives are read for some rules; what is read of them shows nowhere."""
    everybody = {HOA, LAN, DEAD, OLD_NUMBER}
    async with running(tmp_path, world(_related()), ALL, LIVE) as gateway:
        receipt = (await _check(gateway, code))["receipt"]
        header, payload, _ = receipt.split("~")[0].split(".")
        texts = [decode_base64url(header).decode(), decode_base64url(payload).decode()]
        texts += [decode_base64url(text).decode() for text in receipt.split("~")[1:-1]]
        for number in everybody - set(PEOPLE[code].values()):
            assert all(number not in text for text in texts)
        for number in everybody:
            assert number not in texts[1]
        rules = json.loads(payload and decode_base64url(payload))["rules"]
        procedure = procedure_of(code)
        assert procedure is not None
        assert procedure.check is not None
        concealed = _concealed_codes(procedure.check.editions)
        for rule in rules:
            assert rule["code"] not in concealed or (rule["evidence"], rule["reason"]) == ([], None)


def _related() -> Rows:
    """Return births by which the couple have a parent in common."""
    births: list[Row] = [
        {"event_id": f"B{place}", "citizen_id": number, "father_citizen_id": DEAD,
         "registration_date": "1992-01-01", "status": "VALID"}
        for place, number in enumerate((HOA, LAN))
    ]  # fmt: skip
    return {"civil_status": {"births": births}}


def _concealed_codes(editions: Any) -> set[str]:
    return {
        rule.code
        for edition in editions
        for rule in rules_of(edition.conditions)
        if rule.is_concealed
    }


@pytest.mark.usefixtures("way")
async def test_the_rest_of_the_input_is_disclosed_to_the_holder_alone(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        people = {"applicant": HOA, "sector": "Xây dựng"}
        receipt = (await _check(gateway, P12, people))["receipt"]
        assert _verify(gateway, receipt).input == {"sector": "Xây dựng"}
        assert "Xây dựng" not in decode_base64url(receipt.split(".")[1]).decode()


@dataclass(frozen=True)
class _CountingIssuer(ReceiptIssuer):
    """Notes the receipts that it issues."""

    issued: list[str] = field(default_factory=list)

    def issue(self, check: ShownCheck, recipient: Recipient) -> str:
        self.issued.append(super().issue(check, recipient))
        return self.issued[-1]


@pytest.mark.usefixtures("way")
async def test_a_receipt_is_issued_only_where_it_is_selected(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        service = gateway.service
        plain = service.resources.receipts
        issuer = _CountingIssuer(plain.name, plain.ring, plain.seals, plain.clock)
        resources = replace(service.resources, receipts=issuer)
        gateway.app.state.service = replace(service, resources=resources)
        token = gateway.token("procedures:check", purposes=[P12])
        query = """query($input: CheckInput!) {
          checkProcedure(code: "no-sanction-check", input: $input) { outcome } }"""
        variables = {"input": _input(P12, PEOPLE[P12])}
        await gateway.post(query, variables, token, x_purpose=P12)
        assert issuer.issued == []
        checked = await _check(gateway)
        assert issuer.issued == [checked["receipt"]]


@pytest.mark.usefixtures("way")
async def test_requests_that_come_together_have_receipts_of_their_own(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        token = gateway.token("procedures:check", purposes=[P12])
        variables = {"code": P12, "input": _input(P12, PEOPLE[P12])}
        cases = [f"000.00.11.H29-261123-{number:04}" for number in range(5)]
        ids = [f"request-{number}" for number in range(5)]
        answers = await asyncio.gather(
            *(
                gateway.post(
                    _CHECK, variables, token, x_purpose=P12, x_case_number=case, x_request_id=name
                )
                for case, name in zip(cases, ids, strict=True)
            )
        )
        receipts = [each.json()["data"]["checkProcedure"]["receipt"] for each in answers]
        verified = [_verify(gateway, receipt) for receipt in receipts]
        assert [each.case_number for each in verified] == cases
        assert [each.statement.request_id for each in verified] == ids
        own = await _recheck(gateway, receipts[1], x_case_number=cases[1])
        other = await _recheck(gateway, receipts[1], x_case_number=cases[2])
        assert (own["data"]["recheck"]["changed"], codes(other)) == (False, ["RECEIPT_REFUSED"])


# --- checks made again


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("code", PEOPLE)
async def test_nothing_changed_where_the_registers_say_the_same(tmp_path: Path, code: str) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        checked = await _check(gateway, code)
        await gateway.pass_time(3600)
        body = await _recheck(gateway, checked["receipt"], code)
        again = body["data"]["recheck"]
        assert (again["changed"], again["rules"]) == (False, [])
        assert again["outcomeBefore"] == again["check"]["outcome"] == checked["outcome"]
        assert again["issuedAt"] == "2026-11-23T03:00:00+00:00"
        later = _verify(gateway, again["check"]["receipt"]).statement
        assert later.issued_at.isoformat() == "2026-11-23T04:00:00+00:00"


@pytest.mark.usefixtures("way")
async def test_a_recheck_says_which_rule_flipped(tmp_path: Path) -> None:
    known = world({})
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        receipt = (await _check(gateway, P12, {"applicant": HOA, "sector": "Giao thông"}))[
            "receipt"
        ]
        assert _verify(gateway, receipt).statement.check.outcome.name == "MET"
        fined = world(FINED).of("administrative_violations")
        known.of("administrative_violations").inner = fined.inner
        body = await _recheck(gateway, receipt)
        again = body["data"]["recheck"]
        assert again["changed"] is True
        assert again["rules"] == [{"code": "UNSANCTIONED", "before": "PASS", "now": "FAIL"}]
        assert (again["outcomeBefore"], again["check"]["outcome"]) == ("MET", "NOT_MET")
        # The new receipt is checked again without any change.
        body = await _recheck(gateway, again["check"]["receipt"])
        assert body["data"]["recheck"]["changed"] is False


@pytest.mark.usefixtures("way")
async def test_a_database_that_came_back_shows_in_a_recheck(tmp_path: Path) -> None:
    known = world({})
    known.of("administrative_violations").fault = "down"
    no_breaker = {n: each.model_copy(update={"breaker_failures": 0}) for n, each in LIVE.items()}
    async with running(tmp_path, known, ALL, no_breaker) as gateway:
        receipt = (await _check(gateway))["receipt"]
        known.of("administrative_violations").fault = None
        again = (await _recheck(gateway, receipt))["data"]["recheck"]
        assert again["rules"] == [{"code": "UNSANCTIONED", "before": "UNKNOWN", "now": "PASS"}]
        assert (again["outcomeBefore"], again["check"]["outcome"]) == ("UNKNOWN", "MET")


@pytest.mark.usefixtures("way")
async def test_the_day_that_was_named_holds_and_today_is_the_day_of_the_recheck(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, world(FINED), ALL, LIVE) as gateway:
        ahead = await _check(gateway, at="2027-10-05")
        now = await _check(gateway)
        assert (ahead["outcome"], now["outcome"]) == ("MET", "NOT_MET")
        await gateway.pass_time(2 * 86400)
        body = (await _recheck(gateway, ahead["receipt"]))["data"]["recheck"]
        assert (body["changed"], body["check"]["at"]) == (False, "2027-10-05")
        body = (await _recheck(gateway, now["receipt"]))["data"]["recheck"]
        assert body["check"]["at"] == "2026-11-25"


@pytest.mark.usefixtures("way")
async def test_facts_are_read_again_past_the_cache(tmp_path: Path) -> None:
    known = world({})
    fresh = {name: each.model_copy(update={"fresh": 3600}) for name, each in LIVE.items()}
    async with running(tmp_path, known, ALL, fresh) as gateway:
        receipt = (await _check(gateway))["receipt"]
        known.forget()
        await _recheck(gateway, receipt)
        lists = {record for record, _, _ in known.fetched}
        assert {"administrative_violations.sanctions", "civil_status.deaths"} <= lists
        # Whose numbers are whose decides under which records stand.
        assert "population.earlier_numbers" in lists


@pytest.mark.usefixtures("way")
async def test_disclosures_are_not_needed(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        receipt = (await _check(gateway))["receipt"]
        body = await _recheck(gateway, select_disclosures(receipt, ()))
        assert body["data"]["recheck"]["changed"] is False


@pytest.mark.usefixtures("way")
async def test_only_the_same_client_agency_purpose_and_case_may_recheck(tmp_path: Path) -> None:
    known = world({})
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        receipt = (await _check(gateway))["receipt"]
        known.forget()
        other_client = gateway.token("procedures:check", purposes=[P12], client="another")
        other_purpose = gateway.token("procedures:check", purposes=["1.000894"])
        agency = _token_of_agency(gateway)
        refused = [
            await _recheck(gateway, receipt, token=other_client),
            await _recheck(gateway, receipt, "1.000894", other_purpose),
            await _recheck(gateway, receipt, token=agency),
            await _recheck(gateway, receipt, x_case_number="000.00.11.H29-261123-0002"),
            await _recheck(gateway, receipt[:-2] + "A~"),
            await _recheck(gateway, "no receipt"),
            await _recheck(gateway, ""),
        ]
        # They all look the same: nobody learns which detail differs.
        assert all(body == refused[0] for body in refused)
        assert codes(refused[0]) == ["RECEIPT_REFUSED"]
        assert refused[0]["data"] == {"recheck": None}
        assert known.fetched == []


def _token_of_agency(gateway: Running) -> str:
    settings = gateway.service.resources.settings
    return issue(
        load_signing(settings, "token")[0],
        settings.access,
        gateway.clock.now(),
        subject="officer-1",
        client="test-client",
        scopes=["procedures:check"],
        agency="Sở Tư pháp",
        purposes=[P12],
    )


@pytest.mark.usefixtures("way")
async def test_the_scope_the_purpose_and_the_case_are_needed(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        receipt = (await _check(gateway))["receipt"]
        reader = gateway.token("population:read", purposes=[P12])
        assert codes(await _recheck(gateway, receipt, token=reader)) == ["FORBIDDEN"]
        assert codes(await _recheck(gateway, receipt, x_case_number="")) == ["CASE_NUMBER_REQUIRED"]
        token = gateway.token("procedures:check", purposes=[P12])
        headers = {"authorization": f"Bearer {token}", "x-purpose": P12, "x-case-number": "HS-1"}
        query = {"query": '{ recheck(receipt: "x") { changed } }'}
        in_url = await gateway.client.get("/graphql", params=query, headers=headers)
        assert codes(in_url.json()) == ["PERSON_IN_URL"]


@pytest.mark.usefixtures("way")
async def test_the_journal_names_the_people_of_a_recheck(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        receipt = (await _check(gateway))["receipt"]
        await _recheck(gateway, receipt)
        await _recheck(gateway, receipt, x_case_number="000.00.11.H29-261123-0002")
        await _recheck(gateway, "no receipt")
        first, again, refused, nobody = gateway.journal()
        assert again["persons"] == first["persons"]
        assert again["sections"] == first["sections"]
        (person,) = refused["persons"]
        assert (person["role"], person["sections"]) == ("REFUSED", [])
        assert person["person"] == first["persons"][0]["person"]
        assert (nobody["persons"], nobody["codes"]) == ([], ["RECEIPT_REFUSED"])


async def test_an_old_number_is_followed_again(tmp_path: Path) -> None:
    async with running(tmp_path, world(FINED), ALL, LIVE) as gateway:
        checked = await _check(gateway, P12, {"applicant": OLD_NUMBER})
        assert checked["outcome"] == "NOT_MET"
        # The receipt says what the caller said, and not whose number it is now.
        assert _verify(gateway, checked["receipt"]).people == {"applicant": OLD_NUMBER}
        body = await _recheck(gateway, checked["receipt"])
        assert body["data"]["recheck"]["changed"] is False


# --- keys


@pytest.mark.usefixtures("way")
async def test_retired_keys_count_and_revoked_ones_do_not(tmp_path: Path) -> None:
    known = world({})
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        receipt = (await _check(gateway))["receipt"]
        settings, now = gateway.service.resources.settings, gateway.clock.now()
        first = _verify(gateway, receipt).key.id
    rotate(settings, "receipt_sign")
    rotate(settings, "receipt_seal")
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        assert _verify(gateway, receipt).key.status is KeyStatus.RETIRED
        assert (await _recheck(gateway, receipt))["data"]["recheck"]["changed"] is False
        newer = (await _check(gateway))["receipt"]
        assert _verify(gateway, newer).key.id != first
    revoke(settings, "receipt_sign", first, now)
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        assert codes(await _recheck(gateway, receipt)) == ["RECEIPT_REFUSED"]
        assert (await _recheck(gateway, newer))["data"]["recheck"]["changed"] is False
        keys = {key["kid"]: key for key in (await gateway.client.get("/keys")).json()["keys"]}
        assert keys[first]["status"] == "REVOKED"
        assert keys[first]["revoked"] == {"revoked_at": int(now.timestamp())}
        assert sum(key["status"] == "CURRENT" for key in keys.values()) == 1


async def test_a_receipt_of_another_gateway_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path / "first", world({}), ALL, LIVE) as gateway:
        receipt = (await _check(gateway))["receipt"]
    async with running(tmp_path / "second", world({}), ALL, LIVE) as gateway:
        assert codes(await _recheck(gateway, receipt)) == ["RECEIPT_REFUSED"]
