"""The names of scopes: a database, optionally one of its records, and a level of sensitivity.

Design section 7: ``civil_status:read``, ``civil_status.births:sensitive``. One level does not
include another: ``read`` is for PUBLIC and BASIC fields.
"""

from __future__ import annotations

from functools import lru_cache

from connectors.description import Sensitivity

#: The scope of a citizen who sees their own view.
OWN_VIEW = "me"
#: The scope that permits introspection.
INTROSPECT = "introspect"
#: The scope that shows how an operation is planned and what it may cost.
PLANS = "plans"
#: The scope of auditors, who read the access logs of others.
AUDIT = "audit:read"
#: The scope of monitoring, which reads metrics.
METRICS = "metrics:read"

#: The scope of statistics, which name nobody.
STATISTICS = "statistics"

#: The scope of operators, who invalidate caches and switch maintenance.
OPERATE = "operate"
#: The suffix for the owner of a database, who invalidates its rows: ``notary:invalidate``.
INVALIDATE = "invalidate"

#: The suffixes of scopes that permit to read something.
_READING = (":read", ":sensitive", ":restricted", ":find", ":verify", ":check")
_ACTIONS = {
    Sensitivity.PUBLIC: "read",
    Sensitivity.BASIC: "read",
    Sensitivity.SENSITIVE: "sensitive",
    Sensitivity.RESTRICTED: "restricted",
}


def scope(where: str, sensitivity: Sensitivity) -> str:
    """Return the scope for fields of ``sensitivity``; ``where``: ``database[.record]``."""
    return f"{where}:{_ACTIONS[sensitivity]}"


@lru_cache(maxsize=1_000)
def permits_something(scopes: frozenset[str]) -> bool:
    """Say whether any of ``scopes`` is the gateway's; issuers grant others too."""
    without_database = {OWN_VIEW, INTROSPECT, PLANS, OPERATE, STATISTICS}
    return any(scope in without_database or scope.endswith(_READING) for scope in scopes)
