"""A full disk under the journal: no answer without an entry, until there is room again.

The journal of a real gateway is put on a file system of its own, of half a megabyte.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from gateway.telemetry.redaction import random_id
from tests.support.journals import entries
from tests.support.process import Process, demo_process, stated
from tests.support.small_disk import small_disk

QUERY = """query($id: PersonNumber!) {
  person(id: $id) { population { identity { item { fullName } } } } }"""
SIZE, BALLAST = 512 * 1024, 384 * 1024
#: The room that is left takes some hundred entries, and many fewer than this.
MAX_REQUESTS = 2_000
CLIENTS = 4


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system that is ours alone, and unmount it in the end."""
    with small_disk(tmp_path / "disk", SIZE) as path:
        yield path


@dataclass
class Clients:
    """Those who ask, and the ids of requests that were answered and refused."""

    demo: Process
    answered: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def ask(self) -> bool:
        """Ask for a person; returns whether there was an answer."""
        request_id, token = random_id(), self.demo.tokens["officer"]
        reply = httpx2.post(
            f"{self.demo.url}/graphql",
            json={"query": QUERY, "variables": {"id": self.demo.personas[0]["id"]}},
            headers={
                "authorization": f"Bearer {token}",
                "x-request-id": request_id,
                **stated(token),
            },
            timeout=20,
        )
        body = reply.json()
        if reply.status_code == 200:
            assert body["data"]["person"]["population"]["identity"]["item"]["fullName"]
            self.answered.add(request_id)
            return True
        (error,) = body["errors"]
        assert (reply.status_code, error["extensions"]["code"]) == (503, "AUDIT_UNAVAILABLE")
        assert "data" not in body
        self.refused.add(request_id)
        return False

    def ask_until_refused(self) -> None:
        """Have several ask at once, each until there is no answer for them."""

        def client(_: int) -> bool:
            return any(not self.ask() for _ in range(MAX_REQUESTS // CLIENTS))

        with ThreadPoolExecutor(CLIENTS) as pool:
            assert all(pool.map(client, range(CLIENTS))), "the disk was never full"

    def ready(self) -> tuple[int, str]:
        """Return what the gateway says of itself."""
        reply = httpx2.get(f"{self.demo.url}/health/ready", timeout=20)
        return reply.status_code, reply.text.strip()


def fill_up(clients: Clients) -> None:
    """Ask until not even the small entry fits with which readiness is tried."""
    clients.ask_until_refused()
    for _ in range(MAX_REQUESTS):
        if not clients.ask() and clients.ready()[0] == 503:
            return
    raise AssertionError("the gateway never said that it is not ready")


def verify(folder: Path) -> None:
    completed = subprocess.run(
        [sys.executable, "-m", "gateway", "audit", "verify", "--config", folder / "gateway.toml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr


@pytest.mark.long
def test_a_gateway_whose_disk_is_full_answers_nothing_until_there_is_room_again(
    tmp_path: Path, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, journal, ballast = tmp_path / ".demo", disk / "journal", disk / "ballast"
    monkeypatch.setenv("JUSTICE_GATEWAY_AUDIT__FOLDER", str(journal))
    ballast.write_bytes(b"\0" * BALLAST)
    with demo_process(folder, patient=False) as demo:
        clients = Clients(demo)
        fill_up(clients)
        assert len(clients.answered) > CLIENTS, "there was room at first"
        for _ in range(3):
            assert not clients.ask()
            assert clients.ready() == (503, "not ready: journal")
        before = len(clients.answered)
        ballast.unlink()
        assert clients.ready() == (200, "ready")
        assert all(clients.ask() for _ in range(20))
        assert len(clients.answered) == before + 20
        assert clients.ready() == (200, "ready")
        assert clients.answered <= {entry.get("requestId") for entry in entries(journal)}
    request_ids = [entry["requestId"] for entry in entries(journal) if "requestId" in entry]
    assert clients.answered <= {*request_ids}
    assert len(request_ids) == len({*request_ids}), "and each stands there once"
    verify(folder)
