"""Limits of connections over real sockets: headers, bodies, time and number.

Covers ``gateway.http.closing``, ``gateway.http.protocol``, ``gateway.http.server``.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any

import orjson
import pytest
from starlette.types import Receive, Scope, Send

from gateway.http.connections import CLOSED
from tests.support.metrics import value_of
from tests.support.sockets import PATIENCE, Client, serve

#: No limit of time that a test about something else could meet.
LONG: dict[str, Any] = {"header_timeout": 300, "body_timeout": 300, "idle_timeout": 300}
GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
#: As long as a test wants an answer that is still to come.
SLOW = b"POST /wait HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n"


class Application:
    """Answers with the headers and the length of the body that came; keeps what it saw.

    At ``/wait`` it answers when ``go`` is set, at ``/large`` with more than a socket holds, at
    ``/unread`` without having read the body.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.left = 0
        self.go = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests.append(scope["path"])
        size = 0
        while scope["path"] != "/unread":
            message = await receive()
            if message["type"] == "http.disconnect":
                self.left += 1
                return
            size += len(message["body"])
            if not message["more_body"]:
                break
        if scope["path"] == "/wait":
            await self.go.wait()
        names = [name.decode() for name, _ in scope["headers"]]
        content = orjson.dumps({"headers": names, "size": size})
        if scope["path"] == "/large":
            content = b"x" * 50_000_000
        length = (b"content-length", b"%d" % len(content))
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": content})


@pytest.fixture
def app() -> Application:
    return Application()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def code(answer: bytes) -> str:
    error = orjson.loads(answer.partition(b"\r\n\r\n")[2])["errors"][0]
    return str(error["extensions"]["code"])


def post(length: int, path: bytes = b"/") -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % (path, length)


async def is_answered(client: Client) -> None:
    await client.send(GET)
    assert status(await client.answer()) == 200


async def test_headers_without_end_are_refused_before_they_are_whole(app: Application) -> None:
    async with serve(app, **LONG) as server, server.client() as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: here\r\nAccept: " + b"a," * 200_000)
        answer = await client.read_to_end()
    assert (status(answer), code(answer)) == (431, "HEADERS_TOO_LARGE")
    assert b"connection: close" in answer
    assert app.requests == []


async def test_little_is_taken_from_who_goes_on_sending_after_a_refusal(app: Application) -> None:
    """Else two clients with headers of 20 MB keep the process busy with reading alone."""
    async with serve(app, **LONG) as server, server.client() as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: here\r\nAccept: ")
        sent_bytes = 0
        with suppress(ConnectionError):
            while sent_bytes < 100_000_000:
                client.writer.write(b"text/html,a/b;q=0.1," * 2_500)
                await client.writer.drain()
                sent_bytes += 50_000
    assert sent_bytes < 10_000_000  # of which the kernels hold what they like


HEADERS = {
    "one that is too long": b"Accept: " + b"a" * 5_000 + b"\r\n",
    "some that are too long together": (b"X-A: " + b"a" * 300 + b"\r\n") * 18,
    "too many": b"".join(b"X-%d:\r\n" % n for n in range(21)),
    "names without end": b"x" * 5_000 + b": a\r\n",
}  # fmt: skip


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS.keys())
async def test_headers_that_are_too_large_or_too_many_are_refused(
    app: Application, headers: bytes
) -> None:
    async with serve(app, header_bytes=4_096, headers=20, **LONG) as server:
        async with server.client() as client:
            await client.send(b"GET / HTTP/1.1\r\nHost: here\r\n" + headers + b"\r\n")
            assert code(await client.read_to_end()) == "HEADERS_TOO_LARGE"
        async with server.client() as client:
            await is_answered(client)
    assert app.requests == ["/"]


async def test_blank_lines_before_a_request_count_as_headers(app: Application) -> None:
    async with serve(app, header_bytes=4_096, **LONG) as server, server.client() as client:
        await client.send(b"\r\n" * 5_000)
        assert code(await client.read_to_end()) == "HEADERS_TOO_LARGE"


