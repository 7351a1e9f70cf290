"""Requests that are repeated byte for byte: what parsing them gave is kept.

A client that asks the same again sends the same body. Where its answer was ready, its next copy is
neither parsed nor hashed. All that is decided about a request is decided again: the token, rates,
permission, and whether the answer may still be returned.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import orjson

from gateway.execution.fair_cache import FairCache
from gateway.execution.parameters import Parameters, ReceivedRequest
from gateway.plan.document import Document

#: Requests that are kept, and bytes of them, estimated. A client may have a quarter of both.
_MOST, _ROOM = 10_000, 16 * 2**20
#: Bytes of a kept request beside its body and what is parsed of it.
_REQUEST = 3_000


@dataclass(frozen=True, slots=True)
class RepeatedRequest:
    """What parsing a body gave.

    ``document``: None where a published operation is called: which one decides its library.
    ``variables``: as JSON.
    """

    parameters: Parameters
    document: Document | None
    variables: bytes


class RepeatedRequests:
    """Keeps requests by the rights of their callers, the operation that they name, and the body.

    A body is found by callers of the same rights only. What is kept depends on the body alone, so
    this is one more line of defence, and keeps clients from learning what others ask by time.
    """

    def __init__(self) -> None:
        self._requests: FairCache[Hashable, RepeatedRequest] = FairCache(_MOST, _ROOM)

    def find(self, rights: Hashable | None, received: ReceivedRequest) -> RepeatedRequest | None:
        """Return what parsing ``received`` gave; None where it is not known. Costs 1 us.

        ``rights``: of the caller as the request states its purpose; None where that is refused.
        """
        if rights is None or received.body is None:
            return None
        return self._requests.get((rights, received.operation, received.body))

    def keep(
        self,
        rights: Hashable | None,
        client: str | None,
        received: ReceivedRequest,
        parameters: Parameters,
        document: Document,
    ) -> None:
        """Keep what parsing a request of ``client`` gave."""
        if rights is None or received.body is None:
            return
        request = RepeatedRequest(
            parameters,
            None if parameters.published is not None else document,
            orjson.dumps(parameters.variables),
        )
        weight = 3 * len(received.body) + _REQUEST
        key = (rights, received.operation, received.body)
        self._requests.store(key, request, weight, client)
