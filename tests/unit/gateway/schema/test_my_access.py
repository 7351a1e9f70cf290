"""``myAccess``: the permissions of a token, and dry runs of documents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.dry_runs import (
    ADOPTION,
    CHILD,
    GUARDIANSHIP,
    NOTHING_STATED,
    child,
    run_trial,
)
from tests.support.people import LAN
from tests.support.running import Running, running
from tests.support.worlds import ALL, EVERY, LIVE, acting

ACCESS = """{ myAccess { client agency expiresAt scopes purposes { code title { en } } purpose
  seesOwnView actsForAnother } }"""
PERSON = "query($id: PersonNumber!) { person(id: $id) { id } }"


async def access(gateway: Running, token: str | None, **stated: str) -> dict[str, Any]:
    reply = await gateway.post(ACCESS, None, token, **stated)
    data: dict[str, Any] = reply.json()["data"]["myAccess"]
    return data


async def test_who_shows_no_token_may_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, child(), ALL, LIVE) as gateway:
        permitted = await access(gateway, None)
    assert permitted == {
        "client": None,
        "agency": None,
        "expiresAt": None,
        "scopes": [],
        "purposes": [],
        "purpose": None,
        "seesOwnView": False,
        "actsForAnother": False,
    }


async def test_an_officer_sees_scopes_purposes_and_until_when(tmp_path: Path) -> None:
    async with running(tmp_path, child(), ALL, LIVE) as gateway:
        scopes, purposes = ("population:read", "civil_status:read"), (GUARDIANSHIP, "no-such")
        token = gateway.token(*scopes, purposes=purposes)
        permitted = await access(gateway, token, x_purpose=GUARDIANSHIP)
        silent = await access(gateway, token, **NOTHING_STATED)
    assert permitted == {
        "client": "test-client",
        "agency": None,
        "expiresAt": "2026-11-23T04:00:00+00:00",
        "scopes": ["civil_status:read", "population:read"],
        "purposes": [
            {"code": GUARDIANSHIP, "title": {"en": "Registration of guardianship"}},
            {"code": "no-such", "title": None},
        ],
        "purpose": GUARDIANSHIP,
        "seesOwnView": False,
        "actsForAnother": False,
    }
    assert silent == {**permitted, "purpose": None}


async def test_a_citizen_has_an_own_view_and_a_representative_that_of_another(
    tmp_path: Path,
) -> None:
    all_sources = child()
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        citizen = await access(gateway, gateway.token("me", subject=CHILD))
        other = await access(gateway, acting(gateway, LAN, CHILD), **NOTHING_STATED)
        assert gateway.journal() == []
    assert (citizen["seesOwnView"], citizen["actsForAnother"]) == (True, False)
    assert (other["seesOwnView"], other["actsForAnother"]) == (True, True)
    assert all_sources.fetched == []


DEEP = "query($id: PersonNumber!) { person(id: $id) { civilStatus { births { items { "
DEEP += "person { civilStatus { births { items { " * 3 + "eventId" + " } } } }" * 3 + " } } } } }"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (PERSON, None),
        ("{ databases { name } }", None),
        ("{ me { id } }", None),
        ("{ person(id: ", "SYNTAX_ERROR"),
        ("", "SYNTAX_ERROR"),
        ("{ nobody { id } }", "VALIDATION_FAILED"),
        ("query($id: PersonNumber!) { person(id: $id) { id(of: 1) } }", "VALIDATION_FAILED"),
        (PERSON.replace("query", "query A") + " query B { databases { name } }",
         "OPERATION_NOT_FOUND"),
        (DEEP, "TOO_DEEP"),
        ("{ " + " ".join(f"a{n}: databases {{ name }}" for n in range(31)) + " }",
         "TOO_MANY_ALIASES"),
        ("{ __schema { types { name } } }", "INTROSPECTION_DENIED"),
        ("mutation { nothing }", "VALIDATION_FAILED"),
    ],
)  # fmt: skip
async def test_a_trial_says_with_which_code_a_document_would_be_refused(
    tmp_path: Path, document: str, code: str | None
) -> None:
    all_sources = child()
    async with running(tmp_path, all_sources, ALL, LIVE) as gateway:
        token = gateway.token(*EVERY)
        trial = await run_trial(gateway, token, document)
        variables = {"id": CHILD} if document == PERSON else None
        real = (await gateway.post(document, variables, token)).json() if document else None
    assert trial["code"] == code
    assert (trial["message"] is None) is (code is None)
    if real is not None and code is not None:
        assert real["errors"][0]["extensions"]["code"] == code
        assert "data" not in real
    assert code is None or all_sources.fetched == []


@pytest.mark.parametrize(("name", "code"), [("A", None), ("C", "OPERATION_NOT_FOUND")])
async def test_a_trial_is_of_the_operation_that_is_named(
    tmp_path: Path, name: str, code: str | None
) -> None:
    document = PERSON.replace("query", "query A") + " query B { me { id } }"
    async with running(tmp_path, child(), ALL, LIVE) as gateway:
        token = gateway.token(*EVERY)
        assert (await run_trial(gateway, token, document, name))["code"] == code
        (denial,) = (await run_trial(gateway, token, document, "B"))["denied"]
    assert denial == {"path": "me", "state": "DENIED", "missing": ["me"]}


async def test_without_a_token_a_person_is_refused_and_the_catalogue_is_not(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, child(), ALL, LIVE) as gateway:
        assert (await run_trial(gateway, None, PERSON))["code"] == "UNAUTHENTICATED"
        assert (await run_trial(gateway, None, "{ databases { name } }"))["code"] is None


async def test_a_purpose_can_be_tried_in_place_of_the_one_stated(tmp_path: Path) -> None:
    async with running(tmp_path, child(), ALL, LIVE) as gateway:
        token = gateway.token(*EVERY, purposes=[GUARDIANSHIP, "no-such"])

        async def code(purpose: str | None, **stated: str) -> str | None:
            trial = await run_trial(gateway, token, PERSON, None, purpose, **stated)
            trial_code: str | None = trial["code"]
            return trial_code

        assert await code(None, **NOTHING_STATED) == "PURPOSE_REQUIRED"
        assert await code("", **NOTHING_STATED) == "PURPOSE_REQUIRED"
        assert await code(GUARDIANSHIP, **NOTHING_STATED) is None
        assert await code(f"{GUARDIANSHIP}.H29", **NOTHING_STATED) is None
        assert await code(ADOPTION, **NOTHING_STATED) == "PURPOSE_NOT_GRANTED"
        assert await code("no-such", **NOTHING_STATED) == "PURPOSE_UNKNOWN"
        assert await code(None, x_purpose=GUARDIANSHIP, x_case_number="") is None