async def test_a_url_that_is_too_long_is_refused(app: Application) -> None:
    async with serve(app, url_bytes=1_000, **LONG) as server, server.client() as client:
        await client.send(b"GET /" + b"a" * 2_000)
        answer = await client.read_to_end()
    assert (status(answer), code(answer)) == (414, "URL_TOO_LONG")


BAD_HEADS = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: here\r\nHost: there\r\n\r\n",
    "the same host twice": b"GET / HTTP/1.1\r\nHost: here\r\nHost: here\r\n\r\n",
    "two hosts in HTTP/1.0": b"GET / HTTP/1.0\r\nHost: here\r\nHost: there\r\n\r\n",
    "two hosts in one": b"GET / HTTP/1.1\r\nHost: here, there\r\n\r\n",
    "a path for a host": b"GET / HTTP/1.1\r\nHost: here/there\r\n\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\nHost: here\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "chunks in HTTP/1.0": CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a length and chunks": CHUNKED[:-2] + b"Content-Length: 3\r\n\r\n0\r\n\r\n",
    "another encoding": CHUNKED.replace(b"chunked", b"gzip"),
    "a blank before the colon": b"GET / HTTP/1.1\r\nHost : here\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nHost: here\r\nX-A: b\r\n c\r\n\r\n",
    "lines without carriage returns": b"GET / HTTP/1.1\nHost: here\n\n",
    "a path in another encoding": b"GET /\xff HTTP/1.1\r\nHost: here\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "an upgrade with a body": post(4)[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\nGET ",
}  # fmt: skip


@pytest.mark.parametrize("head", BAD_HEADS.values(), ids=BAD_HEADS.keys())
async def test_what_is_not_one_clear_request_is_refused(app: Application, head: bytes) -> None:
    async with serve(app, **LONG) as server, server.client() as client:
        await client.send(head)
        answer = await client.read_to_end()
        assert (status(answer), code(answer)) == (400, "BAD_REQUEST")
        async with server.client() as other:
            await is_answered(other)
    assert app.requests.count("/") <= 2


async def test_http_1_0_needs_no_host(app: Application) -> None:
    async with serve(app, **LONG) as server, server.client() as client:
        await client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert status(await client.read_to_end()) == 200


