"""Parameters of a request over HTTP: media types, parsing, and limits of what is read."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from gateway.errors import GatewayError
from gateway.execution.parameters import Parameters
from gateway.http.parameters import GRAPHQL_JSON, JSON, read_parameters, response_type
from tests.support.asgi import Header, scope
from tests.support.generated import PATIENT

QUERY = "{__typename}"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("   ", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("APPLICATION/JSON", JSON),
        ("application/json; charset=utf-8", JSON),
        ("application/graphql-response+json", GRAPHQL_JSON),
        ("Application/GraphQL-Response+JSON;charset=utf-8", GRAPHQL_JSON),
        ("application/graphql-response+json, application/json", GRAPHQL_JSON),
        ("application/json, application/graphql-response+json", GRAPHQL_JSON),
        ("application/graphql-response+json, application/json;q=0.9", GRAPHQL_JSON),
        ("application/graphql-response+json;q=0.9, application/json", JSON),
        ("application/graphql-response+json;q=0.5, */*", JSON),
        ("application/graphql-response+json, */*;q=0.1", GRAPHQL_JSON),
        ("application/graphql-response+json;q=0, */*", JSON),
        ("application/json;q=0, */*", GRAPHQL_JSON),
        ("application/json;q=0, application/*;q=0.1", GRAPHQL_JSON),
        ("text/html, application/xhtml+xml, */*;q=0.8", JSON),
        ("text/event-stream, application/json", JSON),
        ("application/json ; q = 1", JSON),
        ("application/json;q=0.001", JSON),
        ("application/json;q=1.000", JSON),
        ("application/json;q=0.", None),
        ("application/json;q=0", None),
        ("application/json;q=0.000", None),
        ("application/json;q=0, application/graphql-response+json;q=0", None),
        ("*/*;q=0", None),
        ("text/html", None),
        ("text/*", None),
        ("json", None),
        (",", None),
        (";q=1", None),
    ],
)
def test_the_answer_is_what_the_client_prefers_of_the_two_types(
    accept: str | None, expected: str | None
) -> None:
    if expected is None:
        with pytest.raises(GatewayError) as excinfo:
            response_type(accept)
        assert excinfo.value.code.name == "NOT_ACCEPTABLE"
    else:
        assert response_type(accept) == expected


@pytest.mark.parametrize(
    "weight", ["nan", "inf", "-1", "1_0", "2", "1.5", "0.0001", "+1", "", "x", "１"]
)
def test_a_weight_that_is_none_wants_nothing(weight: str) -> None:
    """RFC 9110 section 12.4.2: 0 to 1, three digits after the point."""
    with pytest.raises(GatewayError):
        response_type(f"application/json;q={weight}")
    other = f"application/graphql-response+json;q={weight}, application/json;q=0.001"
    assert response_type(other) == JSON


@PATIENT
@given(st.text())
def test_any_accept_header_is_answered_or_refused(accept: str) -> None:
    try:
        chosen_type = response_type(accept)
    except GatewayError as error:
        chosen_type = error.code.name
    assert chosen_type in {JSON, GRAPHQL_JSON, "NOT_ACCEPTABLE"}


class Client:
    """Sends one request in parts, and counts how many were taken."""

    def __init__(self, parts: Sequence[bytes] = (b"",), *, more: bool = False) -> None:
        self.parts = parts
        self.more = more
        self.taken = 0

    async def receive(self) -> Message:
        place, self.taken = self.taken, self.taken + 1
        if place >= len(self.parts):
            assert self.more, "more was asked for than there is"
            return {"type": "http.request", "body": b"x" * 100, "more_body": True}
        more = self.more or place + 1 < len(self.parts)
        return {"type": "http.request", "body": self.parts[place], "more_body": more}

    async def call(
        self,
        method: str = "POST",
        query: bytes = b"",
        headers: Sequence[Header] = ((b"content-type", b"application/json"),),
        limit: int = 1_000,
    ) -> Parameters:
        request = Request(scope(method, headers=headers, query=query), self.receive)
        return (await read_parameters(request, limit)).parse()


async def _by_url(**parameters: object) -> Parameters:
    return await Client().call("GET", urlencode(parameters, doseq=True).encode(), ())


_OUTCOMES = {"read", "BAD_JSON", "BAD_REQUEST", "BODY_TOO_LARGE"}


async def _outcome(reading: Awaitable[Parameters]) -> str:
    """Return the code with which a request is refused, or that it was read."""
    try:
        await reading
    except GatewayError as error:
        return error.code.name
    return "read"


async def _by_body(body: object, content_type: bytes = b"application/json") -> Parameters:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return await Client([content]).call(headers=[(b"content-type", content_type)])


async def test_a_body_says_what_is_asked() -> None:
    body = {
        "query": QUERY,
        "operationName": "A",
        "variables": {"id": "x", "deep": [1, {"a": None}]},
        "extensions": {},
        "id": "ignored",
    }
    assert await _by_body(body) == Parameters(
        QUERY, "A", {"id": "x", "deep": [1, {"a": None}]}, False
    )


async def test_nothing_but_the_query_is_needed() -> None:
    assert await _by_body({"query": QUERY}) == Parameters(QUERY, None, None, False)
    nulls = {"query": QUERY, "operationName": None, "variables": None, "extensions": None}
    assert await _by_body(nulls) == Parameters(QUERY, None, None, False)


async def test_an_empty_operation_name_names_none() -> None:
    assert (await _by_body({"query": QUERY, "operationName": ""})).operation_name is None
    assert (await _by_url(query=QUERY, operationName="")).operation_name is None


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_url_says_what_is_asked(method: str) -> None:
    parameters = {
        "query": "query A($n: Int) { databases }",
        "operationName": "A",
        "variables": '{"n": 1, "ten": "Hòa"}',
        "extensions": "{}",
        "other": "ignored",
    }
    call = await Client().call(method, urlencode(parameters).encode(), ())
    assert call == Parameters(parameters["query"], "A", {"n": 1, "ten": "Hòa"}, True)


@pytest.mark.parametrize("name", ["query", "operationName", "variables", "extensions"])
async def test_a_parameter_given_twice_is_refused(name: str) -> None:
    parameters: dict[str, object] = {"query": QUERY, name: ["{}", "{}"]}
    with pytest.raises(GatewayError, match=f"{name} must not be given more than once") as excinfo:
        await _by_url(**parameters)
    assert excinfo.value.code.name == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, "BAD_REQUEST"),
        ({"query": ""}, "BAD_REQUEST"),
        ({"query": " \n"}, "BAD_REQUEST"),
        ({"query": QUERY, "variables": ""}, "BAD_JSON"),
        ({"query": QUERY, "variables": "{"}, "BAD_JSON"),
        ({"query": QUERY, "variables": "[]"}, "BAD_REQUEST"),
        ({"query": QUERY, "variables": '"x"'}, "BAD_REQUEST"),
        ({"query": QUERY, "extensions": "7"}, "BAD_REQUEST"),
        ({"query": QUERY, "variables": '{"a":NaN}'}, "BAD_JSON"),
        ({"query": QUERY, "variables": "[" * 200}, "BAD_JSON"),
        ({"query": "x" * 1_001}, "BODY_TOO_LARGE"),
    ],
)
async def test_a_url_that_asks_nothing_sensible_is_refused(
    parameters: dict[str, object], code: str
) -> None:
    with pytest.raises(GatewayError) as excinfo:
        await _by_url(**parameters)
    assert excinfo.value.code.name == code


@pytest.mark.parametrize(
    "query", [b"query=%ff%fe", b"query=%", b"\xff\xfe=\xff&query=%7Ba%7D", b"&&=&"]
)
async def test_bytes_that_are_no_text_in_a_url_are_survived(query: bytes) -> None:
    assert await _outcome(Client().call("GET", query, ())) in {"read", "BAD_REQUEST"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "BAD_JSON"),
        (b"{", "BAD_JSON"),
        (b"{}}", "BAD_JSON"),
        (b"{'query': 1}", "BAD_JSON"),
        (b'{"query":"{a}",}', "BAD_JSON"),
        (b'{"query":NaN}', "BAD_JSON"),
        (b'\xef\xbb\xbf{"query":"{a}"}', "BAD_JSON"),
        ('{"query":"{a}"}'.encode("utf-16"), "BAD_JSON"),
        (b'{"query":"\xff"}', "BAD_JSON"),
        (b'{"query":"\\ud800"}', "BAD_JSON"),
        (b"[" * 1_000, "BAD_JSON"),
        (b"null", "BAD_REQUEST"),
        (b"7", "BAD_REQUEST"),
        (b'"{__typename}"', "BAD_REQUEST"),
        (b"[]", "BAD_REQUEST"),
        (b'[{"query":"{__typename}"}]', "BAD_REQUEST"),
        (b'[{"query":"{a}"},{"query":"{b}"}]', "BAD_REQUEST"),
        (b"{}", "BAD_REQUEST"),
        (b'{"query":null}', "BAD_REQUEST"),
        (b'{"query":""}', "BAD_REQUEST"),
        (b'{"query":1}', "BAD_REQUEST"),
        (b'{"query":["{a}"]}', "BAD_REQUEST"),
        (b'{"Query":"{a}"}', "BAD_REQUEST"),
        (b'{"query":"{a}","operationName":1}', "BAD_REQUEST"),
        (b'{"query":"{a}","operationName":["A"]}', "BAD_REQUEST"),
        (b'{"query":"{a}","variables":[]}', "BAD_REQUEST"),
        (b'{"query":"{a}","variables":"{}"}', "BAD_REQUEST"),
        (b'{"query":"{a}","variables":0}', "BAD_REQUEST"),
        (b'{"query":"{a}","extensions":false}', "BAD_REQUEST"),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else None,
)
async def test_a_body_that_is_not_of_the_form_is_refused(body: bytes, code: str) -> None:
    """Lists too: requests are not batched here, so that each has its own limits."""
    with pytest.raises(GatewayError) as excinfo:
        await _by_body(body)
    assert excinfo.value.code.name == code


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/json",
        b"Application/JSON",
        b" application/json ",
        b"application/json;charset=utf-8",
        b'application/json; charset="UTF-8"',
        b"application/json; charset=utf8",
        b"application/json;odata=verbose",
        b"application/json;",
    ],
)
async def test_json_in_utf_8_is_read_however_it_is_spelt(content_type: bytes) -> None:
    assert (await _by_body({"query": QUERY}, content_type)).query == QUERY


@pytest.mark.parametrize(
    "content_type",
    [
        b"",
        b"text/plain",
        b"text/json",
        b"application/graphql",
        b"application/graphql-response+json",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data; boundary=x",
        b"application/jsonx",
        b"application/json, text/plain",
        b"application/json; charset=utf-16",
        b"application/json; charset=iso-8859-1",
        b"application/json; charset=utf-8; charset=utf-16",
        b"application/json; charset=",
        b";",
        b"\xff",
    ],
)
async def test_any_other_content_is_refused_unread(content_type: bytes) -> None:
    """A form that another site's page posts is refused here as well (CSRF)."""
    client = Client([orjson.dumps({"query": QUERY})])
    with pytest.raises(GatewayError) as excinfo:
        await client.call(headers=[(b"content-type", content_type)] if content_type else [])
    assert excinfo.value.code.name == "UNSUPPORTED_MEDIA_TYPE"
    assert client.taken == 0


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "post"])
async def test_other_methods_are_told_which_there_are(method: str) -> None:
    client = Client()
    with pytest.raises(GatewayError) as excinfo:
        await client.call(method)
    assert excinfo.value.code.name == "METHOD_NOT_ALLOWED"
    assert excinfo.value.headers == {"Allow": "GET, POST"}
    assert client.taken == 0


