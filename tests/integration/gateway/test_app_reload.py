"""A running gateway reloads its settings completely or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from connectors.legal_aid import DATABASE as LEGAL_AID
from connectors.notary import DATABASE as NOTARY
from connectors.synthetic import PopulationOptions, write
from gateway.keys.files import create_missing
from gateway.settings import load
from tests.support.process import free_port

_WITHIN = 60.0
_CATALOGUE = "{ databases { name live { state } } }"


@dataclass
class GatewayProcess:
    """A gateway that runs, its settings and its log."""

    url: str
    config: Path
    log: Path
    process: subprocess.Popen[bytes]
    statuses: list[int] = field(default_factory=list)

    def states(self) -> dict[str, str]:
        answer = httpx2.post(
            f"{self.url}/graphql", json={"query": _CATALOGUE}, timeout=20, trust_env=False
        )
        self.statuses.append(answer.status_code)
        return {
            database["name"]: database["live"]["state"]
            for database in answer.json()["data"]["databases"]
        }

    def reload(self, text: str, expected: str) -> str:
        """Reload with other settings; return the line of the log that contains ``expected``."""
        before = len(self.log.read_text())
        self.config.write_text(text)
        self.process.send_signal(signal.SIGHUP)
        lines: list[str] = []

        def is_logged() -> bool:
            lines[:] = [x for x in self.log.read_text()[before:].splitlines() if expected in x]
            return bool(lines)

        wait(is_logged)
        return lines[0]


def wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _WITHIN
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)  # between two looks, not instead of one


@contextmanager
def serve(folder: Path, text: str) -> Iterator[GatewayProcess]:
    config, log, port = folder / "gateway.toml", folder / "log", str(free_port())
    config.write_text(text)
    create_missing(load(config), demo=False)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "--port", port, "--config", str(config)],
            stdout=output, stderr=subprocess.STDOUT, env=os.environ.copy(),
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:

        def is_live() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                return httpx2.get(f"{url}/health/live", timeout=2, trust_env=False).is_success
            except httpx2.TransportError:
                return False

        wait(is_live)
        yield GatewayProcess(url, config, log, process)
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("reload")
    databases = [LEGAL_AID, NOTARY]
    write(
        databases,
        {database.name: folder / f"{database.name}.sqlite" for database in databases},
        PopulationOptions(people=20),
    )
    with serve(folder, settings()) as served_gateway:
        yield served_gateway


def settings(more: str = "", timeout: int = 60) -> str:
    """Return settings of one database, which has time enough for a busy machine."""
    database = f'url = "sqlite:///legal_aid.sqlite"\ngroup = "OPERATING"\ntimeout = {timeout}\n'
    return f"[databases.legal_aid]\n{database}{more}"


def test_settings_that_cannot_be_used_change_nothing_and_are_told(gateway: GatewayProcess) -> None:
    before = gateway.states()
    assert before["legal_aid"] == "ANSWERED"
    for text, fault in (
        (settings("timeuot = 2\n"), "gateway.toml:5: databases.legal_aid.timeuot"),
        ("[databases.legal_aid\n", "gateway.toml:1: "),
        ('[databases.legal_aid]\nurl = "mysql//x"\n', "gateway.toml:2: databases.legal_aid.url"),
        ("[databases.nobodys]\n", "gateway.toml:1: databases.nobodys: nobody declares it"),
    ):
        assert fault in gateway.reload(text, "the old ones stay")
        assert gateway.states() == before


def test_databases_come_change_and_go_without_a_restart(gateway: GatewayProcess) -> None:
    gateway.reload(settings("maintenance = true\n"), "settings are taken")
    assert gateway.states()["legal_aid"] == "MAINTENANCE"
    notary = (
        '[databases.notary]\nurl = "sqlite:///notary.sqlite"\ngroup = "OPERATING"\ntimeout = 60\n'
    )
    gateway.reload(settings(notary), "settings are taken")
    assert {gateway.states()[name] for name in ("legal_aid", "notary")} == {"ANSWERED"}
    gateway.reload(settings(), "settings are taken")
    assert gateway.states()["notary"] == "NOT_OPERATING"


@pytest.mark.parametrize("path", ["/catalogue/legal_aid", "/catalogue/legal_aid/contract.yaml"])
def test_pages_say_what_was_changed(gateway: GatewayProcess, path: str) -> None:
    def read() -> str:
        return httpx2.get(gateway.url + path, timeout=20, trust_env=False).text

    read()
    changes = 'contact = "024 6273 9718"\nfresh = 77\n'
    gateway.reload(settings(changes), "settings are taken")
    changed = read()
    assert "024 6273 9718" in changed
    assert "77" in changed
    gateway.reload(settings(), "settings are taken")
    assert "024 6273 9718" not in read()


def test_what_needs_a_restart_is_named(gateway: GatewayProcess) -> None:
    line = gateway.reload("[limits]\ndepth = 5\n" + settings(), "settings are taken")
    assert "limits" in line
    gateway.reload(settings(), "settings are taken")


def test_no_request_is_lost_while_settings_are_read_again_and_again(
    gateway: GatewayProcess,
) -> None:
    is_over = threading.Event()
    states: list[str] = []

    def ask() -> None:
        while not is_over.is_set():
            states.append(gateway.states()["legal_aid"])

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(6):
        gateway.reload(settings(timeout=61 + number), "settings are taken")
    wait(lambda: len(states) > 6)
    is_over.set()
    for thread in threads:
        thread.join(20)
    assert set(states) == {"ANSWERED"}
    assert set(gateway.statuses) == {200}
