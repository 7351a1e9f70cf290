"""``/openapi.json`` shows clients their own operations, and is public only by setting."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest

from gateway.settings import OperationSettings
from tests.support.operation_files import NAME, write
from tests.support.running import Running, codes, running

FOLDER = "operations"


def files(folder: Path) -> Path:
    write(folder / FOLDER, "mine.graphql", name="mine", example='{"id": "@married"}')
    write(folder / FOLDER, "theirs.graphql", NAME + "\n", name="theirs", clients="others")
    return folder / FOLDER


async def paths(gateway: Running, headers: Mapping[str, str]) -> list[str]:
    answer = await gateway.client.get("/openapi.json", headers=headers)
    assert answer.headers["cache-control"] == "no-store"
    return list(answer.json()["paths"])


def bearer(gateway: Running, client: str) -> dict[str, str]:
    return {"authorization": f"Bearer {gateway.token(client=client)}"}


async def test_a_client_sees_its_own_operations_and_nobody_elses(tmp_path: Path) -> None:
    settings = OperationSettings(folder=files(tmp_path), reload_seconds=0)
    async with running(tmp_path, operations=settings) as gateway:
        own_paths = await paths(gateway, bearer(gateway, "partner"))
        assert own_paths == ["/operations/mine", "/operations/mine.v1"]
        assert await paths(gateway, bearer(gateway, "stranger")) == []
        document = await gateway.client.get("/openapi.json", headers=bearer(gateway, "partner"))
        assert b"theirs" not in document.content


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer nonsense"}])
async def test_without_a_good_token_nothing_is_shown(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    settings = OperationSettings(folder=files(tmp_path), reload_seconds=0)
    async with running(tmp_path, operations=settings) as gateway:
        answer = await gateway.client.get("/openapi.json", headers=headers)
        assert answer.status_code == 401
        assert codes(answer.json())[0] in {"UNAUTHENTICATED", "TOKEN_INVALID"}


async def test_a_public_catalogue_is_for_everybody(tmp_path: Path) -> None:
    settings = OperationSettings(folder=files(tmp_path), reload_seconds=0, public_catalogue=True)
    async with running(tmp_path, operations=settings) as gateway:
        assert len(await paths(gateway, {})) == 4
        assert len(await paths(gateway, bearer(gateway, "partner"))) == 2


async def test_what_is_published_later_is_shown(tmp_path: Path) -> None:
    settings = OperationSettings(folder=files(tmp_path), reload_seconds=0, public_catalogue=True)
    async with running(tmp_path, operations=settings) as gateway:
        assert len(await paths(gateway, {})) == 4
        write(tmp_path / FOLDER, "later.graphql", NAME + "\n\n", name="later")
        await gateway.service.operations.reload()
        assert len(await paths(gateway, {})) == 6


async def test_examples_are_of_the_personas_that_settings_name(tmp_path: Path) -> None:
    (tmp_path / "personas.json").write_bytes(orjson.dumps([{"id": "7", "tags": ["married"]}]))
    settings = OperationSettings(
        folder=files(tmp_path), reload_seconds=0, personas=tmp_path / "personas.json"
    )
    async with running(tmp_path, operations=settings) as gateway:
        answer = await gateway.client.get("/openapi.json", headers=bearer(gateway, "partner"))
    body = answer.json()["paths"]["/operations/mine"]["post"]["requestBody"]
    assert body["content"]["application/json"]["example"] == {"id": "7"}


async def test_without_operations_the_document_has_no_paths(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        assert await paths(gateway, bearer(gateway, "partner")) == []
