"""The topology of docker-compose.yml, with local processes in place of containers."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import asyncmy
import asyncpg
import httpx2

from gateway.access.tokens import issue
from gateway.keys.keyring import load_signing
from gateway.runtime.clock import SystemClock
from gateway.settings import load
from tests.support.server_processes import (
    ServerProcess,
    free,
    mariadb_process,
    postgresql_process,
    program,
    wait,
)

COMPOSE = Path(__file__).parents[2] / "deploy" / "compose"
_GATEWAY = [sys.executable, "-m", "gateway"]
_PASSWORD = "gateway-inside-only"


@dataclass
class Topology:
    """What runs: servers by name, where nginx listens, and the certificate that it shows."""

    servers: dict[str, ServerProcess]
    url: str
    config: Path
    certificate: Path

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """What trusts nginx, and nobody else."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def token(self, citizen: str) -> str:
        """Return a citizen's token."""
        settings = load(self.config)
        return issue(
            load_signing(settings, "token")[0],
            settings.access,
            SystemClock().now(),
            subject=citizen,
            client="portal",
            scopes=("me",),
        )


@contextmanager
def topology(folder: Path, data: Path) -> Iterator[Topology]:
    """Run it until the block ends; ``data`` holds the files of all seven databases."""
    with ExitStack() as stack:
        servers = {
            "postgres": postgresql_process(folder / "postgres"),
            "mariadb": mariadb_process(folder / "mariadb"),
            "redis": _redis(folder),
        }

        def start(name: str, server: ServerProcess) -> None:
            servers[name] = server
            stack.callback(server.kill)
            server.start()

        for name in ("postgres", "mariadb", "redis"):
            start(name, servers[name])
        asyncio.run(_prepare_postgres(servers["postgres"].port))
        asyncio.run(_prepare_mariadb(servers["mariadb"].port))
        _certify(folder)
        for name, database in (
            ("population-xroad", "population"),
            ("violations-xroad", "administrative_violations"),
        ):
            start(name, _stand_in(folder, data, name, database))
        config = _configure(folder, data, servers)
        _run("keys", "--config", str(config))
        _run("generate", "--config", str(config), "--user", "loader", "--people", "2000", "--keep")
        for name in ("gateway-1", "gateway-2"):
            start(name, _gateway(folder, config, name))
        ports = {name: servers[name].port for name in ("gateway-1", "gateway-2")}
        start("nginx", nginx(folder, ports))
        url = f"https://127.0.0.1:{servers['nginx'].port}"
        for server in (servers["gateway-1"], servers["gateway-2"]):
            wait(partial(_is_ready, f"http://127.0.0.1:{server.port}"), "ready")
        yield Topology(servers, url, config, folder / "tls" / "server.pem")


def _is_ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health/ready", timeout=5, trust_env=False).is_success
    except httpx2.TransportError:
        return False


def _run(*arguments: str) -> None:
    environment = {**os.environ, "JUSTICE_GATEWAY_LOADER_PASSWORD": "loader-inside-only"}
    result = subprocess.run(
        [*_GATEWAY, *arguments],
        env=environment, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr


def _statements(file: str) -> list[str]:
    lines = (COMPOSE / file).read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("--"))
    return [statement.strip() for statement in text.split(";") if statement.strip()]


async def _prepare_postgres(port: int) -> None:
    connection = await asyncpg.connect(
        host="127.0.0.1", port=port, user="postgres", database="postgres"
    )
    for statement in _statements("postgres.sql"):
        await connection.execute(statement)
    await connection.close()


async def _prepare_mariadb(port: int) -> None:
    connection = await asyncmy.connect(host="127.0.0.1", port=port, user="root", autocommit=True)
    async with connection.cursor() as cursor:
        for statement in _statements("mariadb.sql"):
            await cursor.execute(statement)
    await connection.ensure_closed()


def _certify(folder: Path) -> None:
    """Make the certificates as the topology makes them, with the names that things have here."""
    holders = [f"{name}=localhost" for name in ("population-xroad", "violations-xroad", "gateway")]
    script = str(COMPOSE / "certificates.py")
    for arguments in (
        ["authority", str(folder / "certificates"), *holders],
        ["self-signed", str(folder / "tls"), "localhost", "127.0.0.1"],
    ):
        subprocess.run([sys.executable, script, *arguments], check=True, timeout=60)