async def test_an_upgrade_is_not_offered_and_what_follows_it_is_no_request(
    app: Application,
) -> None:
    head = GET[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    async with serve(app, **LONG) as server, server.client() as client:
        await client.send(head + GET)
        answer = await client.read_to_end()
    assert status(answer) == 200
    assert b"connection: close" in answer
    assert app.requests == ["/"]


async def test_what_stands_behind_a_body_is_no_header(app: Application) -> None:
    async with serve(app, **LONG) as server, server.client() as client:
        await client.send(CHUNKED + b"1\r\na\r\n0\r\nAuthorization: Bearer x\r\n\r\n" + GET)
        for size in (1, 0):
            received = orjson.loads((await client.answer()).partition(b"\r\n\r\n")[2])
            assert "authorization" not in received["headers"]
            assert received["size"] == size


async def test_requests_that_are_pipelined_without_end_are_not_kept(app: Application) -> None:
    async with serve(app, **LONG) as server, server.client() as client:
        await client.send(SLOW + GET * 100)
        assert await client.read_to_end() == b""
        assert app.requests == ["/wait"]
        app.go.set()


async def test_some_requests_may_be_pipelined(app: Application) -> None:
    async with serve(app, **LONG) as server, server.client() as client:
        await client.send(GET * 3)
        for _ in range(3):
            assert status(await client.answer()) == 200


async def test_a_body_of_very_many_chunks_is_refused(app: Application) -> None:
    async with serve(app, **LONG) as server, server.client() as client:
        await client.send(CHUNKED + b"1\r\na\r\n" * 5_000)
        assert code(await client.read_to_end()) == "BODY_TOO_LARGE"


async def test_what_is_hung_on_chunks_counts_as_body(app: Application) -> None:
    async with serve(app, body_bytes=1_000, **LONG) as server, server.client() as client:
        await client.send(CHUNKED + b"1;" + b"a" * 400_000)
        assert code(await client.read_to_end()) == "BODY_TOO_LARGE"


async def test_a_body_that_nobody_reads_is_not_read_for_ever(app: Application) -> None:
    async with serve(app, body_bytes=1_000, **LONG) as server, server.client() as client:
        await client.send(post(10_000_000, b"/unread"))
        assert status(await client.answer()) == 200
        await client.send(b"x" * 1_000_000)
        assert await client.read_to_end() == b""


SLOW_REQUESTS = {
    "unfinished headers": b"GET / HTTP/1.1\r\nHost: here\r\nX-A: ",
    "a request line": b"GET /",
    "a half-sent body": post(100) + b"x" * 50,
    "half-sent chunks": CHUNKED + b"ff\r\nab",
    "a body of which nothing comes": post(100),
}


@pytest.mark.parametrize("start", SLOW_REQUESTS.values(), ids=SLOW_REQUESTS.keys())
async def test_a_request_that_does_not_come_in_time_is_ended(
    app: Application, start: bytes
) -> None:
    limits = {**LONG, "header_timeout": 0.2, "body_timeout": 0.2}
    async with serve(app, **limits) as server, server.client() as client:
        await client.send(start)
        answer = await client.read_to_end()
        assert (status(answer), code(answer)) == (408, "REQUEST_TIMED_OUT")
    assert app.left == len(app.requests)


@pytest.mark.parametrize("start", SLOW_REQUESTS.values(), ids=SLOW_REQUESTS.keys())
async def test_single_bytes_win_no_time(app: Application, start: bytes) -> None:
    limits = {**LONG, "header_timeout": 0.2, "body_timeout": 0.2}
    async with serve(app, **limits) as server, server.client() as client:
        await client.send(start)

        async def trickle() -> None:
            while True:
                await asyncio.sleep(0.02)
                await client.send(b"1")

        trickling = asyncio.create_task(trickle())
        assert code(await client.read_to_end()) == "REQUEST_TIMED_OUT"
        trickling.cancel()


async def test_who_connects_and_says_nothing_is_let_go(app: Application) -> None:
    limits = {**LONG, "header_timeout": 0.2}
    async with serve(app, **limits) as server, server.client() as client:
        assert await client.read_to_end() == b""


async def test_blank_lines_do_not_keep_an_idle_connection(app: Application) -> None:
    limits = {**LONG, "header_timeout": 0.2}
    async with serve(app, **limits) as server, server.client() as client:
        await is_answered(client)
        await client.send(b"\r\n")
        assert code(await client.read_to_end()) == "REQUEST_TIMED_OUT"


async def test_an_idle_connection_is_let_go(app: Application) -> None:
    async with serve(app, **{**LONG, "idle_timeout": 1}) as server, server.client() as client:
        await is_answered(client)
        assert await client.read_to_end() == b""


async def test_who_does_not_take_an_answer_is_let_go(app: Application) -> None:
    before = value_of(CLOSED, "answer_timeout")
    async with serve(app, answer_timeout=0.2, **LONG) as server:
        async with server.client() as client:
            await client.send(GET.replace(b"/ ", b"/large ", 1))
            await _wait_until(lambda: value_of(CLOSED, "answer_timeout") > before)
            assert len(await client.read_to_end()) < 50_000_000
        async with server.client() as client:
            await is_answered(client)


async def _wait_until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)  # between two looks, not instead of one


