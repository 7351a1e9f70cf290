"""``procedures`` and ``procedure``: what procedures there are, and what their checks ask for.

Catalogue fields: they name nobody, need no token, and are answered by the reference executor. What
stands here is law and declarations, the same for every caller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from connectors.description import Database, Text
from gateway.catalogue.checks import CheckBinding, checks_of
from gateway.errors import GatewayError
from gateway.execution.reference import ReferenceContext
from gateway.procedures.checks.definition import (
    CheckDefinition,
    Deadline,
    Edition,
    Paper,
    ProcedureRole,
)
from gateway.procedures.checks.rule import AllOf, AnyOf, Condition, ProcedureRule
from gateway.procedures.registry import ALL, procedure_of
from gateway.schema.check_procedure import deadline_type
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, list_annotation, resolved_field
from gateway.schema.shared_types import text_type

_CODE = Text("mã", "code")
_GROUP = Text("thuộc nhóm", "the group it stands in")
_LAW = Text("căn cứ pháp lý", "legal basis")


@dataclass(frozen=True, slots=True)
class DeclaredRule:
    """A rule of an edition. ``group``: the code of the group it stands in."""

    code: str
    title: Text
    law: Text
    group: str | None


@dataclass(frozen=True, slots=True)
class DeclaredGroup:
    """A group of an edition. ``any_suffices``: one of its conditions is enough."""

    code: str
    title: Text
    group: str | None
    any_suffices: bool


@dataclass(frozen=True, slots=True)
class DeclaredPaper:
    """A paper of an edition. ``proves``: the codes of the rules that it serves."""

    code: str
    name: Text
    replaced_by: tuple[str, ...]
    proves: tuple[str, ...]
    is_conditional: bool

    @classmethod
    def of(cls, paper: Paper) -> DeclaredPaper:
        """Return ``paper`` as the catalogue shows it."""
        is_conditional = paper.is_needed is not None
        return cls(paper.code, paper.title, paper.replaced_by, paper.proves, is_conditional)


@dataclass(frozen=True, slots=True)
class DeclaredEdition:
    """What a check asks by the law in force from ``since`` on."""

    since: date
    law: tuple[str, ...]
    competent_body: Text
    deadline: Deadline | None
    rules: tuple[DeclaredRule, ...]
    groups: tuple[DeclaredGroup, ...]
    papers: tuple[DeclaredPaper, ...]

    @classmethod
    def of(cls, edition: Edition) -> DeclaredEdition:
        """Return ``edition`` as the catalogue shows it."""
        conditions = tuple(_flatten(edition.conditions, None))
        return cls(
            edition.since,
            edition.law,
            edition.competent_body,
            edition.deadline,
            tuple(condition for condition in conditions if isinstance(condition, DeclaredRule)),
            tuple(condition for condition in conditions if isinstance(condition, DeclaredGroup)),
            tuple(DeclaredPaper.of(paper) for paper in edition.papers),
        )


@dataclass(frozen=True, slots=True)
class DeclaredResult:
    """What a check says beyond its outcome. ``name``: its field in ``results``."""

    name: str
    title: Text


@dataclass(frozen=True, slots=True)
class DeclaredCheck:
    """The check of a procedure. ``input_field``: the field of CheckInput that it takes."""

    input_field: str
    roles: tuple[ProcedureRole, ...]
    records: tuple[str, ...]
    editions: tuple[DeclaredEdition, ...]
    results: tuple[DeclaredResult, ...]

    @classmethod
    def of(cls, definition: CheckDefinition, binding: CheckBinding) -> DeclaredCheck:
        """Return a check as the catalogue shows it."""
        records = (f"{record.database}.{record.name}" for record, _ in binding.reads.values())
        return cls(
            to_camel_case(definition.name),
            definition.role_definitions,
            tuple(dict.fromkeys(records)),
            tuple(DeclaredEdition.of(edition) for edition in definition.editions),
            tuple(
                DeclaredResult(to_camel_case(result.name), result.title)
                for result in definition.results
            ),
        )


@dataclass(frozen=True, slots=True)
class DeclaredProcedure:
    """A procedure as the catalogue shows it. ``records`` None: all of them (demo only)."""

    codes: tuple[str, ...]
    title: Text
    legal_basis: tuple[str, ...]
    records: tuple[str, ...] | None
    check: DeclaredCheck | None

    @property
    def can_be_checked(self) -> bool:
        """Whether ``checkProcedure`` takes its codes here."""
        return self.check is not None


def procedure_fields(types: TypeFactory, databases: tuple[Database, ...]) -> list[StrawberryField]:
    """Return the root fields of the catalogue of procedures over ``databases``."""
    declared = declare_procedures(checks_of(databases))
    kind = _procedure_type(types)
    codes = Text(
        "mã thủ tục, có đuôi của tỉnh hay không", "a procedure's code, with a province's suffix"
    )
    return [
        resolved_field(
            "procedures",
            list_annotation(kind),
            _list_procedures(declared),
            {"can_be_checked": bool | None},
            Text("danh mục thủ tục", "the catalogue of procedures"),
        ),
        resolved_field(
            "procedure",
            kind | None,
            _find_procedure(declared),
            {"code": str},
            Text(f"một thủ tục theo {codes.vi}", f"one procedure, by {codes.en} or without"),
        ),
    ]


def declare_procedures(checks: Mapping[str, CheckBinding]) -> dict[str, DeclaredProcedure]:
    """Return every procedure by its usual code. ``checks``: those that can be made here."""
    declared = {}
    for procedure in ALL:
        definition = procedure.check
        binding = None if definition is None else checks.get(definition.name)
        check = (
            None if definition is None or binding is None else DeclaredCheck.of(definition, binding)
        )
        records = None if procedure.unlimited else tuple(procedure.fields)
        declared[procedure.codes[0]] = DeclaredProcedure(
            procedure.codes, procedure.title, procedure.legal_basis, records, check
        )
    return declared


def _flatten(
    conditions: Sequence[Condition], group: str | None
) -> Iterator[DeclaredRule | DeclaredGroup]:
    """Yield rules and groups in the order of the declaration, a group before what is in it."""
    for condition in conditions:
        if isinstance(condition, ProcedureRule):
            yield DeclaredRule(condition.code, condition.title, condition.law, group)
            continue
        any_suffices = isinstance(condition, AnyOf)
        assert any_suffices or isinstance(condition, AllOf)
        yield DeclaredGroup(condition.code, condition.title, group, any_suffices)
        yield from _flatten(condition.rules, condition.code)


def _list_procedures(declared: Mapping[str, DeclaredProcedure]) -> Any:
    def list_procedures(
        self: Any, info: strawberry.Info, can_be_checked: Any = strawberry.UNSET
    ) -> list[DeclaredProcedure]:
        shown = _shown(info, declared)
        if can_be_checked is None or can_be_checked is strawberry.UNSET:
            return shown
        return [procedure for procedure in shown if procedure.can_be_checked == can_be_checked]

    return list_procedures


def _find_procedure(declared: Mapping[str, DeclaredProcedure]) -> Any:
    def find_procedure(self: Any, info: strawberry.Info, code: str) -> DeclaredProcedure:
        procedure = procedure_of(code)
        value = None if procedure is None else declared[procedure.codes[0]]
        if value is None or value not in _shown(info, declared):
            raise GatewayError("PROCEDURE_UNKNOWN")
        return value

    return find_procedure


def _shown(
    info: strawberry.Info, declared: Mapping[str, DeclaredProcedure]
) -> list[DeclaredProcedure]:
    """Return what this gateway knows: the purpose of measurements is one of the demo only."""
    context: ReferenceContext = info.context
    is_demo = context.resources.settings.demo
    return [
        procedure for procedure in declared.values() if is_demo or procedure.records is not None
    ]


def _procedure_type(types: TypeFactory) -> Any:
    text = text_type(types)
    return types.object(
        "Procedure",
        [
            attribute_field(
                "codes",
                list[str],
                Text("các mã, mã thường dùng trước", "codes, the usual one first"),
            ),
            attribute_field("title", text, Text("tên thủ tục", "name of the procedure")),
            attribute_field("legal_basis", list[str], _LAW),
            attribute_field(
                "records",
                list[str] | None,
                Text(
                    "các loại bản ghi được xem; null là mọi loại",
                    "the kinds of record that it shows; null: every one",
                ),
            ),
            attribute_field(
                "can_be_checked",
                bool,
                Text(
                    "có kiểm tra được điều kiện ở đây không",
                    "whether its conditions can be checked here",
                ),
            ),
            attribute_field(
                "check", _declared_check_type(types) | None, Text("việc kiểm tra", "its check")
            ),
        ],
        Text("Thủ tục hành chính", "An administrative procedure"),
    )


def _declared_check_type(types: TypeFactory) -> Any:
    text = text_type(types)
    role = types.object(
        "CheckRole",
        [
            attribute_field("name", str, Text("tên", "name")),
            attribute_field("title", text, Text("vai trò", "role")),
            attribute_field("is_required", bool, Text("bắt buộc", "somebody must stand in it")),
            attribute_field("is_many", bool, Text("có thể nhiều người", "several people may")),
        ],
        Text("Vai trò của một người trong hồ sơ", "A role in a case"),
    )
    result = types.object(
        "CheckResultField",
        [
            attribute_field("name", str, Text("tên trong results", "its name in results")),
            attribute_field("title", text, Text("nội dung", "what it says")),
        ],
        Text("Kết quả riêng của thủ tục", "What a check says beyond its outcome"),
    )
    return types.object(
        "DeclaredCheck",
        [
            attribute_field(
                "input_field",
                str,
                Text("trường của CheckInput", "the field of CheckInput that it takes"),
            ),
            attribute_field("roles", list_annotation(role), Text("các vai trò", "roles")),
            attribute_field(
                "records",
                list[str],
                Text(
                    "các loại bản ghi mà việc kiểm tra đọc, kể cả loại không hiện cho người hỏi",
                    "the kinds of record that it reads, also those that it shows nobody",
                ),
            ),
            attribute_field(
                "editions",
                list_annotation(_edition_type(types)),
                Text("theo luật từng thời kỳ", "by the law in force, the earliest first"),
            ),
            attribute_field(
                "results", list_annotation(result), Text("kết quả riêng", "what else it says")
            ),
        ],
        Text("Việc kiểm tra điều kiện", "The check of a procedure's conditions"),
    )


def _edition_type(types: TypeFactory) -> Any:
    text = text_type(types)
    return types.object(
        "CheckEdition",
        [
            attribute_field("since", date, Text("từ ngày", "in force from this day on")),
            attribute_field("law", list[str], Text("luật áp dụng", "the law")),
            attribute_field("competent_body", text, Text("cơ quan thực hiện", "competent body")),
            attribute_field("deadline", deadline_type(types) | None, Text("thời hạn", "deadline")),
            attribute_field(
                "rules", list_annotation(_rule_type(types)), Text("các điều kiện", "conditions")
            ),
            attribute_field(
                "groups", list_annotation(_group_type(types)), Text("các nhóm điều kiện", "groups")
            ),
            attribute_field(
                "papers", list_annotation(_paper_type(types)), Text("giấy tờ", "papers")
            ),
        ],
        Text("Nội dung theo luật của một thời kỳ", "What holds by the law from a day on"),
    )


def _rule_type(types: TypeFactory) -> Any:
    text = text_type(types)
    fields = [
        attribute_field("code", str, _CODE),
        attribute_field("title", text, Text("điều kiện", "condition")),
        attribute_field("law", text, _LAW),
        attribute_field("group", str | None, _GROUP),
    ]
    return types.object("DeclaredRule", fields, Text("Một điều kiện", "A condition"))


def _group_type(types: TypeFactory) -> Any:
    any_suffices = Text("đáp ứng một điều kiện là đủ", "one of its conditions is enough")
    fields = [
        attribute_field("code", str, _CODE),
        attribute_field("title", text_type(types), Text("nhóm điều kiện", "group of conditions")),
        attribute_field("group", str | None, _GROUP),
        attribute_field("any_suffices", bool, any_suffices),
    ]
    return types.object(
        "DeclaredGroup", fields, Text("Một nhóm điều kiện", "A group of conditions")
    )


def _paper_type(types: TypeFactory) -> Any:
    replaced_by = Text("loại bản ghi thay thế", "the kinds of record whose data replace it")
    proves = Text("chứng minh các điều kiện", "the codes of the conditions that it shows")
    conditional = Text("chỉ cần trong một số trường hợp", "only some cases need it")
    fields = [
        attribute_field("code", str, _CODE),
        attribute_field("name", text_type(types), Text("tên giấy tờ", "name")),
        attribute_field("replaced_by", list[str], replaced_by),
        attribute_field("proves", list[str], proves),
        attribute_field("is_conditional", bool, conditional),
    ]
    return types.object(
        "DeclaredPaper", fields, Text("Một giấy tờ", "A paper that a procedure asks for")
    )