def _redis(folder: Path) -> ServerProcess:
    port = free()
    command = [program("redis-server"), str(COMPOSE / "redis.conf"), "--port", str(port),
               "--bind", "127.0.0.1", "--dir", str(folder)]  # fmt: skip
    return ServerProcess(command, port, folder / "redis.log")


def _stand_in(folder: Path, data: Path, name: str, database: str) -> ServerProcess:
    port, home = free(), folder / "certificates" / name
    command = [
        *_GATEWAY, "xroad-stand-in", database, "--url", f"sqlite:///{data / database}.sqlite",
        "--port", str(port), "--certificate", str(home / f"{name}.pem"),
        "--key", str(home / f"{name}.key"), "--client-ca", str(home / "ca.pem"),
    ]  # fmt: skip
    return ServerProcess(command, port, folder / f"{name}.log")


def _configure(folder: Path, data: Path, servers: Mapping[str, ServerProcess]) -> Path:
    """Write the settings of docker-compose.yml, with the places where things are here."""
    text = (COMPOSE / "gateway.toml").read_text("utf-8")
    places = {
        "@postgres/": f"@127.0.0.1:{servers['postgres'].port}/",
        "@mariadb/": f"@127.0.0.1:{servers['mariadb'].port}/",
        "redis://redis:6379": f"redis://127.0.0.1:{servers['redis'].port}",
        "population-xroad:8443": f"localhost:{servers['population-xroad'].port}",
        "violations-xroad:8443": f"localhost:{servers['violations-xroad'].port}",
        '"/keys/': f'"{folder}/keys/',
        '"/secrets/gateway"': f'"{folder}/password"',
        '"/secrets/redis"': f'"{folder}/redis-password"',
        '"172.31.71.2"': '"127.0.0.1"',
        "sqlite:////data/": f"sqlite:///{data}/",
        '"/certificates/': f'"{folder}/certificates/',
        # A machine that runs all of it, and other tests, is slower than a site.
        'group = "OPERATING"': 'group = "OPERATING"\ntimeout = 5',
    }
    for setting, replacement in places.items():
        assert setting in text, setting
        text = text.replace(setting, replacement)
    (folder / "password").write_text(_PASSWORD)
    (folder / "redis-password").write_text("redis-inside-only\n")
    config = folder / "gateway.toml"
    config.write_text(f"{text}\n[limits]\ndeadline = 20\n[rates]\nenforced = false\n")
    return config


def _gateway(folder: Path, config: Path, name: str) -> ServerProcess:
    port = free()
    command = [*_GATEWAY, "serve", "--port", str(port), "--config", str(config)]
    environment = {"JUSTICE_GATEWAY_AUDIT__FOLDER": str(folder / f"journal-{name}")}
    return ServerProcess(command, port, folder / f"{name}.log", environment=environment)


def nginx(folder: Path, gateways: Mapping[str, int], **changes: str) -> ServerProcess:
    """Return nginx as the topology has it, before gateways at these ports.

    The pair of the server is in ``tls`` below ``folder``; ``changes``: of times, by their names.
    """
    port = free()
    text = (COMPOSE / "nginx.conf").read_text("utf-8")
    places = {
        "listen 8443 ssl": f"listen 127.0.0.1:{port} ssl",
        "listen 127.0.0.1:8081": f"listen 127.0.0.1:{free()}",
        " /tmp/": f" {folder}/",
        " /tls/": f" {folder}/tls/",
        "error_log stderr": f"error_log {folder}/nginx-error.log",
        **{f"{name}:8000": f"127.0.0.1:{place}" for name, place in gateways.items()},
    }
    for setting, replacement in places.items():
        assert setting in text, setting
        text = text.replace(setting, replacement)
    for name, value in changes.items():
        text, count = re.subn(rf"{name} [^;]+;", f"{name} {value};", text)
        assert count, name
    config = folder / "nginx.conf"
    config.write_text(text)
    command = [program("nginx"), "-p", str(folder), "-c", str(config), "-g", "daemon off;",
               "-e", str(folder / "nginx-error.log")]  # fmt: skip
    return ServerProcess(command, port, folder / "nginx.log")
