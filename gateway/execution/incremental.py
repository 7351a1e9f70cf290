"""Incremental delivery: the answer of a request whose deferred fragments come later.

GraphQL specification, draft for incremental delivery: payloads with ``pending``, ``incremental``
and ``completed``. The operation is executed as ever, in a batch of its own. Its people are parts,
and the fields of theirs that may come later are parts beside them: the same person opened once
more, over the same reads. A deferred root field has parts of its own in any case. As soon as the
root fields that are not deferred are complete there is a first payload. Fragments that are complete
by then are part of it; each of the others is delivered once all of its parts are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from gateway.audit.touched import Trail
from gateway.errors import Path
from gateway.execution.batch import PlanBatch
from gateway.execution.deferred_fragments import (
    FieldDelivery,
    FragmentDelivery,
    emit_deferred_fields,
    emit_deferred_root,
    emit_later,
    is_any_pending,
    is_hidden,
    put_fields,
    set_apart,
)
from gateway.execution.emit import emit_roots, make_result
from gateway.execution.gather import Outcome
from gateway.execution.operation import Increment, Result
from gateway.execution.parts import AnswerPart, Member, PersonPart
from gateway.execution.roots import open_again, start_root
from gateway.execution.state import ExecutionState
from gateway.plan.plan import PersonRootPlan

#: What a batch returns for a request that has been answered bit by bit.
_NO_RESULT = Result(None, (), (), Trail(), {})


@dataclass(slots=True, eq=False)
class IncrementalExecution:
    """The payloads of one request; belongs to one event loop.

    The batch calls ``start``, ``advance`` and ``emit``; whoever sends the payloads calls the rest.
    ``first``: the result of the first payload, and the entries of the cache that it was made of.
    ``execution``: the batch, for the request that waits for it. ``_outstanding``: the paths of the
    fragments that the client was told and waits for, by id; ``_unsent``: what it was not told yet.
    """

    first: asyncio.Future[Outcome]
    execution: asyncio.Task[Outcome] | None = None
    _batch: PlanBatch | None = None
    _people: list[AnswerPart] = field(default_factory=list)
    _fragments: list[FragmentDelivery] = field(default_factory=list)
    _announced: int = 0
    _outstanding: dict[str, object] = field(default_factory=dict)
    _unsent: Increment | None = None
    _progress: asyncio.Event = field(default_factory=asyncio.Event)

    # --- the batch ----------------------------------------------------------------------------

    def start(self, batch: PlanBatch, member: Member) -> None:
        """Begin on the root fields of ``member``, and on what may be delivered later.

        Whoever is named counts in the order of the document, deferred or not.
        """
        self._batch = batch
        plan, of_query, named = batch.plan, self._add_fragments(batch, (), (), {}), 0
        for key, root in plan.roots.items():
            places = plan.deferred_roots.get(key, ())
            holder = set_apart(member) if places else member
            holder.state.named = named
            parts = start_root(batch, holder, key, root, member)
            named = holder.state.named
            shown = [part for part in parts if part is not None]
            if places:
                deferred = FieldDelivery((), shown, partial(emit_deferred_root, batch, holder))
                for place in places:
                    of_query[place].fields.append(deferred)
            else:
                self._people += shown
            several = isinstance(root, PersonRootPlan) and root.name == "persons"
            for index, part in enumerate(parts):
                if isinstance(part, PersonPart):
                    path: Path = (key, index) if several else (key,)
                    self._add_person(batch, member, path, part, of_query)

    def _add_person(
        self,
        batch: PlanBatch,
        member: Member,
        path: Path,
        person: PersonPart,
        around: Mapping[int, FragmentDelivery],
    ) -> None:
        """Add the deferred fragments of ``person`` and their sections; ``around``: of the query."""
        key = str(path[0])
        fragments = self._add_fragments(batch, (key,), path, around)
        for plan in batch.plan.increments:
            if plan.path[0] == key:
                part = open_again(batch, person, plan.root)
                batch.add_part(part, member)
                section = plan.path[1:]
                emit = partial(emit_deferred_fields, batch, plan.root, part, path, section)
                delivered = FieldDelivery((*path, *section), (part,), emit)
                for place in plan.fragments:
                    fragments[place].fields.append(delivered)

    def _add_fragments(
        self,
        batch: PlanBatch,
        above: tuple[str, ...],
        path: Path,
        around: Mapping[int, FragmentDelivery],
    ) -> dict[int, FragmentDelivery]:
        """Return fragments by their place: ``around``, and those of an object, which are added.

        ``above``, ``path``: of the object, without and with its place in a list. Of people, those
        of their sections are added too.
        """
        fragments = dict(around)
        for place, shape in enumerate(batch.plan.fragments):
            if shape.path[:1] == above:
                parent = None if shape.parent is None else fragments[shape.parent]
                fragments[place] = FragmentDelivery(shape, (*path, *shape.path[1:]), parent)
                self._fragments.append(fragments[place])
        return fragments

    def advance(self, batch: PlanBatch) -> None:
        """Note that no step of the batch can run: something may be complete."""
        if self.first.done():
            self._progress.set()
            return
        is_complete = len(batch.live) == len(batch.plan.live) and not is_any_pending(self._people)
        # What is in the cache is as good as complete, and is looked up when it is sent for.
        if is_complete and not batch.reads.send_queued():
            self._emit_first(batch, batch.members[0])

    def emit(self, batch: PlanBatch, member: Member) -> Outcome:
        """Note that all is complete; return what the batch is to return."""
        if not self.first.done():
            self._emit_first(batch, member)
        self._progress.set()
        return _NO_RESULT, None

    def _emit_first(self, batch: PlanBatch, member: Member) -> None:
        """Make the result of the first payload, with all fragments that are complete."""
        data, used = emit_roots(batch, member)
        self._drop_hidden(data)
        for fragment in tuple(self._fragments):
            if fragment not in self._fragments or not (fragment.is_next and fragment.is_complete):
                continue
            for fields in fragment.remaining:
                shown, used = fields.emit(member.state, used)
                put_fields(data, fields.path, shown, batch.plan.orders)
                fields.is_delivered = True
                if not fields.path:
                    self._drop_hidden(shown)
            fragment.is_delivered = True
        member.state.join_shortfalls()
        result = make_result(batch, member.state, data)
        self.first.set_result((result, used))

    def _drop_hidden(self, data: Mapping[str, object]) -> None:
        """Drop the fragments of people who are not shown, at the root fields of ``data``."""
        self._fragments = [
            fragment for fragment in self._fragments if not is_hidden(data, fragment.path)
        ]

    # --- who sends the payloads ---------------------------------------------------------------

    @property
    def is_complete(self) -> bool:
        """Whether everything has been delivered."""
        return all(fragment.is_delivered for fragment in self._fragments)

    def announce(self) -> list[dict[str, object]]:
        """Return the fragments that are to come after the first payload, as ``pending``."""
        pending = self._announce()
        self._outstanding = {str(shown["id"]): shown["path"] for shown in pending}
        return pending

    def _announce(self) -> list[dict[str, object]]:
        """Return the fragments that may be announced, as ``pending`` shows them."""
        pending = []
        for fragment in self._fragments:
            if fragment.id is None and not fragment.is_delivered and fragment.is_next:
                fragment.id = str(self._announced)
                self._announced += 1
                shown: dict[str, object] = {"id": fragment.id, "path": list(fragment.path)}
                if fragment.shape.label is not None:
                    shown["label"] = fragment.shape.label
                pending.append(shown)
        return pending

    async def next(self) -> Increment:
        """Wait for fragments to be complete and return them, with all that are by then.

        What was returned before has been sent. Raises what the batch raises, and CancelledError
        once it is ended.
        """
        self._note_sent()
        while True:
            self._progress.clear()
            increment = self._take()
            if increment is not None:
                self._unsent = increment
                return increment
            assert self.execution is not None
            if self.execution.done():
                self.execution.result()
                raise RuntimeError("fragments were never complete")
            await self._progress.wait()

    def _take(self) -> Increment | None:
        """Return the announced fragments that are complete, None where none is."""
        batch = self._batch
        assert batch is not None
        state = ExecutionState(batch.limits)
        pending: list[dict[str, object]] = []
        incremental: list[dict[str, object]] = []
        completed: list[dict[str, object]] = []
        errors: list[dict[str, object]] = []
        while complete := [fragment for fragment in self._fragments if fragment.is_due]:
            for fragment in complete:
                for fields in fragment.remaining:
                    data, of_fields = emit_later(state, fields)
                    if not fields.path:
                        self._drop_hidden(data)
                    shown: dict[str, object] = {"id": fragment.id, "data": data}
                    if of_fields:
                        shown["errors"] = of_fields
                        errors += of_fields
                    incremental.append(shown)
                fragment.is_delivered = True
                completed.append({"id": fragment.id})
            pending += self._announce()
        if not completed:
            return None
        result = Result(
            None,
            errors,
            state.mirrored,
            state.trail,
            state.states,
            unidentified=state.count_unidentified(),
        )
        return Increment(pending, incremental, completed, not self.is_complete, result)

    def fail(self, error: dict[str, object]) -> dict[str, object]:
        """Return the last payload, in which all fragments to come fail with ``error``.

        The error has the path of its fragment.
        """
        completed = [
            {"id": place, "errors": [{**error, "path": path}]}
            for place, path in self._outstanding.items()
        ]
        return {"completed": completed, "hasNext": False}

    @contextmanager
    def when_executed(self, action: Callable[[], None]) -> Iterator[None]:
        """Call ``action`` once the batch has ended, if the context lasts until then.

        It does so only where something in it is waited for.
        """
        execution, is_entered = self.execution, True
        assert execution is not None

        def act(_: asyncio.Task[Outcome]) -> None:
            if is_entered:
                action()

        execution.add_done_callback(act)
        try:
            yield
        finally:
            is_entered = False
            execution.remove_done_callback(act)

    def _note_sent(self) -> None:
        """Note that the client has what was returned last."""
        if self._unsent is None:
            return
        for shown in self._unsent.pending:
            self._outstanding[str(shown["id"])] = shown["path"]
        for shown in self._unsent.completed:
            del self._outstanding[str(shown["id"])]
        self._unsent = None

    def close(self) -> None:
        """End the batch, if it is under way."""
        if self.execution is not None:
            self.execution.cancel()
        self._batch = None
        self._people.clear()
        self._fragments.clear()

    def wake_up(self, execution: asyncio.Task[Outcome]) -> None:
        """Note that the batch has ended, or has failed, whether or not anybody still waits."""
        if not execution.cancelled():
            execution.exception()
        self._progress.set()
