"""Every running process refuses a revoked token within a second."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2
from typer.testing import CliRunner

from gateway.cli.main import app
from tests.support.process import free_port

ISSUED_TO = ("--subject", "a", "--client", "desk", "--scope", "introspect")
_START_WITHIN = 300.0


def output(config: Path, *arguments: str) -> str:
    """Run a command, in this process; it reads and writes the files that the gateways read."""
    result = CliRunner().invoke(app, [*arguments, "--config", str(config)])
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


@contextmanager
def serving(config: Path, journals: Sequence[str]) -> Iterator[list[str]]:
    """Run gateways, one for each journal, until the block ends; gives their addresses."""
    ports = [free_port() for _ in journals]
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(config)]
    processes = [
        subprocess.Popen(
            [*command, "--port", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "JUSTICE_GATEWAY_AUDIT__FOLDER": journal},
        )
        for port, journal in zip(ports, journals, strict=True)
    ]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    try:
        deadline = time.monotonic() + _START_WITHIN
        while not all(is_live(url) for url in urls):
            assert all(process.poll() is None for process in processes), "one ended"
            assert time.monotonic() < deadline, "they did not start"
            time.sleep(0.05)  # between two looks, not instead of one
        yield urls
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=60)


def is_live(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health/live", timeout=2, trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


def status(url: str, token: str) -> int:
    return httpx2.post(
        f"{url}/graphql",
        json={"query": "{ __schema { queryType { name } } }"},
        headers={"authorization": f"Bearer {token}"},
        timeout=20,
        trust_env=False,
    ).status_code


def test_a_revoked_token_is_refused_within_a_second_by_every_process(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text("")
    output(config, "keys")
    bad, good = (output(config, "token", "issue", *ISSUED_TO) for _ in range(2))
    with serving(config, ("first", "second")) as urls:
        assert [status(url, token) for url in urls for token in (bad, good)] == [200] * 4
        output(config, "token", "revoke", bad)
        revoked_at = time.monotonic()
        for url in urls:
            while True:
                asked_at = time.monotonic()
                if status(url, bad) == 401:
                    break
                assert asked_at - revoked_at < 1, "asked a second later it was accepted still"
        assert [status(url, good) for url in urls] == [200, 200]
