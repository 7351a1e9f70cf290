"""Which lists of a batch their databases write as JSON (``docs/decisions``, 63).

Only where that is everything that the list shows of plain people: the list selects all rows, its
rows are not cached, and nothing else reads them. Rows that a rule of protection hides from the
caller are left out by the database, which has read them all the same: whoever has such rows is
answered no later than others. Whoever is not plain, or has rows that are not written, is read as
rows by the same steps.

For a few people rows are quicker: their lists go as one statement. Nor is it worth it for an
operation that is seldom asked: a statement is prepared on each connection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence

from connectors.row_template import row_template
from gateway.catalogue.read import Read
from gateway.execution.decisions import RecordRules
from gateway.execution.program import Program
from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.list_arguments import ListArguments
from gateway.plan.plan import ListPlan, LookupPlan, PersonPlan, Plan, RowsPlan, person_roots
from gateway.settings import RenderingSettings

#: No list.
NO_RENDERINGS: Mapping[ListPlan, Read] = {}


def choose_renderings(
    program: Program,
    rules: RecordRules,
    arguments: Sequence[object],
    keys: int,
    settings: RenderingSettings,
) -> Mapping[ListPlan, Read]:
    """Return the lists of a batch that are written by their databases, with their reads.

    ``arguments``: of all its requests. ``keys``: how many people and things they name. Costs a
    microsecond a list.
    """
    program.uses += 1
    if not settings.enabled or keys < settings.keys or program.uses <= settings.uses:
        return NO_RENDERINGS
    if program.renderings is None:
        program.renderings = tuple(_possible(program, rules))
    chosen = {}
    for plan, read in program.renderings:
        shown: object = plan.arguments
        if isinstance(shown, DynamicArguments):
            shown = arguments[shown.slot]
        source = program.sources[read.record.database]
        if (
            isinstance(shown, ListArguments)
            and shown.selects_all
            and not shown.fresh
            and source.cached_lookup(plan.read) is None
            and source.renders(read)
        ):
            chosen[plan] = read
    return chosen


def _possible(program: Program, rules: RecordRules) -> Iterator[tuple[ListPlan, Read]]:
    """Yield the lists of a program that may be written, with their reads."""
    if program.plan.increments:  # they may read the same lists as rows
        return
    lists, other = _lists_of(program.plan)
    reads = Counter([_name(plan.read) for plan in lists] + [_name(read) for read in other])
    population = program.population
    if population is not None:
        reads.update(map(_name, (population.identity, population.earlier, population.holders)))
    for plan in lists:
        record = plan.read.record
        if (
            plan.template is not None
            and reads[_name(plan.read)] == 1
            and not (plan.shows_ids or plan.shows_cursor)
            and rules.decide(record, plan.open_up_to) is None
            and not rules.protection.opens_on_death(record)
        ):
            hidden = rules.protection.hidden_rows(record, rules.caller)
            template = row_template(plan.template.entries, plan.template.mentions, hidden)
            yield plan, Read(record, plan.read.lookup, template=template)


def _name(read: Read) -> Hashable:
    return (read.record, read.lookup.name)


def _lists_of(plan: Plan) -> tuple[list[ListPlan], list[Read]]:
    """Return the lists of people, each once, and whatever else is read."""
    people: dict[PersonPlan, None] = {}
    lists: dict[ListPlan, None] = {}
    other: list[Read] = []

    def add_person(person: PersonPlan) -> None:
        if person in people:
            return
        people[person] = None
        for report in person.reports:
            other.extend(report.lists)
        for derived in person.derived:
            other.extend(derived.reads.values())
        for below in person.lists:
            if person.timelines:  # they read the rows of any list
                other.append(below.read)
            lists[below] = None
            add_rows(below.rows)

    def add_rows(selections: Sequence[RowsPlan]) -> None:
        for selected in selections:
            for link in selected.links:
                add_person(link.person)
                if link.own_view is not None:
                    add_person(link.own_view)
            for child in selected.child_lists:
                other.append(child.list.read)
                add_rows(child.list.rows)

    for root in plan.roots.values():
        for opened in person_roots(root):
            add_person(opened.person)
        if isinstance(root, LookupPlan):
            other.append(root.list.read)
            add_rows(root.list.rows)
    return list(lists), other
