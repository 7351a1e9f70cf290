"""What a page shows of a person: every list and fact that the declarations have.

What the caller may not see is not selected: the page says of it what is missing, and by the same
function as the gateway (``Caller.missing_for``). So the journal does not take each look at a page
for an attempt at everything that is closed, and what is added to a database shows by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from strawberry.utils.str_converters import to_camel_case

from connectors.description import Column, Coverage, Database, Lookup, Record, Sensitivity
from gateway.access.caller import Caller
from gateway.catalogue.own_view import is_open, narrow_open_up_to
from gateway.catalogue.permitted import Missing
from gateway.catalogue.sections import child_lists, derived_views, person_lists
from gateway.derived.conflicts import ConflictReport
from gateway.derived.view import PERSON, DerivedView
from gateway.execution.resources import ExecutionResources
from gateway.fetch.coverage import coverage_of
from gateway.settings import DatabaseSettings

#: How many levels of lists hang on the rows of a list, at most.
_LEVELS = 2


@dataclass(frozen=True, slots=True, eq=False)
class ChosenList:
    """A list, and what of it the caller may see.

    ``name``: in the schema. ``columns``: that may be seen; ``closed``: that may not. ``missing``:
    the scopes and purposes that the list lacks, or, where it ``is_denied`` not, its closed columns.
    ``coverage``: within what it says "none". ``inner``: the lists that hang on its rows.
    """

    name: str
    lookup: Lookup
    record: Record
    columns: tuple[Column, ...]
    closed: tuple[Column, ...]
    missing: Missing
    is_denied: bool
    coverage: Coverage
    inner: tuple[ChosenList, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ChosenFact:
    """A derived view by its name in the schema; ``missing``: what the caller lacks for it."""

    name: str
    view: DerivedView
    missing: Missing


@dataclass(frozen=True, slots=True, eq=False)
class ChosenRegister:
    """The part of a person's view that a database has. ``name``: of the section in the schema."""

    name: str
    database: Database
    lists: tuple[ChosenList, ...]
    facts: tuple[ChosenFact, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PersonSelection:
    """All of a person that a page shows. ``is_own``: it is the citizen's own view."""

    is_own: bool
    registers: tuple[ChosenRegister, ...]
    facts: tuple[ChosenFact, ...]

    @property
    def sees_conflicts(self) -> bool:
        """Whether the caller may ask where records contradict each other."""
        return any(fact.view.value is ConflictReport and not fact.missing for fact in self.facts)

    def find_list(self, place: str) -> tuple[ChosenRegister, ChosenList] | None:
        """Return a list by its place (``civilStatus.marriages``) if it may be seen, else None."""
        section, _, name = place.partition(".")
        for register in self.registers:
            for record_list in register.lists:
                if (register.name, record_list.name) == (
                    section,
                    name,
                ) and not record_list.is_denied:
                    return register, record_list
        return None


def select_person(
    resources: ExecutionResources, caller: Caller, *, is_own: bool
) -> PersonSelection:
    """Return what ``caller`` may see of a person, under the purpose that they have.

    Asks nothing; costs some 2 ms for all databases.
    """
    databases = tuple(source.database for source in resources.sources.values())
    chooser = _Chooser(databases, resources.settings.databases, caller)
    open_up_to = Sensitivity.RESTRICTED if is_own else None
    registers = tuple(
        ChosenRegister(
            to_camel_case(database.name),
            database,
            tuple(
                chooser.choose(name, record, lookup, open_up_to, (record,))
                for name, (record, lookup) in person_lists(database).items()
            ),
            tuple(_choose_facts(database.name, [database], caller, is_own)),
        )
        for database in databases
        if database.records
    )
    facts = tuple(_choose_facts(PERSON, databases, caller, is_own))
    return PersonSelection(is_own, tuple(sorted(registers, key=_rank)), facts)


def _rank(register: ChosenRegister) -> tuple[bool, int]:
    """Return the place on a page: what may be seen first, who the person is before the rest."""
    is_closed = all(record_list.is_denied for record_list in register.lists)
    first = ("population", "civilStatus")
    return is_closed, first.index(register.name) if register.name in first else len(first)


def _choose_facts(
    place: str, databases: Sequence[Database], caller: Caller, is_own: bool
) -> Iterator[ChosenFact]:
    for name, binding in derived_views(place, databases).items():
        missing = () if is_own else caller.missing_for(binding.derived, None)
        yield ChosenFact(name, binding.derived, missing)


@dataclass(frozen=True, slots=True)
class _Chooser:
    """Chooses what of a list a caller may see."""

    databases: Sequence[Database]
    settings: Mapping[str, DatabaseSettings]
    caller: Caller

    def choose(
        self,
        name: str,
        record: Record,
        lookup: Lookup,
        open_up_to: Sensitivity | None,
        above: tuple[Record, ...],
    ) -> ChosenList:
        """Return a list with the lists below it; ``above``: the records on the way to it."""

        def lacking(position: int | None) -> Missing:
            if is_open(record, position, open_up_to):
                return ()
            return self.caller.missing_for(record, position)

        missing, coverage = lacking(None), self._coverage(record)
        if missing:
            return ChosenList(name, lookup, record, (), (), missing, True, coverage)
        lacks = {column: lacking(place) for place, column in enumerate(record.columns)}
        closed = tuple(column for column, missing in lacks.items() if missing)
        inner = tuple(
            self.choose(
                to_camel_case(below.name),
                child,
                below,
                narrow_open_up_to(open_up_to, child),
                (*above, child),
            )
            for child, below, _ in child_lists(record, self.databases)
            if child not in above and len(above) <= _LEVELS
        )
        return ChosenList(
            name,
            lookup,
            record,
            tuple(column for column, missing in lacks.items() if not missing),
            closed,
            tuple(dict.fromkeys(scope for column in closed for scope in lacks[column])),
            False,
            coverage,
            inner,
        )

    def _coverage(self, record: Record) -> Coverage:
        database = next(
            candidate for candidate in self.databases if candidate.name == record.database
        )
        settings = self.settings.get(database.name, DatabaseSettings())
        return coverage_of(record, database, settings)