def _body_of(size: int) -> bytes:
    start, end = b'{"query":"{a}","extensions":{"pad":"', b'"}}'
    return start + b"x" * (size - len(start) - len(end)) + end


TYPE: Header = (b"content-type", b"application/json")


async def test_a_body_may_be_as_long_as_the_limit_and_no_longer() -> None:
    assert (await Client([_body_of(1_000)]).call(headers=[TYPE], limit=1_000)).query == "{a}"
    with pytest.raises(GatewayError) as excinfo:
        await Client([_body_of(1_001)]).call(headers=[TYPE], limit=1_000)
    assert excinfo.value.code.name == "BODY_TOO_LARGE"
    assert excinfo.value.details == {"limit": 1_000}


async def test_a_body_that_comes_in_parts_is_put_together() -> None:
    content = _body_of(600)
    parts = [content[start : start + 7] for start in range(0, len(content), 7)]
    assert (await Client([*parts, b""]).call(headers=[TYPE])).query == "{a}"


async def test_a_body_announced_as_too_long_is_not_read() -> None:
    client = Client([_body_of(100)])
    with pytest.raises(GatewayError) as excinfo:
        await client.call(headers=[TYPE, (b"content-length", b"1001")])
    assert excinfo.value.code.name == "BODY_TOO_LARGE"
    assert client.taken == 0


