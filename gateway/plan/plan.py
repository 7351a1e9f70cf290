"""A plan: an operation compiled for one set of permissions.

What is read (``ListPlan``, ``PersonPlan``) and how what was read becomes the answer (``shape``)
were both decided once. ``Opened`` and ``Found`` are filled in by a request and read by generated
code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectors.description import Lookup, Record, Row, Sensitivity
from gateway.answer import SourceReport
from gateway.errors import GatewayError
from gateway.plan.shapes import Arguments, Place
from gateway.schema.lists import Wanted


@dataclass(slots=True, eq=False)
class Found:
    """A list that was read. ``rows`` is None where its state has none.

    ``below``: for each slot what hangs on the rows, in their order: Found, Opened or None.
    """

    rows: tuple[Row, ...] | None
    truncated: bool | None
    report: SourceReport
    below: list[list[Found | Opened | None]]


@dataclass(slots=True, eq=False)
class Opened:
    """A person who was opened. ``notices`` only where they are selected.

    ``lists`` and ``reports`` stand in the order of the person's plan, None until they are read; a
    list stays None where its arguments are refused.
    """

    present: str | None
    asked: str
    own: bool
    notices: tuple[object, ...]
    lists: list[Found | None]
    reports: list[SourceReport | None]


#: Turns what a request found into JSON values: a person, and what databases say of themselves.
Shape = Callable[[Opened, Mapping[str, object]], object]


@dataclass(frozen=True, slots=True)
class Denial:
    """A field of each row that the caller may not see; ``steps`` lead there from the row."""

    place: Place
    scope: str


@dataclass(slots=True, eq=False)
class LinkPlan:
    """A person to open for each row, by the number at ``position``.

    ``own``: the plan for citizens who come back to themselves, None where no citizen asks.
    """

    place: Place
    slot: int
    position: int
    other: PersonPlan
    own: PersonPlan | None


@dataclass(slots=True, eq=False)
class HungPlan:
    """A list to read for each row, by the value at ``position``."""

    slot: int
    position: int
    list: ListPlan


@dataclass(slots=True, eq=False)
class RowsPlan:
    """One selection of a list's rows, under the response key ``key``."""

    key: str
    denials: tuple[Denial, ...]
    links: tuple[LinkPlan, ...]
    hung: tuple[HungPlan, ...]


@dataclass(slots=True, eq=False)
class ListPlan:
    """A list of records to read.

    ``source``: database and lookup, which tell reads apart. ``own``: up to what sensitivity it is
    the citizen's own who asks. ``denied``: the scope that is lacking for it, None where none is.
    """

    place: Place
    record: Record
    lookup: Lookup
    source: tuple[str, str]
    own: Sensitivity | None
    denied: str | None
    wanted: Wanted | GatewayError | Arguments
    rows: tuple[RowsPlan, ...]
    slots: int


@dataclass(slots=True, eq=False)
class ReportPlan:
    """A section's own source report: the worst of ``lists``."""

    place: Place
    lists: tuple[tuple[Record, Lookup, tuple[str, str]], ...]
    alone: bool


@dataclass(slots=True, eq=False)
class PersonPlan:
    """What to read of a person, and how to show it."""

    own: bool
    shows_notices: bool
    lists: tuple[ListPlan, ...]
    reports: tuple[ReportPlan, ...]
    function: str
    shape: Shape = field(init=False)


@dataclass(frozen=True, slots=True)
class RootPlan:
    """A planned root field."""

    name: str
    place: Place
    arguments: Mapping[str, object] | Arguments
    person: PersonPlan


@dataclass(frozen=True, slots=True)
class Plan:
    """An operation as it is run for callers with the same permissions.

    ``roots``: by response key, a root field or what ``__typename`` is. ``permitted``: what fields
    need, with the scope that is lacking or None. ``source_text``: the generated code, for reading.
    """

    keys: tuple[str, ...]
    roots: Mapping[str, RootPlan | str]
    permitted: tuple[tuple[Record, Sensitivity, str | None], ...]
    dynamic: tuple[Arguments, ...]
    live: frozenset[str]
    source_text: str
