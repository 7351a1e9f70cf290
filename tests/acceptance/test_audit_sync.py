"""Traced system calls: an answer leaves only after its entry was synced to the disk."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from gateway.telemetry.redaction import random_id
from tests.support.process import Process, demo_process

QUERY = """query($id: PersonNumber!) {
  person(id: $id) { population { identity { item { fullName } } } } }"""
CALLS = "write,writev,pwrite64,send,sendto,sendmsg,sendmmsg,fdatasync,fsync"
_THREAD = re.compile(r"(\d+) ")


def _lacking(tool: str) -> None:
    if os.environ.get("REQUIRE_SERVICES"):
        pytest.fail(f"missing: {tool}")
    pytest.skip(f"missing: {tool}")


@contextmanager
def _traced(pid: int, output: Path) -> Iterator[None]:
    """Have strace write down the calls of a process and its threads until the block ends."""
    if shutil.which("strace") is None:
        _lacking("strace")
    options = ["-f", "-y", "-s", "65536", "-e", f"trace={CALLS}", "-o", str(output)]
    command = ["strace", *options, "-p", str(pid)]
    strace = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert strace.stderr is not None
        if "attached" not in strace.stderr.readline():
            _lacking("permission to trace a process")
        yield
    finally:
        strace.terminate()
        strace.communicate(timeout=20)


def _ask(demo: Process, request_id: str) -> None:
    answer = httpx2.post(
        f"{demo.url}/graphql",
        json={"query": QUERY, "variables": {"id": demo.tagged("married")}},
        headers={
            "authorization": f"Bearer {demo.tokens['officer']}",
            "x-request-id": request_id,
            "x-purpose": "1.000894",
            "x-case-number": "1/2026",
        },
        timeout=20,
    )
    assert answer.headers["x-request-id"] == request_id
    assert "errors" not in answer.json()


def _synced(trace: Sequence[str], position_written: int) -> int:
    """Return where the sync after the write in line ``position_written`` was over."""
    thread = _THREAD.match(trace[position_written])
    assert thread is not None
    calls_of_thread = [
        (position, line)
        for position, line in enumerate(trace[position_written + 1 :], position_written + 1)
        if line.startswith(f"{thread[1]} ") and "resumed" not in line
    ]
    position, line = calls_of_thread[0]
    assert re.search(r" fdatasync\(\d+<[^>]*/audit-\d{8}\.jsonl>", line), line
    if "unfinished" in line:
        position, line = next(
            (later, call)
            for later, call in enumerate(trace[position:], position)
            if call.startswith(f"{thread[1]} ") and "fdatasync resumed" in call
        )
    assert re.search(r"\)\s+= 0\b", line), line
    return position


@pytest.mark.services
def test_the_bytes_of_an_answer_leave_after_its_entry_was_synced(tmp_path: Path) -> None:
    ids = [random_id() for _ in range(40)]
    with demo_process(tmp_path / ".demo") as demo, _traced(demo.pid, tmp_path / "trace"):
        _ask(demo, ids[0])
        with ThreadPoolExecutor(4) as clients:
            list(clients.map(lambda person_id: _ask(demo, person_id), ids[1:]))
    trace = (tmp_path / "trace").read_text("latin-1").splitlines()
    for person_id in ids:
        naming = [position for position, line in enumerate(trace) if person_id in line]
        writes = [p for p in naming if re.search(r"/audit-\d{8}\.jsonl>", trace[p])]
        sends = [p for p in naming if p not in writes]
        assert len(writes) == 1, "its entry is written once"
        assert sends, "its answer left"
        assert writes[0] < _synced(trace, writes[0]) < sends[0]
