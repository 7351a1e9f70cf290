"""Help in errors: a link to the explanation, and suggestions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from gateway.errors import CODES
from tests.support.people import HOA
from tests.support.running import OFFICER, OPERATOR, Running, running

PAGE = "https://docs.example/errors/{code}"
MISSPELT = "{databases {nmae} databsaes {name}}"


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path, documentation=PAGE) as running_gateway:
        yield running_gateway


def _holds(answer: httpx2.Response) -> None:
    for error in answer.json()["errors"]:
        extensions = error["extensions"]
        assert extensions["documentation"] == PAGE.replace("{code}", extensions["code"])


async def test_every_error_leads_to_its_page_wherever_it_comes_from(gateway: Running) -> None:
    token = gateway.token("population:read")
    person = "query($id: PersonNumber!) {person(id: $id) {civilStatus {marriages {truncated}}}}"
    _holds(await gateway.post(person, {"id": HOA}, token))
    _holds(await gateway.post(person, {"id": "12"}, token))
    _holds(await gateway.post("{"))
    _holds(await gateway.post(MISSPELT, token=gateway.token(*OPERATOR)))
    _holds(await gateway.client.post("/operations/nothing", json={}))
    _holds(await gateway.client.post("/invalidations", json={}))
    _holds(await gateway.client.get("/openapi.json"))
    _holds(await gateway.client.get("/nowhere"))


async def test_without_a_setting_it_is_the_page_in_the_repository(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        answer = await gateway.post("{")
    (error,) = answer.json()["errors"]
    assert Path(error["extensions"]["documentation"]).is_file()
    assert error["extensions"]["code"] in CODES


async def test_names_are_suggested_to_who_may_introspect_and_to_nobody_else(
    gateway: Running,
) -> None:
    """Whoever asks first: refusals are kept for all, suggestions for those who may have them."""
    operator, officer = gateway.token(*OPERATOR), gateway.token(*OFFICER)
    for token in (None, officer, operator, officer, None, operator):
        answer = await gateway.post(MISSPELT, token=token)
        first, second = answer.json()["errors"]
        assert ("Did you mean 'name'" in first["message"]) is (token == operator)
        assert ("Did you mean 'databases'" in second["message"]) is (token == operator)


async def test_suggestions_stop_after_a_few_errors(gateway: Running) -> None:
    """Each compares a name with all others."""
    query = "{databases {" + " ".join(f"n{number}ame" for number in range(20)) + "}}"
    answer = await gateway.post(query, token=gateway.token(*OPERATOR))
    errors = [error["message"] for error in answer.json()["errors"]]
    assert ["Did you mean" in message for message in errors] == [True] * 3 + [False] * 17
