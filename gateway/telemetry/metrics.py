"""What is counted. No label ever holds anything that a client wrote."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

#: Operations about persons that the reference executor answered in a plan's place, by reason.
UNPLANNED = Counter(
    "justice_gateway_unplanned_operations",
    "Operations about persons answered without a plan, by reason",
    ["reason"],
)
#: Requests, by published operation, else by route, and by status; ``closed`` where none was sent.
REQUESTS = Counter(
    "justice_gateway_requests",
    "Requests, by published operation, else by route, and by status",
    ["operation", "status"],
)
#: Seconds from a request's headers to the end of its answer, by published operation, else route.
REQUEST_SECONDS = Histogram(
    "justice_gateway_request_seconds",
    "Seconds from a request's headers to the end of its answer",
    ["operation"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
#: Refused requests, by code and by who sent them: ``known``, or ``stranger`` without a good token.
REFUSALS = Counter(
    "justice_gateway_refusals",
    "Refused requests, by code and by whether a good token was shown",
    ["code", "caller"],
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
#: Seconds that calls to databases took, failed ones too.
SOURCE_SECONDS = Histogram(
    "justice_gateway_source_seconds",
    "Seconds that calls to databases took, failed ones too",
    ["database"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
#: Calls to databases that are under way.
SOURCE_CALLS = Gauge(
    "justice_gateway_source_calls_in_flight",
    "Calls to databases that are under way",
    ["database"],
)
#: Calls that were made once more, because the database did not answer the first time.
SOURCE_RETRIES = Counter(
    "justice_gateway_source_retries",
    "Calls made once more, because the database did not answer the first time",
    ["database"],
)
#: Reads that databases did not answer, by the state that their lists have.
SOURCE_FAILURES = Counter(
    "justice_gateway_source_failures",
    "Reads that databases did not answer, by the state that their lists have",
    ["database", "state"],
)
#: Answers of databases that were thrown away: their rows did not bear the keys asked for.
FOREIGN_ROWS = Counter(
    "justice_gateway_source_foreign_rows",
    "Answers of databases thrown away, because rows did not bear the keys that were asked for",
    ["database"],
)
#: How often rows came from another server, file or tables than those before: caches began anew.
SOURCE_SWITCHES = Counter(
    "justice_gateway_source_switches",
    "How often rows came from another server, file or tables than those before",
    ["database"],
)
#: 1 for each record whose table was there once and is gone: its lists are UNAVAILABLE.
TABLES_GONE = Gauge(
    "justice_gateway_source_tables_gone",
    "1 for each record whose table was there once and is gone",
    ["database", "record"],
)
#: Whether a database is asked: 1 at the state in which its breaker is.
BREAKER = Gauge(
    "justice_gateway_circuit_breaker",
    "Whether a database is asked: 1 at the state in which its breaker is",
    ["database", "state"],
)
#: Things that are wrong with how a database is set up, as they were last looked at.
SOURCE_FINDINGS = Gauge(
    "justice_gateway_source_findings",
    "Things that are wrong with how a database is set up, as they were last looked at",
    ["database"],
)
#: Settings read again while the gateway runs, by what came of them.
RELOADS = Counter(
    "justice_gateway_settings_reloads",
    "Settings read again while the gateway runs, by what came of them",
    ["outcome"],
)
