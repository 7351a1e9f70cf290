"""Incremental delivery: the answer of a request whose deferred fragments come later.

GraphQL specification, draft for incremental delivery: payloads with ``pending``, ``incremental``
and ``completed``. The operation is executed as ever, in a batch of its own. Its people are parts,
and the fields of theirs that may come later are parts beside them: the same person opened once
more, over the same reads. As soon as the people are complete there is a first payload. Fragments
that are complete by then are part of it; each of the others is delivered once all of its parts are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from gateway.audit.touched import Trail
from gateway.errors import Path
from gateway.execution.batch import PlanBatch
from gateway.execution.emit import emit_increment, emit_roots, make_result
from gateway.execution.gather import Outcome
from gateway.execution.operation import Increment, Result
from gateway.execution.parts import AnswerPart, Member, PersonPart
from gateway.execution.roots import open_again, start_roots
from gateway.execution.state import ExecutionState
from gateway.plan.plan import IncrementPlan, PersonRootPlan
from gateway.plan.selection import FragmentShape
from gateway.shape.response import merge_denials, render_problem

#: What a batch returns for a request that has been answered bit by bit.
_NO_RESULT = Result(None, (), (), Trail(), {})


@dataclass(slots=True, eq=False)
class _Fields:
    """Fields of a person that are delivered together. ``path``: of the person."""

    plan: IncrementPlan
    path: Path
    part: PersonPart
    is_delivered: bool = False


@dataclass(slots=True, eq=False)
class _Fragment:
    """A deferred fragment of a person. ``id``: None until it is announced."""

    shape: FragmentShape
    path: Path
    parent: _Fragment | None
    fields: list[_Fields]
    id: str | None = None
    is_delivered: bool = False

    @property
    def remaining(self) -> list[_Fields]:
        """What is in no payload yet."""
        return [fields for fields in self.fields if not fields.is_delivered]

    @property
    def is_complete(self) -> bool:
        """Whether nothing of it has to be waited for."""
        return not _is_any_pending(fields.part for fields in self.remaining)

    @property
    def is_next(self) -> bool:
        """Whether it may be announced: the fragment around it has been delivered."""
        return self.parent is None or self.parent.is_delivered


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
    _fragments: list[_Fragment] = field(default_factory=list)
    _announced: int = 0
    _outstanding: dict[str, object] = field(default_factory=dict)
    _unsent: Increment | None = None
    _progress: asyncio.Event = field(default_factory=asyncio.Event)

    # --- the batch ----------------------------------------------------------------------------

    def start(self, batch: PlanBatch, member: Member) -> None:
        """Begin on the root fields of ``member``, and on what may be delivered later."""
        start_roots(batch, member)
        self._batch = batch
        for key, parts in member.roots.items():
            if parts is None or isinstance(parts, str):
                continue
            self._people += [part for part in parts if part is not None]
            root = batch.plan.roots[key]
            several = isinstance(root, PersonRootPlan) and root.name == "persons"
            for index, part in enumerate(parts):
                if isinstance(part, PersonPart):
                    self._add_person(batch, member, key, (key, index) if several else (key,), part)

    def _add_person(
        self, batch: PlanBatch, member: Member, key: str, path: Path, person: PersonPart
    ) -> None:
        """Add the deferred fragments of ``person``."""
        fields: dict[int, list[_Fields]] = {}
        for plan in batch.plan.increments:
            if plan.key == key:
                part = open_again(batch, person, plan.root)
                batch.add_part(part, member)
                delivered = _Fields(plan, path, part)
                for place in plan.fragments:
                    fields.setdefault(place, []).append(delivered)
        by_place: dict[int, _Fragment] = {}
        for place, shape in enumerate(batch.plan.fragments):
            if shape.key == key:
                parent = None if shape.parent is None else by_place[shape.parent]
                by_place[place] = _Fragment(shape, path, parent, fields[place])
        self._fragments += by_place.values()

    def advance(self, batch: PlanBatch) -> None:
        """Note that no step of the batch can run: something may be complete."""
        if self.first.done():
            self._progress.set()
            return
        is_complete = len(batch.live) == len(batch.plan.live) and not _is_any_pending(self._people)
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
        self._fragments = [
            each for each in self._fragments if _value_at(data, each.path) is not None
        ]
        people: dict[Path, dict[str, object]] = {}
        for fragment in self._fragments:
            if not (fragment.is_next and fragment.is_complete):
                continue
            person = people.setdefault(fragment.path, dict(_value_at(data, fragment.path) or {}))
            for fields in fragment.remaining:
                shown, used = emit_increment(
                    batch, fields.plan.root, fields.part, fields.path, member.state, used
                )
                assert isinstance(shown, dict)
                person.update(shown)
                fields.is_delivered = True
            fragment.is_delivered = True
        for path, person in people.items():
            _put(data, path, person, batch.plan.orders[str(path[0])])
        member.state.join_shortfalls()
        result = make_result(batch, member.state, data)
        self.first.set_result((result, used))

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
        while complete := [each for each in self._fragments if _may_be_delivered(each)]:
            for fragment in complete:
                for fields in fragment.remaining:
                    data, of_fields = _emit_fields(batch, state, fields)
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
        result = Result(None, errors, (), state.trail, state.states)
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


def _is_any_pending(parts: Iterable[AnswerPart]) -> bool:
    return any(part.pending for part in parts)


def _may_be_delivered(fragment: _Fragment) -> bool:
    return fragment.id is not None and not fragment.is_delivered and fragment.is_complete


def _emit_fields(
    batch: PlanBatch, state: ExecutionState, fields: _Fields
) -> tuple[object, list[dict[str, object]]]:
    """Return the data and errors of fields, and note in ``state`` who was touched."""
    data, _ = emit_increment(batch, fields.plan.root, fields.part, fields.path, state, None)
    if data is None:  # the person is shown already
        raise RuntimeError("a person was opened, and not once more")
    state.report_shortfalls()
    errors = merge_denials([render_problem(problem) for problem in state.problems])
    state.problems, state.shortfalls = [], []
    fields.is_delivered = True
    return data, errors


def _value_at(data: Mapping[str, object], path: Path) -> dict[str, object] | None:
    """Return the person at ``path``, None where they are not shown."""
    value: object = data[str(path[0])]
    if len(path) > 1 and isinstance(value, list):
        value = value[int(path[1])]
    return value if isinstance(value, dict) else None


def _put(
    data: dict[str, object], path: Path, person: Mapping[str, object], order: Iterable[str]
) -> None:
    """Put a person into ``data``, which others may show too, with the fields in their order."""
    ordered = {key: person[key] for key in order if key in person}
    key = str(path[0])
    people = data[key]
    if len(path) > 1 and isinstance(people, list):
        data[key] = [*people[: int(path[1])], ordered, *people[int(path[1]) + 1 :]]
    else:
        data[key] = ordered
