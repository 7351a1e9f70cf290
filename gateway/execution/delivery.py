"""One answer of a subscription, on its way through ``gateway.request.handle``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphql import OperationType

from gateway.access.caller import Caller
from gateway.plan.document import Operation


@dataclass(slots=True)
class Delivery:
    """One answer for a door that can send several.

    ``after``: the cursor of the answer before, None: as the operation says. ``admit``: called with
    the caller of a subscription once it is permitted; raises GatewayError where there are too many.

    The way of the request leaves here what the door needs for the next one: ``is_subscription``:
    there is a next one. ``cursor``: where it begins; None: this one failed. ``events``: how many
    there are in this one. ``has_more``: there are more already. ``listens_to``: the numbers under
    which events concern the caller.
    """

    after: str | None
    admit: Callable[[Caller], None]
    is_subscription: bool = False
    cursor: str | None = None
    events: int = 0
    has_more: bool = False
    listens_to: frozenset[str] = frozenset()

    def begin(self, caller: Caller, operation: Operation) -> None:
        """Note what is answered, and to whom; raises what ``admit`` raises."""
        if operation.kind is OperationType.SUBSCRIPTION:
            self.is_subscription = True
            self.admit(caller)
