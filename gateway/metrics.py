"""What is counted. No label ever holds anything that a client wrote."""

from __future__ import annotations

from prometheus_client import Counter

#: Operations about persons that the reference executor answered in a plan's place, by reason.
UNPLANNED = Counter(
    "justice_gateway_unplanned_operations",
    "Operations about persons answered without a plan, by reason",
    ["reason"],
)
#: Operations whose cost was beyond the limit, by what came of it: ``measured`` or ``refused``.
TOO_COSTLY = Counter(
    "justice_gateway_too_costly_operations",
    "Operations whose cost is beyond the limit, by what came of it",
    ["outcome"],
)
