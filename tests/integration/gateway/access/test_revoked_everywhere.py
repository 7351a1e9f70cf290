"""Every running process refuses a revoked token within a second."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2

from tests.support.process import free_port

ISSUED_TO = ("--subject", "a", "--client", "desk", "--scope", "introspect")
_START_WITHIN = 60.0


def command(config: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "gateway", *arguments, "--config", str(config)]


def output(config: Path, *arguments: str) -> str:
    result = subprocess.run(
        command(config, *arguments), capture_output=True, text=True, timeout=60, check=True
    )
    return result.stdout.strip()


@contextmanager
def serving(config: Path, journal: str) -> Iterator[str]:
    """Run a gateway with a journal of its own until the block ends; gives its address."""
    port = str(free_port())
    process = subprocess.Popen(
        command(config, "serve", "--port", port),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "JUSTICE_GATEWAY_AUDIT__FOLDER": journal},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + _START_WITHIN
        while not is_live(url):
            assert process.poll() is None, "it ended"
            assert time.monotonic() < deadline, "it did not start"
            time.sleep(0.05)  # between two looks, not instead of one
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


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
    with ExitStack() as stack:
        urls = [stack.enter_context(serving(config, name)) for name in ("first", "second")]
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
