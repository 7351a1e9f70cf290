"""Messages of clients of ``graphql-transport-ws``: which there are, and what is none."""

from __future__ import annotations

import orjson
import pytest

from gateway.execution.parameters import Parameters
from gateway.subscriptions import messages
from gateway.subscriptions.messages import Closing, parse_message


def test_a_subscribe_has_the_parameters_of_a_request() -> None:
    payload = {"query": "{ a }", "variables": {"b": 1}, "operationName": "c", "extensions": {}}
    text = orjson.dumps({"type": "subscribe", "id": "1", "payload": payload}).decode()
    parameters = Parameters("{ a }", "c", {"b": 1}, in_url=False)
    assert parse_message(text) == messages.Subscribe("1", len(text), parameters)


@pytest.mark.parametrize("payload", [{}, {"query": 1}, {"query": "{a}", "variables": []}])
def test_parameters_that_are_not_well_formed_end_their_operation_alone(payload: object) -> None:
    text = orjson.dumps({"type": "subscribe", "id": "1", "payload": payload}).decode()
    message = parse_message(text)
    assert isinstance(message, messages.Subscribe)
    assert message.refusal is not None
    assert message.refusal.code.name == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type":"connection_init"}', messages.ConnectionInit({})),
        ('{"type":"connection_init","payload":null}', messages.ConnectionInit({})),
        ('{"type":"connection_init","payload":{"a":1}}', messages.ConnectionInit({"a": 1})),
        ('{"type":"ping"}', messages.Ping()),
        ('{"type":"pong","payload":{"a":1}}', messages.Pong()),
        ('{"type":"complete","id":"x"}', messages.Complete("x")),
    ],
)
def test_other_messages_are_read(text: str, message: messages.ClientMessage) -> None:
    assert parse_message(text) == message


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "hello",
        "[]",
        '"ping"',
        "{}",
        '{"type":1}',
        '{"type":"start","id":"1","payload":{}}',
        '{"type":"next","id":"1","payload":{}}',
        '{"type":"connection_init","payload":[]}',
        '{"type":"ping","payload":1}',
        '{"type":"complete"}',
        '{"type":"complete","id":1}',
        '{"type":"complete","id":""}',
        '{"type":"subscribe","id":"1"}',
        '{"type":"subscribe","id":"1","payload":"{ a }"}',
        '{"type":"subscribe","payload":{"query":"{ a }"}}',
        '{"type":"subscribe","id":"' + "x" * 129 + '","payload":{"query":"{ a }"}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_message_closes_the_connection(text: str | None) -> None:
    with pytest.raises(Closing) as closing:
        parse_message(text)
    assert closing.value.code.code == 4400
