"""deploy/compose/nginx.conf in a real nginx, in front of an application that echoes requests."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from tests.support.server_processes import ServerProcess, free
from tests.support.sockets import PATIENCE, Client, serve
from tests.support.topology import COMPOSE, nginx

GATEWAYS = ("gateway-1", "gateway-2")


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the path, the headers, the address of the client, and the size of the body."""
    request = Request(scope, receive)
    received = {
        "path": scope["path"],
        "headers": dict(request.headers),
        "client": scope["client"][0],
        "scheme": scope["scheme"],
        "size": len(await request.body()),
    }
    content = orjson.dumps(received)
    headers = [(b"content-length", b"%d" % len(content)), (b"server", b"secret/1.2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@dataclass(frozen=True)
class Proxy:
    """nginx that runs. ``folder``: where it may write."""

    server: ServerProcess
    trust: ssl.SSLContext
    folder: Path
    gateways: dict[str, int]

    async def ask(self, path: str, **request: Any) -> httpx2.Response:
        """Ask over TLS, trusting its certificate alone."""
        address = f"https://127.0.0.1:{self.server.port}{path}"
        async with httpx2.AsyncClient(verify=self.trust, trust_env=False) as client:
            return await client.request(
                request.pop("method", "GET"), address, timeout=PATIENCE, **request
            )

    async def connect(self) -> Client:
        """Open a TLS connection, to send what no library would."""
        return Client(*await asyncio.open_connection("127.0.0.1", self.server.port, ssl=self.trust))


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[Proxy]:
    script = [sys.executable, str(COMPOSE / "certificates.py"), "self-signed"]
    names = [str(tmp_path / "tls"), "localhost", "127.0.0.1"]
    await asyncio.to_thread(subprocess.run, [*script, *names], check=True)
    trust = ssl.create_default_context(cafile=str(tmp_path / "tls" / "server.pem"))
    async with serve(echo, body_bytes=256 * 1024, proxies=["127.0.0.1"]) as gateway:
        ports = dict.fromkeys(GATEWAYS, gateway.port)
        server = nginx(tmp_path, ports, client_header_timeout="1s", client_body_timeout="1s")
        await asyncio.to_thread(server.start)
        try:
            yield Proxy(server, trust, tmp_path, ports)
        finally:
            await asyncio.to_thread(server.kill)


def code(answer: httpx2.Response) -> str:
    return str(answer.json()["errors"][0]["extensions"]["code"])


async def test_answers_come_over_tls_with_hsts_and_no_version(proxy: Proxy) -> None:
    answer = await proxy.ask("/graphql")
    assert answer.json()["path"] == "/graphql"
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers["server"] == "nginx"


async def test_plain_http_is_refused(proxy: Proxy) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{proxy.server.port}/graphql")
    assert (answer.status_code, code(answer)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
async def test_old_tls_is_refused(proxy: Proxy, version: ssl.TLSVersion) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSVersion"):
        old.minimum_version = old.maximum_version = version
    with pytest.raises(ssl.SSLError):
        await asyncio.open_connection("127.0.0.1", proxy.server.port, ssl=old)


@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics/", "/health/live", "/health/ready", "/demo/callers",
             "/%6detrics", "//metrics", "/a/../metrics", "/.refused/busy"],
)  # fmt: skip
async def test_what_is_for_those_inside_is_not_there_outside(proxy: Proxy, path: str) -> None:
    client = await proxy.connect()
    await client.send(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path.encode())
    answer = await client.answer()
    client.close()
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b'"NOT_FOUND"' in answer


async def test_the_gateway_hears_who_asks_and_not_what_they_say_of_themselves(
    proxy: Proxy,
) -> None:
    claims = {"x-forwarded-for": "10.9.8.7", "forwarded": "for=10.9.8.7", "x-forwarded-proto": "x"}
    received = (await proxy.ask("/", headers=claims)).json()
    assert (received["client"], received["scheme"]) == ("127.0.0.1", "https")
    assert "forwarded" not in received["headers"]
    assert "10.9.8.7" not in str(received)


async def test_a_body_has_at_most_what_the_gateway_takes_and_never_touches_the_disk(
    proxy: Proxy,
) -> None:
    largest = await proxy.ask("/", method="POST", content=b"x" * 256 * 1024)
    assert largest.json()["size"] == 256 * 1024
    answer = await proxy.ask("/", method="POST", content=b"x" * (256 * 1024 + 1))
    assert (answer.status_code, code(answer)) == (413, "BODY_TOO_LARGE")
    assert not list((proxy.folder / "client_body").iterdir())


async def test_headers_and_urls_are_bounded(proxy: Proxy) -> None:
    answer = await proxy.ask("/", headers={"x-a": "a" * 20_000})
    assert (answer.status_code, code(answer)) == (431, "HEADERS_TOO_LARGE")
    answer = await proxy.ask("/" + "a" * 20_000)
    assert (answer.status_code, code(answer)) == (414, "URL_TOO_LONG")


HOSTS = {
    "none": b"GET / HTTP/1.1\r\n\r\n",
    "two": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "no name": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a request line of its own": b"nonsense\r\n\r\n",
}


@pytest.mark.parametrize("head", HOSTS.values(), ids=HOSTS.keys())
async def test_a_request_needs_exactly_one_host(proxy: Proxy, head: bytes) -> None:
    client = await proxy.connect()
    await client.send(head)
    answer = await client.read_to_end()
    client.close()
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_http_1_0_without_a_host_is_answered(proxy: Proxy) -> None:
    client = await proxy.connect()
    await client.send(b"GET / HTTP/1.0\r\n\r\n")
    assert (await client.read_to_end()).startswith(b"HTTP/1.1 200 ")
    client.close()


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\nHost: a\r\n", b"POST / HTTP/1.1\r\nHost: a"
                                   b"\r\nContent-Length: 9\r\n\r\nx"])  # fmt: skip