async def test_an_address_has_so_many_connections_and_the_slowest_makes_room(
    app: Application,
) -> None:
    async with serve(app, per_address=5, **LONG) as server, AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(server.client()) for _ in range(5)]
        for client in slow:
            await client.send(b"GET / HTTP/1.1\r\n")
            await _wait_until(lambda: len(server.server.server_state.connections) <= 5)
        other = await stack.enter_async_context(server.client("127.0.0.2"))
        await is_answered(other)
        newcomer = await stack.enter_async_context(server.client())
        await is_answered(newcomer)
        assert code(await slow[0].read_to_end()) == "REQUEST_TIMED_OUT"
        await slow[1].send(b"Host: here\r\n\r\n")
        assert status(await slow[1].answer()) == 200


async def test_where_all_of_an_address_are_being_answered_a_newcomer_is_refused(
    app: Application,
) -> None:
    async with serve(app, per_address=2, **LONG) as server, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(server.client()) for _ in range(2)]
        for client in clients:
            await client.send(SLOW)
        await _wait_until(lambda: len(app.requests) == 2)
        newcomer = await stack.enter_async_context(server.client())
        assert await newcomer.read_to_end() == b""
        app.go.set()
        for client in clients:
            assert status(await client.answer()) == 200


async def test_who_takes_no_answer_makes_room_too(app: Application) -> None:
    limits = {**LONG, "per_address": 1, "answer_timeout": 300}
    async with serve(app, **limits) as server, server.client() as client:
        await client.send(GET.replace(b"/ ", b"/large ", 1))
        await client.reader.readuntil(b"\r\n\r\n")
        await _wait_until(lambda: not server.server.server_state.tasks)
        async with server.client() as newcomer:
            await is_answered(newcomer)


async def test_a_proxy_speaks_for_many(app: Application) -> None:
    limits = {**LONG, "per_address": 2, "proxies": ["127.0.0.3/32"]}
    async with serve(app, **limits) as server, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(server.client("127.0.0.3")) for _ in range(6)]
        for client in clients:
            await client.send(GET[:-2])
        for client in clients:
            await client.send(b"\r\n")
            assert status(await client.answer()) == 200


async def test_there_are_so_many_connections_in_all(app: Application) -> None:
    async with serve(app, total=4, **LONG) as server, AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(server.client(f"127.0.0.{n}")) for n in range(1, 9)
        ]
        for client in clients[:4]:
            assert await client.read_to_end() == b""
        for client in clients[4:]:
            await is_answered(client)


async def test_half_sent_bodies_are_bounded_in_number(app: Application) -> None:
    async with serve(app, unfinished_bodies=3, **LONG) as server, AsyncExitStack() as stack:
        clients = []
        for number in range(5):
            client = await stack.enter_async_context(server.client())
            await client.send(post(2) + b"x")
            await _wait_until(lambda expected_count=number + 1: len(app.requests) == expected_count)
            clients.append(client)
        for client in clients[:2]:
            assert code(await client.read_to_end()) == "REQUEST_TIMED_OUT"
        for client in clients[2:]:
            await client.send(b"y")
            assert status(await client.answer()) == 200


async def test_a_stopping_server_waits_for_answers_and_not_for_half_sent_requests(
    app: Application,
) -> None:
    async with serve(app, grace=300, **LONG) as server, AsyncExitStack() as stack:
        names = ("headers", "body", "answer", "idle")
        clients = {name: await stack.enter_async_context(server.client()) for name in names}
        await is_answered(clients["idle"])
        await clients["headers"].send(GET[:-2])
        await clients["body"].send(post(100) + b"x")
        await clients["answer"].send(SLOW)
        await _wait_until(lambda: len(app.requests) == 3)
        server.server.should_exit = True
        assert await clients["headers"].read_to_end() == b""
        assert await clients["idle"].read_to_end() == b""
        answer = await clients["body"].read_to_end()
        assert (status(answer), code(answer)) == (503, "GATEWAY_BUSY")
        assert b"retry-after: 1" in answer
        app.go.set()
        assert status(await clients["answer"].answer()) == 200
        await _wait_until(lambda: not server.server.server_state.connections)
