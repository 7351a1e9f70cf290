"""``/keys``: the public keys of receipts and of webhooks, as a JWK set (RFC 7517).

Those of receipts are for ``EdDSA``, those of webhooks for ``Ed25519`` (RFC 9864): what is signed
with one of them is never taken for the other.
"""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gateway.changes.webhooks.signature import ALGORITHM
from gateway.execution.resources import ExecutionResources
from gateway.receipts.keys import ReceiptKeys
from gateway.service import Service

#: How long others may keep the set, in seconds: so long a revoked key may still count for them.
_MAX_AGE = 300


async def show_keys(request: Request) -> Response:
    """Show public keys to everybody: those that sign, are retired, or are revoked."""
    service: Service = request.app.state.service
    resources = service.resources
    keys = [*resources.receipts.keys.jwks()["keys"], *_keys_of_webhooks(resources)]
    return Response(
        orjson.dumps({"keys": keys}),
        media_type="application/jwk-set+json",
        headers={"cache-control": f"public, max-age={_MAX_AGE}"},
    )


def _keys_of_webhooks(resources: ExecutionResources) -> list[dict[str, object]]:
    """Return the keys of webhooks; none where settings do not enable them."""
    if resources.webhooks is None:
        return []
    published = ReceiptKeys.of_ring(resources.webhooks.signer.ring).jwks()
    return [{**key, "alg": ALGORITHM} for key in published["keys"]]
