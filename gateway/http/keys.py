"""``/keys``: the public keys with which receipts are verified, as a JWK set (RFC 7517)."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.service import Service

#: How long others may keep the set, in seconds: so long a revoked key may still count for them.
_MAX_AGE = 300


async def show_keys(request: Request) -> Response:
    """Show the keys of receipts to everybody: those that sign, are retired, or are revoked."""
    service: Service = request.app.state.service
    return Response(
        orjson.dumps(service.resources.receipts.keys.jwks()),
        media_type="application/jwk-set+json",
        headers={"cache-control": f"public, max-age={_MAX_AGE}"},
    )
