"""Denials: the fields of a plan that would be null whatever is stored, and why.

A scope or the purpose is missing, or protection withholds them. No database is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.access.caller import Caller
from gateway.answer import State
from gateway.catalogue.own_view import is_own_view
from gateway.plan.plan import (
    CheckPlan,
    ListPlan,
    LookupPlan,
    PersonPlan,
    Plan,
    VerifyPlan,
    person_roots,
)
from gateway.plan.selection import FieldPlace
from gateway.protection.rules import is_withheld


@dataclass(frozen=True, slots=True)
class DeniedField:
    """A field that would be null.

    ``path``: from the root, with dots. ``missing``: of DENIED. ``line``: in the document, from 1.
    """

    path: str
    state: State
    missing: tuple[str, ...]
    line: int


def find_denials(plan: Plan, caller: Caller) -> Iterator[DeniedField]:
    """Yield the fields of ``plan`` that are null for ``caller``, for whom it was made."""
    for key, root in plan.roots.items():
        if isinstance(root, VerifyPlan | CheckPlan) and root.denied:
            yield _denial((), root.place, root.denied)
        if isinstance(root, LookupPlan):
            if root.denied:
                yield _denial((), root.place, root.denied)
            else:
                yield from _of_list(root.list, (), caller)
        for opened in person_roots(root):
            if opened.name == "me" and caller.citizen is None:
                yield _denial((), opened.place, ("me",))
            elif opened.name != "me" and not caller.may_name_persons:
                yield _denial((), opened.place, ("<database>:read",))
            else:
                yield from _of_person(opened.person, (key,), caller)


def _of_person(plan: PersonPlan, path: Sequence[str], caller: Caller) -> Iterator[DeniedField]:
    for list_plan in plan.lists:
        yield from _of_list(list_plan, path, caller)
    for derived in plan.derived:
        if derived.denied:
            yield _denial(path, derived.place, derived.denied)
    for log in plan.logs:
        if not plan.is_own_view and (missing := caller.missing_for_access_log()):
            yield _denial(path, log.place, missing)
    for timeline in plan.timelines:
        if not plan.is_own_view and (missing := caller.missing_for_timeline()):
            yield _denial(path, timeline.place, missing)


def _denial(
    above: Sequence[str], place: FieldPlace, missing: tuple[str, ...], state: State = State.DENIED
) -> DeniedField:
    return DeniedField(".".join((*above, *place.steps)), state, missing, place.locations[0]["line"])


def _of_list(plan: ListPlan, above: Sequence[str], caller: Caller) -> Iterator[DeniedField]:
    """Yield what is denied in a list; ``above``: the path of its person or row."""
    if plan.denied:
        yield _denial(above, plan.place, plan.denied)
        return
    if is_withheld(plan.read.record, caller, is_own_view(plan.open_up_to)):
        yield _denial(above, plan.place, (), State.WITHHELD)
        return
    for rows in plan.rows:
        list_path = (*above, *plan.place.steps, rows.key)
        for denial in rows.denials:
            yield _denial(list_path, denial.place, denial.missing)
        for link in rows.links:
            yield from _of_person(link.person, (*list_path, *link.place.steps), caller)
        for child in rows.child_lists:
            yield from _of_list(child.list, list_path, caller)
