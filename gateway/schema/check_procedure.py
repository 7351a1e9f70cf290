"""``checkProcedure``, ``checkProcedures``, ``recheck``: are the conditions of a procedure met."""

from __future__ import annotations

import asyncio
import enum
import types as python_types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, get_args, get_origin, get_type_hints

import strawberry
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from connectors.description import Coded, Database, Text
from gateway.audit.touched import Role
from gateway.catalogue.checks import MOST_CASES, SCOPE, CheckBinding, checks_of
from gateway.derived.people import numbers_in
from gateway.derived.view import UnknownReason
from gateway.errors import GatewayError
from gateway.execution.check_queue import CaseCheck, QueuedCase, parse_queue
from gateway.execution.checking import (
    ProcedureCheck,
    answer_check,
    check_by_loading,
    check_kin,
    check_problems,
    check_states,
    checked_people,
    recipient_of,
    require_check,
    require_distinct_people,
    role_numbers,
)
from gateway.execution.decisions import RecordRules
from gateway.execution.rechecking import Recheck, compare_check, open_receipt
from gateway.execution.reference import ReferenceContext
from gateway.plan.check_arguments import CheckArguments, numbers_named, parse_check_arguments
from gateway.procedures.checks.definition import TimeUnit
from gateway.procedures.checks.evaluate import PaperState
from gateway.procedures.checks.rule import Outcome, RuleState
from gateway.receipts.timestamps import TimestampState
from gateway.schema.derived_fields import basis_type, value_annotation
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, list_annotation, resolved_field
from gateway.schema.requires_scopes import require_any_scope
from gateway.schema.shared_types import database_type, source_type, text_type


def check_fields(types: TypeFactory, databases: tuple[Database, ...]) -> list[StrawberryField]:
    """Return the root fields that check a procedure; none where no check can be made."""
    checks = checks_of(databases)
    if not checks:
        return []
    arguments: dict[str, object] = {
        "code": str,
        "input": input_type(types, checks),
        "at": date | None,
    }
    title = Text(
        "kiểm tra điều kiện của một thủ tục; chỉ để tham khảo, người có thẩm quyền quyết định",
        "check the conditions of a procedure; it advises, the officer decides",
    )
    queue = Text(
        f"kiểm tra nhiều hồ sơ của một thủ tục, tối đa {MOST_CASES}, mỗi hồ sơ một số hồ sơ riêng",
        f"check a queue of cases of a procedure, at most {MOST_CASES}, each with its case number",
    )
    again = Text(
        "kiểm tra lại theo biên nhận: cùng ứng dụng, cơ quan, thủ tục và số hồ sơ",
        "make the check of a receipt again: for the same client, agency, purpose and case",
    )
    kind = check_type(types, checks)
    root_fields = [
        resolved_field("check_procedure", kind | None, _resolver(checks), arguments, title),
        resolved_field(
            "check_procedures",
            list_annotation(_case_type(types, kind)) | None,
            _queue_resolver(checks),
            {"code": str, "cases": list_annotation(_case_input(types, checks)), "at": date | None},
            queue,
        ),
        resolved_field(
            "recheck",
            _recheck_type(types, kind) | None,
            _recheck_resolver(checks),
            {"receipt": str},
            again,
        ),
    ]
    return [require_any_scope(field, (SCOPE,)) for field in root_fields]


def input_type(types: TypeFactory, checks: Mapping[str, CheckBinding]) -> Any:
    """Return the input of all checks: one field for each, of which exactly one is given."""

    def make() -> Any:
        inputs = {
            name: (_object_input(types, binding.definition.input), binding.procedure.title)
            for name, binding in checks.items()
        }
        return _make_input(
            "CheckInput",
            {name: (kind | None, title) for name, (kind, title) in inputs.items()},
            "Hồ sơ cần kiểm tra / What is checked: the field of the procedure",
            one_of=True,
        )

    return types.named("CheckInput", "CheckInput", make)


