"""The root fields of a request in a batch: the parts that it names, and the steps for them.

A field that is refused has an error and no value; nothing is read for it.

The functions before ``STEPS`` join the steps, which do not import one another: each is told which
steps go on from it, and which function runs it again for parts that had to wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.catalogue.entities import REPRESENTATIONS
from gateway.catalogue.entry_points import keys_of
from gateway.catalogue.organisations import journal_code
from gateway.errors import GatewayError, Path
from gateway.execution.batch import PlanBatch, Step
from gateway.execution.check_queue import parse_queue
from gateway.execution.checking import recipient_of, require_check, role_numbers
from gateway.execution.pages import HangingList, RowSteps
from gateway.execution.parts import (
    AnswerPart,
    CheckPart,
    ListPart,
    Member,
    PersonPart,
    VerificationPart,
)
from gateway.execution.rechecking import OpenedReceipt, open_receipt
from gateway.execution.steps.check_procedures import check_procedures
from gateway.execution.steps.derive_views import derive_views
from gateway.execution.steps.hang_lists import hang_lists
from gateway.execution.steps.open_people import open_people
from gateway.execution.steps.read_interests import read_interests
from gateway.execution.steps.read_lists import answer_person, read_lists
from gateway.execution.steps.read_logs import read_logs
from gateway.execution.steps.read_timelines import (
    TimelineList,
    read_timeline_lists,
    read_timelines,
)
from gateway.execution.steps.report_sections import report_sections
from gateway.execution.steps.verify_people import verify_people
from gateway.people.details import Matching
from gateway.people.entities import EntityKey
from gateway.people.matching import require_matching, require_organisation_matching
from gateway.people.verification import ClaimedIdentity
from gateway.plan.check_arguments import numbers_named, parse_check_arguments
from gateway.plan.dynamic_arguments import DynamicArguments
from gateway.plan.plan import (
    AccessLogPlan,
    CheckPlan,
    DerivedPlan,
    EntitiesPlan,
    InterestsPlan,
    ListPlan,
    LookupPlan,
    PersonLinkPlan,
    PersonRootPlan,
    ReadingRoot,
    ReportPlan,
    Root,
    TimelinePlan,
    VerifyPlan,
)


def _people(
    batch: PlanBatch, plan: PersonRootPlan | PersonLinkPlan, people: Sequence[PersonPart]
) -> None:
    open_people(batch, plan, people, STEPS)


def _lists(batch: PlanBatch, plan: ListPlan, people: Sequence[PersonPart]) -> None:
    read_lists(batch, plan, people, _lists, _ROW_STEPS)


def _hanging_lists(batch: PlanBatch, plan: ListPlan, entries: Sequence[HangingList]) -> None:
    hang_lists(batch, plan, entries, _hanging_lists, _ROW_STEPS)


def _reports(batch: PlanBatch, plan: ReportPlan, people: Sequence[PersonPart]) -> None:
    report_sections(batch, plan, people, _reports, answer_person)


def _derived(batch: PlanBatch, plan: DerivedPlan, people: Sequence[PersonPart]) -> None:
    derive_views(batch, plan, people, _derived)


def _logs(
    batch: PlanBatch, plan: AccessLogPlan | InterestsPlan, people: Sequence[PersonPart]
) -> None:
    if isinstance(plan, AccessLogPlan):
        read_logs(batch, plan, people)
    else:
        read_interests(batch, plan, people)


def _timelines(batch: PlanBatch, plan: TimelinePlan, people: Sequence[PersonPart]) -> None:
    read_timelines(batch, plan, people, _timeline_lists)


def _timeline_lists(batch: PlanBatch, plan: TimelinePlan, entries: Sequence[TimelineList]) -> None:
    read_timeline_lists(batch, plan, entries, _timeline_lists, answer_person)


def _verifications(batch: PlanBatch, plan: VerifyPlan, parts: Sequence[VerificationPart]) -> None:
    verify_people(batch, plan, parts, _verifications)


def _checks(batch: PlanBatch, plan: CheckPlan, parts: Sequence[CheckPart]) -> None:
    check_procedures(batch, plan, parts, _checks)


#: The steps that read what the plan of a person selects, and the one that opens people.
STEPS: Mapping[str, Step] = {
    "people": _people,
    "lists": _lists,
    "reports": _reports,
    "derived": _derived,
    "logs": _logs,
    "timelines": _timelines,
}
_ROW_STEPS = RowSteps(_people, _hanging_lists)


def start_roots(batch: PlanBatch, member: Member) -> None:
    """Begin on the root fields of ``member``."""
    for key, root in batch.plan.roots.items():
        start_root(batch, member, key, root, member)


def start_root(
    batch: PlanBatch, member: Member, key: str, root: Root, waiting: Member
) -> Sequence[AnswerPart | None]:
    """Begin on a root field of ``member``, for whose parts ``waiting`` waits; return its parts."""
    if isinstance(root, str):
        member.roots[key] = root
        return ()
    try:
        parts = _start_root(batch, member, key, root)
    except GatewayError as error:
        member.state.problem(error, root.place.steps, root.place.locations)
        for number in member.named.pop(key, ())[: batch.limits.persons]:
            member.state.trail.note_refused(number)
        member.roots[key] = None
        return ()
    member.roots[key] = parts
    for part in parts:
        if part is not None:
            batch.add_part(part, waiting)
    return parts


def _start_root(
    batch: PlanBatch, member: Member, key: str, root: ReadingRoot
) -> Sequence[AnswerPart | None]:
    """Return the parts of a root field, None for people who are refused; raises GatewayError."""
    if isinstance(root, LookupPlan):
        return [_look_up(batch, member, root)]
    place = batch.plan.keys.index(key)
    if isinstance(root, VerifyPlan):
        return [_verify(batch, member, key, root, place)]
    if isinstance(root, CheckPlan):
        check = _check_queue if root.takes_cases else _check
        return check(batch, member, key, root)
    if isinstance(root, EntitiesPlan):
        return _open_entities(batch, member, root, place)
    return _open_root(batch, member, key, root, place)


def _open_root(
    batch: PlanBatch, member: Member, key: str, root: PersonRootPlan, place: int
) -> Sequence[AnswerPart | None]:
    """Return the parts of those whom a root field opens; raises GatewayError."""
    if root.name == "me":
        citizen = batch.rules.caller.citizen
        if citizen is None:
            details = {"missing": ["me"]}
            raise GatewayError("FORBIDDEN", "me is the citizen's own view", details=details)
        return [batch.person(root, citizen, batch.asker_of(member), _people)]
    if root.household is not None:
        return [_open_organisation(batch, member, key, root)]
    return _open_by_number(batch, member, key, root, place)


def open_again(batch: PlanBatch, person: PersonPart, root: PersonRootPlan) -> PersonPart:
    """Return the part of ``person`` under ``root``, another root field.

    Starts on it, or lets it wait until it is known whether ``person`` matches.
    """
    if person.matching is not None:
        part = PersonPart(
            root.place.locations,
            person.asker,
            entry=root,
            requested_number=person.requested_number,
            plan=root.person,
            place=person.place,
            matching=person.matching,
        )
        person.again = (*person.again, part)
        return part
    return batch.person(root, person.requested_number, person.asker, _people)


def _open_organisation(
    batch: PlanBatch, member: Member, key: str, root: PersonRootPlan
) -> AnswerPart:
    code = str(_arguments(member, root)["code"])
    member.named[key] = [journal_code(code)]
    member.state.count_named([code])
    _require_naming(batch)
    require_organisation_matching(batch.rules.matching, code)
    return batch.person(root, code, batch.asker_of(member), _people)


def _look_up(batch: PlanBatch, member: Member, root: LookupPlan) -> AnswerPart:
    if root.denied:
        raise GatewayError("FORBIDDEN", details={"missing": list(root.denied)})
    keys = keys_of(str(_arguments(member, root)[root.argument]))
    key, asker = (root, keys, batch.asker_of(member)), batch.asker_of(member)
    part = batch.find_part(key)
    if part is None:
        part = ListPart(root.place.locations, asker, used=batch.no_entries())
        batch.keep_part(key, part)
        entry = HangingList(part, keys, (), part.target, 0)
        batch.schedule(_hanging_lists, root.list, (entry,))
    return part


def _verify(batch: PlanBatch, member: Member, key: str, root: VerifyPlan, place: int) -> AnswerPart:
    arguments = _arguments(member, root)
    number = str(arguments["id"])
    member.named[key] = [number]
    member.state.count_named([number])
    if root.denied:
        raise GatewayError("FORBIDDEN", details={"missing": list(root.denied)})
    batch.rules.refuse_early(number)
    claimed = ClaimedIdentity(arguments["name"], arguments["birthDate"], arguments["sex"].value)
    part = VerificationPart(
        root.place.locations,
        batch.asker_of(member),
        number=number,
        place=(place,),
        claimed=claimed,
    )
    batch.schedule(_verifications, root, (part,))
    return part


def _check(batch: PlanBatch, member: Member, key: str, root: CheckPlan) -> Sequence[AnswerPart]:
    arguments, request = _arguments(member, root), member.request
    before = None
    if root.is_recheck:
        opened = _open_receipt(batch, member, key, root, str(arguments["receipt"]))
        checked, before = opened.arguments, opened.statement
    else:
        member.named[key] = numbers = numbers_named(root.checks, arguments)
        member.state.count_named(numbers)
        _require_permitted(root)
        checked = parse_check_arguments(root.checks, arguments, batch.rules.today)
    require_check(batch.rules, checked.binding)
    part = CheckPart(
        root.place.locations,
        batch.asker_of(member),
        arguments=checked,
        named=role_numbers(checked),
        recipient=recipient_of(
            request.id, request.caller, request.caller.case_number, request.deadline
        ),
        before=before,
    )
    batch.schedule(_checks, root, (part,))
    return [part]


def _check_queue(
    batch: PlanBatch, member: Member, key: str, root: CheckPlan
) -> Sequence[AnswerPart]:
    """Return a part for each case: their reads go together, except where each says who asks."""
    arguments, request = _arguments(member, root), member.request
    member.named[key] = numbers = numbers_named(root.checks, arguments)
    member.state.count_named(numbers)
    _require_permitted(root)
    parts: list[AnswerPart] = []
    for case in parse_queue(batch.rules, root.checks, arguments):
        asker = batch.asker_of(member)
        asker = None if asker is None else replace(asker, case=case.case_number)
        part = CheckPart(root.place.locations, asker, case=case)
        parts.append(part)
        if isinstance(case.arguments, GatewayError):
            part.problem(case.arguments, (), root.place.locations)
            part.pending = 0
            continue
        part.arguments, part.named = case.arguments, role_numbers(case.arguments)
        part.recipient = recipient_of(
            request.id, request.caller, case.case_number, request.deadline
        )
        batch.schedule(_checks, root, (part,))
    return parts


def _open_receipt(
    batch: PlanBatch, member: Member, key: str, root: CheckPlan, text: str
) -> OpenedReceipt:
    """Open the receipt of a check that is to be made again; raises GatewayError."""
    _require_permitted(root)
    opened = open_receipt(batch.rules, root.checks, text)
    member.named[key] = opened.numbers
    member.state.count_named(opened.numbers)
    opened.require_recipient(member.request.caller)
    return opened


def _require_permitted(root: CheckPlan) -> None:
    if root.denied:
        raise GatewayError("FORBIDDEN", details={"missing": list(root.denied)})


def _open_by_number(
    batch: PlanBatch, member: Member, key: str, root: PersonRootPlan, place: int
) -> Sequence[AnswerPart | None]:
    arguments = _arguments(member, root)
    single = root.name == "person"
    numbers: Sequence[str] = [arguments["id"]] if single else arguments["ids"]
    member.named[key] = numbers
    member.state.count_named(numbers)
    matching = matching_of(arguments)
    require_matching(batch.rules.matching, matching)
    parts: list[AnswerPart | None] = []
    for index, number in enumerate(numbers):
        try:
            _require_naming(batch)
        except GatewayError as error:
            path: Path = root.place.steps if single else (*root.place.steps, index)
            member.state.problem(error, path, root.place.locations)
            parts.append(None)
        else:
            at = (place,) if single else (place, index)
            parts.append(_open_person(batch, member, root, number, matching, at))
    return parts


def _require_naming(batch: PlanBatch) -> None:
    """Raise GatewayError FORBIDDEN for callers who may not name anybody."""
    if not batch.rules.caller.may_name_persons:
        raise GatewayError("FORBIDDEN", details={"missing": ["<database>:read"]})


def _open_person(
    batch: PlanBatch,
    member: Member,
    root: PersonRootPlan,
    number: str,
    matching: Matching | None,
    place: tuple[int, ...],
) -> PersonPart:
    """Return the part of a person; ``place``: in the answer. Raises GatewayError."""
    asker = batch.asker_of(member)
    if matching is None:
        return batch.person(root, number, asker, _people)
    if matching.says_something:
        batch.rules.refuse_early(number)
    person = PersonPart(
        root.place.locations,
        asker,
        entry=root,
        requested_number=number,
        plan=root.person,
        place=place,
        matching=matching,
    )
    batch.schedule(_people, root, (person,))
    return person


def _open_entities(
    batch: PlanBatch, member: Member, root: EntitiesPlan, place: int
) -> Sequence[AnswerPart | None]:
    """Return the parts of entities, in the order of their representations.

    The field may not be null. Where too many are asked for, each is, with one error for all.
    """
    entities: Sequence[EntityKey] = _arguments(member, root)[REPRESENTATIONS]
    try:
        member.state.name_entities(entities)
    except GatewayError as error:
        member.state.problem(error, root.place.steps, root.place.locations)
        return [None] * len(entities)
    parts: list[AnswerPart | None] = []
    for index, entity in enumerate(entities):
        try:
            parts.append(_open_entity(batch, member, root, entity, (place, index)))
        except GatewayError as error:
            member.state.problem(error, (*root.place.steps, index), root.place.locations)
            parts.append(None)
    return parts


def _open_entity(
    batch: PlanBatch, member: Member, root: EntitiesPlan, entity: EntityKey, place: tuple[int, ...]
) -> AnswerPart:
    """Return the part of an entity, as if its own root field opened it; raises GatewayError."""
    entity.require_valid()
    opened = root.types[entity.typename]
    if entity.is_person:
        require_matching(batch.rules.matching, entity.matching)
        _require_naming(batch)
        return _open_person(batch, member, opened, entity.key, entity.matching, place)
    _require_naming(batch)
    require_organisation_matching(batch.rules.matching, entity.key)
    return batch.person(opened, entity.key, batch.asker_of(member), _people)


def gives_matching(arguments: Mapping[str, Any]) -> bool:
    """Say whether a root field gives details that have to agree, of anybody whom it names."""
    entities: Sequence[EntityKey] = arguments.get(REPRESENTATIONS, ())
    return matching_of(arguments) is not None or any(
        entity.matching is not None for entity in entities
    )


def matching_of(arguments: Mapping[str, object]) -> Matching | None:
    """Return what has to agree with the people whom a root field names."""
    details = arguments.get("matching")
    if not isinstance(details, Mapping) or not details:
        return None
    return Matching(details.get("name"), details.get("birthDate"))


def _arguments(member: Member, root: Root) -> Mapping[str, Any]:
    """Return the arguments of a root field as the member has them."""
    assert not isinstance(root, str)
    arguments: object = root.arguments
    if isinstance(arguments, DynamicArguments):
        arguments = member.arguments[arguments.slot]
    assert isinstance(arguments, Mapping)
    return arguments
