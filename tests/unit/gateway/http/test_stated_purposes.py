"""The stated purpose and case number of a request, over the whole application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import orjson
import pytest

from gateway.audit.entry import person_hash
from gateway.http.parameters import GRAPHQL_JSON, JSON
from tests.support.asgi import JSON_BODY, send_raw
from tests.support.people import HOA, LAN
from tests.support.running import OFFICER, OPERATOR, Running, application, codes, running

TYPENAME = "{__typename}"
PERSON = "query($id: PersonNumber!) {person(id: $id) {id}}"
EVERY_MEDIA_TYPE = pytest.mark.parametrize("media_type", [JSON, GRAPHQL_JSON])


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as running_gateway:
        yield running_gateway


def _code(answer: httpx2.Response) -> str:
    return codes(answer.json())[0]


def _refused_codes(gateway: Running) -> list[str]:
    """Return why Hòa, and nobody else, was refused, by the entries of the journal."""
    hoa = {
        "person": person_hash(gateway.service.resources.person_hash, HOA),
        "role": "REFUSED",
        "sections": [],
    }
    journal = gateway.journal()
    assert all((entry["result"], entry["persons"]) == ("REFUSED", [hoa]) for entry in journal)
    return [code for entry in journal for code in entry["codes"]]


async def test_a_purpose_must_be_granted_by_the_token(gateway: Running) -> None:
    token = gateway.token(*OFFICER, purposes=("1.000894",))
    answer = await gateway.post(PERSON, {"id": HOA}, token, x_purpose="1.000894")
    assert answer.json()["data"] == {"person": {"id": HOA}}
    other = await gateway.post(PERSON, {"id": HOA}, token, x_purpose="2.000635")
    assert (other.status_code, _code(other)) == (403, "PURPOSE_NOT_GRANTED")
    anonymous = await gateway.post(TYPENAME, x_purpose="1.000894")
    assert (anonymous.status_code, _code(anonymous)) == (403, "PURPOSE_NOT_GRANTED")


@pytest.mark.parametrize(
    "purpose", ["", " ", "a b", "1.000894,2.000635", "x" * 65, "é", "<script>"]
)
async def test_a_purpose_that_is_no_procedure_code_is_refused(
    gateway: Running, purpose: str
) -> None:
    headers = [JSON_BODY, (b"x-purpose", purpose.encode("latin-1"))]
    reply = await send_raw(application(gateway), [orjson.dumps({"query": TYPENAME})], headers)
    assert (reply.status, reply.code) == (400, "BAD_REQUEST")
    assert "X-Purpose" in reply.json()["errors"][0]["message"]


@EVERY_MEDIA_TYPE
@pytest.mark.parametrize(
    ("left_out", "code"),
    [
        (["x_purpose"], "PURPOSE_REQUIRED"),
        (["x_case_number"], "CASE_NUMBER_REQUIRED"),
        (["x_purpose", "x_case_number"], "PURPOSE_REQUIRED"),
    ],
)
async def test_whoever_names_a_person_says_for_which_procedure_and_case(
    gateway: Running, media_type: str, left_out: list[str], code: str
) -> None:
    """It is no fault of the document: the status says so in either type."""
    token, missing_headers = gateway.token(*OFFICER), dict.fromkeys(left_out, "")
    for query in (PERSON, "query($id: PersonNumber!) {persons(ids: [$id]) {id}}"):
        answer = await gateway.post(query, {"id": HOA}, token, accept=media_type, **missing_headers)
        assert (answer.status_code, _code(answer)) == (400, code)
        assert "data" not in answer.json()
    assert _refused_codes(gateway) == [code] * 2
    other = await gateway.post("{databases {name}}", None, token, **missing_headers)
    assert other.json()["data"]["databases"]


async def test_a_citizens_own_view_needs_neither(gateway: Running) -> None:
    no_headers = {"x_purpose": "", "x_case_number": ""}
    answer = await gateway.post("{me {id}}", None, gateway.token("me", subject=HOA), **no_headers)
    assert answer.json()["data"] == {"me": {"id": HOA}}
    (entry,) = gateway.journal()
    assert (entry["purpose"], entry["caseNumber"]) == (None, None)


async def test_whoever_may_name_nobody_is_told_that_and_not_asked_what_for(
    gateway: Running,
) -> None:
    no_headers = {"x_purpose": "", "x_case_number": ""}
    answer = await gateway.post(PERSON, {"id": HOA}, gateway.token(*OPERATOR), **no_headers)
    assert (answer.status_code, _code(answer)) == (294, "FORBIDDEN")


async def test_a_purpose_that_a_token_grants_is_known_or_refused(gateway: Running) -> None:
    token = gateway.token(*OFFICER, purposes=("9.999999", "1.000894"))
    answer = await gateway.post(PERSON, {"id": HOA}, token, x_purpose="9.999999")
    assert (answer.status_code, _code(answer)) == (400, "PURPOSE_UNKNOWN")
    assert _refused_codes(gateway) == ["PURPOSE_UNKNOWN"]
    provincial = await gateway.post(PERSON, {"id": HOA}, token, x_purpose="1.000894.H38")
    assert provincial.json()["data"] == {"person": {"id": HOA}}


async def test_a_purpose_that_does_not_need_a_list_closes_it_whatever_the_scopes(
    gateway: Running,
) -> None:
    query = (
        "query($id: PersonNumber!) {person(id: $id) {civilStatus {"
        "marriages {source {state}} guardianships {items {eventId} source {state}}}}}"
    )
    token = gateway.token(*OFFICER, purposes=("1.000894",))
    answer = await gateway.post(query, {"id": HOA}, token, x_purpose="1.000894")
    assert answer.json()["data"]["person"]["civilStatus"] == {
        "marriages": {"source": {"state": "ANSWERED"}},
        "guardianships": {"items": None, "source": {"state": "DENIED"}},
    }
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert error["extensions"]["missing"] == ["purpose:civil_status.guardianships"]
    (entry,) = gateway.journal()
    assert entry["asked"]["lacking"] == [
        "purpose:civil_status.guardianships",
        "purpose:civil_status.guardianships.event_id",
    ]


@pytest.mark.parametrize("number", [HOA, LAN, "0" * 12])
async def test_a_case_number_that_could_be_a_person_is_refused(
    gateway: Running, number: str
) -> None:
    """It would stand in the journal as it is."""
    answer = await gateway.post(PERSON, {"id": HOA}, gateway.token(*OFFICER), x_case_number=number)
    assert (answer.status_code, _code(answer)) == (400, "BAD_REQUEST")
    assert "X-Case-Number" in answer.json()["errors"][0]["message"]
    assert number not in answer.text
    assert _refused_codes(gateway) == ["BAD_REQUEST"]
    assert number not in str(gateway.journal())


@pytest.mark.parametrize("number", ["", "a b", "x" * 65, 'x"', "x\ty", "<x>", "{}", "a;b"])
async def test_a_case_number_of_another_form_is_refused(gateway: Running, number: str) -> None:
    headers = [JSON_BODY, (b"x-case-number", number.encode("latin-1"))]
    reply = await send_raw(application(gateway), [orjson.dumps({"query": TYPENAME})], headers)
    assert (reply.status, reply.code) == (400, "BAD_REQUEST")
    assert "X-Case-Number" in reply.json()["errors"][0]["message"]


async def test_purpose_and_case_number_are_in_the_journal(gateway: Running) -> None:
    token = gateway.token(*OFFICER, purposes=("1.000894",))
    headers = {"x_purpose": "1.000894", "x_case_number": "000.00.11.H29-261123-0001"}
    await gateway.post(PERSON, {"id": HOA}, token, **headers)
    (entry,) = gateway.journal()
    assert (entry["purpose"], entry["caseNumber"]) == tuple(headers.values())


@pytest.mark.parametrize("name", ["x-purpose", "x-case-number"])
async def test_of_two_purposes_or_case_numbers_neither_counts(tmp_path: Path, name: str) -> None:
    async with running(tmp_path) as gateway:
        token = gateway.token(purposes=["1.000894", "1.004873"])
        answer = await gateway.client.post(
            "/graphql",
            json={"query": "{ __typename }"},
            headers=[("authorization", f"Bearer {token}"), (name, "1.000894"), (name, "1.004873")],
        )
    assert answer.status_code == 400
    assert codes(answer.json()) == ["BAD_REQUEST"]
