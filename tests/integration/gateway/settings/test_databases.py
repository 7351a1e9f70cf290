"""A database server is reached with the password from the settings."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from connectors.backends.sql import SqlBackend
from connectors.description import Row
from gateway.databases.backends import make_backend
from gateway.settings import load
from tests.support.backend_samples import AN, DATABASE, UNIONS, union
from tests.support.backend_servers import write_server
from tests.support.servers import Server

PREFIX = "JUSTICE_GATEWAY_"

_SECRET = "mật khẩu 7"


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith(PREFIX):
            monkeypatch.delenv(name)


def _backend(folder: Path, text: str) -> SqlBackend:
    path = folder / "gateway.toml"
    path.write_text(text, "utf-8")
    settings = load(path)
    backend = make_backend(DATABASE, settings, settings.databases["sample"])
    assert isinstance(backend, SqlBackend)
    return backend


async def _unions(backend: SqlBackend) -> list[Row]:
    try:
        batch = await backend.fetch(UNIONS, UNIONS.lookups[0], [AN])
        return list(batch.by_key[AN].rows)
    finally:
        await backend.close()


@pytest.mark.services
@pytest.mark.parametrize("place", ["file", "environment"])
async def test_a_server_is_reached_with_the_password_of_a_file_or_of_the_environment(
    mariadb: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    await write_server(mariadb, {"unions": [union("u1")]})
    user = f"gateway_{secrets.token_hex(4)}"
    await mariadb.execute(
        f"CREATE USER {user} IDENTIFIED BY '{_SECRET}'",
        f"GRANT SELECT ON {mariadb.name}.* TO {user}",
    )
    text = f"[databases.sample]\nurl = '{mariadb.at(mariadb.port, user)}'\n"
    if place == "file":
        (tmp_path / "sample.password").write_text(f"{_SECRET}\n", "utf-8")
        text += "password_file = 'sample.password'"
    else:
        monkeypatch.setenv(f"{PREFIX}DATABASES__SAMPLE__PASSWORD", _SECRET)
    try:
        assert len(await _unions(_backend(tmp_path, text))) == 1
    finally:
        await mariadb.execute(f"DROP USER {user}")
