"""Answers that need not be made again (``gateway.cache.answer_store``): which, and under what key.

Only what a plan made of rows that all came from the cache, without anything that went wrong, and
without what is asked anew every time: whether a database is there, an access log, a verification,
a person who has to match. Who guesses must not be told by what somebody else was answered.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import orjson

from gateway.access.caller import Caller
from gateway.answer import State
from gateway.audit.entry import TouchedPeople, describe_touched
from gateway.audit.touched import Trail
from gateway.execution.prepared_request import Asked, Ready
from gateway.execution.resources import ExecutionResources
from gateway.execution.waves import Ran
from gateway.fetch.maintenance import Maintenance
from gateway.fetch.reads import Reads
from gateway.fetch.source import Source
from gateway.operations.operation import Published
from gateway.plan.compile import SelectedOperation
from gateway.plan.plan import VerifyPlan


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer as it was made, and what by. ``data``: its bytes. ``sources``: of its rows.

    ``namespaces``: where the rows were kept: their sources may have moved on to others.
    """

    chosen: SelectedOperation
    made: Ready
    data: orjson.Fragment
    mirrored: Sequence[Mapping[str, object]]
    trail: Trail
    states: Mapping[str, State]
    touched: TouchedPeople
    sources: tuple[Source, ...]
    namespaces: tuple[str, ...]

    def may_be_asked(self, maintenance: Maintenance) -> bool:
        """Say whether its databases would be asked now, and are those that they were.

        In maintenance they have nothing to say. What settings say of a database stays as it is as
        long as the sources do; the day on which an agreement ends is another day.
        """
        if any(
            source.namespace != namespace
            for source, namespace in zip(self.sources, self.namespaces, strict=True)
        ):
            return False
        if maintenance.is_clear:
            return True
        return all(one.unasked(one.database.records[0]) is None for one in self.sources)


def _key(
    document: str,
    operation: str | None,
    given: Mapping[str, object] | None,
    caller: Caller,
    today: date,
) -> Hashable | None:
    """Return what tells an answer from others; None for variables that JSON cannot nest so deep.

    ``document``: its digest; ``today``: a legal date. Of the caller counts all that decides what
    may be seen. Costs 2 us.
    """
    try:
        return (document, operation, orjson.dumps(given), caller.rights, today)
    except orjson.JSONEncodeError:
        return None


def recall(
    resources: ExecutionResources,
    document: str,
    operation: str | None,
    given: Mapping[str, object] | None,
    caller: Caller,
    today: date,
    published: Published | None,
) -> Remembered | None:
    """Return an answer that may be given again ``today``. Costs some 5 us.

    ``document``: its digest. ``given``: variables as they came, not judged yet.
    """
    key = _key(document, operation, given, caller, today)
    if key is None:
        return None
    now = resources.clock.now().timestamp()
    found = resources.answers.get(key, (resources.sources, published), now)
    return found if found is not None and found.may_be_asked(resources.maintenance) else None


def remember(
    resources: ExecutionResources, asked: Asked, made: Ready, ran: Ran, reads: Reads, today: date
) -> None:
    """Keep an answer for the next time, if it is one of those that may be kept.

    ``today``: the legal date by which it was made.
    """
    used, plan = reads.used, made.plan
    if not used or plan is None or ran.problems or ran.looked or ran.matched or plan.live:
        return
    if any(isinstance(root, VerifyPlan) for root in plan.roots.values()):
        return
    chosen = asked.chosen
    key = _key(chosen.document.digest, chosen.operation.name, asked.given, asked.caller, today)
    if key is None:
        return
    data = orjson.dumps(ran.data)
    places = {shelf.record.database: shelf.namespace for shelf, _, _, _ in used}
    value = Remembered(
        chosen,
        made,
        orjson.Fragment(data),
        ran.mirrored,
        ran.trail,
        ran.states,
        describe_touched(resources.person_hash, ran.trail.touches(), ran.states),
        tuple(resources.sources[name] for name in places),
        tuple(places.values()),
    )
    resources.answers.keep(key, (resources.sources, asked.published), value, used, len(data))
