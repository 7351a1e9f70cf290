"""The pages of published operations over ASGI: the list, the form, a call, refusals, rights.

Covers ``gateway.pages.operations``, ``gateway.pages.operation_form``.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio

from gateway.settings import OperationSettings
from tests.support import operation_files
from tests.support.pages import CASE, LOCAL, ParsedPage
from tests.support.people import HOA
from tests.support.running import Running, running
from tests.support.sign_ins import CLIENT, Visitor, gateway_with_sign_in
from tests.support.worlds import World, world

MATCHED = """query Matched($id: PersonNumber!, $matching: Matching, $with_date: Boolean! = false) {
  person(id: $id, matching: $matching) {
    id
    population { identity { item { fullName birthDate @include(if: $with_date) }
      source { state } } }
  }
}
"""


@pytest.fixture
def known() -> World:
    return world({})


def publish(folder: Path) -> OperationSettings:
    operation_files.write(folder / "operations", "name.graphql", example='{"id": "@hoa"}')
    operation_files.write(
        folder / "operations", "matched.graphql", MATCHED, name="matched",
        purposes="1.000894 1.004873", clients="partner other",
    )  # fmt: skip
    operation_files.write(
        folder / "operations", "secret.graphql", MATCHED.replace("Matched", "Secret"),
        name="secret", clients="other",
    )  # fmt: skip
    (folder / "personas.json").write_text(json.dumps([{"id": HOA, "tags": ["hoa"]}]), "utf-8")
    return OperationSettings(
        folder=folder / "operations", reload_seconds=0, personas=folder / "personas.json"
    )


@pytest_asyncio.fixture
async def gateway(tmp_path: Path, known: World) -> AsyncIterator[Running]:
    async with running(tmp_path, known, operations=publish(tmp_path)) as started:
        yield started


def bearer(gateway: Running, *purposes: str, client: str = "partner") -> dict[str, str]:
    token = gateway.token(purposes=purposes or ("1.000894",), client=client)
    return {"authorization": f"Bearer {token}"}


async def get(gateway: Running, path: str, headers: Mapping[str, str]) -> httpx2.Response:
    return await gateway.client.get(f"{LOCAL}{path}", headers=dict(headers))


async def call(gateway: Running, name: str, headers: Mapping[str, str], **typed: str
               ) -> httpx2.Response:  # fmt: skip
    """Fill in the form of an operation and send it; ``__`` stands for a point in a name."""
    page = ParsedPage.of((await get(gateway, f"/operations/{name}/try", headers)).text)
    sent = {each.replace("__", ".").replace("_number", "-number"): typed[each] for each in typed}
    fields = {**page.fields, "case-number": CASE, **sent}
    return await gateway.client.post(
        f"{LOCAL}/operations/{name}/try", data=fields, headers=dict(headers)
    )


async def test_the_list_has_the_operations_of_the_caller_and_no_others(gateway: Running) -> None:
    page = ParsedPage.of((await get(gateway, "/operations", bearer(gateway))).text)
    assert "/operations/name.v1/try" in page.links
    assert "/operations/matched.v1/try" in page.links
    assert "secret" not in page.text
    stranger = ParsedPage.of((await get(gateway, "/operations", {})).text)
    assert "Họ tên" not in stranger.text
    nobody = await get(gateway, "/operations", bearer(gateway, client="nobody"))
    assert "Không thao tác nào được công bố cho ứng dụng này." in nobody.text


async def test_a_public_list_names_what_is_for_others_and_who_grants_it(tmp_path: Path) -> None:
    settings = publish(tmp_path).model_copy(update={"public_catalogue": True})
    async with running(tmp_path, operations=settings) as gateway:
        page = await get(gateway, "/operations", bearer(gateway))
        assert "Dành cho ứng dụng khác" in page.text
        other = await get(gateway, "/operations/secret/try", bearer(gateway))
        assert other.status_code == 200
        assert "Cơ quan chủ quản cấp:" in ParsedPage.of(other.text).text
        assert 'id="call"' not in other.text


async def test_the_form_has_a_field_for_each_variable_and_the_example(gateway: Running) -> None:
    page = await get(gateway, "/operations/matched/try", bearer(gateway))
    fields = ParsedPage.of(page.text).fields
    assert {"v.id", "v.matching.name", "v.matching.birthDate", "v.with_date"} <= fields.keys()
    assert {"purpose", "case-number", "form-token"} <= fields.keys()
    assert "$with_date: Boolean! = false" in page.text
    example = await get(gateway, "/operations/name/try", bearer(gateway))
    assert ParsedPage.of(example.text).fields["v.id"] == HOA
    assert "curl -s https://GATEWAY/operations/name.v1" in example.text
    assert "X-Purpose: 1.000894" in ParsedPage.of(example.text).text
    assert "population:read" in example.text


async def test_a_call_shows_its_answer_as_json_and_is_in_the_journal(gateway: Running) -> None:
    answer = await call(gateway, "matched", bearer(gateway), v__id=HOA, v__with_date="yes",
                        purpose="1.000894")  # fmt: skip
    page = ParsedPage.of(answer.text)
    assert answer.status_code == 200
    assert '"fullName"' in page.text
    assert '"birthDate"' in page.text
    assert page.fields["v.id"] == HOA
    (entry,) = gateway.journal()
    assert entry["operation"] == "matched.v1"
    assert (entry["purpose"], entry["caseNumber"]) == ("1.000894", CASE)


async def test_a_silent_database_is_said_beside_the_answer(gateway: Running, known: World) -> None:
    known.of("population").fault = "down"
    answer = await call(gateway, "name", bearer(gateway), v__id=HOA)
    text = ParsedPage.of(answer.text).text
    assert answer.status_code == 200
    assert "null không có nghĩa là “không có”" in text
    assert "SOURCE_UNAVAILABLE" in text


REFUSALS = [
    pytest.param({"v__id": "12x"}, 422, "INVALID_PERSON_NUMBER", "e-v.id", id="no number"),
    pytest.param({"v__id": ""}, 422, "INVALID_VARIABLES", "e-v.id", id="nothing"),
    pytest.param({"v__matching__birthDate": "yesterday"}, 422, "INVALID_V",
                 "e-v.matching.birthDate", id="no date"),
    pytest.param({"v__with_date": "perhaps"}, 422, "INVALID_VARIABLES", "e-v.with_date",
                 id="no choice"),
    pytest.param({"case_number": ""}, 400, "CASE_NUMBER_REQUIRED", "e-case-number", id="no case"),
    pytest.param({"case_number": "a b"}, 400, "BAD_REQUEST", "e-case-number", id="bad case"),
    pytest.param({"purpose": ""}, 400, "PURPOSE_REQUIRED", "e-purpose", id="no purpose"),
    pytest.param({"purpose": "1.004873"}, 403, "PURPOSE_NOT_GRANTED", "e-purpose",
                 id="another purpose"),
    pytest.param({"purpose": "nonsense"}, 403, "PURPOSE_NOT_GRANTED", "e-purpose",
                 id="no purpose of this world"),
    pytest.param({"form-token": "1.x"}, 403, "FORM_EXPIRED", None, id="somebody else's form"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "status", "code", "place"), REFUSALS)
async def test_refusals_are_said_in_both_languages_beside_the_field_and_all_is_kept(
    gateway: Running, typed: dict[str, str], status: int, code: str, place: str | None
) -> None:
    usual = {"v__id": HOA, "purpose": "1.000894", "v__matching__name": "Trần"}
    answer = await call(gateway, "matched", bearer(gateway), **{**usual, **typed})
    page = ParsedPage.of(answer.text)
    assert answer.status_code == status
    assert code in page.text
    assert page.fields["v.matching.name"] == "Trần"
    for name, value in typed.items():
        if name.startswith("v__") and "with_date" not in name:
            assert page.fields[name.replace("__", ".")] == value
    ids = [tags["id"] for _, tags in page.tags if "id" in tags]
    assert place is None or place in ids
    assert len(ids) == len(set(ids))
    assert '"data"' not in answer.text


@pytest.mark.parametrize("name", ["secret", "nothing", "secret.v1", "%2e%2e"])
async def test_what_is_not_for_the_caller_looks_like_nothing(gateway: Running, name: str) -> None:
    headers = bearer(gateway)
    answer = await get(gateway, f"/operations/{name}/try", headers)
    assert answer.status_code == 404
    assert "OPERATION_UNKNOWN" in answer.text
    sent = await gateway.client.post(
        f"{LOCAL}/operations/{name}/try", data={"v.id": HOA}, headers=headers
    )
    assert sent.status_code == 404
    assert HOA not in sent.text
    stranger = await get(gateway, f"/operations/{name}/try", {})
    assert stranger.status_code == 401


async def test_a_token_without_the_purpose_learns_who_grants_it(gateway: Running) -> None:
    answer = await get(gateway, "/operations/name/try", bearer(gateway, "notarised-transfer"))
    text = ParsedPage.of(answer.text).text
    assert "Mã truy cập không có mục đích nào của thao tác." in text
    assert "1.000894" in text
    assert 'id="call"' not in answer.text


async def test_english_is_kept_by_the_button_of_a_result(gateway: Running) -> None:
    page = await get(gateway, "/operations/name/try?lang=en", bearer(gateway))
    assert ("html", {"lang": "en"}) in ParsedPage.of(page.text).tags
    answer = await call(gateway, "name", bearer(gateway), v__id=HOA)
    (button,) = [tags for tag, tags in ParsedPage.of(answer.text).tags if "formaction" in tags]
    assert button["formaction"] == "?lang=en"


async def test_calls_by_program_are_as_they_were(gateway: Running) -> None:
    headers = {**bearer(gateway), "x-case-number": "HS-1"}
    answer = await gateway.client.post("/operations/name", json={"id": HOA}, headers=headers)
    assert answer.status_code == 200
    form = await gateway.client.post("/operations/name", data={"id": HOA}, headers=headers)
    assert form.json()["errors"][0]["extensions"]["code"] == "UNSUPPORTED_MEDIA_TYPE"


async def test_what_was_typed_outlives_a_session_and_tells_nothing_of_the_operation(
    tmp_path: Path,
) -> None:
    document = """query Names($with_title: Boolean! = false) {
      databases { name title @include(if: $with_title) { vi } } }
    """
    operation_files.write(
        tmp_path / "operations", "names.graphql", document, name="names", purposes=None,
        clients=CLIENT,
    )  # fmt: skip
    settings = OperationSettings(folder=tmp_path / "operations", reload_seconds=0)
    page = "/operations/names/try"
    async with gateway_with_sign_in(tmp_path, operations=settings) as (gateway, ministry):
        visitor = Visitor(gateway)
        await visitor.sign_in(ministry, return_path=page)
        form = ParsedPage.of((await visitor.get(page)).text).fields
        visitor.cookies.clear()
        kept = await visitor.post(page, {**form, "v.with_title": "yes"})
        fields = ParsedPage.of(kept.text).fields
        assert kept.status_code == 401
        assert "SESSION_EXPIRED" in kept.text
        assert fields["v.with_title"].strip() == "yes"
        assert "databases" not in kept.text
        await visitor.sign_in(ministry)
        assert '"vi"' in ParsedPage.of((await visitor.post(page, fields)).text).text
        visitor.cookies.clear()
        forged = await visitor.post(page, {**fields, "form-token": "forged"})
        assert "v.with_title" not in ParsedPage.of(forged.text).fields
