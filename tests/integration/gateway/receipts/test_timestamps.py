"""Time stamps of receipts by a real authority, by plan and field by field."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.receipts.timestamps import load_roots, verify_timestamp
from gateway.receipts.verify import ReceiptRefused, RefusalReason, select_disclosures, split_receipt
from gateway.settings.storage import ReceiptSettings
from tests.support.people import HOA
from tests.support.running import Running, running
from tests.support.timestamp_authority import Authority, authority
from tests.support.worlds import ALL, LIVE, WAYS, answer, world

P12 = "no-sanction-check"
_CHECK = """query($input: CheckInput!) {
  checkProcedure(code: "no-sanction-check", input: $input) {
    outcome timestamp { state token } again: timestamp { token } receipt } }"""
_RECHECK = """query($receipt: String!) {
  recheck(receipt: $receipt) { check { receipt timestamp { state token } } } }"""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


def _settings(stamping: Authority, seconds: float = 60.0) -> ReceiptSettings:
    return ReceiptSettings(
        timestamp_url=stamping.url, timestamp_roots=stamping.roots, timestamp_timeout=seconds
    )


async def _ask(gateway: Running, query: str, variables: dict[str, object]) -> dict[str, Any]:
    token = gateway.token("procedures:check", purposes=[P12])
    body: dict[str, Any] = (await gateway.post(query, variables, token, x_purpose=P12)).json()
    assert "errors" not in body
    (data,) = body["data"].values()
    checked: dict[str, Any] = data
    return checked


async def _check(gateway: Running) -> dict[str, Any]:
    return await _ask(gateway, _CHECK, {"input": {"noSanctionCheck": {"applicant": HOA}}})


@pytest.mark.usefixtures("way")
async def test_a_receipt_is_stamped_once(tmp_path: Path) -> None:
    async with (
        authority(tmp_path / "authority") as stamping,
        running(tmp_path, world({}), ALL, LIVE, receipts=_settings(stamping)) as gateway,
    ):
        checked = await _check(gateway)
        assert checked["timestamp"]["state"] == "STAMPED"
        assert checked["again"]["token"] == checked["timestamp"]["token"]
        assert stamping.queries == 1
        token, roots = base64.b64decode(checked["timestamp"]["token"]), load_roots(stamping.roots)
        moment = verify_timestamp(token, checked["receipt"], roots)
        assert abs(moment - datetime.now(UTC)) < timedelta(minutes=5)
        # Of any selection of disclosures, and of no other receipt.
        assert verify_timestamp(token, select_disclosures(checked["receipt"], ()), roots) == moment
        again = await _ask(gateway, _RECHECK, {"receipt": checked["receipt"]})
        with pytest.raises(ReceiptRefused) as refused:
            verify_timestamp(token, again["check"]["receipt"], roots)
        assert refused.value.reason is RefusalReason.TIMESTAMP
        assert again["check"]["timestamp"]["state"] == "STAMPED"


async def test_openssl_verifies_the_stamp(tmp_path: Path) -> None:
    async with (
        authority(tmp_path / "authority") as stamping,
        running(tmp_path, world({}), ALL, LIVE, receipts=_settings(stamping)) as gateway,
    ):
        checked = await _check(gateway)
    signed, reply = tmp_path / "signed.txt", tmp_path / "reply.tsr"
    signed.write_text(split_receipt(checked["receipt"])[0])
    reply.write_bytes(base64.b64decode(checked["timestamp"]["token"]))
    process = await asyncio.create_subprocess_exec(
        "openssl", "ts", "-verify", "-data", signed, "-in", reply, "-CAfile", stamping.roots,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert (process.returncode, b"OK" in output) == (0, True)


@pytest.mark.usefixtures("way")
async def test_an_authority_that_does_not_answer_costs_the_stamp_alone(tmp_path: Path) -> None:
    async with (
        authority(tmp_path / "authority") as stamping,
        running(tmp_path, world({}), ALL, LIVE, receipts=_settings(stamping, 0.2)) as gateway,
    ):
        stamping.is_silent = True
        checked = await _check(gateway)
        assert checked["timestamp"] == {"state": "UNAVAILABLE", "token": None}
        assert checked["outcome"] == "MET"
        assert checked["receipt"].endswith("~")


@pytest.mark.usefixtures("way")
async def test_an_authority_that_hangs_up_costs_the_stamp_alone(tmp_path: Path) -> None:
    async with (
        authority(tmp_path / "authority") as stamping,
        running(tmp_path, world({}), ALL, LIVE, receipts=_settings(stamping)) as gateway,
    ):
        stamping.hangs_up = True
        checked = await _check(gateway)
        assert checked["timestamp"] == {"state": "UNAVAILABLE", "token": None}
        assert (checked["outcome"], stamping.queries) == ("MET", 1)
    async with running(tmp_path, world({}), ALL, LIVE, receipts=_settings(stamping)) as gateway:
        assert (await _check(gateway))["timestamp"]["state"] == "UNAVAILABLE"  # nobody is there


async def test_a_reply_that_does_not_verify_is_no_stamp(tmp_path: Path) -> None:
    async with (
        authority(tmp_path / "authority") as stamping,
        authority(tmp_path / "other") as other,
        running(tmp_path, world({}), ALL, LIVE, receipts=_settings(stamping)) as gateway,
    ):
        checked = await _check(gateway)
        old = base64.b64decode(checked["timestamp"]["token"])
        for reply in (b"", b"no stamp", old, old[:-1], b"x" * 100_000):
            stamping.reply = reply
            checked = await _check(gateway)
            assert checked["timestamp"] == {"state": "UNAVAILABLE", "token": None}
        stranger = _settings(other).model_copy(update={"timestamp_roots": stamping.roots})
    async with running(tmp_path, world({}), ALL, LIVE, receipts=stranger) as gateway:
        assert (await _check(gateway))["timestamp"]["state"] == "UNAVAILABLE"


@pytest.mark.usefixtures("way")
async def test_without_an_authority_the_answer_says_so(tmp_path: Path) -> None:
    async with running(tmp_path, world({}), ALL, LIVE) as gateway:
        checked = await _check(gateway)
        assert checked["timestamp"] == {"state": "NOT_CONFIGURED", "token": None}


async def test_the_authority_is_asked_only_where_the_stamp_is_selected(tmp_path: Path) -> None:
    async with (
        authority(tmp_path / "authority") as stamping,
        running(tmp_path, world({}), ALL, LIVE, receipts=_settings(stamping)) as gateway,
    ):
        query = _CHECK.replace("timestamp { state token } again: timestamp { token }", "")
        await _ask(gateway, query, {"input": {"noSanctionCheck": {"applicant": HOA}}})
        assert stamping.queries == 0


async def test_the_command_verifies_a_stamp(tmp_path: Path) -> None:
    async with (
        authority(tmp_path / "authority") as stamping,
        running(tmp_path, world({}), ALL, LIVE, receipts=_settings(stamping)) as gateway,
    ):
        first, second = await _check(gateway), await _check(gateway)
        (tmp_path / "keys.json").write_text((await gateway.client.get("/keys")).text)
    (tmp_path / "receipt.txt").write_text(first["receipt"])
    stamp = tmp_path / "stamp.tsr"
    command = ["receipt", "verify", str(tmp_path / "receipt.txt"), "--keys",
               str(tmp_path / "keys.json"), "--timestamp", str(stamp)]  # fmt: skip
    roots = ["--roots", str(stamping.roots)]
    stamp.write_bytes(base64.b64decode(first["timestamp"]["token"]))
    result = CliRunner().invoke(app, [*command, *roots])
    assert (result.exit_code, "Time stamp of" in result.stdout) == (0, True)
    assert CliRunner().invoke(app, command).exit_code == 2
    stamp.write_bytes(base64.b64decode(second["timestamp"]["token"]))
    result = CliRunner().invoke(app, [*command, *roots])
    assert result.exit_code == 1
    assert "the time stamp is not of this receipt" in result.stderr
    stamp.unlink()
    assert CliRunner().invoke(app, [*command, *roots]).exit_code == 2


@pytest.mark.parametrize("given", [{"timestamp_url": "http://x"}, {"timestamp_roots": "r.pem"}])
def test_an_authority_needs_its_roots(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="need each other"):
        ReceiptSettings.model_validate(given)
