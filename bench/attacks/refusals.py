"""The cost of a refused request to the gateway and to other clients.

    python -m bench.attacks.refusals [--seconds 10]

Three tables, over the population in memory (``bench.world``):

- CPU milliseconds that the event loop's thread spends on one refused body, by kind of body,
  compared with the cheapest request of a caller with a token;
- latency of that caller's requests, alone and while seven refused bodies a second arrive;
- bytes of journal and copy after 1,000 refusals of callers without a token.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median, quantiles

import httpx2
import orjson
from rich.table import Table
from starlette.applications import Starlette

from bench.load import Server, serving
from bench.report import console
from bench.site import headers, settings
from bench.world import backends, databases, document, numbers
from gateway.app import build_app
from gateway.runtime.garbage import tune_process
from gateway.settings import Audit, RateLimits

Headers = Mapping[str, str]

PEOPLE = 200
BODIES_PER_SECOND = 7
#: Requests of the known caller a second while latency is measured.
_REQUESTS_PER_SECOND = 20
_REPETITIONS = 9
_REFUSALS = 1_000
_LARGE = 255_000
#: Bodies under which the latency of others is measured, each after a quiet time of its own.
_ATTACKS = ("comments", "tokens", "escapes", "quoted digits", "nested variables")


def bodies(size: int = _LARGE) -> dict[str, bytes]:
    """Return bodies of about ``size`` bytes, each of which is costly to some part of a refusal."""
    catalogue = "{ databases { name } }"
    documents = {
        "comments": "#\n" * (size // 3) + catalogue,
        "commas": "," * size + catalogue,
        "tokens": "{" + "a " * (size // 2) + "}",
        "a long name": "{" + "a" * size + "}",
        "a long string": '{a(b: "' + "x" * size + '")}',
        "a long block string": '{a(b: """' + "x" * size + '""")}',
        "escapes": '{a(b: "' + "\\u0031" * (size // 7) + '")}',
        "quoted digits": "{a(b: [" + '"123456789012" ' * (size // 17) + "])}",
    }
    documents_as_json = {name: orjson.dumps({"query": text}) for name, text in documents.items()}
    return documents_as_json | {
        "variables": orjson.dumps(
            {"query": "{x}", "variables": {"ids": ["1" * 12] * (size // 15)}}
        ),
        "nested variables": orjson.dumps(
            {"query": "{x}", "variables": {"a": [[[[[[[[0]]]]]]]] * (size // 18)}}
        ),
        "names of variables": orjson.dumps(
            {"query": "{x}", "variables": dict.fromkeys(map(str, range(size // 12)), "")}
        ),
        "bad JSON": b'{"query": "{x}", "variables": [' + b"1," * (size // 2),
    }


async def loop_milliseconds(app: Starlette, body: bytes, request_headers: Headers) -> float:
    """Return CPU ms of the loop's thread for one request: the median, after one unmeasured.

    The client's own work is in it, about half a millisecond.
    """
    durations = []
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        for _ in range(_REPETITIONS + 1):
            start = time.thread_time()
            await client.post(
                "/graphql",
                content=body,
                headers={**request_headers, "content-type": "application/json"},
            )
            durations.append((time.thread_time() - start) * 1000)
    return median(durations[1:])


@asynccontextmanager
async def gateway(folder: Path, anonymous_per_minute: int) -> AsyncIterator[Starlette]:
    """Run a gateway with a copy in this process."""
    configuration = settings(folder).model_copy(
        update={
            "rates": RateLimits(anonymous_per_minute=anonymous_per_minute),
            "audit": Audit(copy_url="sqlite:///copy/copy.sqlite"),
        }
    )
    app = build_app(configuration, databases(), backends=backends(PEOPLE))
    async with app.router.lifespan_context(app):
        yield app


async def costs(folder: Path) -> None:
    """Print what refused bodies cost the loop."""
    table = Table(title="CPU ms of the event loop for one request", title_justify="left")
    for column in ("body", "no token", "no token, RATE_LIMITED", "bad token", "known caller"):
        table.add_column(column, justify="left" if column == "body" else "right")
    async with gateway(folder / "open", 10**9) as app, gateway(folder / "limited", 1) as limited:
        known_headers = headers(app.state.service.resources.settings)
        cheapest = orjson.dumps({"query": "{ __typename }"})
        row = [
            await loop_milliseconds(app, cheapest, request_headers)
            for request_headers in ({}, known_headers)
        ]
        table.add_row("{ __typename }", f"{row[0]:.2f}", "", "", f"{row[1]:.2f}")
        for name, body in bodies().items():
            cells = [
                await loop_milliseconds(app, body, {}),
                await loop_milliseconds(limited, body, {}),
                await loop_milliseconds(app, body, {"authorization": "Bearer x.y.z"}),
                await loop_milliseconds(app, body, known_headers),
            ]
            table.add_row(name, *(f"{cell:.2f}" for cell in cells))
    console.print(table)


async def latencies(server: Server, seconds: float, body: bytes | None) -> tuple[float, float]:
    """Return p50 and p99 in ms of requests that arrive evenly, while ``body`` arrives too."""
    people = numbers(PEOPLE)
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as client:

        async def ask(place: int) -> float:
            content = {"query": document(), "variables": {"id": people[place % PEOPLE]}}
            start = time.perf_counter()
            answer = await client.post("/graphql", json=content, headers=server.headers)
            assert "errors" not in answer.json(), answer.text[:300]
            return (time.perf_counter() - start) * 1000

        attack = asyncio.create_task(_attack(server, seconds, body))
        tasks, start = [], time.perf_counter()
        for place in range(int(seconds * _REQUESTS_PER_SECOND)):
            await asyncio.sleep(
                max(0.0, start + place / _REQUESTS_PER_SECOND - time.perf_counter())
            )
            tasks.append(asyncio.create_task(ask(place)))
        durations = list(await asyncio.gather(*tasks))
        await attack
    return median(durations), quantiles(durations, n=100)[98]


async def _attack(server: Server, seconds: float, body: bytes | None) -> None:
    """Send ``body`` seven times a second over one connection."""
    if body is None:
        return
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as client:
        start = time.perf_counter()
        for place in range(int(seconds * BODIES_PER_SECOND)):
            await asyncio.sleep(max(0.0, start + place / BODIES_PER_SECOND - time.perf_counter()))
            await client.post(
                "/graphql", content=body, headers={"content-type": "application/json"}
            )


async def neighbours(server: Server, seconds: float) -> None:
    """Print the latency of others, quiet and under some kinds of body, and what a body costs."""
    table = Table(title="ms of a known caller's W1, 20 a second", title_justify="left")
    for column in (
        f"meanwhile, {BODIES_PER_SECOND} a second",
        "quiet p50",
        "p99",
        "p50",
        "p99",
        "CPU a body",
    ):
        table.add_column(column, justify="left" if column.startswith("mean") else "right")
    await latencies(server, 3, None)
    for name in _ATTACKS:
        cpu_at_start = server.seconds()[0]
        quiet = await latencies(server, seconds, None)
        cpu_when_quiet = server.seconds()[0]
        attacked = await latencies(server, seconds, bodies()[name])
        extra_cpu = (server.seconds()[0] - cpu_when_quiet) - (cpu_when_quiet - cpu_at_start)
        ms_per_body = extra_cpu * 1000 / int(seconds * BODIES_PER_SECOND)
        table.add_row(name, *(f"{figure:.1f}" for figure in (*quiet, *attacked, ms_per_body)))
    console.print(table)


async def bytes_written(folder: Path) -> None:
    """Print how much 1,000 refusals without a token leave in the journal and in the copy."""
    crowd = [f"0010900{number:05}" for number in range(100)]
    body = orjson.dumps({"query": "{ x }", "variables": {"ids": crowd}})
    async with gateway(folder, 10**9) as app:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            for _ in range(_REFUSALS):
                await client.post(
                    "/graphql", content=body, headers={"content-type": "application/json"}
                )
    bytes_by_part = {
        part: sum(file.stat().st_size for file in (folder / part).rglob("*") if file.is_file())
        for part in ("journal", "copy")
    }
    console.print(f"after {_REFUSALS} refusals without a token: {bytes_by_part} bytes")


def main() -> None:
    """Measure all and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    tune_process()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(costs(folder))
        (folder / "bytes").mkdir()
        asyncio.run(bytes_written(folder / "bytes"))
        with serving(folder, "plan", PEOPLE) as server:
            asyncio.run(neighbours(server, options.seconds))


if __name__ == "__main__":
    main()
