"""Revocations reach every process within a second, also for cached tokens."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey
from structlog.testing import capture_logs

from gateway.access.revocations import Revocations, revoke
from gateway.access.tokens import Tokens, issue
from gateway.errors import GatewayError
from gateway.runtime.append_only_file import READ_EVERY
from gateway.settings import Access
from tests.support.calls import calls_of
from tests.support.running import TestClock, running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "revoked" / "tokens.jsonl"


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


def test_without_a_file_nothing_is_revoked(path: Path, clock: TestClock) -> None:
    assert not Revocations(path, clock).is_revoked("t1")
    assert not Revocations(path, clock).is_revoked(None)
    assert not path.parent.exists(), "to look makes nothing"


def test_a_revocation_counts_within_a_second_in_all_that_look(path: Path, clock: TestClock) -> None:
    """Also where the file was not there at first, and for each line added to it."""
    readers = [Revocations(path, clock) for _ in range(3)]
    for token_id in ("t1", "t2", "t3"):
        assert not any(reader.is_revoked(token_id) for reader in readers)
        revoke(path, token_id, clock)
        clock.advance(READ_EVERY)
        assert all(reader.is_revoked(token_id) for reader in readers)
    assert not any(reader.is_revoked("t4") for reader in readers)
    assert READ_EVERY < 1


def test_the_file_is_looked_at_twice_a_second_at_most(path: Path, clock: TestClock) -> None:
    revoked = Revocations(path, clock)
    with calls_of(Path.stat) as looks:
        for _ in range(100):
            revoked.is_revoked("t1")
        assert looks.names == ["stat"]
        clock.advance(READ_EVERY)
        revoked.is_revoked("t1")
        assert looks.names == ["stat", "stat"]


def test_only_what_is_new_is_read(path: Path, clock: TestClock) -> None:
    revoked = Revocations(path, clock)
    revoke(path, "t1", clock)
    assert revoked.is_revoked("t1")
    content = path.read_bytes()
    with path.open("r+b") as file:  # what was read already is not read again
        file.write(b"x" * (len(content) - 1))
    revoke(path, "t2", clock)
    clock.advance(READ_EVERY)
    with capture_logs() as logs:
        assert revoked.is_revoked("t2")
    assert logs == []


def test_another_file_in_its_place_is_read_from_its_start(path: Path, clock: TestClock) -> None:
    revoked = Revocations(path, clock)
    revoke(path, "t1", clock)
    assert revoked.is_revoked("t1")
    revoke(path.with_name("new"), "t2", clock)
    path.with_name("new").replace(path)
    clock.advance(READ_EVERY)
    assert revoked.is_revoked("t2")
    path.unlink()
    clock.advance(READ_EVERY)
    assert revoked.is_revoked("t1"), "to lose the file brings no token back"


def test_a_line_waits_until_it_is_whole(path: Path, clock: TestClock) -> None:
    revoked = Revocations(path, clock)
    revoke(path, "t1", clock)
    line = path.read_bytes()
    path.write_bytes(line[:-5])
    assert not revoked.is_revoked("t1")
    path.write_bytes(line)
    clock.advance(READ_EVERY)
    assert revoked.is_revoked("t1")


def test_lines_that_make_no_sense_are_logged_and_hide_no_others(
    path: Path, clock: TestClock
) -> None:
    path.parent.mkdir()
    path.write_bytes(
        b'{"jti"\n[]\nnull\n{"jti": 1}\n\n\xff\n{"jti": "x", "expires": "soon"}\n{"jti'
    )
    revoke(path, "t1", clock)
    with capture_logs() as logs:
        assert Revocations(path, clock).is_revoked("t1"), (
            "a torn line before it does not take it along"
        )
    assert len(logs) == 7
    assert {event["log_level"] for event in logs} == {"error"}


def test_what_cannot_be_read_leaves_what_is_known(path: Path, clock: TestClock) -> None:
    revoked = Revocations(path, clock)
    revoke(path, "t1", clock)
    assert revoked.is_revoked("t1")
    path.unlink()
    path.mkdir()
    clock.advance(READ_EVERY)
    with capture_logs() as logs:
        assert revoked.is_revoked("t1")
    assert [event["event"] for event in logs] == ["a shared file cannot be read"]


def test_a_revocation_outlives_every_token_and_is_then_forgotten(
    path: Path, clock: TestClock
) -> None:
    revoke(path, "t1", clock)
    clock.advance(24 * 3600 + 60)
    assert Revocations(path, clock).is_revoked("t1")
    clock.advance(24 * 3600)
    assert not Revocations(path, clock).is_revoked("t1")


def test_a_revocation_is_one_line_for_owner_and_group_and_is_added(
    path: Path, clock: TestClock
) -> None:
    revoke(path, "t1", clock)
    revoke(path, "t2", clock)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["jti"] for line in lines] == ["t1", "t2"]
    assert all(line["expires"] == clock.now().timestamp() + 24 * 3600 for line in lines)
    assert path.stat().st_mode & 0o007 == 0
    assert os.access(path, os.W_OK)


def test_a_known_token_is_refused_within_a_second(path: Path, clock: TestClock) -> None:
    key = OKPKey.generate_key("Ed25519")
    processes = [Tokens([key], Access(), clock, revoked=Revocations(path, clock)) for _ in range(2)]
    tokens = [
        issue(key, Access(), clock.now(), subject="a", client=client, scopes=("operate",))
        for client in ("bad", "good")
    ]
    withdrawn = next(
        iter([process.verify(token) for process in processes for token in tokens])
    ).token_id
    assert withdrawn is not None
    revoke(path, withdrawn, clock)
    clock.advance(READ_EVERY)
    for process in processes:
        assert process.verify(tokens[1]).client == "good"
        for _ in range(2):
            with pytest.raises(GatewayError) as excinfo:
                process.verify(tokens[0])
            assert excinfo.value.code.name == "TOKEN_INVALID"


async def test_a_revoked_token_is_refused_over_http(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        token = gateway.token("population:read", life=timedelta(hours=2))
        assert (await gateway.post("{ databases { name } }", token=token)).status_code == 200
        caller = await gateway.service.tokens.caller(token)
        assert caller.token_id is not None
        revoke(tmp_path / Access().revocations, caller.token_id, gateway.clock)
        gateway.clock.advance(READ_EVERY)
        answer = await gateway.post("{ databases { name } }", token=token)
        assert answer.status_code == 401
        assert "invalid_token" in answer.headers["www-authenticate"]
