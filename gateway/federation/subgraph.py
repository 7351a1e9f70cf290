"""``/subgraph.graphql``: the schema definition that a federated graph is composed of.

Routers then ask ``_entities`` by ``/graphql``, as every client (``gateway.request``). The text has
no more than ``/schema.graphql`` and is under the same rule (decision 6).
"""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gateway.access.authenticate import CallerHeaders
from gateway.errors import GatewayError, unauthenticated
from gateway.request import authenticate_request, state_of
from gateway.schema.texts import subgraph_text
from gateway.service import Service
from gateway.shape.response import add_documentation_links, refusal_body


async def show_subgraph(request: Request) -> Response:
    """Show the definition; to callers who may introspect only, where settings say so."""
    service: Service = request.app.state.service
    resources = service.resources
    try:
        headers = CallerHeaders.read(request.headers.raw)
        caller = (await authenticate_request(service, state_of(request.scope), headers)).caller
        if not resources.settings.public_schema and caller.is_anonymous:
            raise unauthenticated("UNAUTHENTICATED")
        if not resources.settings.public_schema and not caller.may_introspect:
            raise GatewayError("INTROSPECTION_DENIED")
    except GatewayError as error:
        state_of(request.scope).codes = [error.code.name]
        body = add_documentation_links(refusal_body(error), resources.settings.documentation)
        return Response(orjson.dumps(body), error.status, error.headers, "application/json")
    return PlainTextResponse(subgraph_text(resources.schema))
