"""The receivers for clients accept what the gateway signs, and nothing else."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from gateway.changes.webhooks.address import AddressPolicy
from gateway.changes.webhooks.sender import EndpointReply, WebhookSender
from gateway.changes.webhooks.signature import MessageSigner
from gateway.settings import WebhookSettings
from tests.support.certificates import issue_certificate
from tests.support.process import free_port
from tests.support.typescript import CLIENTS, ROOT, compile_client, require_typescript

PAGE = ROOT / "docs/reference/webhooks.md"
TYPESCRIPT = "receive-events.ts"
#: Serves the receiver in TypeScript with the arguments of the one in Python, and the keys beside.
SERVER = """
import { readFileSync } from "node:fs";
import { createServer as plain } from "node:http";
import { createServer } from "node:https";
import { receiver } from "./receive-events.js";
const [port, cert, key, url, keys] = process.argv.slice(2);
const published = plain((_, reply) => reply.end(readFileSync(new URL(keys))));
published.listen(0, "127.0.0.1", () => {
  const handle = ({ id }) => console.log(id);
  const listener = receiver(url, `http://127.0.0.1:${published.address().port}`, handle);
  const files = { cert: readFileSync(cert), key: readFileSync(key) };
  createServer(files, listener).listen(Number(port), "127.0.0.1");
});
"""
ONE, SEVERAL = "application/cloudevents+json", "application/cloudevents-batch+json"
HERE = AddressPolicy.from_settings(WebhookSettings(allowed_networks=("127.0.0.0/8",)))


@dataclass(frozen=True)
class Documented:
    """The running receiver. ``url``: where it listens, and what it takes itself for."""

    url: str
    signer: MessageSigner
    sender: WebhookSender
    output: asyncio.StreamReader

    async def send(
        self, body: bytes, content_type: str = ONE, age: float = 0, **changed: str
    ) -> EndpointReply:
        """Sign a body and send it; ``changed``: headers that are replaced after that."""
        now = datetime.now(UTC) - timedelta(seconds=age)
        headers = self.signer.headers(self.url, content_type, body, now)
        changed = {name.replace("_", "-"): value for name, value in changed.items()}
        return await self.sender.send(self.url, {**headers, **changed}, body)


def python_receiver(folder: Path) -> list[str]:
    """Return the command that runs the receiver that the page shows."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(code.splitlines()) < 60
    (folder / "receiver.py").write_text(code, "utf-8")
    return [sys.executable, "receiver.py"]


def typescript_receiver(folder: Path) -> list[str]:
    """Return the command that runs the receiver in TypeScript, compiled strictly."""
    require_typescript()
    assert len((CLIENTS / TYPESCRIPT).read_text("utf-8").splitlines()) < 60
    (folder / "server.mjs").write_text(SERVER, "utf-8")
    compile_client(folder, TYPESCRIPT, "--types", "node")
    return ["node", "server.mjs"]


@asynccontextmanager
async def documented(
    folder: Path, receiver: Callable[[Path], list[str]]
) -> AsyncIterator[Documented]:
    """Run a receiver as a process."""
    command = receiver(folder)
    issue_certificate(folder, "localhost", issue_certificate(folder, "authority", None))
    key = OKPKey.generate_key("Ed25519", {"kid": "first"})
    published = {**key.as_dict(private=False), "alg": "Ed25519", "status": "CURRENT"}
    revoked = OKPKey.generate_key("Ed25519", {"kid": "revoked"})
    gone = {**revoked.as_dict(private=False), "alg": "Ed25519", "status": "REVOKED"}
    (folder / "keys.json").write_text(json.dumps({"keys": [published, gone]}))
    port = free_port()
    url = f"https://localhost:{port}/hook"
    process = await asyncio.create_subprocess_exec(
        *command, str(port), folder / "localhost.pem", folder / "localhost.key", url,
        (folder / "keys.json").as_uri(), cwd=folder,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    sender = WebhookSender.make(HERE, folder / "authority.pem", 30)
    try:
        await _listens(port, process)
        yield Documented(url, MessageSigner((key, revoked)), sender, process.stdout)
    finally:
        process.terminate()
        await process.wait()


async def _listens(port: int, process: asyncio.subprocess.Process) -> None:
    while process.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        return
    raise AssertionError("the receiver ended")


def event(name: str) -> dict[str, object]:
    return {"id": name, "type": "vn.gov.moj.life-event.death", "data": {"date": "2026-11-30"}}


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(python_receiver, id="python"),
        pytest.param(typescript_receiver, id="typescript", marks=pytest.mark.services),
    ],
)
async def test_it_accepts_what_the_gateway_signed_and_nothing_else(
    tmp_path: Path, program: Callable[[Path], list[str]]
) -> None:
    async with documented(tmp_path, program) as receiver:
        challenge = {"id": "0", "type": "x.webhook.challenge", "data": {"challenge": "c"}}
        reply = await receiver.send(json.dumps(challenge).encode())
        assert (reply.status, json.loads(reply.content)) == (200, {"challenge": "c"})
        body = json.dumps(event("1")).encode()
        assert (await receiver.send(body)).status == 200
        assert (await receiver.send(body)).status == 200, "twice, and printed once"
        batch = json.dumps([event("1"), event("2")]).encode()
        assert (await receiver.send(batch, SEVERAL)).status == 200
        printed = [(await receiver.output.readline()).decode().split()[0] for _ in range(2)]
        assert printed == ["1", "2"]
        elsewhere = replace(receiver, url=receiver.url.replace("/hook", "/other"))
        revoked = replace(receiver, signer=MessageSigner(receiver.signer.ring[1:]))
        strange = OKPKey.generate_key("Ed25519", {"kid": "first"})
        stranger = replace(receiver, signer=MessageSigner((strange,)))
        refused = [
            await receiver.send(body, age=400),
            await receiver.send(body, Content_Digest="sha-256=:AAAA:"),
            await receiver.send(body, Signature="gateway=:AAAA:"),
            await receiver.send(body, Signature_Input='gateway=();created=1;keyid="first"'),
            await elsewhere.send(body),
            await revoked.send(body),
            await stranger.send(body),
        ]
        assert [each.status for each in refused] == [401] * 7
