"""Bad input gets an error with a code and without internals, and the gateway keeps running.

Covers ``gateway.schema.scalars``.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.entry import person_hash
from gateway.errors import CODES
from gateway.http.parameters import GRAPHQL_JSON
from gateway.procedures.procedure import UNIFIED
from gateway.settings import RateLimits
from tests.support.asgi import JSON_BODY, Header, Reply, send_raw
from tests.support.generated import ONE_FOR_ALL
from tests.support.people import HOA, LAN
from tests.support.running import CASE_NUMBER, OFFICER, Running, application, running

PERSON = "query($id: PersonNumber!) {person(id: $id) {id}}"
PERSONS = "query($ids: [PersonNumber!]!) {persons(ids: $ids) {id}}"

_INTERNALS = re.compile(
    r"sqlite|source_statement|citizen_id|traceback|\.py\b|line \d+, in |site-packages|"
    r"/tmp/|/work/|/home/|sqlalchemy|graphql-core|strawberry|starlette|joserfc|orjson|"
    r"(?:Type|Value|Key|Attribute|Recursion|Unicode\w*|Assertion)Error",
    re.IGNORECASE,
)


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    """With rates that no test reaches: the clock stands still, and they would answer in time."""
    rates = RateLimits(
        requests_per_minute=10**9, cost_per_minute=10**12, anonymous_per_minute=10**9
    )
    async with running(tmp_path, rates=rates) as running_gateway:
        yield running_gateway


def _officer(gateway: Running) -> dict[str, str]:
    """Return what an officer sends, who may ask for persons."""
    return {
        "authorization": f"Bearer {gateway.token(*OFFICER)}",
        "x-purpose": UNIFIED,
        "x-case-number": CASE_NUMBER,
    }


def _raw(headers: Mapping[str, str]) -> list[Header]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _clean(content: str) -> None:
    """Check that an answer tells nothing of what is inside."""
    assert not _INTERNALS.search(content), content


@asynccontextmanager
async def _unharmed(gateway: Running) -> AsyncIterator[None]:
    """Check that a good request is answered while bad ones are, and right after them."""
    token = gateway.token(*OFFICER)

    async def good() -> None:
        answer = await gateway.post(PERSON, {"id": LAN}, token)
        assert answer.status_code == 200
        assert answer.json()["data"] == {"person": {"id": LAN}}

    meanwhile = asyncio.create_task(good())
    yield
    await meanwhile
    await good()


def _body(query: str, variables: Mapping[str, object] | None = None) -> bytes:
    return orjson.dumps({"query": query, "variables": variables})


_PERSON_IN_BODY = re.compile(rf'"{HOA}\\?"'.encode())


def _entries_of(gateway: Running, number: str) -> int:
    """Return how many entries of the journal are about somebody."""
    hashed = person_hash(gateway.service.resources.person_hash, number)
    persons = [[person["person"] for person in entry["persons"]] for entry in gateway.journal()]
    return sum(hashed in person for person in persons)


def _nested(levels: int) -> str:
    return "{databases" * levels + "{name}" + "}" * levels


_REPEATED = "{databases{" + "name " * 2_000 + "}}"
_ALIASES = "{" + " ".join(f"a{n}:databases{{name}}" for n in range(5_000)) + "}"
_EXPLODING = (
    "{...F0}"
    + "".join(f"fragment F{n} on Query{{...F{n + 1} ...F{n + 1}}}" for n in range(25))
    + "fragment F25 on Query{nothing}"
)

DOCUMENTS: dict[str, tuple[bytes, str]] = {
    "a number too short": (_body(PERSON, {"id": "12345"}), "INVALID_PERSON_NUMBER"),
    "a number too long": (_body(PERSON, {"id": HOA + "0"}), "INVALID_PERSON_NUMBER"),
    "letters for a number": (_body(PERSON, {"id": "00109001234a"}), "INVALID_PERSON_NUMBER"),
    "other digits": (_body(PERSON, {"id": "٠" * 12}), "INVALID_PERSON_NUMBER"),
    "an integer for a number": (_body(PERSON, {"id": 123456789}), "INVALID_PERSON_NUMBER"),
    "an object for a number": (_body(PERSON, {"id": {"a": [1]}}), "INVALID_PERSON_NUMBER"),
    "a bad number in the text": (_body('{person(id: "1") {id}}'), "INVALID_PERSON_NUMBER"),
    "an integer in the text": (_body("{person(id: 123456789) {id}}"), "INVALID_PERSON_NUMBER"),
    "one bad number of many": (_body(PERSONS, {"ids": [HOA, "1"]}), "INVALID_PERSON_NUMBER"),
    "no number": (_body(PERSON, {}), "INVALID_VARIABLES"),
    "null for a number": (_body(PERSON, {"id": None}), "INVALID_VARIABLES"),
    "101 numbers": (_body(PERSONS, {"ids": [HOA] * 101}), "TOO_MANY_PERSONS"),
    "five hundred numbers": (
        _body("{persons(ids: [" + f'"{HOA}" ' * 500 + "]) {id}}"),
        "TOO_MANY_PERSONS",
    ),
    "60 persons and 60 more": (
        _body(
            "query($ids: [PersonNumber!]!) {a: persons(ids: $ids) {id} b: persons(ids: $ids) {id}}",
            {"ids": [HOA] * 60},
        ),
        "TOO_MANY_PERSONS",
    ),
    "too deep": (_body(_nested(13)), "TOO_DEEP"),
    "far too deep": (_body(_nested(600)), "TOO_DEEP"),
    "deep lists": (_body("{person(id: " + "[" * 900 + "]" * 900 + ") {id}}"), "TOO_DEEP"),
    "too wide": (_body("{" + " ".join(f"f{n}" for n in range(400)) + "}"), "TOO_MANY_FIELDS"),
    "too long": (_body("{" + "databases{name} " * 2_000 + "}"), "TOO_MANY_TOKENS"),
    "5,000 aliases": (_body(_ALIASES), "TOO_MANY_TOKENS"),
    "31 aliases": (
        _body("{" + " ".join(f"a{n}:__typename" for n in range(31)) + "}"),
        "TOO_MANY_ALIASES",
    ),
    "31 directives": (
        _body("{__typename " + "@include(if:true) " * 31 + "}"),
        "TOO_MANY_DIRECTIVES",
    ),
    "10 kB of repeated fields": (_body(_REPEATED), "TOO_MANY_TOKENS"),
    "2 kB of repeated fields": (_body("{databases{" + "name " * 400 + "}}"), "TOO_MANY_FIELDS"),
    "fragments that double": (_body(_EXPLODING), "VALIDATION_FAILED"),
    "fragments in a circle": (
        _body("{...A} fragment A on Query{...B} fragment B on Query{...A}"),
        "VALIDATION_FAILED",
    ),
    "a field that is not there": (_body("{passwords}"), "VALIDATION_FAILED"),
    "no GraphQL": (_body("SELECT * FROM identity"), "SYNTAX_ERROR"),
    "an operation that is not there": (
        b'{"query":"{__typename}","operationName":"B"}',
        "OPERATION_NOT_FOUND",
    ),
    "a date that is none": (
        _body(
            "query($id: PersonNumber!, $m: Matching) {person(id: $id, matching: $m) {id}}",
            {"id": HOA, "m": {"birthDate": "1990-02-30"}},
        ),
        "INVALID_VALUE",
    ),
    "too many rows": (
        _body(f'{{person(id: "{HOA}") {{civilStatus {{marriages(first: 9999) {{truncated}}}}}}}}'),
        "INVALID_VALUE",
    ),
    "dates the wrong way round": (
        _body(
            f'{{person(id: "{HOA}") {{civilStatus {{marriages(from: "2020-01-01", '
            'to: "2019-01-01") {truncated}}}}'
        ),
        "INVALID_VALUE",
    ),
    "broken JSON": (b'{"query": "{__typename}"', "BAD_JSON"),
    "no JSON": (b"query={__typename}", "BAD_JSON"),
    "bytes": (bytes(range(256)), "BAD_JSON"),
    "deep JSON": (b'{"query":' + b"[" * 100_000, "BAD_JSON"),
    "a list": (b"[]", "BAD_REQUEST"),
    "no query": (b"{}", "BAD_REQUEST"),
    "a megabyte": (b" " * 1_000_000, "BODY_TOO_LARGE"),
}


_TOO_MANY = [DOCUMENTS[name][0] for name in ("101 numbers", "five hundred numbers")]


@pytest.mark.parametrize(("body", "code"), DOCUMENTS.values(), ids=DOCUMENTS.keys())
async def test_a_bad_request_gets_its_code(gateway: Running, body: bytes, code: str) -> None:
    """From an officer, who may ask for persons: the input is all that is wrong.

    Whoever was named, and could be read to be, has it in their log.
    """
    headers = {"content-type": "application/json", **_officer(gateway)}
    async with _unharmed(gateway):
        for accept in ("application/json", GRAPHQL_JSON):
            answer = await gateway.client.post(
                "/graphql", content=body, headers={**headers, "accept": accept}
            )
            answer_codes = [error["extensions"]["code"] for error in answer.json()["errors"]]
            assert set(answer_codes) == {code}
            assert answer.status_code < 500
            assert all(error["message"] for error in answer.json()["errors"])
            _clean(answer.text)
    if body not in _TOO_MANY:
        assert _entries_of(gateway, HOA) == (2 if _PERSON_IN_BODY.search(body) else 0)
    assert HOA not in str(gateway.journal())


@pytest.mark.parametrize("body", _TOO_MANY)
async def test_whoever_names_too_many_persons_leaves_a_trace_of_them(
    gateway: Running, body: bytes
) -> None:
    headers = {"content-type": "application/json", **_officer(gateway)}
    await gateway.client.post("/graphql", content=body, headers=headers)
    assert _entries_of(gateway, HOA) == 1


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/graphql", "application/x-www-form-urlencoded", "x"]
)
async def test_a_wrong_content_type_gets_its_code(gateway: Running, content_type: str) -> None:
    async with _unharmed(gateway):
        answer = await gateway.client.post(
            "/graphql", content=_body("{__typename}"), headers={"content-type": content_type}
        )
        assert answer.status_code == 415
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNSUPPORTED_MEDIA_TYPE"
        _clean(answer.text)


async def test_the_same_bad_documents_over_and_over_are_no_burden(gateway: Running) -> None:
    async with _unharmed(gateway):
        for _ in range(50):
            assert "errors" in (await gateway.post(_REPEATED)).json()
            assert "errors" in (await gateway.post(_ALIASES)).json()


async def _fuzzed(gateway: Running, body: bytes, headers: list[Header], **more: Any) -> Reply:
    """Send it, and check what must hold of every answer to whatever."""
    reply = await send_raw(application(gateway), [body], headers, **more)
    assert reply.started
    assert 200 <= reply.status < 500, reply.content
    _clean(reply.content.decode())
    assert b"INTERNAL" not in reply.content
    if reply.content:
        for error in reply.json().get("errors", []):
            assert error["extensions"]["code"] in CODES
    return reply


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)  # fmt: skip
_QUERIES = st.sampled_from(
    [
        PERSON,
        PERSONS,
        "query($id: PersonNumber!, $m: Matching) {person(id: $id, matching: $m) {id}}",
        "query($id: [PersonNumber!] = []) {persons(ids: $id) {id}}",
        "query($g: Group) {databases(group: $g) {name}}",
        "query($id: Int = 1) {person(id: \"001090012345\") {civilStatus {marriages(first: $id) "
        "{items {eventId}}}}}",
        "query($id: Date) {person(id: \"001090012345\") {civilStatus {marriages(from: $id) "
        "{items {eventId}}}}}",
        "query($id: Boolean!) {databases @skip(if: $id) {name}}",
        "query($id: Boolean = true) {person(id: \"001090012345\") {civilStatus {marriages "
        "@include(if: $id) {truncated}}}}",
        "{__typename}",
    ]
)  # fmt: skip
_VARIABLES = st.fixed_dictionaries(
    {},
    optional={
        "id": _JSON,
        "ids": _JSON,
        "g": _JSON,
        "m": st.fixed_dictionaries({}, optional={"name": _JSON, "birthDate": _JSON, "x": _JSON})
        | _JSON,
    },
)


def _dumped(content: object) -> bytes:
    """Write JSON with numbers and letters that stricter writers refuse to write."""
    return json.dumps(content).encode()


@ONE_FOR_ALL
@given(body=_JSON, parts=st.dictionaries(
    st.sampled_from(["query", "operationName", "variables", "extensions"]), _JSON))  # fmt: skip
async def test_any_json_at_all_is_answered(
    gateway: Running, body: object, parts: dict[str, object]
) -> None:
    for content in (body, parts, {"query": "{__typename}", **parts}):
        await _fuzzed(gateway, _dumped(content), [JSON_BODY])


@ONE_FOR_ALL
@given(query=_QUERIES, variables=_VARIABLES)
async def test_any_variables_at_all_are_answered(
    gateway: Running, query: str, variables: dict[str, object]
) -> None:
    body = _dumped({"query": query, "variables": variables})
    await _fuzzed(gateway, body, [JSON_BODY, *_raw(_officer(gateway))])


_LETTERS = st.text(alphabet='{}()[]:!$@&=|."#\n ,…qaF_0159-\\uéđ\x00\ud800', max_size=60)
_WORDS = st.lists(
    st.sampled_from(
        ["{", "}", "(", ")", "...", "query", "fragment", "on", "Query", "Person", "F", "person",
         "id", ":", '"001090012345"', "databases", "name", "me", "notices", "code", "$v", "@skip",
         "if", "true", "1", "__typename", "civilStatus", "marriages", "items", "first",
         "[", "]", "null"]
    ),
    max_size=40,
).map(" ".join)  # fmt: skip


@ONE_FOR_ALL
@given(text=_LETTERS | _WORDS)
async def test_any_document_at_all_is_answered(gateway: Running, text: str) -> None:
    headers = [JSON_BODY, *_raw(_officer(gateway))]
    await _fuzzed(gateway, _dumped({"query": text}), headers)


@ONE_FOR_ALL
@given(body=st.binary(max_size=200), query=st.binary(max_size=100), method=st.sampled_from(
    ["GET", "HEAD", "POST", "PUT", "OPTIONS", "get", "\x00"]))  # fmt: skip
async def test_any_bytes_at_all_are_answered(
    gateway: Running, body: bytes, query: bytes, method: str
) -> None:
    await _fuzzed(gateway, body, [JSON_BODY], method=method, query=query)
    await _fuzzed(gateway, body, [], method="GET", query=b"query=%7B__typename%7D&" + query)


_HEADERS = (
    "accept", "authorization", "content-type", "content-length", "x-purpose", "x-case-number",
    "x-request-id", "host", "cookie", "origin", "transfer-encoding", "x-forwarded-for", "",
)  # fmt: skip
_VALUES = st.binary(max_size=40) | st.sampled_from(
    [b"Bearer ", b"Bearer a.b.c", b"Bearer \xff.\xff.\xff", b"*/*;q=nan", b";;;q=q=", b"1e9",
     b"\xb2", b"application/json;charset", b"[", b"http://[", b"a" * 10_000]
)  # fmt: skip


@ONE_FOR_ALL
@given(
    headers=st.lists(st.tuples(st.sampled_from(_HEADERS).map(str.encode), _VALUES), max_size=4),
    path=st.sampled_from(["/graphql", "/schema.graphql", "/nowhere"]),
)
async def test_any_headers_at_all_are_answered(
    gateway: Running, headers: list[Header], path: str
) -> None:
    body = _body("{__typename}")
    app = application(gateway)
    for sent_headers in (headers, [JSON_BODY, *headers]):
        for method in ("POST", "GET"):
            reply = await send_raw(app, [body], sent_headers, method, path, b"query={__typename}")
            assert reply.started
            assert 200 <= reply.status < 500
            if path != "/schema.graphql":
                _clean(reply.content.decode())
