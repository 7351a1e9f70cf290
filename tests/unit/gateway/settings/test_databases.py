"""Settings of connections to databases, whose secrets are never printed.

Covers ``gateway.databases.backends``, ``gateway.settings.urls``.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.backends.sql import SqlBackend
from connectors.description import Row
from gateway.databases.backends import make_backend
from gateway.settings import load
from tests.support.backend_samples import AN, DATABASE, UNIONS

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


_MAPPED = """
[databases.sample]
url = "sqlite:///ho_tich.sqlite"

[databases.sample.records.unions]
table = "ket_hon"
columns = { event_id = "MaSo", one_id = "Chong", other_id = "Vo", registered_on = "NgayDK" }
values = { mood = { 1 = "CALM", 2 = "LOUD" } }
dates = { registered_on = ["%d/%m/%Y", "%Y"] }

[databases.sample.records.things]
mapped = false
"""


async def test_a_table_of_other_names_is_read_by_settings_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ho_tich.sqlite")) as file, file:
        file.execute("CREATE TABLE ket_hon (MaSo, Chong, Vo, NgayDK, mood)")
        file.execute(f"INSERT INTO ket_hon VALUES ('7/1957', '{AN}', NULL, '1957', '2')")
    (row,) = await _unions(_backend(tmp_path, _MAPPED))
    assert [str(value) for value in row] == ["7/1957", AN, "None", "1957", "LOUD"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('records.foo.table = "x"', "databases.sample.records.foo: there is no record foo"),
        (
            'records.unions.columns.foo = "x"',
            "databases.sample.records.unions.columns.foo: there is no column foo; there are event_",
        ),
        ('zone = "Mars"', "databases.sample.zone: there is no time zone Mars"),
        ('url = "oracle://x"', "databases.sample.url: oracle databases are not supported"),
        (
            'url = "postgresql://u:geheim@db/x"',
            "databases.sample.url: a server's URL must not hold a password",
        ),
        ('url = "geheim"', "databases.sample.url: a database URL must be written scheme://..."),
        (
            'url = "mariadb://u@db/x"\ntls_ca = "no.pem"',
            "databases.sample.tls_ca: tls_ca cannot be read",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_the_settings_name(
    tmp_path: Path, text: str, message: str
) -> None:
    url = "" if text.startswith("url") else 'url = "sqlite:///x.sqlite"\n'
    with pytest.raises(ValueError, match=r"^databases\.sample") as caught:
        _backend(tmp_path, f"[databases.sample]\n{url}{text}")
    assert str(caught.value).startswith(message)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("text", ["records.x.tabel = 'x'", "tls = 'on'", "connect_timeout = 0"])
def test_a_misspelling_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValidationError):
        _backend(tmp_path, f"[databases.sample]\nurl = 'sqlite:///x'\n{text}")


@pytest.mark.parametrize("secret", [_SECRET, "0123", "12345", "true", "[1]", '{"a": 1}', "null"])
def test_a_password_from_the_environment_is_taken_as_it_is_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv(f"{PREFIX}DATABASES__NOTARY__PASSWORD", secret)
    monkeypatch.setenv(f"{PREFIX}DATABASES__NOTARY__URL", "mariadb://gateway@secret-host/notary")
    settings = load()
    password = settings.databases["notary"].password
    assert password is not None
    assert password.get_secret_value() == secret
    text = repr(settings) + str(settings)
    assert f"'{secret}'" not in text
    assert "secret-host" not in text
