"""``verifyPerson``: whether a number, a name, a birth date and a sex are one person's."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.description import Database, Text
from connectors.values import PartialDate, PersonNumber
from gateway.audit.touched import Role, note_read
from gateway.catalogue.verification import SCOPE, Verification, verification_of
from gateway.errors import GatewayError
from gateway.execution.reference import ReferenceContext
from gateway.people.verification import (
    ClaimedIdentity,
    IdentityDetail,
    IdentityVerification,
    Verdict,
)
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import attribute_field, list_annotation, resolved_field
from gateway.schema.requires_scopes import require_any_scope
from gateway.schema.shared_types import source_type


def verify_fields(types: TypeFactory, databases: tuple[Database, ...]) -> list[StrawberryField]:
    """Return the root field that verifies a person, none if no database declares identities."""
    verification = verification_of(databases)
    if verification is None:
        return []
    sex = verification.record.column("sex").field.enumeration
    assert sex is not None
    arguments: dict[str, object] = {
        "id": PersonNumber,
        "name": str,
        "birth_date": PartialDate,
        "sex": types.enumeration(sex),
    }
    title = Text(
        "xác minh số định danh, họ tên, ngày sinh, giới tính của một người",
        "verify the number, name, birth date and sex of a person",
    )
    field = resolved_field(
        "verify_person", _type(types) | None, _resolver(verification), arguments, title
    )
    return [require_any_scope(field, (SCOPE, f"{verification.database}:read"))]


def _type(types: TypeFactory) -> Any:
    return types.object(
        "Verification",
        [
            attribute_field(
                "result", types.enumeration(Verdict), Text("kết quả", "what it comes to")
            ),
            resolved_field(
                "mismatched",
                list_annotation(types.enumeration(IdentityDetail)) | None,
                _mismatched,
                title=Text(
                    "điều không khớp; null: không cho biết",
                    "what does not agree; null: that is not told",
                ),
            ),
            attribute_field("source", source_type(types) | None, Text("báo cáo nguồn", "source")),
        ],
        Text("Kết quả xác minh một người", "What a verification of a person comes to"),
    )


def _mismatched(self: IdentityVerification, info: strawberry.Info) -> list[str] | None:
    return None if self.mismatched is None else [detail.name for detail in self.mismatched]


def _resolver(verification: Verification) -> Any:
    async def verify(
        self: Any,
        info: strawberry.Info,
        id: PersonNumber,  # noqa: A002 - the argument's name in the schema
        name: str,
        birth_date: PartialDate,
        sex: Any,
    ) -> IdentityVerification:
        context: ReferenceContext = info.context
        rules = context.rules
        context.state.name_persons([id])
        missing = rules.caller.missing_for(verification, None)
        if missing:
            raise GatewayError("FORBIDDEN", details={"missing": list(missing)})
        rules.refuse_early(id)
        numbers = await context.numbers(id)
        claimed = ClaimedIdentity(name, birth_date, sex.value)
        attempt = rules.attempt(numbers)
        async with rules.count_attempt(attempt):
            result, answer = rules.verify(numbers, claimed, verification, attempt)
        context.report(info._raw_info, verification.record, answer)
        context.state.note(verification.record, answer.report.state)
        if answer.rows is not None:
            sections = context.state.trail.note_opened(numbers, Role.NAMED)
            note_read(sections, verification.record, answer)
        return result

    return verify
