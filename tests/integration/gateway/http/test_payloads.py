"""Answers in several payloads over a socket: as bytes, to a client that leaves, and by HTTP/1.0."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio

from gateway.procedures.procedure import UNIFIED
from tests.support.faults import Gated
from tests.support.people import HOA, backends
from tests.support.running import CASE_NUMBER, OFFICER, Running, application, running
from tests.support.sockets import PATIENCE, ServedApplication, serve

QUERY = """query($id: PersonNumber!) { person(id: $id) { id
  ... @defer { civilStatus { marriages { items { eventId } source { state } } } } } }"""
#: Of a hundred people, with a long label each: more than the kernel and the server hold back.
LARGE = (
    "query($ids: [PersonNumber!]!) { persons(ids: $ids) { id "
    f'... @defer(label: "{"x" * 8_000}") {{ '
    "civilStatus { marriages { items { eventId } } } } "
    "... @defer { population { residences { items { recordId } } } } } }"
)
FIRST = (
    b"\r\n---\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
    b'{"data":{"person":{"id":"001090012345"}},'
    b'"pending":[{"id":"0","path":["person"]}],"hasNext":true}\r\n---'
)
LAST = (
    b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n"
    b'{"incremental":[{"id":"0","data":{"civilStatus":{"marriages":{"items":'
    b'[{"eventId":"M1"},{"eventId":"M0"}],"source":{"state":"ANSWERED"}}}}}],'
    b'"completed":[{"id":"0"}],"hasNext":false}\r\n-----\r\n'
)


@pytest_asyncio.fixture
async def held(tmp_path: Path) -> AsyncIterator[tuple[Running, Gated, ServedApplication]]:
    sources = backends()
    gate = Gated(sources["civil_status"])
    async with (
        running(tmp_path, {**sources, "civil_status": gate}) as gateway,
        serve(application(gateway)) as served,
    ):
        yield gateway, gate, served


def request(
    gateway: Running, version: str = "1.1", query: str = QUERY, **variables: object
) -> bytes:
    body = json.dumps({"query": query, "variables": variables or {"id": HOA}})
    return (
        f"POST /graphql HTTP/{version}\r\nHost: gateway\r\nContent-Type: application/json\r\n"
        f"Accept: multipart/mixed, application/json\r\nContent-Length: {len(body)}\r\n"
        f"Authorization: Bearer {gateway.token(*OFFICER)}\r\nX-Purpose: {UNIFIED}\r\n"
        f"X-Case-Number: {CASE_NUMBER}\r\nConnection: close\r\n\r\n{body}"
    ).encode()


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


async def test_each_payload_is_a_chunk_that_a_client_can_read_at_once(
    held: tuple[Running, Gated, ServedApplication],
) -> None:
    gateway, gate, served = held
    async with served.client() as client, asyncio.timeout(PATIENCE):
        await client.send(request(gateway))
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert b'content-type: multipart/mixed; boundary="-"' in head
        assert b"transfer-encoding: chunked" in head
        assert await client.reader.readexactly(len(chunk(FIRST))) == chunk(FIRST)
        gate.gate.set()
        assert await client.read_to_end() == chunk(LAST) + b"0\r\n\r\n"


async def test_a_client_that_closes_the_connection_ends_the_rest(
    held: tuple[Running, Gated, ServedApplication],
) -> None:
    gateway, gate, served = held
    before = asyncio.all_tasks()
    async with served.client() as client, asyncio.timeout(PATIENCE):
        await client.send(request(gateway))
        await client.reader.readuntil(FIRST)
        await gate.is_waiting.wait()
    gate.gate.set()
    async with asyncio.timeout(PATIENCE):
        while left := asyncio.all_tasks() - before:
            await asyncio.wait(left)
    assert gateway.service.admission.in_flight == 0
    assert len(gateway.journal()) == 1


async def test_http_1_0_has_the_whole_answer_with_its_length(
    held: tuple[Running, Gated, ServedApplication],
) -> None:
    gateway, gate, served = held
    gate.gate.set()
    async with served.client() as client:
        await client.send(request(gateway, "1.0"))
        head, _, body = (await client.read_to_end()).partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head
    assert f"content-length: {len(body)}".encode() in head
    assert json.loads(body)["data"]["person"]["civilStatus"]


@dataclass(frozen=True)
class SilentClient:
    """A client that has asked for a large answer in three payloads, and reads nothing.

    The second payload waits for it; ``homes`` holds back what the third one needs.
    """

    gateway: Running
    served: ServedApplication
    homes: Gated
    socket: socket.socket

    async def read(self) -> bytes:
        """Read to the end after all."""
        received = b""
        async with asyncio.timeout(PATIENCE):
            while piece := await asyncio.get_running_loop().sock_recv(self.socket, 65_536):
                received += piece
        return received


@asynccontextmanager
async def silent_client(folder: Path, answer_timeout: float) -> AsyncIterator[SilentClient]:
    sources, loop = backends(), asyncio.get_running_loop()
    civil = Gated(sources["civil_status"], "marriages")
    homes = Gated(sources["population"], "residences")
    async with (
        running(folder, {"civil_status": civil, "population": homes}) as gateway,
        serve(application(gateway), answer_timeout=answer_timeout) as served,
    ):
        for listener in served.server.servers[0].sockets:  # its connections have its sizes
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", served.port))
            await loop.sock_sendall(client, request(gateway, query=LARGE, ids=[HOA] * 100))
            await until(lambda: len(gateway.journal()) == 1)
            civil.gate.set()
            await until(lambda: len(gateway.journal()) == 2)
            yield SilentClient(gateway, served, homes, client)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)  # between two looks, not instead of one


async def test_a_client_that_does_not_read_has_no_place_once_all_is_fetched(
    tmp_path: Path,
) -> None:
    async with silent_client(tmp_path, answer_timeout=300) as client:
        admission = client.gateway.service.admission
        assert admission.in_flight == 1
        client.homes.gate.set()
        await until(lambda: admission.in_flight == 0)
        assert len(client.gateway.journal()) == 2
        answer = await client.read()
        assert answer.count(b'"eventId":"M1"') == 100
        assert answer.endswith(b'"hasNext":false}\r\n-----\r\n\r\n0\r\n\r\n')
        assert len(client.gateway.journal()) == 3
        assert admission.in_flight == 0


async def test_a_client_that_never_reads_is_let_go_with_all_that_waits_for_it(
    tmp_path: Path,
) -> None:
    async with silent_client(tmp_path, answer_timeout=0.2) as client:
        await until(lambda: not client.served.server.server_state.connections)
        await until(lambda: client.gateway.service.admission.in_flight == 0)
        client.homes.gate.set()
        await until(lambda: not client.served.server.server_state.tasks)
        assert len(client.gateway.journal()) == 2
