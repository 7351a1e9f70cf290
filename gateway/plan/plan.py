"""A plan: an operation compiled for one set of permissions.

It says what is read (``ListPlan``, ``PersonPlan``), decided once, and carries the response function
of each root field, which turns what was read into the answer. Plans are shared by all requests of
callers with equal permissions; nothing of a request is stored in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connectors.description import Sensitivity
from connectors.row_template import RowTemplate
from gateway.catalogue.checks import CheckBinding
from gateway.catalogue.permitted import Missing, Permitted
from gateway.catalogue.read import Read
from gateway.catalogue.sections import DerivedBinding
from gateway.catalogue.verification import Verification
from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.list_arguments import ListArguments
from gateway.plan.results import RenderCheck, RenderList, RenderPerson, RenderVerification
from gateway.plan.selection import FieldPlace, FragmentShape
from gateway.plan.timeline_arguments import TimelineArguments


@dataclass(frozen=True, slots=True)
class Denial:
    """A field of each row that the caller may not see, and what the caller lacks for it."""

    place: FieldPlace
    missing: Missing


@dataclass(slots=True, eq=False)
class PersonLinkPlan:
    """A person to open for each row, by the number at ``position``.

    ``own_view``: the plan for citizens whom a row leads back to themselves; None where no citizen
    asks. ``many``: there are several numbers at ``position``, and a person for each.
    """

    place: FieldPlace
    slot: int
    position: int
    person: PersonPlan
    own_view: PersonPlan | None
    many: bool = False


@dataclass(slots=True, eq=False)
class ChildListPlan:
    """A list to read for each row, by the value at ``position``."""

    slot: int
    position: int
    list: ListPlan


@dataclass(slots=True, eq=False)
class RowsPlan:
    """One selection of the rows of a list, under the response key ``key``.

    ``mentions``: the columns shown whose numbers say whom a row is about.
    """

    key: str
    mentions: tuple[int, ...]
    denials: tuple[Denial, ...]
    links: tuple[PersonLinkPlan, ...]
    child_lists: tuple[ChildListPlan, ...]


@dataclass(slots=True, eq=False)
class ListPlan:
    """A list of records to read.

    ``read``: fresh only if the ``arguments`` of the request are. ``open_up_to``: the sensitivity up
    to which its rows are open without scope and purpose (``gateway.catalogue.own_view``).
    ``denied``: what the caller lacks for it. ``arguments``: which rows it shows. ``shows_ids``,
    ``shows_cursor``: ``recordId`` of rows, or ``nextCursor``, is selected. ``template``: what a
    database would write for its rows, None where rows are needed.
    """

    place: FieldPlace
    read: Read
    open_up_to: Sensitivity | None
    denied: Missing
    arguments: ListArguments | DynamicArguments
    rows: tuple[RowsPlan, ...]
    slots: int
    shows_ids: bool = False
    shows_cursor: bool = False
    template: RowTemplate | None = None


@dataclass(slots=True, eq=False)
class ReportPlan:
    """A section's own source report: the worst of ``lists``.

    ``needs_read``: no list is selected beside it, so that one is read for the report alone.
    """

    place: FieldPlace
    lists: tuple[Read, ...]
    needs_read: bool


@dataclass(slots=True, eq=False)
class DerivedPlan:
    """A derived view. ``reads``: by list. ``denied``: what the caller lacks for it."""

    place: FieldPlace
    computed: DerivedBinding
    reads: Mapping[str, Read]
    denied: Missing
    arguments: Mapping[str, object] | DynamicArguments


@dataclass(slots=True, eq=False)
class AccessLogPlan:
    """The person's access log."""

    place: FieldPlace
    arguments: Mapping[str, object] | DynamicArguments


@dataclass(slots=True, eq=False)
class InterestsPlan:
    """The interests that clients have registered in the person's events."""

    place: FieldPlace


@dataclass(slots=True, eq=False)
class TimelinePlan:
    """The person's timeline."""

    place: FieldPlace
    arguments: TimelineArguments | DynamicArguments


@dataclass(slots=True, eq=False)
class PersonPlan:
    """What to read of a person.

    ``identifications``: where ``identification`` is selected. ``databases``: those that sections
    describe. ``beside``: lists of the same person that are delivered at another time, where a
    report depends on them.
    """

    is_own_view: bool
    shows_notices: bool
    identifications: tuple[FieldPlace, ...]
    lists: tuple[ListPlan, ...]
    reports: tuple[ReportPlan, ...]
    derived: tuple[DerivedPlan, ...]
    logs: tuple[AccessLogPlan | InterestsPlan, ...]
    timelines: tuple[TimelinePlan, ...]
    databases: tuple[str, ...]
    beside: tuple[ListPlan, ...] = ()


