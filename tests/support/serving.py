"""Gateways for many small tests: each its own, over a schema that is built once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
from graphql import GraphQLSchema
from starlette.types import ASGIApp

from connectors.description import Database
from gateway.schema.build import build_schema
from tests.support.running import Running, running


@cache
def _built(databases: tuple[Database, ...]) -> GraphQLSchema:
    return build_schema(databases)


def _build_once(databases: Iterable[Database]) -> GraphQLSchema:
    return _built(tuple(databases))


@asynccontextmanager
async def serving(folder: Path, **settings: Any) -> AsyncIterator[Running]:
    """Run a gateway like ``running``.

    Building the schema is a pure function and takes most of the start: the same databases have it
    built once a process.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.app.build_schema", _build_once)
        async with running(folder, **settings) as started:
            yield started


def application(gateway: Running) -> ASGIApp:
    """Return the application behind a running gateway's client."""
    transport = gateway.client._transport
    assert isinstance(transport, httpx2.ASGITransport)
    return transport.app  # type: ignore[return-value]
