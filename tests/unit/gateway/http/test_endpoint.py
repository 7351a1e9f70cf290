"""The endpoint: status codes, headers and refusals, over the whole application.

Covers ``gateway.request``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import orjson
import pytest
import structlog
from graphql import get_introspection_query

from gateway.audit.entry import person_hash
from gateway.execution.operation import Result
from gateway.http.parameters import GRAPHQL_JSON, JSON
from tests.support.asgi import JSON_BODY, Header, send_raw
from tests.support.people import HOA, LAN
from tests.support.running import OFFICER, OPERATOR, Running, application, codes, running

TYPENAME = "{__typename}"
PERSON = "query($id: PersonNumber!) {person(id: $id) {id}}"
BOTH = pytest.mark.parametrize("media_type", [JSON, GRAPHQL_JSON])


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as started:
        yield started


async def _get(gateway: Running, token: str | None = None, **parameters: str) -> httpx2.Response:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return await gateway.client.get("/graphql", params=parameters, headers=headers)


def _code(answer: httpx2.Response) -> str:
    return codes(answer.json())[0]


def _refused(gateway: Running) -> list[tuple[str, list[str]]]:
    """Return why and whom each entry of the journal says to have been refused."""
    by_hash = {person_hash(gateway.service.resources.person_hash, one): one for one in (HOA, LAN)}
    found = []
    for entry in gateway.journal():
        assert (entry["result"], entry["sections"]) == ("REFUSED", {})
        assert {one["role"] for one in entry["persons"]} == {"REFUSED"}
        (code,) = entry["codes"]
        found.append((code, [by_hash[one["person"]] for one in entry["persons"]]))
    return found


@BOTH
async def test_an_answer_has_the_type_that_was_asked_for(gateway: Running, media_type: str) -> None:
    answer = await gateway.post(TYPENAME, accept=media_type)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert answer.json() == {"data": {"__typename": "Query"}}


@BOTH
@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", None, "SYNTAX_ERROR"),
        ("{nothing}", None, "VALIDATION_FAILED"),
        ("query A {__typename} query B {__typename}", None, "OPERATION_NOT_FOUND"),
        ("{" + "__typename " * 9 + "}", None, "TOO_MANY_FIELDS"),
        (PERSON, {}, "INVALID_VARIABLES"),
        (PERSON, {"id": "12"}, "INVALID_PERSON_NUMBER"),
        ('{person(id: "12") {id}}', None, "INVALID_PERSON_NUMBER"),
    ],
)
async def test_a_fault_of_the_document_is_422_and_one_that_does_not_parse_400(
    gateway: Running, media_type: str, query: str, variables: dict[str, object] | None, code: str
) -> None:
    """GraphQL over HTTP, "Status Codes". There is no ``data``: nothing was run."""
    token = gateway.token(*OFFICER)
    answer = await gateway.post(query, variables, token, accept=media_type)
    assert _code(answer) == code
    assert answer.status_code == (400 if code == "SYNTAX_ERROR" else 422)
    assert answer.headers["content-type"].startswith(GRAPHQL_JSON)
    assert "data" not in answer.json()


@BOTH
@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", JSON, 400, "BAD_JSON"),
        (b"{}", JSON, 422, "BAD_REQUEST"),
        (b"[]", JSON, 422, "BAD_REQUEST"),
        (b'{"query": 7}', JSON, 422, "BAD_REQUEST"),
        (b'{"query": "{__typename}", "onError": "HALT"}', JSON, 422, "BAD_REQUEST"),
        (b'{"query": "{__typename}", "onError": "PROPAGATE"}', JSON, 422, "BAD_REQUEST"),
        (b'{"query": "{__typename}", "onError": true}', JSON, 422, "BAD_REQUEST"),
        (b"{}", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b" " * (256 * 1024 + 1), JSON, 413, "BODY_TOO_LARGE"),
    ],
)
async def test_a_fault_of_the_request_is_told_by_its_status_in_either_type(
    gateway: Running, media_type: str, body: bytes, content_type: str, status: int, code: str
) -> None:
    headers = {"accept": media_type, "content-type": content_type}
    answer = await gateway.client.post("/graphql", content=body, headers=headers)
    assert (answer.status_code, _code(answer)) == (status, code)
    assert answer.headers["content-type"].startswith(GRAPHQL_JSON)


@BOTH
async def test_data_with_errors_beside_it_is_294(gateway: Running, media_type: str) -> None:
    token = gateway.token("population:read")
    query = (
        "query($id: PersonNumber!) {person(id: $id) {civilStatus {marriages {items {eventId}}}}}"
    )
    answer = await gateway.post(query, {"id": HOA}, token, accept=media_type)
    assert (answer.status_code, _code(answer)) == (294, "FORBIDDEN")
    assert answer.headers["content-type"].startswith(media_type)
    assert answer.json()["data"]["person"] == {"civilStatus": {"marriages": {"items": None}}}


@pytest.mark.parametrize("value", ["NULL", None])
async def test_on_error_may_say_what_happens_anyway(gateway: Running, value: str | None) -> None:
    query = (
        "query($id: PersonNumber!) {person(id: $id) {civilStatus {marriages {items {eventId}}}}}"
    )
    token = gateway.token("population:read")
    without = await gateway.post(query, {"id": HOA}, token)
    body = {"query": query, "variables": {"id": HOA}, "onError": value}
    headers = {name: without.request.headers[name] for name in
               ("authorization", "accept", "x-purpose", "x-case-number")}  # fmt: skip
    answer = await gateway.client.post("/graphql", json=body, headers=headers)
    assert (answer.status_code, answer.json()) == (294, without.json())


async def test_on_error_is_read_from_a_url_too(gateway: Running) -> None:
    assert (await _get(gateway, query=TYPENAME, onError="NULL")).status_code == 200
    assert (await _get(gateway, query=TYPENAME, onError="HALT")).status_code == 422


async def test_a_url_that_is_too_long_is_414(gateway: Running) -> None:
    query = urlencode({"query": "#" * (256 * 1024)}).encode()
    reply = await send_raw(application(gateway), [b""], [], "GET", query=query)
    assert (reply.status, reply.code) == (414, "BODY_TOO_LARGE")


async def test_what_cannot_be_produced_is_406(gateway: Running) -> None:
    answer = await gateway.post(TYPENAME, accept="text/html")
    assert (answer.status_code, _code(answer)) == (406, "NOT_ACCEPTABLE")
    assert answer.headers["content-type"].startswith(JSON)


async def test_accept_headers_on_several_lines_are_read_as_one(gateway: Running) -> None:
    headers: list[Header] = [JSON_BODY, (b"accept", b"text/html"), (b"accept", JSON.encode())]
    body = orjson.dumps({"query": TYPENAME})
    reply = await send_raw(application(gateway), [body], headers)
    assert reply.status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_405_and_told_what_is_allowed(
    gateway: Running, method: str
) -> None:
    answer = await gateway.client.request(method, "/graphql", json={"query": TYPENAME})
    assert (answer.status_code, _code(answer)) == (405, "METHOD_NOT_ALLOWED")
    assert {one.strip() for one in answer.headers["allow"].split(",")} >= {"GET", "POST"}


async def test_get_answers_what_names_no_person(gateway: Running) -> None:
    answer = await _get(gateway, query="query A($g: Group) {databases(group: $g) {name}}",
                        variables='{"g": "OPERATING"}', operationName="A")  # fmt: skip
    assert answer.status_code == 200
    names = [one["name"] for one in answer.json()["data"]["databases"]]
    assert "population" in names


async def test_head_is_answered_like_get(gateway: Running) -> None:
    for parameters in ({"query": TYPENAME}, {"query": "{"}, {}):
        get = await gateway.client.get("/graphql", params=parameters)
        head = await gateway.client.head("/graphql", params=parameters)
        assert head.status_code == get.status_code
        assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize(
    "query",
    [
        f'{{person(id: "{HOA}") {{id}}}}',
        f'{{persons(ids: ["{HOA}"]) {{id}}}}',
        f'query A {{__typename}} query B {{person(id: "{HOA}") {{id}}}}',
        f'{{...F}} fragment F on Query {{person(id: "{HOA}") {{id}}}}',
        f'{{person(id: "{HOA}") @skip(if: true) {{id}} __typename}}',
    ],
)
async def test_a_person_is_not_named_in_a_url_by_anybody(gateway: Running, query: str) -> None:
    for token in (gateway.token(*OFFICER), gateway.token(*OPERATOR), None):
        answer = await _get(gateway, token, query=query, operationName="A" if "A" in query else "")
        assert (answer.status_code, _code(answer)) == (400, "PERSON_IN_URL")
        assert HOA not in answer.text
    assert _refused(gateway) == [("PERSON_IN_URL", [HOA])] * 2, "strangers are counted"


async def test_a_person_is_not_named_in_the_variables_of_a_url_either(gateway: Running) -> None:
    variables = orjson.dumps({"id": HOA}).decode()
    answer = await _get(gateway, gateway.token(*OFFICER), query=PERSON, variables=variables)
    assert _code(answer) == "PERSON_IN_URL"
    assert _refused(gateway) == [("PERSON_IN_URL", [HOA])]


async def test_citizens_may_get_their_own_view_by_url(gateway: Running) -> None:
    """It names nobody: who ``me`` is, the token says."""
    answer = await _get(gateway, gateway.token("me", subject=HOA), query="{me {id}}")
    assert (answer.status_code, answer.json()["data"]) == (200, {"me": {"id": HOA}})
    assert len(gateway.journal()) == 1


async def test_subscriptions_are_not_there_yet(gateway: Running) -> None:
    query = "subscription {__typename}"
    by_post = await gateway.post(query, accept=GRAPHQL_JSON)
    assert by_post.status_code == 422
    assert _code(by_post) in {"VALIDATION_FAILED", "UNSUPPORTED_OPERATION"}
    by_get = await _get(gateway, query=query)
    assert by_get.status_code in {405, 422}
    assert _code(by_get) in {"VALIDATION_FAILED", "UNSUPPORTED_OPERATION", "METHOD_NOT_ALLOWED"}


@pytest.mark.parametrize("by_url", [False, True])
async def test_introspection_is_for_those_whose_token_says_so(
    gateway: Running, by_url: bool
) -> None:
    query = get_introspection_query()

    async def ask(token: str | None) -> httpx2.Response:
        if by_url:
            return await _get(gateway, token, query=query)
        return await gateway.post(query, token=token)

    anonymous = await ask(None)
    assert (anonymous.status_code, _code(anonymous)) == (401, "UNAUTHENTICATED")
    officer = await ask(gateway.token(*OFFICER))
    assert (officer.status_code, _code(officer)) == (403, "INTROSPECTION_DENIED")
    operator = await ask(gateway.token(*OPERATOR))
    assert operator.status_code == 200
    assert operator.json()["data"]["__schema"]["queryType"]["name"] == "Query"
    assert "errors" not in operator.json()


@pytest.mark.parametrize(
    "query",
    [
        "{__schema {__typename}}",
        '{x: __type(name: "Query") {name}}',
        "{...F} fragment F on Query {__schema {__typename}}",
    ],
)
async def test_introspection_hides_nowhere(gateway: Running, query: str) -> None:
    answer = await gateway.post(query, token=gateway.token(*OFFICER))
    assert _code(answer) == "INTROSPECTION_DENIED"


@BOTH
async def test_a_person_asked_for_without_a_token_is_401_with_a_challenge(
    gateway: Running, media_type: str
) -> None:
    answer = await gateway.post(PERSON, {"id": HOA}, accept=media_type)
    assert (answer.status_code, _code(answer)) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert _refused(gateway) == []


async def test_me_is_for_citizens_only(gateway: Running) -> None:
    anonymous = await gateway.post("{me {id}}")
    assert (anonymous.status_code, _code(anonymous)) == (401, "UNAUTHENTICATED")
    officer = await gateway.post("{me {id}}", token=gateway.token(*OFFICER))
    assert (officer.status_code, _code(officer)) == (294, "FORBIDDEN")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "bearer    ",
        "Basic b2ZmaWNlcjpzZWNyZXQ=",
        "Digest username=x",
        "Token {token}",
        "{token}",
        "Bearer{token}",
        "Bearer\t{token}",
        "Bearer {token} {token}",
        "Bearer {token}, Bearer {token}",
        "Bearer token={token}",
        'Bearer "{token}"',
        "Bearer {token}x",
        "Bearer é",
    ],
)
async def test_an_authorization_that_cannot_be_read_is_refused_and_not_taken_for_none(
    gateway: Running, authorization: str
) -> None:
    """Even for what an anonymous caller may ask."""
    written = authorization.format(token=gateway.token(*OFFICER)).encode("latin-1")
    body = orjson.dumps({"query": TYPENAME})
    reply = await send_raw(application(gateway), [body], [JSON_BODY, (b"authorization", written)])
    assert (reply.status, reply.code) == (401, "TOKEN_INVALID")
    assert dict(reply.headers)[b"www-authenticate"] == b'Bearer error="invalid_token"'


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
async def test_the_name_of_the_scheme_is_read_in_any_case(gateway: Running, scheme: str) -> None:
    headers = {"authorization": f"{scheme} {gateway.token(*OPERATOR)}"}
    body = {"query": "{__schema {__typename}}"}
    answer = await gateway.client.post("/graphql", json=body, headers=headers)
    assert answer.status_code == 200


async def test_two_authorizations_are_none(gateway: Running) -> None:
    """Two proxies may disagree on which of them counts."""
    token = f"Bearer {gateway.token(*OFFICER)}".encode()
    body = orjson.dumps({"query": TYPENAME})
    for other in (token, b"Bearer x", b"Basic x", b""):
        headers = [JSON_BODY, (b"authorization", token), (b"authorization", other)]
        reply = await send_raw(application(gateway), [body], headers)
        assert (reply.status, reply.code) == (401, "TOKEN_INVALID")


async def test_a_token_that_expired_says_so(gateway: Running) -> None:
    token = gateway.token(*OFFICER)
    gateway.clock.advance(2 * 3600)
    answer = await gateway.post(TYPENAME, token=token)
    assert (answer.status_code, _code(answer)) == (401, "TOKEN_EXPIRED")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("given", ["abcdefgh", "2f1c0a9e-2f1c-4a9e-8f1c-0a9e2f1c0a9e", "a" * 64])
async def test_a_request_id_of_the_client_is_taken_over(gateway: Running, given: str) -> None:
    token = gateway.token(*OFFICER)
    answer = await gateway.post(PERSON, {"id": HOA}, token, x_request_id=given)
    assert answer.headers["x-request-id"] == given
    assert gateway.journal()[0]["requestId"] == given


@pytest.mark.parametrize(
    "given",
    [HOA, LAN, "123456789", "1" * 64, f"req{HOA}", f"{HOA}x", "req-001.183.274.301",
     "cmnd012345678", "short", "a" * 65, "-abcdefgh", "abc defgh", "é" * 9, ""],
)  # fmt: skip
async def test_a_request_id_of_another_form_or_a_persons_number_is_replaced(
    gateway: Running, given: str
) -> None:
    headers = [JSON_BODY, (b"x-request-id", given.encode("latin-1"))]
    reply = await send_raw(application(gateway), [orjson.dumps({"query": TYPENAME})], headers)
    shown = dict(reply.headers)[b"x-request-id"].decode()
    assert shown != given
    assert len(shown) == 32


async def test_every_request_has_an_id_of_its_own(gateway: Running) -> None:
    answers = [await gateway.post(TYPENAME) for _ in range(3)]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "/graphql", b'{"query":"{__typename}"}'),
        ("POST", "/graphql", b'{"query":"{"}'),
        ("POST", "/graphql", b"{"),
        ("GET", "/graphql", b""),
        ("PUT", "/graphql", b""),
        ("GET", "/nowhere", b""),
        ("GET", "/schema.graphql", b""),
        ("GET", "/health/live", b""),
        ("GET", "/health/ready", b""),
    ],
)
async def test_every_answer_has_the_security_headers(
    gateway: Running, method: str, path: str, content: bytes
) -> None:
    headers = {"content-type": JSON} if content else {}
    answer = await gateway.client.request(method, path, content=content, headers=headers)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["x-request-id"]
    assert "server" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers
    if path == "/graphql":
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    "path", ["/nowhere", "/graphql/", "/graphqlx", "/GRAPHQL", "//graphql", "/schema.graphql/"]
)
async def test_an_unknown_address_is_404_with_a_code(gateway: Running, path: str) -> None:
    for method in ("GET", "POST"):
        reply = await send_raw(application(gateway), [b""], (), method, path)
        assert (reply.status, reply.code) == (404, "NOT_FOUND")


async def test_no_address_of_an_answer_is_made_of_the_host_header(gateway: Running) -> None:
    headers = [(b"host", b"evil.example")]
    reply = await send_raw(application(gateway), [b""], headers, "GET", "/graphql/", b"query=\xff")
    assert reply.status == 404
    assert not any(b"evil" in value for _, value in reply.headers)


@pytest.mark.parametrize("path", ["/schema.graphql", "/health/live", "/health/ready"])
async def test_pages_are_only_read(gateway: Running, path: str) -> None:
    assert (await gateway.client.get(path)).status_code == 200
    answer = await gateway.client.post(path)
    assert (answer.status_code, _code(answer)) == (405, "METHOD_NOT_ALLOWED")
    assert "GET" in answer.headers["allow"]


async def test_the_schema_page_is_public_only_where_settings_say_so(tmp_path: Path) -> None:
    async with running(tmp_path, public_schema=False) as gateway:

        async def page(token: str | None) -> httpx2.Response:
            headers = {"authorization": f"Bearer {token}"} if token else {}
            return await gateway.client.get("/schema.graphql", headers=headers)

        assert _code(await page(None)) == "UNAUTHENTICATED"
        assert (await page(gateway.token(*OFFICER))).status_code == 403
        assert "type Query" in (await page(gateway.token(*OPERATOR))).text
        bad = await page("x")
        assert (bad.status_code, _code(bad)) == (401, "TOKEN_INVALID")


async def test_without_a_journal_there_is_no_answer_about_a_person(gateway: Running) -> None:
    token = gateway.token(*OFFICER)
    await gateway.service.audit.journal.close()
    answer = await gateway.post(PERSON, {"id": HOA}, token)
    assert (answer.status_code, _code(answer)) == (503, "AUDIT_UNAVAILABLE")
    assert "data" not in answer.json()
    assert (await gateway.client.get("/health/ready")).status_code == 503
    assert (await gateway.client.get("/health/live")).status_code == 200
    assert (await gateway.post("{databases {name}}")).status_code == 200
    gateway.service.audit.journal.open()
    assert (await gateway.client.get("/health/ready")).status_code == 200
    assert (await gateway.post(PERSON, {"id": HOA}, token)).status_code == 200


async def test_a_variable_that_is_null_where_an_argument_must_not_be_is_the_callers_fault(
    gateway: Running,
) -> None:
    """It validates, since the variable has a default; that it is null shows only at the field."""
    field = "person(id: $id) {civilStatus {marriages(first: $n) {truncated}}}"
    query = f"query($id: PersonNumber!, $n: Int = 1) {{{field}}}"
    answer = await gateway.post(query, {"id": HOA, "n": None}, gateway.token(*OFFICER))
    assert answer.status_code == 294
    assert codes(answer.json()) == ["INVALID_VARIABLES"]
    assert answer.json()["errors"][0]["path"] == ["person", "civilStatus", "marriages"]


async def test_a_message_does_not_repeat_digits_that_could_be_a_person(gateway: Running) -> None:
    """Front ends log messages; a number in the wrong place is still a number."""
    token = gateway.token(*OFFICER)
    for query, variables in (
        (f'{{databases(group: "{HOA}") {{name}}}}', None),
        (f"{{x{HOA}}}", None),
        (f'{{person(id: "{HOA}", nobody: {HOA}) {{id}}}}', None),
        (f"{{databases {{name}} {HOA}}}", None),
        ("query($g: Group) {databases(group: $g) {name}}", {"g": HOA}),
        ("query($g: Group) {databases(group: $g) {name}}", {"g": int(HOA)}),
    ):
        answer = await gateway.post(query, variables, token)
        assert codes(answer.json())
        assert HOA not in answer.text
        assert HOA.lstrip("0") not in answer.text


@pytest.fixture
def logged() -> Any:
    with structlog.testing.capture_logs() as entries:
        yield entries


async def test_a_client_that_leaves_before_its_request_is_whole_is_no_defect(
    gateway: Running, logged: list[dict[str, Any]]
) -> None:
    reply = await send_raw(application(gateway), [b'{"query":'], leaves=True)
    assert not reply.started, "there is nobody to answer"
    assert [entry["log_level"] for entry in logged] == ["info", "info"]
    assert (await gateway.post(TYPENAME)).status_code == 200


async def test_a_client_that_leaves_before_its_answer_is_no_defect_and_is_in_the_journal(
    gateway: Running, logged: list[dict[str, Any]]
) -> None:
    token = f"Bearer {gateway.token(*OFFICER)}".encode()
    body = orjson.dumps({"query": PERSON, "variables": {"id": HOA}})
    headers = [JSON_BODY, (b"authorization", token)]
    await send_raw(application(gateway), [body], headers, deaf=True)
    assert [entry["log_level"] for entry in logged] == ["info", "info"]
    assert len(gateway.journal()) == 1, "it was read, whether or not the answer arrived"


async def test_a_defect_is_500_with_an_id_and_nothing_of_what_happened(
    gateway: Running, logged: list[dict[str, Any]]
) -> None:
    async def broken(*_: object) -> Result:
        raise RuntimeError(f"sqlite3 /var/lib/{HOA}")

    service = gateway.service
    gateway.app.state.service = replace(service, execute=broken)
    answer = await gateway.post(TYPENAME)
    assert (answer.status_code, _code(answer)) == (500, "INTERNAL")
    assert answer.json()["errors"][0]["extensions"]["errorId"] == answer.headers["x-request-id"]
    assert "sqlite" not in answer.text
    assert [entry["log_level"] for entry in logged] == ["error", "info"]
    gateway.app.state.service = service
    assert (await gateway.post(TYPENAME)).status_code == 200
