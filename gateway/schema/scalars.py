"""The scalars of the schema. Each refuses invalid values with a code."""

from __future__ import annotations

from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from connectors.values import (
    OrganizationCode,
    PartialDate,
    PersonNumber,
    ThingKey,
    person_number,
)
from gateway.catalogue.entities import ANY_SCALAR
from gateway.catalogue.entry_points import KEY_SCALAR, thing_key
from gateway.catalogue.organisations import CODE_SCALAR, organisation_code
from gateway.errors import GatewayError

#: A person's present number: always 12 digits, an output only.
CitizenID = NewType("CitizenID", str)

#: A representation of an entity, as a router sends it: any JSON (Apollo Federation 2, ``_Any``).
AnyRepresentation = NewType("AnyRepresentation", object)


def _parse_number(value: object) -> PersonNumber:
    try:
        return person_number(value if isinstance(value, str) else "")
    except ValueError:
        raise GatewayError("INVALID_PERSON_NUMBER") from None


def _parse_partial_date(value: object) -> PartialDate:
    try:
        return PartialDate.parse(value if isinstance(value, str) else "")
    except ValueError as error:
        raise GatewayError("INVALID_VALUE", str(error)) from None


def _thing_key(value: object) -> ThingKey:
    return ThingKey(thing_key(value))


def _organisation_code(value: object) -> OrganizationCode:
    return OrganizationCode(organisation_code(value))


def _as_it_is(value: object) -> object:
    return value


def _no_input(_value: object) -> object:
    raise GatewayError("INVALID_VALUE", "CitizenID is never an input: use PersonNumber")


def _definition(scalar: object) -> ScalarDefinition:
    definition = getattr(scalar, "_scalar_definition", scalar)
    assert isinstance(definition, ScalarDefinition)
    return definition


SCALARS: dict[object, ScalarDefinition] = {
    PersonNumber: _definition(
        strawberry.scalar(
            name="PersonNumber",
            description="Số định danh cá nhân 12 chữ số, hoặc số CMND 9 chữ số. / A personal "
            "identification number of 12 digits, or an old identity card number of 9.",
            serialize=str,
            parse_value=_parse_number,
        )
    ),
    CitizenID: _definition(
        strawberry.scalar(
            name="CitizenID",
            description="Số định danh cá nhân hiện tại, 12 chữ số. / The present personal "
            "identification number, 12 digits.",
            serialize=str,
            parse_value=_no_input,
        )
    ),
    ThingKey: _definition(
        strawberry.scalar(
            name=KEY_SCALAR,
            description="Số hiệu của đăng ký, tài sản, giấy tờ, 1 đến 100 ký tự, không phân biệt "
            "chữ hoa. / The number of a registration, an asset or a paper, 1 to 100 characters; in "
            "capitals or not.",
            serialize=str,
            parse_value=_thing_key,
        )
    ),
    OrganizationCode: _definition(
        strawberry.scalar(
            name=CODE_SCALAR,
            description="Mã số doanh nghiệp (10 chữ số, chi nhánh 13), mã số thuế của hộ kinh "
            "doanh (số định danh 12 chữ số) hoặc mã định danh tổ chức. / An enterprise code (10 "
            "digits, 13 for a branch; the check digit must be right), the tax code of a household "
            "business (a citizen ID of 12 digits), or an organisation number.",
            serialize=str,
            parse_value=_organisation_code,
        )
    ),
    AnyRepresentation: _definition(
        strawberry.scalar(
            name=ANY_SCALAR,
            description="Đối tượng được dẫn chiếu từ phân hệ khác: `__typename` và khóa. / An "
            "entity as another subgraph refers to it: `__typename` and the fields of a key.",
            serialize=_as_it_is,
            parse_value=_as_it_is,
        )
    ),
    PartialDate: _definition(
        strawberry.scalar(
            name="PartialDate",
            description="Ngày có thể chỉ biết năm hoặc tháng: 1957, 1957-03, 1957-03-02. / A date "
            "of which only the year or month may be known.",
            serialize=str,
            parse_value=_parse_partial_date,
        )
    ),
}
