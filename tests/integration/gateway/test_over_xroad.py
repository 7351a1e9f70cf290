"""A whole gateway with the population database behind X-Road.

Covers ``gateway.cli.xroad_stand_in``.
"""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pytest

from connectors.backends.memory import MemoryBackend
from connectors.population import DATABASE as POPULATION
from connectors.synthetic import PopulationOptions, write
from connectors.xroad.identifiers import identifier
from connectors.xroad.stand_in import Behaviour, StandIn
from gateway.app import build_app
from gateway.cli.xroad_stand_in import CLIENT, service_of
from gateway.keys.files import create_missing
from gateway.settings import Agreement, DatabaseSettings, Settings, Xroad
from tests.support.certificates import issue_certificate
from tests.support.people import HOA, LAN, backends, population_rows
from tests.support.process import free_port
from tests.support.running import CASE_NUMBER, codes, running
from tests.support.xroad import NAMES, over_xroad

QUERY = """query($id: PersonNumber!) { person(id: $id) {
  population { identity { item { fullName } source {
    state message { vi } evidence { id requestId requestHash } } } }
  civilStatus { births { source { state evidence { id } } } } } }"""


def _settings(expires: date = date(2030, 1, 1), **xroad: Any) -> DatabaseSettings:
    values = {
        "server": "http://127.0.0.1:1",
        "client": CLIENT,
        "service": service_of("population"),
        "agreement": Agreement(legal_basis="Nghị định 47/2020/NĐ-CP", expires=expires),
    }
    return DatabaseSettings(timeout=120, breaker_failures=0, xroad=Xroad(**{**values, **xroad}))


def _stand_in() -> StandIn:
    return StandIn(POPULATION, MemoryBackend(POPULATION, population_rows()), *NAMES)


async def _identity(stand_in: StandIn, folder: Path, **settings: Any) -> tuple[dict[str, Any], Any]:
    sources = {**backends(), "population": over_xroad(stand_in)}
    async with running(
        folder, sources, databases_={"population": _settings(**settings)}
    ) as gateway:
        body = await gateway.ask(QUERY, {"id": HOA})
    return body, body["data"]["person"] and body["data"]["person"]["population"]["identity"]


async def test_a_person_is_answered_with_the_evidence_of_the_message(tmp_path: Path) -> None:
    stand_in = _stand_in()
    body, identity = await _identity(stand_in, tmp_path)
    assert identity["source"]["state"] == "ANSWERED"
    assert identity["item"]["fullName"]
    evidence = identity["source"]["evidence"]
    assert evidence["id"] in {headers["x-road-id"] for headers in stand_in.seen}
    assert body["data"]["person"]["civilStatus"]["births"]["source"]["evidence"] is None
    assert {headers["x-road-userid"] for headers in stand_in.seen} == {"officer-1"}
    assert {headers["x-road-issue"] for headers in stand_in.seen} == {CASE_NUMBER}
    assert HOA not in repr([headers for request in stand_in.seen for headers in request.values()])


async def test_callers_at_the_same_time_never_share_a_message(tmp_path: Path) -> None:
    stand_in = _stand_in()
    sources = {**backends(), "population": over_xroad(stand_in)}
    async with running(tmp_path, sources, databases_={"population": _settings()}) as gateway:
        bodies = await asyncio.gather(
            *(gateway.ask(QUERY, {"id": LAN}, subject=f"officer-{n}") for n in range(10))
        )
    reports = [item["data"]["person"]["population"]["identity"]["source"] for item in bodies]
    users = {item["x-road-id"]: item["x-road-userid"] for item in stand_in.seen}
    assert [users[item["evidence"]["id"]] for item in reports] == [
        f"officer-{n}" for n in range(10)
    ]


@pytest.mark.parametrize(
    ("behaviour", "state", "code"),
    [
        ({"error": "server.serverproxy.access_denied"}, "UNAVAILABLE", "SOURCE_UNAVAILABLE"),
        ({"error": "server.serverproxy.service_failed"}, "UNAVAILABLE", "SOURCE_UNAVAILABLE"),
        ({"maintenance": True}, "MAINTENANCE", "SOURCE_MAINTENANCE"),
    ],
)
async def test_what_x_road_refuses_is_never_nobody(
    tmp_path: Path, behaviour: dict[str, Any], state: str, code: str
) -> None:
    stand_in = _stand_in()
    stand_in.behaviour = Behaviour(**behaviour)
    body, identity = await _identity(stand_in, tmp_path)
    assert (identity["item"], identity["source"]["state"]) == (None, state)
    assert code in codes(body)
    assert "x-road" not in repr(body).lower()


