"""A plan as readable text: what is read, in which waves, at what cost, and what is denied.

For people: the command line and ``extensions.plan``. Tests compare plans as this text. Nothing in
it depends on what is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.description import Sensitivity
from gateway.catalogue.own_view import is_citizens, is_own
from gateway.catalogue.permitted import scope_of
from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.list_arguments import ListArguments
from gateway.plan.plan import (
    ListPlan,
    LookupPlan,
    PersonLinkPlan,
    PersonPlan,
    PersonRootPlan,
    Plan,
    VerifyPlan,
)

_RESOLVED = "whose number it is: 3 reads of population, more if it is an earlier one"
_AGREES = "what is given must agree with population first"


@dataclass(frozen=True, slots=True)
class _Read:
    """One line: in which wave, for what in the answer, what is read."""

    wave: int
    path: str
    said: str


@dataclass(frozen=True, slots=True)
class _Denied:
    path: str
    missing: str


_Line = _Read | _Denied


def explain(name: str | None, plan: Plan, arguments: Sequence[object], cost: int) -> list[str]:
    """Return the lines of the text.

    ``arguments``: what came of ``plan.dynamic``; ``cost``: the bound.
    """
    lines = list(_Explained(arguments).roots(plan))
    reads = [one for one in lines if isinstance(one, _Read)]
    width = max((len(one.path) for one in lines), default=0)
    text = [f"query {name or '(without a name)'}: cost at most {cost:,}"]
    for wave in sorted({one.wave for one in reads}):
        text.append(f"wave {wave}")
        text += [f"  {one.path:<{width}}  {one.said}" for one in reads if one.wave == wave]
    denied = dict.fromkeys(one for one in lines if isinstance(one, _Denied))
    if denied:
        text.append("denied")
        text += [f"  {one.path:<{width}}  lacks {one.missing}" for one in denied]
    text += _beside(plan)
    text.append("scopes, except for what is the citizen's own")
    return text + _scopes(plan)


def _beside(plan: Plan) -> Iterator[str]:
    """Say what no wave shows: questions to databases themselves, and what has no plan."""
    if plan.live:
        yield f"asked whether they answer now: {', '.join(sorted(plan.live))}"
    others = [key for key in plan.keys if key not in plan.roots]
    if others:
        yield f"field by field, beside the plan: {', '.join(others)}"


def _scopes(plan: Plan) -> list[str]:
    """Say for each scope whether it is there, and for which records it is needed."""
    needed: dict[str, list[str]] = {}
    lacking: set[str] = set()
    for record, position, missing in plan.permitted:
        wanted = scope_of(record, position)
        needed.setdefault(wanted, []).append(record.name)
        if wanted in missing:
            lacking.add(wanted)
    width = max((len(one) for one in needed), default=0)
    return [
        f"  {one:<{width}}  {'lacking' if one in lacking else 'granted'}: "
        f"{', '.join(dict.fromkeys(records))}"
        for one, records in sorted(needed.items())
    ]


@dataclass(frozen=True, slots=True)
class _Explained:
    arguments: Sequence[object]

    def judged(self, value: object) -> object:
        return self.arguments[value.slot] if isinstance(value, DynamicArguments) else value

    def roots(self, plan: Plan) -> Iterator[_Line]:
        for key, root in plan.roots.items():
            if isinstance(root, VerifyPlan):
                if root.denied:
                    yield _Denied(key, ", ".join(root.denied))
                else:
                    yield _Read(1, key, f"{_RESOLVED}; name, birth date and sex compared")
            if isinstance(root, LookupPlan):
                if root.denied:
                    yield _Denied(key, ", ".join(root.denied))
                else:
                    yield from self.list(root.list, "", 1, "the key")
            if not isinstance(root, PersonRootPlan):
                continue
            given = self.judged(root.arguments)
            found = given if isinstance(given, Mapping) else {}
            asked = [_RESOLVED]
            if root.name == "persons":
                asked.append(f"{len(found.get('ids', ()))} people")
            if found.get("matching"):
                asked.append(_AGREES)
            yield _Read(1, key, "; ".join(asked))
            # Lists are asked for beside the number, but not before it is known to agree.
            yield from self.person(root.person, key, 2 if found.get("matching") else 1)

    def person(self, plan: PersonPlan, path: str, wave: int) -> Iterator[_Line]:
        for one in plan.lists:
            yield from self.list(one, path, wave, "the person's numbers")
        for derived in plan.derived:
            here = ".".join((path, *derived.place.steps))
            if derived.denied:
                yield _Denied(here, ", ".join(derived.denied))
            else:
                lists = ", ".join(derived.computed.reads)
                yield _Read(wave, here, f"worked out of {lists}; one wave more for what hangs")
        for log in plan.logs:
            here = ".".join((path, *log.place.steps))
            yield _Read(wave, here, "the access log, for the person and for auditors")
        for report in plan.reports:
            if report.needs_read:
                read = report.lists[0]
                here = ".".join((path, *report.place.steps))
                name = f"{read.record.database}.{read.lookup.name}"
                said = f"{name} under the person's numbers, for its report"
                yield _Read(wave, here, said)

    def list(self, plan: ListPlan, above: str, wave: int, keys: str) -> Iterator[_Line]:
        path = ".".join((*([above] if above else ()), *plan.place.steps))
        wanted = self.judged(plan.arguments)
        if plan.denied:
            yield _Denied(path, ", ".join(plan.denied))
            return
        yield _Read(wave, path, f"{_name(plan)} under {keys}, {_rows(plan, wanted)}")
        if is_citizens(plan.open_up_to) and plan.open_up_to != Sensitivity.RESTRICTED:
            yield _Read(wave, path, "of the citizen's own up to BASIC: it names others")
        elif not is_citizens(plan.open_up_to) and is_own(plan.read.record, None, plan.open_up_to):
            yield _Read(wave, path, "its PUBLIC part without scope and purpose")
        for rows in plan.rows:
            here = f"{path}.{rows.key}"
            for denial in rows.denials:
                path_of = ".".join((here, *denial.place.steps))
                yield _Denied(path_of, ", ".join(denial.missing))
            for link in rows.links:
                yield from self.link(plan, link, here, wave + 1)
            for hung in rows.child_lists:
                column = plan.read.record.columns[hung.position].name
                yield from self.list(hung.list, here, wave + 1, f"{column} of each row")

    def link(self, plan: ListPlan, link: PersonLinkPlan, above: str, wave: int) -> Iterator[_Line]:
        path = ".".join((above, *link.place.steps))
        column = plan.read.record.columns[link.position].name
        yield _Read(wave, path, f"{_RESOLVED}; {column} of each row")
        yield from self.person(link.person, path, wave)
        if link.own_view is not None and link.own_view.lists:
            yield _Read(wave, path, "without scopes where it leads back to the citizen who asks")


def _name(plan: ListPlan) -> str:
    record, lookup = plan.read.record, plan.read.lookup
    name = f"{record.database}.{record.name}"
    return name if lookup.name == record.name else f"{name} ({lookup.name})"


def _rows(plan: ListPlan, wanted: object) -> str:
    if plan.read.record.single:
        return "one row"
    first = wanted.first if isinstance(wanted, ListArguments) else plan.read.record.limit
    return f"up to {min(first, plan.read.record.limit)} rows shown"