@pytest.mark.parametrize("announced", [None, b"0", b"10", b"1000"])
async def test_a_body_longer_than_announced_is_cut_off_at_the_limit(
    announced: bytes | None,
) -> None:
    """Without an announcement, or with a lie: an endless body costs no more than the limit."""
    client = Client([b'{"query":"'], more=True)
    headers = [TYPE] if announced is None else [TYPE, (b"content-length", announced)]
    with pytest.raises(GatewayError) as excinfo:
        await client.call(headers=headers)
    assert excinfo.value.code.name == "BODY_TOO_LARGE"
    assert client.taken == 11, "ten parts of a hundred bytes are just too many"


async def test_a_body_shorter_than_announced_is_taken_for_what_it_is() -> None:
    headers = [TYPE, (b"content-length", b"1000")]
    assert (await Client([_body_of(100)]).call(headers=headers)).query == "{a}"


@pytest.mark.parametrize(
    "announced",
    [b"-1", b"+1", b"1e3", b"0x10", b" ", b"x", b"1,1", b"\xb2", b"9" * 5_000, b"0" * 5_000, b""],
    ids=lambda value: repr(value[:8]),
)
async def test_a_length_that_is_no_number_is_refused_unread(announced: bytes) -> None:
    client = Client([_body_of(100)])
    with pytest.raises(GatewayError):
        await client.call(headers=[TYPE, (b"content-length", announced)])
    assert client.taken == 0


@PATIENT
@given(st.binary(max_size=300), st.binary(max_size=30), st.binary(max_size=10))
async def test_any_body_at_all_is_read_or_refused(
    body: bytes, content_type: bytes, length: bytes
) -> None:
    for headers in ([TYPE], [(b"content-type", content_type), (b"content-length", length)]):
        outcome = await _outcome(Client([body]).call(headers=headers))
        assert outcome in {*_OUTCOMES, "UNSUPPORTED_MEDIA_TYPE"}


@PATIENT
@given(st.binary(max_size=300))
async def test_any_url_at_all_is_read_or_refused(query: bytes) -> None:
    for url_query in (query, b"query=" + query, b"query=%7Ba%7D&variables=" + query):
        assert await _outcome(Client().call("GET", url_query, ())) in _OUTCOMES
