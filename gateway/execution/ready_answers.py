"""Answers that are returned again: which may be, and under which key (``gateway.cache``).

An answer is stored only if a plan made it, of rows that all came from the cache, and without an
error. Never stored: whether a database is live, an access log, a verification, and a person who has
to match. A caller who guesses must not learn from what another caller was answered.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import date

import orjson

from gateway.audit.entry import describe_touched
from gateway.audit.touched import Trail
from gateway.cache.answer_store import Used
from gateway.execution.operation import (
    ExecutableOperation,
    OperationRequest,
    ReadyAnswer,
    Result,
)
from gateway.execution.resources import ExecutionResources
from gateway.fetch.maintenance import Maintenance
from gateway.plan.plan import CheckPlan, VerifyPlan
from gateway.runtime.clock import legal_date

#: Who was touched stands in ``Result.touched``.
_NOBODY_ELSE = Trail()


def find_ready_answer(
    resources: ExecutionResources, request: OperationRequest, variables: bytes | None = None
) -> ReadyAnswer | None:
    """Return an answer that may be returned again today, None where there is none. About 3 us.

    ``variables``: those of the request as JSON, where they are known.
    """
    if not request.operation.reads_persons:
        return None
    now = resources.clock.now()
    key = _key(request, legal_date(now), variables)
    if key is None:
        return None
    owner = (resources.sources, request.published)
    answer = resources.answers.get(key, owner, now.timestamp())
    return answer if answer is not None and is_current(answer, resources.maintenance) else None


def store_ready_answer(
    resources: ExecutionResources,
    request: OperationRequest,
    executable: ExecutableOperation,
    result: Result,
    used: Sequence[Used] | None,
    today: date,
) -> None:
    """Store a result for the next request, if it may be returned again.

    ``used``: the entries of the cache that it was made of, None if anything else was used.
    ``today``: the legal date by which the rows were judged.
    """
    plan = executable.plan
    if not used or plan is None or result.errors or not result.is_repeatable or plan.live:
        return
    if any(isinstance(root, VerifyPlan | CheckPlan) for root in plan.roots.values()):
        return
    key = _key(request, today)
    if key is None:
        return
    data = orjson.dumps(result.data)
    places = {shelf.record.database: shelf.namespace for shelf, _, _, _ in used}
    touched = describe_touched(resources.person_hash, result.trail.touches(), result.states)
    answer = ReadyAnswer(
        executable.cost,
        executable.requested_fields,
        Result(
            orjson.Fragment(data),
            (),
            result.mirrored,
            _NOBODY_ELSE,
            {},
            touched,
            unidentified=result.unidentified,
        ),
        tuple(resources.sources[name] for name in places),
        tuple(places.values()),
    )
    resources.answers.keep(key, (resources.sources, request.published), answer, used, len(data))


def is_current(answer: ReadyAnswer, maintenance: Maintenance) -> bool:
    """Return whether the databases of ``answer`` would be read now, and are the same ones.

    A database in maintenance is not read. What settings say of a database stays the same for as
    long as its source exists; an agreement ends at the end of a day, which is part of the key.
    """
    for source, namespace in zip(answer.sources, answer.namespaces, strict=True):
        if source.namespace != namespace:
            return False
    if maintenance.is_clear:
        return True
    return all(
        source.certain_answer(source.database.records[0]) is None for source in answer.sources
    )


def _key(request: OperationRequest, today: date, variables: bytes | None = None) -> Hashable | None:
    """Return what tells an answer from others; None for variables nested too deep for JSON.

    Everything about the caller that decides what may be seen is part of it. About 2 us.
    """
    if variables is None:
        try:
            variables = orjson.dumps(request.variables)
        except orjson.JSONEncodeError:
            return None
    name = request.operation.name
    return (request.document.digest, name, variables, request.caller.rights, today)
