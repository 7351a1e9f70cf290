"""TLS to database servers: their identity is verified, and unencrypted connections are reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.backends.base import SourceUnavailable
from connectors.backends.postgresql import PostgresqlSession
from connectors.backends.server import ServerOptions, Tls
from connectors.backends.session import Session
from connectors.backends.sql import SqlBackend
from tests.support.backend_samples import DATABASE
from tests.support.certificates import issue_certificate
from tests.support.server_processes import ServerProcess, mariadb_process, postgresql_process

_MAKES: dict[str, tuple[Callable[[Path, Path | None], ServerProcess], str]] = {
    "postgresql": (postgresql_process, "postgres@{}:{}/postgres"),
    "mariadb": (mariadb_process, "root@{}:{}/mysql"),
}


@dataclass(frozen=True)
class Certified:
    """A server with a certificate for ``localhost``, and the files of who certified it."""

    make: str
    port: int
    folder: Path

    async def answers(self, host: str, tls: Tls | None, authority: str | None = "ca") -> bool:
        """Say whether the server is spoken to under these settings."""
        url = f"{self.make}://{_MAKES[self.make][1].format(host, self.port)}"
        trusted = None if authority is None else self.folder / f"{authority}.pem"
        backend = SqlBackend(DATABASE, url, server=ServerOptions(tls=tls, tls_ca=trusted))
        try:
            await backend.ping()
        except SourceUnavailable:
            return False
        finally:
            await backend.close()
        return True


@pytest.fixture(scope="module", params=_MAKES)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Certified]:
    folder = tmp_path_factory.mktemp("tls")
    issue_certificate(folder, "localhost", issue_certificate(folder, "ca", None))
    issue_certificate(folder, "stranger", None)
    certified_server = _MAKES[request.param][0](folder / "server", folder / "localhost.pem")
    try:
        certified_server.start()
        yield Certified(request.param, certified_server.port, folder)
    finally:
        certified_server.kill()


async def test_a_server_that_is_certified_by_whom_settings_trust_is_read(
    server: Certified,
) -> None:
    assert await server.answers("localhost", "verify")


async def test_one_that_others_certified_is_not(server: Certified) -> None:
    assert not await server.answers("localhost", "verify", "stranger")
    assert not await server.answers("localhost", "verify", None)


async def test_one_that_has_another_name_is_not(server: Certified) -> None:
    assert not await server.answers("127.0.0.1", "verify")


async def test_encryption_alone_asks_for_no_name(server: Certified) -> None:
    assert await server.answers("127.0.0.1", "require", None)
    assert await server.answers("127.0.0.1", "off", None)


_ENCRYPTION_QUERIES: dict[str, sa.Select[Any]] = {
    "postgresql": sa.select(sa.column("ssl"))
    .select_from(sa.table("pg_stat_ssl"))
    .where(sa.column("pid") == sa.func.pg_backend_pid()),
    "mariadb": sa.select(sa.column("variable_value"))
    .select_from(sa.table("session_status", schema="information_schema"))
    .where(sa.column("variable_name") == sa.literal("Ssl_cipher")),
}


async def test_what_is_encrypted_is_so_by_the_servers_own_word(server: Certified) -> None:
    encrypted = []
    for tls in ("require", "off"):
        url = f"{server.make}://{_MAKES[server.make][1].format('127.0.0.1', server.port)}"
        backend = SqlBackend(DATABASE, url, server=ServerOptions(tls=tls))
        (row,) = await backend._calls.run(_ask_how)
        encrypted.append(bool(row[0]))
        await backend.close()
    assert encrypted == [True, False]


async def _ask_how(session: Session) -> Sequence[Sequence[object]]:
    is_postgresql = isinstance(session, PostgresqlSession)
    return await session.rows(_ENCRYPTION_QUERIES["postgresql" if is_postgresql else "mariadb"])
