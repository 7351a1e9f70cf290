"""The topology of docker-compose.yml, with local processes in place of containers."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncmy
import asyncpg
import httpx2

from gateway.access.tokens import issue
from gateway.clock import SystemClock
from gateway.keys import load_signing
from gateway.settings import load
from tests.support.certificates import issue_certificate
from tests.support.own_servers import Own, free, own_mariadb, own_postgresql, program, wait

COMPOSE = Path(__file__).parents[2] / "deploy" / "compose"
_GATEWAY = [sys.executable, "-m", "gateway"]
_PASSWORD = "gateway-inside-only"


@dataclass
class Topology:
    """What runs: servers by name, and where nginx listens."""

    servers: dict[str, Own]
    url: str
    config: Path

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
            "postgres": own_postgresql(folder / "postgres"),
            "mariadb": own_mariadb(folder / "mariadb"),
            "redis": _redis(folder),
        }

        def start(name: str, server: Own) -> None:
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
        start("nginx", _nginx(folder, servers))
        url = f"http://127.0.0.1:{servers['nginx'].port}"
        for server in (servers["gateway-1"], servers["gateway-2"]):
            wait(partial(_is_ready, f"http://127.0.0.1:{server.port}"), "ready")
        yield Topology(servers, url, config)


def _is_ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health/ready", timeout=5, trust_env=False).is_success
    except httpx2.TransportError:
        return False


def _run(*arguments: str) -> None:
    environment = {**os.environ, "JUSTICE_GATEWAY_LOADER_PASSWORD": "loader-inside-only"}
    ran = subprocess.run(
        [*_GATEWAY, *arguments],
        env=environment, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr


def _statements(file: str) -> list[str]:
    lines = (COMPOSE / file).read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("--"))
    return [one.strip() for one in text.split(";") if one.strip()]


async def _prepare_postgres(port: int) -> None:
    connection = await asyncpg.connect(
        host="127.0.0.1", port=port, user="postgres", database="postgres"
    )
    for one in _statements("postgres.sql"):
        await connection.execute(one)
    await connection.close()


async def _prepare_mariadb(port: int) -> None:
    connection = await asyncmy.connect(host="127.0.0.1", port=port, user="root", autocommit=True)
    async with connection.cursor() as cursor:
        for one in _statements("mariadb.sql"):
            await cursor.execute(one)
    await connection.ensure_closed()


def _certify(folder: Path) -> None:
    authority = issue_certificate(folder, "ca", None)
    for name in ("population-xroad", "violations-xroad", "gateway"):
        issue_certificate(folder, name, authority)


def _redis(folder: Path) -> Own:
    port = free()
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1",
               "--save", "", "--appendonly", "no", "--dir", str(folder)]  # fmt: skip
    return Own(command, port, folder / "redis.log")


def _stand_in(folder: Path, data: Path, name: str, database: str) -> Own:
    port = free()
    command = [
        *_GATEWAY, "xroad-stand-in", database, "--url", f"sqlite:///{data / database}.sqlite",
        "--port", str(port), "--certificate", str(folder / f"{name}.pem"),
        "--key", str(folder / f"{name}.key"), "--client-ca", str(folder / "ca.pem"),
    ]  # fmt: skip
    return Own(command, port, folder / f"{name}.log")


def _configure(folder: Path, data: Path, servers: Mapping[str, Own]) -> Path:
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
        "sqlite:////data/": f"sqlite:///{data}/",
        "/certificates/": f"{folder}/",
        # A machine that runs all of it, and other tests, is slower than a site.
        'group = "OPERATING"': 'group = "OPERATING"\ntimeout = 5',
    }
    for ours, here in places.items():
        assert ours in text, ours
        text = text.replace(ours, here)
    (folder / "password").write_text(_PASSWORD)
    config = folder / "gateway.toml"
    config.write_text(f"{text}\n[limits]\ndeadline = 20\n[rates]\nenforced = false\n")
    return config


def _gateway(folder: Path, config: Path, name: str) -> Own:
    port = free()
    command = [*_GATEWAY, "serve", "--port", str(port), "--config", str(config)]
    environment = {"JUSTICE_GATEWAY_AUDIT__FOLDER": str(folder / f"journal-{name}")}
    return Own(command, port, folder / f"{name}.log", environment=environment)


def _nginx(folder: Path, servers: Mapping[str, Own]) -> Own:
    port = free()
    text = (COMPOSE / "nginx.conf").read_text("utf-8")
    for name in ("gateway-1", "gateway-2"):
        text = text.replace(f"{name}:8000", f"127.0.0.1:{servers[name].port}")
    text = text.replace("listen 8080", f"listen 127.0.0.1:{port}")
    config = folder / "nginx.conf"
    config.write_text(text)
    given = f"daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log;"
    command = [program("nginx"), "-p", str(folder), "-c", str(config), "-g", given]
    return Own(command, port, folder / "nginx.log")


def body_of(answer: httpx2.Response) -> dict[str, object]:
    """Return the body of an answer."""
    found: dict[str, object] = json.loads(answer.content)
    return found
