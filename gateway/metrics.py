"""What is counted. No label ever holds anything that a client wrote."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

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
#: Files of published operations, by what came of them: ``published`` or ``refused``.
OPERATIONS = Gauge(
    "justice_gateway_operations",
    "Files of published operations, by what came of them",
    ["outcome"],
)
#: Calls of published operations, by name and version (words of ours, from the files).
OPERATIONS_CALLED = Counter(
    "justice_gateway_operation_calls",
    "Calls of published operations",
    ["operation"],
)