async def test_what_was_refused_is_not_asked_twice_but_what_failed_is(tmp_path: Path) -> None:
    counts = []
    for number, error in enumerate(("access_denied", "service_failed")):
        stand_in = _stand_in()
        stand_in.behaviour = Behaviour(error=f"server.serverproxy.{error}")
        await _identity(stand_in, tmp_path / str(number))
        counts.append(len(stand_in.seen))
    assert counts[1] == 2 * counts[0]


async def test_after_the_last_day_of_the_agreement_nothing_is_asked(tmp_path: Path) -> None:
    stand_in = _stand_in()
    _, identity = await _identity(stand_in, tmp_path / "last", expires=date(2026, 11, 23))
    assert identity["source"]["state"] == "ANSWERED"
    stand_in.seen.clear()
    _, identity = await _identity(stand_in, tmp_path / "over", expires=date(2026, 11, 22))
    assert (identity["item"], identity["source"]["state"]) == (None, "NOT_OPERATING")
    assert "hết hạn" in identity["source"]["message"]["vi"]
    assert stand_in.seen == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"server": "http://security-server.example"}, "https"),
        ({"client": "VN/GOV"}, "parts"),
        ({"service": "VN/GOV/MPS/population"}, "parts"),
        ({"agreement": {"legal_basis": "", "expires": "2030-01-01"}}, "legal_basis"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _settings(**changes)


def test_there_is_one_way_to_a_database() -> None:
    with pytest.raises(ValueError, match="not both"):
        DatabaseSettings(url="sqlite:///x", xroad=_settings().xroad)


def test_tls_files_that_cannot_be_used_are_refused_at_the_start(tmp_path: Path) -> None:
    xroad_settings = _settings(server="https://security-server.example", tls_ca=Path("nothing.pem"))
    settings = Settings(folder=tmp_path, demo=True, databases={"population": xroad_settings})
    create_missing(settings, demo=True)
    with pytest.raises(ValueError, match=r"databases\.population\.xroad.*TLS"):
        build_app(settings, [POPULATION])


# ---- mutual TLS, with a stand-in that is a process of its own


@contextmanager
def _process(folder: Path, port: int) -> Iterator[None]:
    """Run the stand-in over a small population, for clients with a certificate of the authority."""
    write(
        [POPULATION],
        {"population": folder / "p.sqlite"},
        PopulationOptions(people=20),
        folder / "truth",
    )
    command = [
        sys.executable, "-m", "gateway", "xroad-stand-in", "population", "--port", str(port),
        "--url", f"sqlite:///{folder / 'p.sqlite'}", "--certificate", str(folder / "server.pem"),
        "--key", str(folder / "server.key"), "--client-ca", str(folder / "ca.pem"),
    ]  # fmt: skip
    with (folder / "stand-in.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 60
        context = ssl.create_default_context(cafile=folder / "ca.pem")
        context.load_cert_chain(folder / "gateway.pem", folder / "gateway.key")
        while True:
            assert process.poll() is None, (folder / "stand-in.log").read_text()
            assert time.monotonic() < deadline, "it did not start"
            try:
                httpx2.get(f"https://localhost:{port}/", verify=context, trust_env=False)
                break
            except httpx2.TransportError:
                time.sleep(0.05)  # between two looks, not instead of one
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


async def test_the_security_server_and_the_gateway_know_each_other_by_certificates(
    tmp_path: Path,
) -> None:
    authority = issue_certificate(tmp_path, "ca", None)
    for name in ("server", "gateway"):
        issue_certificate(tmp_path, name, authority)
    issue_certificate(tmp_path, "stranger", None)
    port, states = free_port(), []
    assert identifier(CLIENT, (4,))
    certificates: list[dict[str, Any]] = [
        {"tls_certificate": Path("gateway.pem"), "tls_key": Path("gateway.key")},
        {"tls_certificate": Path("stranger.pem"), "tls_key": Path("stranger.key")},
        {},
    ]
    with _process(tmp_path, port):
        for files in certificates:
            settings = _settings(server=f"https://localhost:{port}", tls_ca=Path("ca.pem"), **files)
            async with running(tmp_path, {}, [POPULATION], {"population": settings}) as gateway:
                query = QUERY.split("civilStatus", maxsplit=1)[0] + "} }"
                body = await gateway.ask(query, {"id": HOA}, scopes=("population:read",))
            states.append(body["data"]["person"]["population"]["identity"]["source"]["state"])
    assert states == ["NOT_IDENTIFIED", "UNAVAILABLE", "UNAVAILABLE"]
