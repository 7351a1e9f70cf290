"""A plan as readable text: what is read, in which waves, at what cost, and what is denied.

People read it on the command line and in ``extensions.plan``; tests compare plans by it. Nothing in
it depends on what is stored.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.description import Sensitivity
from gateway.catalogue.entities import ENTITY_ROOTS, REPRESENTATIONS
from gateway.catalogue.own_view import is_open, is_own_view
from gateway.catalogue.permitted import scope_of
from gateway.catalogue.sections import MOST_LINKED
from gateway.derived.view import DerivedView
from gateway.people.entities import all_must_match
from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.list_arguments import ListArguments
from gateway.plan.plan import (
    AccessLogPlan,
    CheckPlan,
    ListPlan,
    LookupPlan,
    PersonLinkPlan,
    PersonPlan,
    PersonRootPlan,
    Plan,
    TimelinePlan,
    VerifyPlan,
    person_roots,
)
from gateway.plan.timeline_arguments import TimelineArguments

_CHECK_TEXT = "the people of the case, and what the procedure's rules ask for, past the cache"
_RECEIPT_TEXT = "the case of the receipt"
_CASES_TEXT = "each of the cases"
_RESOLVE_TEXT = "whose number it is: 3 reads of population, more if it is an earlier one"
_NUMBERS = "the person's numbers"
_MATCHING_TEXT = "what is given must agree with population first"
_ORGANISATION_TEXT = "an organisation, by its code as written; a citizen ID is resolved first"


@dataclass(frozen=True, slots=True)
class _Read:
    """One read. ``wave``: from 1. ``path``: of the field in the answer. ``text``: what is read."""

    wave: int
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class _Denied:
    """One field that is denied. ``missing``: scopes and purposes, in a text."""

    path: str
    missing: str


_Line = _Read | _Denied


def explain_plan_lines(
    name: str | None,
    plan: Plan,
    arguments: Sequence[object],
    cost: int,
    rendering: Container[str] = (),
) -> list[str]:
    """Return the lines of the text for the operation called ``name``.

    ``arguments``: ``plan.dynamic``, coerced, slot by slot. ``cost``: the upper bound.
    ``rendering``: the databases that write rows as JSON where they can.
    """
    lines = list(_Explainer(arguments, rendering).explain_roots(plan))
    reads = [line for line in lines if isinstance(line, _Read)]
    width = max((len(line.path) for line in lines), default=0)
    text = [f"query {name or '(without a name)'}: cost at most {cost:,}"]
    for wave in sorted({line.wave for line in reads}):
        text.append(f"wave {wave}")
        text += [f"  {line.path:<{width}}  {line.text}" for line in reads if line.wave == wave]
    denied = dict.fromkeys(line for line in lines if isinstance(line, _Denied))
    if denied:
        text.append("denied")
        text += [f"  {line.path:<{width}}  lacks {line.missing}" for line in denied]
    text += _unplanned(plan)
    text.append("scopes, except for what is the citizen's own")
    return text + _scopes(plan)


def _unplanned(plan: Plan) -> Iterator[str]:
    """Yield what no wave shows: live states, and root fields that have no plan."""
    if plan.live:
        yield f"asked whether they answer now: {', '.join(sorted(plan.live))}"
    keys = [key for key in plan.keys if key not in plan.roots]
    if keys:
        yield f"field by field, beside the plan: {', '.join(keys)}"


def _scopes(plan: Plan) -> list[str]:
    """Return for each scope whether it is granted, and the records that need it."""
    needed: dict[str, list[str]] = {}
    lacking: set[str] = set()
    for record, position, missing in plan.permitted:
        scope = scope_of(record, position)
        needed.setdefault(scope, []).append(record.name)
        if scope in missing:
            lacking.add(scope)
    width = max((len(scope_name) for scope_name in needed), default=0)
    return [
        f"  {scope_name:<{width}}  {'lacking' if scope_name in lacking else 'granted'}: "
        f"{', '.join(dict.fromkeys(records))}"
        for scope_name, records in sorted(needed.items())
    ]


def _explain_comparison(key: str, root: VerifyPlan | CheckPlan) -> _Line:
    if root.denied:
        return _Denied(key, ", ".join(root.denied))
    if isinstance(root, CheckPlan):
        texts = [_RECEIPT_TEXT] if root.is_recheck else [_CASES_TEXT] if root.takes_cases else []
        return _Read(1, key, "; ".join((*texts, _CHECK_TEXT)))
    return _Read(1, key, f"{_RESOLVE_TEXT}; name, birth date and sex compared")


@dataclass(frozen=True, slots=True)
class _Explainer:
    """Yields the lines of a plan.

    ``arguments``: of the request, slot by slot. ``rendering``: databases that write JSON.
    """

    arguments: Sequence[object]
    rendering: Container[str]

    def resolve(self, value: object) -> object:
        return self.arguments[value.slot] if isinstance(value, DynamicArguments) else value

    def explain_roots(self, plan: Plan) -> Iterator[_Line]:
        for key, root in plan.roots.items():
            if isinstance(root, VerifyPlan | CheckPlan):
                yield _explain_comparison(key, root)
            if isinstance(root, LookupPlan):
                if root.denied:
                    yield _Denied(key, ", ".join(root.denied))
                else:
                    yield from self.explain_list(root.list, "", 1, "the key")
            for opened in person_roots(root):
                yield from self.explain_person_root(key, opened)

    def explain_person_root(self, key: str, root: PersonRootPlan) -> Iterator[_Line]:
        arguments = self.resolve(root.arguments)
        values = arguments if isinstance(arguments, Mapping) else {}
        must_match = root.household is None and all_must_match(values)
        reads = [_RESOLVE_TEXT if root.household is None else _ORGANISATION_TEXT]
        if root.name == "persons":
            reads.append(f"{len(values.get('ids', ()))} people")
        elif (entities := values.get(REPRESENTATIONS)) is not None:
            roots = [ENTITY_ROOTS.get(entity.typename) for entity in entities]
            count = roots.count(root.name)
            if not count and any(roots):
                return
            reads.append(f"{count} {'people' if root.household is None else 'organisations'}")
        if must_match:
            reads.append(_MATCHING_TEXT)
        yield _Read(1, key, "; ".join(reads))
        # Lists are asked for beside the number, but not before it is known to agree.
        keys = _NUMBERS if root.household is None else "the code"
        yield from self.explain_person(root.person, key, 2 if must_match else 1, keys)

    def explain_person(
        self, plan: PersonPlan, path: str, wave: int, keys: str = _NUMBERS
    ) -> Iterator[_Line]:
        for plan_list in plan.lists:
            yield from self.explain_list(plan_list, path, wave, keys)
        for derived in plan.derived:
            field_path = ".".join((path, *derived.place.steps))
            if derived.denied:
                yield _Denied(field_path, ", ".join(derived.denied))
            else:
                yield _Read(wave, field_path, _derived_text(derived.computed.derived))
        for log in plan.logs:
            field_path = ".".join((path, *log.place.steps))
            log_name = "access log" if isinstance(log, AccessLogPlan) else "interests in events"
            yield _Read(wave, field_path, f"the {log_name}, for the person and for auditors")
        for timeline in plan.timelines:
            field_path = ".".join((path, *timeline.place.steps))
            yield _Read(wave, field_path, self.explain_timeline(timeline))
        for report in plan.reports:
            if report.needs_read:
                read = report.lists[0]
                field_path = ".".join((path, *report.place.steps))
                name = f"{read.record.database}.{read.lookup.name}"
                text = f"{name} under the person's numbers, for its report"
                yield _Read(wave, field_path, text)

    def explain_timeline(self, plan: TimelinePlan) -> str:
        arguments = self.resolve(plan.arguments)
        if not isinstance(arguments, TimelineArguments):
            return "events of lists that variables choose"
        hanging = sum(event_list.parent is not None for event_list in arguments.lists)
        count = len(arguments.lists) - hanging
        text = f"at most {arguments.first} events of {count} lists, as far as they may be seen"
        return f"{text}; one wave more for {hanging} that hang on them" if hanging else text

    def explain_list(self, plan: ListPlan, above: str, wave: int, keys: str) -> Iterator[_Line]:
        path = ".".join((*([above] if above else ()), *plan.place.steps))
        arguments = self.resolve(plan.arguments)
        if plan.denied:
            yield _Denied(path, ", ".join(plan.denied))
            return
        form = ", as JSON for many people" if self.may_be_rendered(plan, arguments) else ""
        yield _Read(wave, path, f"{_name(plan)} under {keys}, {_rows(plan, arguments)}{form}")
        if is_own_view(plan.open_up_to) and plan.open_up_to != Sensitivity.RESTRICTED:
            yield _Read(wave, path, "of the citizen's own up to BASIC: it names others")
        elif not is_own_view(plan.open_up_to) and is_open(plan.read.record, None, plan.open_up_to):
            yield _Read(wave, path, "its PUBLIC part without scope and purpose")
        for rows in plan.rows:
            list_path = f"{path}.{rows.key}"
            for denial in rows.denials:
                path_of = ".".join((list_path, *denial.place.steps))
                yield _Denied(path_of, ", ".join(denial.missing))
            for link in rows.links:
                yield from self.explain_link(plan, link, list_path, wave + 1)
            for child in rows.child_lists:
                column = plan.read.record.columns[child.position].name
                yield from self.explain_list(
                    child.list, list_path, wave + 1, f"{column} of each row"
                )

    def may_be_rendered(self, plan: ListPlan, arguments: object) -> bool:
        """Say whether the database may write the rows (``gateway.execution.renderings``)."""
        if plan.template is None or plan.read.record.database not in self.rendering:
            return False
        return isinstance(arguments, ListArguments) and arguments.selects_all

    def explain_link(
        self, plan: ListPlan, link: PersonLinkPlan, above: str, wave: int
    ) -> Iterator[_Line]:
        path = ".".join((above, *link.place.steps))
        column = plan.read.record.columns[link.position].name
        people = f"; up to {MOST_LINKED} people" if link.many else ""
        yield _Read(wave, path, f"{_RESOLVE_TEXT}; {column} of each row{people}")
        yield from self.explain_person(link.person, path, wave)
        if link.own_view is not None and link.own_view.lists:
            yield _Read(wave, path, "without scopes where it leads back to the citizen who asks")


def _derived_text(derived: DerivedView) -> str:
    text = f"worked out of {', '.join(derived.lists)}"
    later = [later.name for later in derived.later]
    if later:
        text += f"; in later waves {', '.join(later)}"
    return f"{text}; up to {derived.people} other people" if derived.people else text


def _name(plan: ListPlan) -> str:
    record, lookup = plan.read.record, plan.read.lookup
    name = f"{record.database}.{record.name}"
    return name if lookup.name == record.name else f"{name} ({lookup.name})"


def _rows(plan: ListPlan, arguments: object) -> str:
    if plan.read.record.single:
        return "one row"
    first = arguments.first if isinstance(arguments, ListArguments) else plan.read.record.limit
    return f"up to {min(first, plan.read.record.limit)} rows shown"
