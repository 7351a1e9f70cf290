"""Callers refused for their token or headers: they learn the reason only, and leave a trace.

A refusal of a known caller that names a person leaves an entry in the journal; those of strangers
are counted, and name nobody. All look the same whether or not there is such a person.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from gateway.audit.entry import person_hash
from gateway.procedures.procedure import UNIFIED
from gateway.settings import RateLimits
from tests.support.bad_tokens import TOKENS, by_our_key, expired
from tests.support.people import HOA, LAN, NOBODY, OLD_NUMBER
from tests.support.running import CASE_NUMBER, OFFICER, OPERATOR, Running, codes, running

PERSON = "query($id: PersonNumber!) {person(id: $id) {id}}"
PERSONS = "query($ids: [PersonNumber!]!) {persons(ids: $ids) {id}}"
_NUMBER = re.compile(r"(?<![0-9a-f])(?:[0-9]{12}|[0-9]{9})(?![0-9a-f])")

#: What differs between two answers anyhow.
_COUNTING_HEADERS = {"x-request-id", "ratelimit-remaining"}

Headers = dict[str, str]
Make = Callable[[Running], Headers]


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as running_gateway:
        yield running_gateway


def _headers(token: str, **changed: str) -> Headers:
    """Return what an officer sends, but for what is ``changed``; an empty text leaves out."""
    stated = {"x-purpose": UNIFIED, "x-case-number": CASE_NUMBER}
    stated |= {name.replace("_", "-"): value for name, value in changed.items()}
    headers = {"authorization": f"Bearer {token}", **stated}
    return {name: value for name, value in headers.items() if value}


def _with_token(make: Callable[[Running], str]) -> Make:
    return lambda gateway: _headers(make(gateway))


Bad = tuple[Make, int, str]

CALLERS: dict[str, Bad] = {
    "no token": (lambda _: {}, 401, "UNAUTHENTICATED"),
    "no token, but a case number": (
        lambda _: {"x-case-number": CASE_NUMBER}, 401, "UNAUTHENTICATED"
    ),
    "another scheme": (lambda _: {"authorization": "Basic b2ZmaWNlcg=="}, 401, "TOKEN_INVALID"),
    "an expired token": (lambda gateway: _headers(expired(gateway)), 401, "TOKEN_EXPIRED"),
    **{
        f"a token {name}": (_with_token(make), 401, "TOKEN_INVALID")
        for name, make in TOKENS.items()
    },
    "a purpose that the token lacks": (
        lambda gateway: _headers(gateway.token(*OFFICER, purposes=["1.000894"])),
        403,
        "PURPOSE_NOT_GRANTED",
    ),
    "a purpose without a token": (lambda _: {"x-purpose": "1.000894"}, 403, "PURPOSE_NOT_GRANTED"),
    "a purpose that nobody knows": (
        lambda gateway: _headers(gateway.token(*OFFICER, purposes=["9.999999"]),
                                 x_purpose="9.999999"),
        400,
        "PURPOSE_UNKNOWN",
    ),
    "no purpose": (
        lambda gateway: _headers(gateway.token(*OFFICER), x_purpose=""), 400, "PURPOSE_REQUIRED"
    ),
    "no case number": (
        lambda gateway: _headers(gateway.token(*OFFICER), x_case_number=""),
        400,
        "CASE_NUMBER_REQUIRED",
    ),
    "a purpose of another form": (
        lambda gateway: _headers(gateway.token(*OFFICER), x_purpose="a b"), 400, "BAD_REQUEST"
    ),
    "a purpose of 10,000 letters": (
        lambda gateway: _headers(gateway.token(*OFFICER), x_purpose="x" * 10_000),
        400,
        "BAD_REQUEST",
    ),
    "a case number of 10,000 letters": (
        lambda gateway: _headers(gateway.token(*OFFICER), x_case_number="1" * 10_000),
        400,
        "BAD_REQUEST",
    ),
    "a person for a case number": (
        lambda gateway: _headers(gateway.token(*OFFICER), x_case_number=HOA), 400, "BAD_REQUEST"
    ),
}  # fmt: skip
EVERY_CALLER = pytest.mark.parametrize(
    ("make", "status", "code"), CALLERS.values(), ids=CALLERS.keys()
)


async def _send(
    gateway: Running, headers: Headers, query: str, variables: Mapping[str, object] | None = None
) -> httpx2.Response:
    body = {"query": query, "variables": variables}
    return await gateway.client.post("/graphql", json=body, headers=headers)


@asynccontextmanager
async def _unharmed(gateway: Running) -> AsyncIterator[None]:
    """Check that a good request is answered while bad ones are, and right after them."""
    good = _headers(gateway.token(*OFFICER))

    async def ask() -> None:
        answer = await _send(gateway, good, PERSON, {"id": LAN})
        assert answer.json()["data"] == {"person": {"id": LAN}}

    meanwhile = asyncio.create_task(ask())
    yield
    await meanwhile
    await ask()


def _refusals(gateway: Running) -> list[dict[str, Any]]:
    return [entry for entry in gateway.journal() if entry["result"] == "REFUSED"]


async def _refusal_counts(gateway: Running) -> list[dict[str, Any]]:
    """Return what was counted of strangers since the last time, as the journal has it then."""
    before = len(gateway.journal())
    await gateway.service.recorder.refusals.write()
    new_entries = gateway.journal()[before:]
    assert all(entry["persons"] == [] for entry in new_entries)
    return [count for entry in new_entries for count in entry["refusals"]]


def _count(code: str, count: int) -> dict[str, object]:
    return {"code": code, "source": "127.0.0.0/24", "count": count}


def _is_known(headers: Headers, status: int) -> bool:
    return "authorization" in headers and status != 401


def _check(gateway: Running, entry: Mapping[str, Any], code: str, *numbers: str) -> None:
    """Check that an entry says who was refused whom, and names nobody by number."""
    assert (entry["result"], entry["codes"]) == ("REFUSED", [code])
    assert entry["persons"] == [
        {
            "person": person_hash(gateway.service.resources.person_hash, number),
            "role": "REFUSED",
            "sections": [],
        }
        for number in numbers
    ]
    assert entry["sections"] == {}
    text = orjson.dumps(entry).decode()
    assert not _NUMBER.findall(text)
    assert not any(number in text for number in numbers)


async def test_the_tokens_are_bad_for_what_is_changed_in_them_alone(gateway: Running) -> None:
    for changed in ({}, {"nbf": int(gateway.clock.now().timestamp()) + 1}):
        token = by_our_key(gateway, {}, **changed)
        answer = await _send(gateway, _headers(token), PERSON, {"id": HOA})
        assert answer.json()["data"] == {"person": {"id": HOA}}


@EVERY_CALLER
async def test_a_bad_caller_is_told_why_and_leaves_a_trace(
    gateway: Running, make: Make, status: int, code: str
) -> None:
    headers = make(gateway)
    async with _unharmed(gateway):
        answer = await _send(gateway, headers, PERSON, {"id": HOA})
        assert (answer.status_code, codes(answer.json())) == (status, [code])
        assert "data" not in answer.json()
        assert HOA not in answer.text
        assert ("www-authenticate" in answer.headers) is (status == 401)
    if not _is_known(headers, status):
        assert _refusals(gateway) == []
        assert await _refusal_counts(gateway) == [_count(code, 1)]
        return
    (entry,) = _refusals(gateway)
    _check(gateway, entry, code, HOA)
    assert entry["requestId"] == answer.headers["x-request-id"]
    assert entry["client"] == "test-client"
    assert len(gateway.journal()) == 3, "the two good requests, and this"
    assert await _refusal_counts(gateway) == []


@EVERY_CALLER
async def test_whoever_is_refused_does_not_learn_whether_there_is_such_a_person(
    gateway: Running, make: Make, status: int, code: str
) -> None:
    headers = make(gateway)
    answers = [await _send(gateway, headers, PERSON, {"id": number}) for number in (HOA, NOBODY)]
    assert answers[0].content == answers[1].content
    remaining = [int(answer.headers["ratelimit-remaining"]) for answer in answers]
    assert remaining[0] - remaining[1] == 1, "how many requests were made, and not of whom"
    headers_shown = [
        [header for header in answer.headers.multi_items() if header[0] not in _COUNTING_HEADERS]
        for answer in answers
    ]
    assert headers_shown[0] == headers_shown[1]
    assert {answer.status_code for answer in answers} == {status}
    if not _is_known(headers, status):
        assert await _refusal_counts(gateway) == [_count(code, 2)]
        return
    first, second = _refusals(gateway)
    _check(gateway, first, code, HOA)
    _check(gateway, second, code, NOBODY)


@EVERY_CALLER
async def test_a_refusal_that_names_nobody_leaves_no_entry(
    gateway: Running, make: Make, status: int, code: str
) -> None:
    await _send(gateway, make(gateway), "{databases {name}}")
    await _send(gateway, make(gateway), PERSON, {"id": "12345"})
    assert gateway.journal() == []


async def test_a_stranger_who_names_a_hundred_people_names_nobody_in_the_journal(
    gateway: Running,
) -> None:
    crowd = [f"0010900{number:05}" for number in range(100)]
    for _ in range(50):
        await _send(gateway, {}, "{x}", {"ids": crowd})
    await gateway.service.recorder.refusals.write()
    (segment,) = (gateway.folder / gateway.service.resources.settings.audit.folder).glob(
        "audit-*.jsonl"
    )
    assert len(segment.read_bytes().rstrip(b"\0")) < 2_000
    (entry,) = gateway.journal()
    assert entry["persons"] == []
    assert entry["refusals"] == [_count("VALIDATION_FAILED", 50)]


async def test_a_known_caller_who_names_a_hundred_people_has_ten_of_them_in_the_journal(
    gateway: Running,
) -> None:
    crowd = [f"0010900{number:05}" for number in range(100)]
    headers = _headers(gateway.token(*OFFICER), x_case_number="")
    await _send(gateway, headers, PERSONS, {"ids": crowd})
    (entry,) = _refusals(gateway)
    _check(gateway, entry, "CASE_NUMBER_REQUIRED", *crowd[:10])
    assert entry["personsNamed"] == 100


async def test_a_known_caller_beyond_the_rate_is_counted_by_name(tmp_path: Path) -> None:
    async with running(tmp_path, rates=RateLimits(requests_per_minute=1)) as gateway:
        headers = _headers(gateway.token(*OFFICER))
        for _ in range(4):
            await _send(gateway, headers, PERSON, {"id": HOA})
        assert len(gateway.journal()) == 1
        expected = {"code": "RATE_LIMITED", "source": "test-client", "count": 3}
        assert await _refusal_counts(gateway) == [expected]


async def test_what_was_counted_is_written_when_the_gateway_ends(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        await _send(gateway, {}, PERSON, {"id": HOA})
    (entry,) = gateway.journal()
    assert entry["refusals"] == [_count("UNAUTHENTICATED", 1)]


@pytest.mark.parametrize(
    ("query", "variables", "numbers"),
    [
        (f'{{person(id: "{HOA}") {{id}}}}', None, [HOA]),
        (f'{{a: person(id: "{OLD_NUMBER}") {{id}} b: person(id: "{HOA}") {{id}}}}', None,
         [OLD_NUMBER, HOA]),
        (PERSONS, {"ids": [HOA, LAN, HOA]}, [HOA, LAN]),
        (f'query($id: PersonNumber = "{LAN}") {{person(id: $id) {{id}}}}', {}, [LAN]),
        (f'{{person(id: "{HOA}"', None, [HOA]),
        (f'{{nothing(id: "{HOA}")}}', None, [HOA]),
    ],
)  # fmt: skip
async def test_everybody_whom_a_refused_request_names_is_in_the_journal(
    gateway: Running, query: str, variables: dict[str, object] | None, numbers: list[str]
) -> None:
    """Whether or not the document can be read: that is found out after the token was looked at."""
    headers = _headers(gateway.token(*OFFICER), x_case_number="")
    answer = await _send(gateway, headers, query, variables)
    (code,) = set(codes(answer.json()))
    (entry,) = _refusals(gateway)
    _check(gateway, entry, code, *numbers)


@pytest.mark.parametrize(
    "query",
    [
        f'{{person(id: "{HOA[:-1]}\\u00{ord(HOA[-1]):x}") {{id}}}}',
        f'{{person(id: "{HOA[:-1]}\\u{{{ord(HOA[-1]):x}}}") {{id}}}}',
        f'{{person(id: """\n  {HOA}\n""") {{id}}}}',
    ],
)
async def test_a_number_that_is_written_in_another_way_leaves_its_trace_too(
    gateway: Running, query: str
) -> None:
    """GraphQL specification 2.9.4: escapes, and block texts without their indentation."""
    good = await _send(gateway, _headers(gateway.token(*OFFICER)), query)
    assert good.json()["data"] == {"person": {"id": HOA}}, "so it names somebody"
    await _send(gateway, _headers(gateway.token(*OFFICER), x_case_number=""), query)
    (entry,) = _refusals(gateway)
    _check(gateway, entry, "CASE_NUMBER_REQUIRED", HOA)


@pytest.mark.parametrize("header", ["x-case-number", "x-request-id"])
@pytest.mark.parametrize("written", [f"{HOA}/1", f"HS:{HOA}", f"{HOA}.x", f"a-{HOA}"])
async def test_no_person_is_named_in_what_the_journal_takes_over(
    gateway: Running, header: str, written: str
) -> None:
    if header == "x-request-id":
        written = written.replace("/", ".").replace(":", ".")
    headers = {**_headers(gateway.token(*OFFICER)), header: written}
    await _send(gateway, headers, PERSON, {"id": LAN})
    assert not _NUMBER.findall(orjson.dumps(gateway.journal()).decode())


def _acting(gateway: Running, *scopes: str) -> Headers:
    """Return what Lan sends who asks for Hòa, whose wife she is: no record says that she may."""
    claims = {"sub": LAN, "act_for": HOA, "scope": " ".join(("me", *scopes))}
    return _headers(by_our_key(gateway, {}, **claims), x_purpose="", x_case_number="")


async def test_a_represented_citizen_who_is_named_too_is_in_the_journal_once(
    gateway: Running,
) -> None:
    await _send(gateway, _acting(gateway, *OFFICER), PERSON, {"id": HOA})
    (entry,) = gateway.journal()
    _check(gateway, entry, "PURPOSE_REQUIRED", HOA)


async def test_whoever_may_name_nobody_is_told_at_the_field_and_leaves_a_trace(
    gateway: Running,
) -> None:
    for number in (HOA, NOBODY):
        body = await gateway.ask(PERSON, {"id": number}, OPERATOR)
        assert codes(body) == ["FORBIDDEN"]
    for entry, number in zip(gateway.journal(), (HOA, NOBODY), strict=True):
        hashed = person_hash(gateway.service.resources.person_hash, number)
        assert entry["persons"] == [{"person": hashed, "role": "REFUSED", "sections": []}]
        assert entry["result"] == "ANSWERED", "the rest of the operation was"


async def test_without_a_journal_there_is_no_refusal_that_names_a_person_either(
    gateway: Running,
) -> None:
    await gateway.service.audit.journal.close()
    headers = _headers(gateway.token(*OFFICER), x_case_number="")
    with_person = await _send(gateway, headers, PERSON, {"id": HOA})
    assert (with_person.status_code, codes(with_person.json())) == (503, ["AUDIT_UNAVAILABLE"])
    anonymous = await _send(gateway, {}, PERSON, {"id": HOA})
    assert (anonymous.status_code, codes(anonymous.json())) == (401, ["UNAUTHENTICATED"])