async def test_who_does_not_finish_a_request_is_let_go(proxy: Proxy, start: bytes) -> None:
    client = await proxy.connect()
    await client.send(start)
    await client.read_to_end()
    client.close()


async def test_an_address_has_a_hundred_requests_under_way(proxy: Proxy) -> None:
    folder = proxy.folder / "patient"
    folder.mkdir()
    (folder / "tls").symlink_to(proxy.folder / "tls")
    server = nginx(folder, proxy.gateways, client_body_timeout="300s")
    await asyncio.to_thread(server.start)
    patient = Proxy(server, proxy.trust, folder, proxy.gateways)
    try:
        slow = [await patient.connect() for _ in range(100)]
        for client in slow:
            await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
        await _wait_for_status(patient, 503)
        for client in slow:
            client.close()
        await _wait_for_status(patient, 200)
    finally:
        await asyncio.to_thread(server.kill)


async def _wait_for_status(proxy: Proxy, status: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await proxy.ask("/")).status_code != status:
            pass


async def test_where_no_gateway_is_the_refusal_has_the_form_of_the_gateways(
    proxy: Proxy,
) -> None:
    folder, unused_ports = proxy.folder / "alone", dict.fromkeys(GATEWAYS, free())
    folder.mkdir()
    (folder / "tls").symlink_to(proxy.folder / "tls")
    server = nginx(folder, unused_ports)
    await asyncio.to_thread(server.start)
    try:
        answer = await Proxy(server, proxy.trust, folder, unused_ports).ask("/graphql")
    finally:
        await asyncio.to_thread(server.kill)
    assert (answer.status_code, code(answer)) == (503, "GATEWAY_BUSY")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["strict-transport-security"]


def test_private_keys_are_for_their_holders_and_made_once(tmp_path: Path) -> None:
    script = [sys.executable, str(COMPOSE / "certificates.py")]
    holders = ("population-xroad", "gateway")
    for _ in range(2):
        subprocess.run([*script, "authority", str(tmp_path), *holders], check=True)
        subprocess.run([*script, "self-signed", str(tmp_path / "tls"), "a.example"], check=True)
        keys = {path: path.read_bytes() for path in tmp_path.rglob("*.key")}
    assert {path.name for path in keys} == {"population-xroad.key", "gateway.key", "server.key"}
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}
    assert all(path.read_bytes() == key for path, key in keys.items())
    for holder in holders:
        ssl.create_default_context(cafile=str(tmp_path / holder / "ca.pem")).load_cert_chain(
            str(tmp_path / holder / f"{holder}.pem"), str(tmp_path / holder / f"{holder}.key")
        )
