"""What is sent to an endpoint over real TLS, and what comes of it.

Covers ``gateway.changes.webhooks.connection`` too.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from gateway.changes.webhooks.address import Address, AddressPolicy
from gateway.changes.webhooks.sender import LONGEST_REPLY, SendOutcome, WebhookSender
from gateway.settings import WebhookSettings
from tests.support.webhook_receivers import Receiver, receiver, reply

HERE = AddressPolicy.from_settings(WebhookSettings(allowed_networks=("127.0.0.0/8",)))
HEADERS = {"content-type": "application/cloudevents+json"}


@pytest.fixture
async def endpoint(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with receiver(tmp_path) as endpoint:
        yield endpoint


def sender(endpoint: Receiver, policy: AddressPolicy = HERE, seconds: float = 30) -> WebhookSender:
    made = WebhookSender.make(policy, endpoint.roots, seconds)
    return replace(made, resolve=Names(["127.0.0.1"]))


class Names:
    """Resolves every name, each time to the next of these addresses."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = [*answers]
        self.resolved: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.resolved.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [ip_address(address) for address in answer]


async def test_a_request_arrives_as_it_was_sent(endpoint: Receiver) -> None:
    sent = await sender(endpoint).send(endpoint.url, HEADERS, b"{}")
    assert (sent.outcome, sent.status) == (SendOutcome.ACCEPTED, 204)
    (received,) = endpoint.requests
    assert (received.method, received.target, received.body) == ("POST", "/hook", b"{}")
    assert received.headers["host"] == f"localhost:{endpoint.port}"
    assert received.headers["content-type"] == HEADERS["content-type"]
    assert received.headers["content-length"] == "2"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, SendOutcome.ACCEPTED),
        (301, SendOutcome.REDIRECTED),
        (307, SendOutcome.REDIRECTED),
        (308, SendOutcome.REDIRECTED),
        (400, SendOutcome.REFUSED),
        (410, SendOutcome.GONE),
        (503, SendOutcome.REFUSED),
    ],
)
async def test_a_status_is_an_outcome_and_no_redirect_is_followed(
    endpoint: Receiver, status: int, outcome: SendOutcome
) -> None:
    endpoint.behave = lambda _: reply(status, location=f"{endpoint.url}/elsewhere")
    sent = await sender(endpoint).send(endpoint.url, HEADERS, b"{}")
    assert (sent.outcome, sent.status) == (outcome, status)
    assert [each.target for each in endpoint.requests] == ["/hook"]


@pytest.mark.parametrize(
    ("text", "seconds"), [("120", 120.0), ("-1", None), ("x", None), ("9" * 400, None)]
)
async def test_retry_after_is_read_as_seconds(
    endpoint: Receiver, text: str, seconds: float | None
) -> None:
    endpoint.behave = lambda _: reply(429, retry_after=text)
    sent = await sender(endpoint).send(endpoint.url, HEADERS, b"{}")
    assert sent.retry_after == seconds


async def test_the_beginning_of_an_endless_reply_is_enough(endpoint: Receiver) -> None:
    endpoint.behave = lambda _: (
        b"HTTP/1.1 200 -\r\ncontent-length: 99999999\r\n\r\n" + b"x" * 65_536
    )
    sent = await sender(endpoint).send(endpoint.url, HEADERS, b"{}")
    assert (sent.outcome, len(sent.content)) == (SendOutcome.ACCEPTED, LONGEST_REPLY)


async def test_an_endpoint_that_does_not_reply_has_its_time(endpoint: Receiver) -> None:
    endpoint.is_silent = True
    sent = await sender(endpoint).send(endpoint.url, HEADERS, b"{}", seconds=0.2)
    assert (sent.outcome, sent.status) == (SendOutcome.TIMED_OUT, None)


