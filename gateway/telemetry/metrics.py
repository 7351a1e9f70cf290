"""Metrics of the gateway. No label has anything that a client wrote."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

#: Operations about persons that the reference executor answered, without a plan, by reason.
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
#: Operations whose cost was beyond the limit, by outcome: ``measured`` or ``refused``.
TOO_COSTLY = Counter(
    "justice_gateway_too_costly_operations",
    "Operations whose cost is beyond the limit, by outcome",
    ["outcome"],
)
#: Files of published operations, by outcome: ``published`` or ``refused``.
OPERATIONS = Gauge(
    "justice_gateway_operations",
    "Files of published operations, by outcome",
    ["outcome"],
)
#: Calls of published operations, by name and version (from the files, not from clients).
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
#: Calls that were retried because the database did not answer.
SOURCE_RETRIES = Counter(
    "justice_gateway_source_retries",
    "Calls retried because the database did not answer",
    ["database"],
)
#: Reads that databases did not answer, by the state that their lists have.
SOURCE_FAILURES = Counter(
    "justice_gateway_source_failures",
    "Reads that databases did not answer, by the state that their lists have",
    ["database", "state"],
)
#: Answers of databases that were discarded: their rows did not have the requested keys.
FOREIGN_ROWS = Counter(
    "justice_gateway_source_foreign_rows",
    "Answers of databases discarded because rows did not have the requested keys",
    ["database"],
)
#: How often rows came from another server, file or tables than before: then caches are void.
SOURCE_SWITCHES = Counter(
    "justice_gateway_source_switches",
    "How often rows came from another server, file or tables than before",
    ["database"],
)
#: 1 for each record whose table existed once and is gone: its lists are UNAVAILABLE.
TABLES_GONE = Gauge(
    "justice_gateway_source_tables_gone",
    "1 for each record whose table existed once and is gone",
    ["database", "record"],
)
#: The circuit breaker of each database: 1 at its state.
BREAKER = Gauge(
    "justice_gateway_circuit_breaker",
    "The circuit breaker of each database: 1 at its state",
    ["database", "state"],
)
#: Faults in the setup of a database, as last examined.
SOURCE_FINDINGS = Gauge(
    "justice_gateway_source_findings",
    "Faults in the setup of a database, as last examined",
    ["database"],
)
#: Events that were sent to webhooks, by outcome: once for each attempt.
WEBHOOK_DELIVERIES = Counter(
    "justice_gateway_webhook_deliveries",
    "Events sent to webhooks, by outcome, once for each attempt",
    ["outcome"],
)
#: Events that became dead letters.
WEBHOOK_DEAD_LETTERS = Counter(
    "justice_gateway_webhook_dead_letters",
    "Events that could not be delivered to a webhook",
)
#: Webhooks whose key is gone: they are sent nothing, and nobody knows whose they are.
WEBHOOKS_UNREADABLE = Gauge(
    "justice_gateway_webhooks_unreadable",
    "Webhooks that cannot be read, since their key is gone",
)
#: Reloads of the settings while the gateway runs, by outcome.
RELOADS = Counter(
    "justice_gateway_settings_reloads",
    "Reloads of the settings while the gateway runs, by outcome",
    ["outcome"],
)
