"""``/openapi.json``: what is published, for each client its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib.metadata import version

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.access.caller import Caller
from gateway.errors import GatewayError, unauthenticated
from gateway.http.probes import authenticate_page, error_response
from gateway.operations.library import OperationSet
from gateway.operations.openapi import openapi, read_personas
from gateway.operations.operation import PublishedOperation
from gateway.service import Service

#: Cached documents: one for each set of operations that a client may call.
_MAX_DOCUMENTS = 100


class OpenApi:
    """The endpoint. Documents are kept until other operations are published."""

    def __init__(self) -> None:
        self._operations = OperationSet()
        self._documents: dict[tuple[PublishedOperation, ...], bytes] = {}

    async def respond(self, request: Request) -> Response:
        """Show the operations that the caller may call; everything to everybody in public."""
        service: Service = request.app.state.service
        try:
            caller = await authenticate_page(request)
            shown = _shown(service, caller)
        except GatewayError as error:
            return error_response(request, error)
        content = self._cached(service.operations.current, shown)
        if content is None:
            content = await asyncio.to_thread(_document, service, shown)
            self._documents[shown] = content
        headers = {"cache-control": "no-store", "vary": "Authorization"}
        return Response(content, media_type="application/json", headers=headers)

    def _cached(
        self, operations: OperationSet, shown: tuple[PublishedOperation, ...]
    ) -> bytes | None:
        if operations is not self._operations or len(self._documents) >= _MAX_DOCUMENTS:
            self._operations = operations
            self._documents.clear()
        return self._documents.get(shown)


def _shown(service: Service, caller: Caller) -> tuple[PublishedOperation, ...]:
    published = service.operations.all()
    if not caller.is_anonymous:
        return tuple(
            operation for operation in published if caller.client in operation.header.clients
        )
    if not service.resources.settings.operations.public_catalogue:
        raise unauthenticated("UNAUTHENTICATED")
    return published


def _document(service: Service, shown: Sequence[PublishedOperation]) -> bytes:
    personas = read_personas(service.resources.settings)
    document = openapi(
        service.resources.schema, shown, personas=personas, version=version("justice-gateway")
    )
    return orjson.dumps(document)