async def test_a_reply_without_end_has_no_more_time(endpoint: Receiver) -> None:
    slow = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 -\r\ncontent-length: 9\r\n\r\nx")
        await slow.wait()
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    plain = replace(HERE, plain_http=True)
    url = f"http://127.0.0.1:{port}/"
    sent = await sender(endpoint, plain).send(url, HEADERS, b"{}", seconds=0.2)
    assert sent.outcome is SendOutcome.TIMED_OUT
    slow.set()
    server.close()
    await server.wait_closed()


async def test_a_connection_that_breaks_off_is_unreachable(endpoint: Receiver) -> None:
    endpoint.reset = True
    sent = await sender(endpoint).send(endpoint.url, HEADERS, b"{}")
    assert sent.outcome is SendOutcome.UNREACHABLE
    endpoint.reset, endpoint.behave = False, lambda _: None
    sent = await sender(endpoint).send(endpoint.url, HEADERS, b"{}")
    assert sent.outcome is SendOutcome.UNREACHABLE
    endpoint.behave = lambda _: b"SSH-2.0-OpenSSH_9.2\r\n"
    sent = await sender(endpoint).send(endpoint.url, HEADERS, b"{}")
    assert sent.outcome is SendOutcome.UNREACHABLE


async def test_nobody_listens(endpoint: Receiver) -> None:
    probe = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = probe.sockets[0].getsockname()[1]
    probe.close()
    await probe.wait_closed()
    sent = await sender(endpoint).send(f"https://localhost:{port}/", HEADERS, b"{}")
    assert sent.outcome is SendOutcome.UNREACHABLE


async def test_the_certificate_must_lead_to_a_root_and_have_the_name(
    endpoint: Receiver, tmp_path: Path
) -> None:
    other = f"https://notary.example:{endpoint.port}/hook"
    sent = await sender(endpoint).send(other, HEADERS, b"{}")
    assert sent.outcome is SendOutcome.TLS_FAILED
    stranger = replace(sender(endpoint), tls=ssl.create_default_context())
    sent = await stranger.send(endpoint.url, HEADERS, b"{}")
    assert sent.outcome is SendOutcome.TLS_FAILED
    assert endpoint.requests == []


async def test_a_name_that_leads_to_this_machine_is_not_called(endpoint: Receiver) -> None:
    public = replace(HERE, networks=())
    sent = await sender(endpoint, public).send(endpoint.url, HEADERS, b"{}")
    assert sent.outcome is SendOutcome.ADDRESS_REFUSED
    assert endpoint.requests == []


@pytest.mark.parametrize("answer", [[], ["127.0.0.1", "10.0.0.1"], ["::1", "127.0.0.1"]])
async def test_every_address_of_a_name_must_be_permitted(
    endpoint: Receiver, answer: list[str]
) -> None:
    made = replace(sender(endpoint), resolve=Names(answer))
    sent = await made.send(endpoint.url, HEADERS, b"{}")
    assert sent.outcome is SendOutcome.ADDRESS_REFUSED
    assert endpoint.requests == []


async def test_a_name_that_does_not_resolve_is_like_one_that_may_not_be_called(
    endpoint: Receiver,
) -> None:
    made = WebhookSender.make(HERE, endpoint.roots, 30)
    sent = await made.send("https://no-such-host.invalid/", HEADERS, b"{}")
    assert sent.outcome is SendOutcome.ADDRESS_REFUSED


async def test_a_name_is_resolved_once_and_the_address_that_was_checked_is_called(
    endpoint: Receiver,
) -> None:
    names = Names(["127.0.0.1"], ["10.0.0.1"], ["127.0.0.1"])
    made = replace(sender(endpoint), resolve=names)
    first = await made.send(endpoint.url, HEADERS, b"{}")
    assert (first.outcome, names.resolved) == (SendOutcome.ACCEPTED, ["localhost"])
    rebound = await made.send(endpoint.url, HEADERS, b"{}")
    assert rebound.outcome is SendOutcome.ADDRESS_REFUSED
    assert len(endpoint.requests) == 1


async def test_no_proxy_of_the_environment_is_asked(
    endpoint: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    sent = await sender(endpoint).send(endpoint.url, HEADERS, b"{}")
    assert sent.outcome is SendOutcome.ACCEPTED
