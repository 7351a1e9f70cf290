"""All texts of an answer are ``{ vi en }``."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import GraphQLObjectType, get_named_type

from connectors.registry import installed_databases
from tests.support.faults import Faulty
from tests.support.people import DEAD, backends
from tests.support.running import built, running
from tests.support.worlds import WAYS, answer

SCHEMA = built(installed_databases())
NOTICES = "notices { code message { vi en } }"
DECEASED = {"code": "DECEASED", "message": {"vi": "người này đã chết", "en": "the person is dead"}}


@pytest.fixture(params=WAYS, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(request.param, monkeypatch)


def test_every_message_of_the_schema_is_in_two_languages() -> None:
    messages = {
        f"{kind.name}.{name}": get_named_type(field.type).name
        for kind in SCHEMA.type_map.values()
        if isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items()
        if name == "message"
    }
    assert messages == {
        "Notice.message": "Text", "Source.message": "Text", "TimelineGap.message": "Text",
        "Trial.message": "Text", "LifeEventFeed.message": "Text", "LifeEventSource.message": "Text",
    }  # fmt: skip


@pytest.mark.parametrize("selected", [NOTICES, ""], ids=["selected", "in the extensions"])
async def test_a_notice_has_the_same_form_selected_or_not(tmp_path: Path, selected: str) -> None:
    query = f"query($id: PersonNumber!) {{ person(id: $id) {{ id {selected} }} }}"
    async with running(tmp_path) as gateway:
        body = await gateway.ask(query, {"id": DEAD})
    if selected:
        (notice,) = body["data"]["person"]["notices"]
    else:
        (mirrored,) = body["extensions"]["notices"]
        (notice,) = mirrored["notices"]
    assert {name: notice[name] for name in ("code", "message")} == DECEASED


async def test_a_source_that_fails_says_so_in_two_languages(tmp_path: Path) -> None:
    query = """query($id: PersonNumber!) { person(id: $id) { civilStatus {
      marriages { source { message { vi en } } } } } }"""
    sources = backends()
    failing = {**sources, "civil_status": Faulty(sources["civil_status"], "down")}
    async with running(tmp_path, failing) as gateway:
        body = await gateway.ask(query, {"id": DEAD})
    source = body["data"]["person"]["civilStatus"]["marriages"]["source"]
    assert source["message"] == {
        "vi": "Cơ sở dữ liệu không trả lời.",
        "en": "The database did not answer.",
    }


async def test_a_trial_says_in_two_languages_why_there_would_be_no_answer(tmp_path: Path) -> None:
    query = """query($document: String!) { myAccess { trial(document: $document) {
      code message { vi en } } } }"""
    async with running(tmp_path) as gateway:
        body = await gateway.ask(query, {"document": "{"})
    assert body["data"]["myAccess"]["trial"] == {
        "code": "SYNTAX_ERROR",
        "message": {
            "vi": "Câu truy vấn sai cú pháp.",
            "en": "The document is not valid GraphQL.",
        },
    }
