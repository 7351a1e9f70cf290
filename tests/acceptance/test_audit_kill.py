"""A gateway killed or stopped under load: every answer that arrived is in the journal.

AUDIT_KILLS says how many times, 2 if nobody does.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
import pytest

from gateway.telemetry.redaction import random_id
from tests.support.journals import entries, segments
from tests.support.process import Process, demo_process

KILLS = int(os.environ.get("AUDIT_KILLS", "2"))
CLIENTS = 6
QUERY = """query($id: PersonNumber!) {
  person(id: $id) { population { identity { item { fullName } } } } }"""


class Load:
    """Clients that ask until the gateway is gone, and note which answers arrived whole.

    ``refused``: statuses of requests that were not answered.
    """

    def __init__(self, demo: Process, noted: set[str]) -> None:
        self.refused_statuses: list[int] = []
        self._demo = demo
        self._noted = noted
        self._grew = threading.Condition()
        self._clients = [threading.Thread(target=self._ask) for _ in range(CLIENTS)]
        for client in self._clients:
            client.start()

    def wait_for(self, answers: int) -> None:
        with self._grew:
            target = len(self._noted) + answers
            assert self._grew.wait_for(lambda: len(self._noted) >= target, 300)

    def end(self) -> None:
        for client in self._clients:
            client.join(30)
            assert not client.is_alive()

    def _ask(self) -> None:
        people = [str(persona["id"]) for persona in self._demo.personas]
        with httpx2.Client(base_url=self._demo.url, timeout=20) as client:
            while True:
                request_id = random_id()
                try:
                    answer = client.post(
                        "/graphql",
                        json={"query": QUERY, "variables": {"id": random.choice(people)}},
                        headers={
                            "authorization": f"Bearer {self._demo.tokens['officer']}",
                            "x-request-id": request_id,
                            "x-purpose": "1.000894",
                            "x-case-number": "1/2026",
                        },
                    )
                except httpx2.TransportError:
                    return
                with self._grew:
                    if answer.status_code == 503:
                        self.refused_statuses.append(answer.status_code)
                    else:
                        assert answer.json()["data"]
                        self._noted.add(request_id)
                    self._grew.notify_all()


def _kill_under_load(folder: Path, noted: set[str], answers: int) -> None:
    with demo_process(folder, patient=False) as demo:
        load = Load(demo, noted)
        try:
            load.wait_for(answers)
        finally:
            os.kill(demo.pid, signal.SIGKILL)
            load.end()
    assert not load.refused_statuses


def _touch_zeros(folder: Path, rng: random.Random) -> None:
    """Write a byte somewhere among the zeros that a kill leaves behind the last line."""
    segment = segments(folder / "journal")[-1]
    content = segment.read_bytes()
    end = len(content.rstrip(b"\0")) + 1  # a line that is not whole may end in any byte
    if end < len(content):
        with segment.open("r+b") as file:
            file.seek(rng.randrange(end, len(content)))
            file.write(rng.choice([b"\n", b"x", b"\xff"]))


def _verify(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", "audit", "verify", "--config", folder / "gateway.toml"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_answer_that_arrived_is_missing_after_the_gateway_was_killed(tmp_path: Path) -> None:
    folder, noted, rng = tmp_path / ".demo", set[str](), random.Random()
    for _ in range(KILLS):
        _kill_under_load(folder, noted, rng.randrange(20, 200))
        assert noted <= {entry["requestId"] for entry in entries(folder / "journal")}
        _touch_zeros(folder, rng)
    with demo_process(folder, patient=False):
        pass  # it puts right what the last kill left
    request_ids = [entry["requestId"] for entry in entries(folder / "journal")]
    assert noted <= {*request_ids}
    assert len(request_ids) == len({*request_ids}), "and each stands there once"
    verification = _verify(folder)
    assert verification.returncode == 0, verification.stdout + verification.stderr
    assert f"{len(request_ids):,} entries in" in verification.stdout


@pytest.mark.long
@pytest.mark.parametrize("zeros", [True, False], ids=["overwritten with zeros", "cut off"])
def test_entries_cut_off_while_the_gateway_was_down_are_missed(tmp_path: Path, zeros: bool) -> None:
    """The gateway ran for seconds only: no checkpoint by time knows of them."""
    folder, noted = tmp_path / ".demo", set[str]()
    _kill_under_load(folder, noted, 200)
    segment = segments(folder / "journal")[-1]
    content = segment.read_bytes()
    lines = content.rstrip(b"\0").splitlines(keepends=True)
    left = b"".join(lines[:-150])
    segment.write_bytes(left + bytes(len(content) - len(left)) if zeros else left)
    with demo_process(folder, patient=False):
        pass  # it goes on behind the cut
    verification = _verify(folder)
    assert verification.returncode == 1
    removed = re.search(r"removed: entries (\d+) to (\d+) at the end", verification.stdout)
    assert removed is not None
    assert int(removed[1]) == len(lines) - 150
    assert int(removed[2]) >= len(noted), "what was answered is missed; the load wrote more"


@pytest.mark.long
def test_an_answer_whose_entry_is_on_disk_survives_a_standstill(tmp_path: Path) -> None:
    with demo_process(tmp_path / ".demo", patient=False) as demo:
        load = Load(demo, set())
        try:
            for _ in range(2):
                load.wait_for(50)
                os.kill(demo.pid, signal.SIGSTOP)
                time.sleep(2.6)  # the standstill itself, longer than audit.timeout
                os.kill(demo.pid, signal.SIGCONT)
            load.wait_for(50)
        finally:
            os.kill(demo.pid, signal.SIGKILL)
            load.end()
    assert load.refused_statuses == []
