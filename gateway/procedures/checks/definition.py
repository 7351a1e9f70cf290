"""How a procedure declares its check: people, rules, papers, deadline, and the law by date.

The declaration stands in the procedure's own file (``gateway.procedures``)::

    @dataclass(frozen=True, slots=True)
    class NoSanctionCheckInput:
        \"\"\"Kiểm tra "chưa bị xử phạt" / No-sanction check.\"\"\"

        applicant: Annotated[PersonNumber, Text("người đề nghị", "applicant")]
        sector: Annotated[str | None, Text("lĩnh vực", "field")] = None

    CHECK = CheckDefinition(
        name="no_sanction_check",  # the field of the input, noSanctionCheck in the schema
        input=NoSanctionCheckInput,  # each field of PersonNumber is a role
        roles={"applicant": ("population.identity", ...)},  # read in the first wave
        things={"certificate_number": ("notary.asset_by_certificate",)},  # so are these
        editions=(Edition(since=date(2012, 1, 1), ...),),
    )

What depends on rows is read in later waves, as by derived views: ``later`` declares those lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from functools import cached_property
from typing import Any, get_args, get_origin, get_type_hints

from connectors.description import Coded, Database, Text
from connectors.values import PersonNumber
from gateway.derived.view import PERSON, DerivedView, LaterReads, ListReads, reads_of
from gateway.procedures.checks.rule import Condition, ProcedureCase


class TimeUnit(Coded):
    """The unit of a deadline."""

    HOURS = "giờ", "hours"
    DAYS = "ngày", "days"
    WORKING_DAYS = "ngày làm việc", "working days"


@dataclass(frozen=True, slots=True)
class Deadline:
    """Thời hạn giải quyết / Within what time a procedure is to be settled.

    ``amount`` 0: at once, on the same day.
    """

    amount: int
    unit: TimeUnit
    law: Text


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper that the procedure asks for.

    ``replaced_by``: the records (``database.record``) whose data replace it (Decision 3458/QĐ-BTP
    for papers of civil status); empty: nothing does. ``proves``: the codes of the rules that it
    serves: data replace it once each of them is PASS or FAIL. ``is_needed``: whether this case
    needs it at all; None: always.
    """

    code: str
    title: Text
    replaced_by: tuple[str, ...] = ()
    proves: tuple[str, ...] = ()
    is_needed: Callable[[ProcedureCase], bool] | None = None


@dataclass(frozen=True, slots=True)
class Edition:
    """What holds from a day on, by the law in force then. ``law``: titles of the instruments.

    ``competent_body_of``: which body is competent in a case, where it depends on the case; None:
    ``competent_body`` in all.
    """

    since: date
    law: tuple[str, ...]
    competent_body: Text
    deadline: Deadline | None
    conditions: tuple[Condition, ...]
    papers: tuple[Paper, ...] = ()
    competent_body_of: Callable[[ProcedureCase], Text] | None = None

    def body_for(self, case: ProcedureCase) -> Text:
        """Return the body that is competent in a case."""
        return (
            self.competent_body if self.competent_body_of is None else self.competent_body_of(case)
        )


@dataclass(frozen=True, slots=True)
class TypedResult:
    """What a check says beyond its outcome: ``compute`` returns a ``kind``, None while not known.

    ``name``: the field of ProcedureCheck. ``kind``: a dataclass as derived views have them, or a
    scalar.
    """

    name: str
    title: Text
    kind: Any
    compute: Callable[[ProcedureCase], Any]


@dataclass(frozen=True, slots=True)
class ProcedureRole:
    """A role in a case. ``is_required``: somebody must stand in it; ``is_many``: several may."""

    name: str
    title: Text
    is_required: bool
    is_many: bool


@dataclass(frozen=True, eq=False)
class CheckDefinition:
    """The check of one procedure. Equal to itself only.

    ``name``: of its field in the input. ``input``: a frozen dataclass; each field of
    ``PersonNumber``, or a list of them, is a role. ``roles``: the lists (``database.lookup``) that
    are read of whoever stands in a role, in the first wave. ``things``: those that are read by the
    key of a thing or the code of an organisation, by the field of the input that has it.
    ``later``: lists of later waves;
    ``people``: how many other people are looked at, at most. ``unprotected``: lists whose rows
    rules read though protection hides them from the caller (an adoption, a replaced birth): they
    are read of everybody alike, stand in the journal, and show in no answer. ``editions``: by the
    law in force, the earliest first. ``most``: how many people may stand in a role of several.
    ``find_fault``: returns what is wrong with an input as a whole (a field too few or too many), a
    sentence that repeats no value of it; None: nothing is.
    """

    name: str
    input: type
    roles: Mapping[str, tuple[str, ...]]
    editions: tuple[Edition, ...]
    things: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    later: tuple[LaterReads, ...] = ()
    people: int = 0
    unprotected: frozenset[str] = frozenset()
    results: tuple[TypedResult, ...] = ()
    most: int = 10
    find_fault: Callable[[Any], str | None] | None = None

    def edition(self, at: date) -> Edition | None:
        """Return the edition in force on ``at``; None: before the first one."""
        in_force = [edition for edition in self.editions if edition.since <= at]
        return in_force[-1] if in_force else None

    @cached_property
    def role_definitions(self) -> tuple[ProcedureRole, ...]:
        """The roles, in the order of the input."""
        hints = get_type_hints(self.input, include_extras=True)
        roles = (_role(declared.name, hints[declared.name]) for declared in fields(self.input))
        return tuple(role for role in roles if role is not None)

    @cached_property
    def view(self) -> DerivedView:
        """The lists of the check, as derived views declare theirs; facts that decide are fresh."""
        first_wave = (*self.roles.values(), *self.things.values())
        lists = dict.fromkeys(name for names in first_wave for name in names)
        return DerivedView(
            database=PERSON,
            name=self.name,
            type_name="ProcedureCheck",
            title=Text("kiểm tra", "check"),
            lists=tuple(lists),
            compute=_not_computed,
            later=self.later,
            people=self.people,
            accepts_cached=False,
            needs_full_coverage=True,
        )

    def reads(self, databases: Sequence[Database]) -> ListReads | None:
        """Return record and lookup of every list; None: one of them is not declared."""
        return reads_of(self.view, databases)


def _not_computed(evidence: object) -> Any:
    raise AssertionError("a check is evaluated by its rules")


def _role(name: str, hint: Any) -> ProcedureRole | None:
    """Return the role that a field of an input declares; None: it is none."""
    kind, title = get_args(hint)[:2]
    members = set(get_args(kind)) if get_origin(kind) is not list else set()
    is_many = kind == list[PersonNumber] or list[PersonNumber] in members
    is_role = is_many or kind is PersonNumber or PersonNumber in members
    if not is_role:
        return None
    return ProcedureRole(name, title, type(None) not in members, is_many)
