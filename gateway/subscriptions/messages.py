"""The messages of the protocol ``graphql-transport-ws``, read and written.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md, "Message types".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.errors import GatewayError
from gateway.execution.parameters import Parameters, parse_parameters

SUBPROTOCOL = "graphql-transport-ws"
#: Characters of the id of an operation: clients send a number, or a UUID.
_ID = 128


@dataclass(frozen=True, slots=True)
class CloseCode:
    """Why a connection is closed: the code of RFC 6455 or of the protocol, and its reason."""

    code: int
    reason: str


GOING_AWAY = CloseCode(1001, "the gateway stops: connect again")
TRY_AGAIN_LATER = CloseCode(1013, "try again later")
TOO_SLOW = CloseCode(4008, "SUBSCRIBER_TOO_SLOW")
BAD_MESSAGE = CloseCode(4400, "this is no message of graphql-transport-ws")
UNAUTHORIZED = CloseCode(4401, "Unauthorized")
FORBIDDEN = CloseCode(4403, "Forbidden")
BAD_SUBPROTOCOL = CloseCode(4406, "Subprotocol not acceptable")
INIT_TIMEOUT = CloseCode(4408, "Connection initialisation timeout")
DUPLICATE_ID = CloseCode(4409, "Subscriber for this id already exists")
TOO_MANY_INITS = CloseCode(4429, "Too many initialisation requests")
DEFECT = CloseCode(4500, "Internal server error")


class Closing(Exception):
    """Ends a connection, with the close code that its client is sent."""

    def __init__(self, code: CloseCode) -> None:
        self.code = code
        super().__init__(code.reason)


@dataclass(frozen=True, slots=True)
class ConnectionInit:
    """The first message. ``payload``: what the client says of itself."""

    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Subscribe:
    """An operation of any kind. ``refusal``: why its parameters are not well-formed.

    ``size``: bytes of the message.
    """

    id: str
    size: int
    parameters: Parameters | None
    refusal: GatewayError | None = None


@dataclass(frozen=True, slots=True)
class Complete:
    """The client wants no more of an operation."""

    id: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks for a Pong."""


@dataclass(frozen=True, slots=True)
class Pong:
    """Answers a Ping, or says unasked that the client is there."""


ClientMessage = ConnectionInit | Subscribe | Complete | Ping | Pong


def parse_message(text: str | None) -> ClientMessage:
    """Return a message of a client; raises Closing 4400 for what is none.

    ``text``: None for a message of bytes, which the protocol does not have.
    """
    try:
        message = orjson.loads(text if text is not None else b"")
    except orjson.JSONDecodeError:
        raise Closing(BAD_MESSAGE) from None
    if not isinstance(message, dict):
        raise Closing(BAD_MESSAGE)
    payload = message.get("payload")
    match message.get("type"):
        case "connection_init" if payload is None or isinstance(payload, dict):
            return ConnectionInit(payload or {})
        case "subscribe" if isinstance(payload, dict):
            return _parse_subscribe(_parse_id(message), len((text or "").encode()), payload)
        case "complete":
            return Complete(_parse_id(message))
        case "ping" if payload is None or isinstance(payload, dict):
            return Ping()
        case "pong" if payload is None or isinstance(payload, dict):
            return Pong()
    raise Closing(BAD_MESSAGE)


def _parse_id(message: Mapping[str, Any]) -> str:
    operation_id = message.get("id")
    if not isinstance(operation_id, str) or not 0 < len(operation_id) <= _ID:
        raise Closing(BAD_MESSAGE)
    return operation_id


def _parse_subscribe(operation_id: str, size: int, payload: Mapping[str, Any]) -> Subscribe:
    try:
        return Subscribe(operation_id, size, parse_parameters(payload, in_url=False))
    except GatewayError as error:
        return Subscribe(operation_id, size, None, error)


#: The answer to a ConnectionInit.
ACK = '{"type":"connection_ack"}'
PONG = '{"type":"pong"}'


def encode_next(operation_id: str, body: Mapping[str, object]) -> str:
    """Return the message with a result of an operation."""
    return orjson.dumps({"id": operation_id, "type": "next", "payload": body}).decode()


def encode_error(operation_id: str, body: Mapping[str, object]) -> str:
    """Return the message that ends an operation with the errors of ``body``."""
    message = {"id": operation_id, "type": "error", "payload": body["errors"]}
    return orjson.dumps(message).decode()


def encode_complete(operation_id: str) -> str:
    """Return the message after the last result of an operation."""
    return orjson.dumps({"id": operation_id, "type": "complete"}).decode()