@dataclass(slots=True, eq=False)
class PersonRootPlan:
    """A root field that opens people: ``person``, ``persons`` or ``me``; or an organisation.

    ``household``: the same for an organisation whose code is a person's number, with lists that are
    read by that number; None for people.
    """

    name: str
    place: FieldPlace
    arguments: Mapping[str, object] | DynamicArguments
    person: PersonPlan
    household: PersonPlan | None
    render: RenderPerson = field(init=False)


@dataclass(slots=True, eq=False)
class EntitiesPlan:
    """The root field that opens entities. ``types``: how those of each type are opened.

    Entities of one type are opened together, as by the root field that opens what they are.
    """

    place: FieldPlace
    arguments: Mapping[str, object] | DynamicArguments
    types: Mapping[str, PersonRootPlan]


@dataclass(slots=True, eq=False)
class LookupPlan:
    """A root field that finds records by the key of a thing.

    ``argument``: the one that holds the key. ``denied``: what the caller lacks for it.
    """

    place: FieldPlace
    argument: str
    arguments: Mapping[str, object] | DynamicArguments
    denied: Missing
    list: ListPlan
    render: RenderList = field(init=False)


@dataclass(slots=True, eq=False)
class VerifyPlan:
    """A root field that verifies a person. ``denied``: what the caller lacks for it."""

    place: FieldPlace
    verification: Verification
    arguments: Mapping[str, object] | DynamicArguments
    denied: Missing
    render: RenderVerification = field(init=False)


@dataclass(slots=True, eq=False)
class CheckPlan:
    """A root field that checks a procedure. ``denied``: what the caller lacks for it.

    ``reads``: the reads of each check, past the cache, by its name and by list. ``is_recheck``:
    what is checked stands in a receipt, which is the argument. ``shows_timestamp``: a time stamp of
    the new receipt is selected. ``takes_cases``: it checks a queue of cases, each shown by itself.
    """

    place: FieldPlace
    checks: Mapping[str, CheckBinding]
    reads: Mapping[str, Mapping[str, Read]]
    arguments: Mapping[str, object] | DynamicArguments
    denied: Missing
    is_recheck: bool = False
    shows_timestamp: bool = False
    takes_cases: bool = False
    render: RenderCheck = field(init=False)


#: A planned root field that reads something.
ReadingRoot = PersonRootPlan | EntitiesPlan | LookupPlan | VerifyPlan | CheckPlan
#: A planned root field, or the value of ``__typename``.
Root = ReadingRoot | str


def person_roots(root: Root) -> Iterable[PersonRootPlan]:
    """Return how a root field opens people and organisations: in several ways, one, or none."""
    if isinstance(root, EntitiesPlan):
        return root.types.values()
    return (root,) if isinstance(root, PersonRootPlan) else ()


@dataclass(slots=True, eq=False)
class IncrementPlan:
    """Fields of a person, or of a section of theirs, that are delivered together, later.

    ``path``: the response keys down to the person or the section. ``root``: opens that person
    again, with these fields alone. ``fragments``: the places of the fragments that they belong to.
    """

    path: tuple[str, ...]
    root: PersonRootPlan
    fragments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """An operation, planned for callers with the same permissions.

    ``keys``: the response keys of all root fields, in order. ``roots``: the planned ones.
    ``permitted``: what fields need, with what the caller lacks for it. ``dynamic``: arguments to be
    coerced at each request. ``live``: databases whose state now is selected. ``source_text``: the
    generated code, for reading. ``fragments``: those that are deferred. They hold
    ``deferred_roots``, root fields with the places of their fragments, and ``increments``.
    ``orders``: the response keys of the objects of which some are deferred, by their path.
    """

    keys: tuple[str, ...]
    roots: Mapping[str, Root]
    permitted: tuple[tuple[Permitted, int | None, Missing], ...]
    dynamic: tuple[DynamicArguments, ...]
    live: frozenset[str]
    source_text: str = ""
    fragments: tuple[FragmentShape, ...] = ()
    deferred_roots: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    increments: tuple[IncrementPlan, ...] = ()
    orders: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