def _case_input(types: TypeFactory, checks: Mapping[str, CheckBinding]) -> Any:
    """Return the input of a case of a queue."""

    def make() -> Any:
        inputs = {
            "case_number": (str, Text("số hồ sơ", "case number, as in X-Case-Number")),
            "input": (input_type(types, checks), Text("hồ sơ cần kiểm tra", "what is checked")),
        }
        return _make_input("CheckCaseInput", inputs, "Một hồ sơ cần kiểm tra / A case to check")

    return types.named("CheckCaseInput", "CheckCaseInput", make)


def _object_input(types: TypeFactory, declared: type) -> Any:
    """Return the input type of a dataclass of inputs."""

    def make() -> Any:
        hints = get_type_hints(declared, include_extras=True)
        inputs = {
            field.name: (_input_annotation(types, get_args(hints[field.name])[0]), title)
            for field in fields(declared)
            for title in get_args(hints[field.name])[1:2]
        }
        return _make_input(declared.__name__, inputs, (declared.__doc__ or "").split("\n")[0])

    return types.named(declared.__name__, declared, make)


def _input_annotation(types: TypeFactory, kind: Any) -> Any:
    if isinstance(kind, python_types.UnionType) or type(None) in get_args(kind):
        (inner,) = (member for member in get_args(kind) if member is not type(None))
        return _input_annotation(types, inner) | None
    if get_origin(kind) in {list, tuple}:
        return list_annotation(_input_annotation(types, get_args(kind)[0]))
    if isinstance(kind, type) and issubclass(kind, Coded):
        return types.enumeration(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        return _object_input(types, kind)
    return kind


def _make_input(
    name: str, inputs: Mapping[str, tuple[Any, Text]], title: str, *, one_of: bool = False
) -> Any:
    """Return an input type; what may be null may be left out."""
    namespace: dict[str, Any] = {"__annotations__": {}}
    for field_name, (annotation, field_title) in inputs.items():
        namespace["__annotations__"][field_name] = annotation
        is_optional = type(None) in get_args(annotation)
        default = strawberry.UNSET if is_optional else None
        if is_optional:
            namespace[field_name] = strawberry.field(default=default, description=str(field_title))
        else:
            namespace[field_name] = strawberry.field(description=str(field_title))
    kind = python_types.new_class(name, (), {}, lambda body: body.update(namespace))
    return strawberry.input(kind, name=name, description=title, one_of=one_of)


_CODE = Text("mã", "code")
_GROUP = Text("thuộc nhóm", "the group it stands in")
_STATE = Text("kết quả", "state")


def check_type(types: TypeFactory, checks: Mapping[str, CheckBinding]) -> Any:
    """Return the type of what a check comes to."""
    text, papers = text_type(types), list_annotation(_paper_type(types))
    return types.object(
        "ProcedureCheck",
        [
            attribute_field("code", str, _CODE),
            attribute_field("title", text, Text("tên thủ tục", "name of the procedure")),
            attribute_field(
                "outcome", types.enumeration(Outcome), Text("kết quả chung", "outcome")
            ),
            attribute_field(
                "at", date, Text("ngày xét luật và tuổi", "the day whose law and ages count")
            ),
            attribute_field(
                "facts_as_of",
                datetime | None,
                Text("sự việc đúng vào lúc", "when the first of the facts was read"),
            ),
            attribute_field("law", list[str], Text("luật áp dụng", "the law in force on that day")),
            attribute_field("competent_body", text, Text("cơ quan thực hiện", "competent body")),
            attribute_field("deadline", deadline_type(types) | None, Text("thời hạn", "deadline")),
            attribute_field(
                "rules", list_annotation(_rule_type(types)), Text("các điều kiện", "conditions")
            ),
            attribute_field(
                "groups", list_annotation(_group_type(types)), Text("các nhóm điều kiện", "groups")
            ),
            attribute_field("papers", papers, Text("giấy tờ", "papers")),
            attribute_field(
                "to_bring",
                papers,
                Text("giấy tờ phải nộp, kể cả chưa rõ", "what to bring, or perhaps to bring"),
            ),
            *_source_fields(types),
            *_results_fields(types, checks),
            *_receipt_fields(types),
        ],
        Text("Kết quả kiểm tra một thủ tục", "What a check of a procedure comes to"),
    )


def _rule_type(types: TypeFactory) -> Any:
    text = text_type(types)
    return types.object(
        "RuleCheck",
        [
            attribute_field("code", str, _CODE),
            attribute_field("title", text, Text("điều kiện", "condition")),
            attribute_field("group", str | None, _GROUP),
            attribute_field("state", types.enumeration(RuleState), _STATE),
            attribute_field(
                "reason",
                types.enumeration(UnknownReason) | None,
                Text("vì sao chưa rõ", "why it is not known"),
            ),
            attribute_field("sentence", text, Text("lý do", "why, as an officer reads it")),
            attribute_field("law", text, Text("căn cứ pháp lý", "legal basis")),
            attribute_field(
                "evidence",
                list_annotation(basis_type(types)),
                Text(
                    "các bản ghi làm căn cứ mà người hỏi được xem",
                    "the records it rests on that the caller may read",
                ),
            ),
        ],
        Text("Một điều kiện", "A condition of a procedure, checked"),
    )


def _group_type(types: TypeFactory) -> Any:
    return types.object(
        "RuleGroup",
        [
            attribute_field("code", str, _CODE),
            attribute_field(
                "title", text_type(types), Text("nhóm điều kiện", "group of conditions")
            ),
            attribute_field("group", str | None, _GROUP),
            attribute_field(
                "any_suffices",
                bool,
                Text("đáp ứng một điều kiện là đủ", "one of its conditions is enough"),
            ),
            attribute_field("state", types.enumeration(RuleState), _STATE),
        ],
        Text("Một nhóm điều kiện", "A group of conditions"),
    )


def _paper_type(types: TypeFactory) -> Any:
    return types.object(
        "PaperCheck",
        [
            attribute_field("code", str, _CODE),
            attribute_field("name", text_type(types), Text("tên giấy tờ", "name")),
            attribute_field(
                "replaced_by",
                list[str],
                Text("loại bản ghi thay thế", "the kinds of record whose data replace it"),
            ),
            attribute_field(
                "state", types.enumeration(PaperState), Text("có phải nộp không", "is it needed")
            ),
        ],
        Text("Một giấy tờ trong hồ sơ", "A paper that a procedure asks for"),
    )


def _source_fields(types: TypeFactory) -> list[StrawberryField]:
    """Return where facts came from, and who did not answer."""
    return [
        attribute_field(
            "sources",
            list_annotation(source_type(types)),
            Text("báo cáo của các danh sách đã đọc", "reports of the lists that were read"),
        ),
        attribute_field(
            "silent",
            list_annotation(database_type(types)),
            Text(
                "các cơ sở dữ liệu không trả lời: liên hệ cơ quan chủ quản",
                "the databases that did not answer: call their owners",
            ),
        ),
    ]


def _receipt_fields(types: TypeFactory) -> list[StrawberryField]:
    return [
        attribute_field(
            "receipt",
            str,
            Text(
                "biên nhận có chữ ký của cổng, kèm các phần tiết lộ",
                "a receipt that the gateway signs, with its disclosures",
            ),
        ),
        attribute_field(
            "timestamp",
            _timestamp_type(types),
            Text("dấu thời gian của biên nhận", "the time stamp of the receipt"),
        ),
    ]


def deadline_type(types: TypeFactory) -> Any:
    """Return the type of the time within which a procedure is to be settled."""
    return types.object(
        "ProcedureDeadline",
        [
            attribute_field("amount", int, Text("bao nhiêu", "how many; 0: at once")),
            attribute_field("unit", types.enumeration(TimeUnit), Text("đơn vị", "unit")),
            attribute_field("law", text_type(types), Text("căn cứ pháp lý", "legal basis")),
        ],
        Text("Thời hạn giải quyết", "Within what time a procedure is to be settled"),
    )


def _timestamp_type(types: TypeFactory) -> Any:
    return types.object(
        "ReceiptTimestamp",
        [
            attribute_field(
                "state", types.enumeration(TimestampState), Text("trạng thái", "state")
            ),
            attribute_field(
                "token",
                str | None,
                Text(
                    "phản hồi RFC 3161 (TimeStampResp), base64",
                    "the reply of the authority (RFC 3161, TimeStampResp), base64",
                ),
            ),
        ],
        Text("Dấu thời gian của một biên nhận", "The time stamp of a receipt"),
    )


def _recheck_type(types: TypeFactory, check: Any) -> Any:
    state = types.enumeration(RuleState) | None
    change = types.object(
        "RuleChange",
        [
            attribute_field("code", str, Text("mã", "code")),
            attribute_field("before", state, Text("trước đây", "by the receipt")),
            attribute_field("now", state, Text("hiện nay", "now")),
        ],
        Text("Một điều kiện đã đổi kết quả", "A condition that came to something else"),
    )
    return types.object(
        "Recheck",
        [
            attribute_field("changed", bool, Text("có thay đổi không", "whether anything changed")),
            attribute_field(
                "rules",
                list_annotation(change),
                Text("các điều kiện đã đổi kết quả", "the conditions that changed"),
            ),
            attribute_field(
                "outcome_before",
                types.enumeration(Outcome),
                Text("kết quả theo biên nhận", "the outcome by the receipt"),
            ),
            attribute_field(
                "issued_at", datetime, Text("biên nhận cấp lúc", "when the receipt was issued")
            ),
            attribute_field("check", check, Text("kết quả hiện nay", "the check of now")),
        ],
        Text("Kết quả kiểm tra lại", "A check that was made again"),
    )


def _case_type(types: TypeFactory, check: Any) -> Any:
    return types.object(
        "ProcedureCheckOfCase",
        [
            attribute_field("case_number", str, Text("số hồ sơ", "case number")),
            attribute_field(
                "check",
                check | None,
                Text(
                    "kết quả; null: hồ sơ bị từ chối, lý do ở errors",
                    "the check; null: the case is refused, errors say why",
                ),
            ),
        ],
        Text("Kết quả kiểm tra một hồ sơ", "The check of a case of a queue"),
    )


def _results_fields(
    types: TypeFactory, checks: Mapping[str, CheckBinding]
) -> Iterator[StrawberryField]:
    """Yield the field for what procedures ask beyond the outcome, if any does."""
    results = [result for check in checks.values() for result in check.definition.results]
    if not results:
        return
    kind = types.object(
        "CheckResults",
        [
            attribute_field(result.name, value_annotation(types, result.kind) | None, result.title)
            for result in results
        ],
        Text("Kết quả riêng của thủ tục", "What the procedure asks beyond the outcome"),
    )
    yield attribute_field("results", kind, Text("kết quả riêng", "what else the procedure asks"))


def _resolver(checks: Mapping[str, CheckBinding]) -> Any:
    async def check(
        self: Any,
        info: strawberry.Info,
        code: str,
        input: Any,  # noqa: A002 - the argument's name in the schema
        at: Any = strawberry.UNSET,
    ) -> ProcedureCheck:
        context: ReferenceContext = info.context
        values = {"code": code, "input": plain_input(input), "at": at or None}
        return await check_case(context, checks, values, partial(context.problem, info._raw_info))

    return check


def _queue_resolver(checks: Mapping[str, CheckBinding]) -> Any:
    async def check_procedures(
        self: Any, info: strawberry.Info, code: str, cases: list[Any], at: Any = strawberry.UNSET
    ) -> list[CaseCheck]:
        context: ReferenceContext = info.context
        values = {"code": code, "cases": [plain_input(case) for case in cases], "at": at or None}
        numbers = numbers_named(checks, values)
        try:
            context.state.count_named(numbers)
            _require_scope(context.rules)
            queue = parse_queue(context.rules, checks, values)
        except GatewayError:
            context.state.note_refused(numbers)
            raise
        contexts = [context.of_case(case.case_number) for case in queue]
        return await asyncio.gather(
            *(
                _check_queued(of_case, case, partial(of_case.problem, info._raw_info, place=place))
                for place, (of_case, case) in enumerate(zip(contexts, queue, strict=True))
            )
        )

    return check_procedures


async def _check_queued(
    context: ReferenceContext, case: QueuedCase, note_problem: Callable[[GatewayError], None]
) -> CaseCheck:
    """Check a case of a queue; where it is refused, there is an error in place of the check."""
    context.state.note_refused(case.numbers)
    check: ProcedureCheck | None = None
    try:
        if isinstance(case.arguments, GatewayError):
            raise case.arguments
        check = await _check(context, case.arguments, note_problem)
    except GatewayError as error:
        note_problem(error)
    return CaseCheck(case.shown_number, check)


def _recheck_resolver(checks: Mapping[str, CheckBinding]) -> Any:
    async def recheck(self: Any, info: strawberry.Info, receipt: str) -> Recheck:
        context: ReferenceContext = info.context
        _require_scope(context.rules)
        opened = open_receipt(context.rules, checks, receipt)
        context.state.name_persons(opened.numbers)
        opened.require_recipient(context.rules.caller)
        note_problem = partial(context.problem, info._raw_info)
        check = await _check(context, opened.arguments, note_problem)
        return compare_check(opened.statement, check)

    return recheck


def _require_scope(rules: RecordRules) -> None:
    if not rules.caller.may_check:
        raise GatewayError("FORBIDDEN", details={"missing": [SCOPE]})


async def check_case(
    context: ReferenceContext,
    checks: Mapping[str, CheckBinding],
    values: Mapping[str, Any],
    note_problem: Callable[[GatewayError], None],
) -> ProcedureCheck:
    """Check a case field by field; raises GatewayError where it is refused.

    ``values``: the arguments by the names of the schema. ``note_problem``: of a list that failed.
    """
    context.state.name_persons(numbers_named(checks, values))
    _require_scope(context.rules)
    arguments = parse_check_arguments(checks, values, context.rules.today)
    return await _check(context, arguments, note_problem)


async def _check(
    context: ReferenceContext,
    arguments: CheckArguments,
    note_problem: Callable[[GatewayError], None],
) -> ProcedureCheck:
    """Return what a check comes to, with what is to be noted of it."""
    rules, state, caller = context.rules, context.state, context.rules.caller
    require_check(rules, arguments.binding)
    people = {
        role: [await context.numbers(number) for number in numbers]
        for role, numbers in role_numbers(arguments).items()
    }
    require_distinct_people(people)
    conclusion, case = await check_by_loading(rules, arguments, people, context.numbers)
    for error in check_problems(rules, case):
        note_problem(error)
    for person in checked_people(arguments, people, case):
        sections = state.open_person(person.numbers, Role.NAMED, is_named=True)
        sections.update(person.sections)
    for name, list_state in check_states(case).items():
        state.note_state(name, list_state)
    for number, names in check_kin(case):
        state.trail.note_read(number, Role.KIN, names)
    recipient = recipient_of(context.request_id, caller, caller.case_number)
    value = answer_check(rules, arguments, case, conclusion, recipient)
    for number in numbers_in([*vars(value.results).values()]):
        state.trail.note_mentioned(number)
    return value


def plain_input(value: Any) -> Any:
    """Return an input object as a mapping by the names of the schema, without what is unset."""
    if isinstance(value, enum.Enum):  # strawberry marks enumerations as it does inputs
        return value
    if hasattr(type(value), "__strawberry_definition__"):
        return {
            to_camel_case(name): plain_input(inner)
            for name, inner in vars(value).items()
            if inner is not strawberry.UNSET
        }
    return [plain_input(item) for item in value] if isinstance(value, list) else value
