"""Structs and enumerations that several databases share, one GraphQL type each."""

from __future__ import annotations

import json
from datetime import date
from importlib.resources import files

from connectors.declaration import BASIC, SENSITIVE, field, struct
from connectors.description import Coded
from connectors.values import EnterpriseCode, PartialDate, PersonNumber

#: Codes of the 34 provinces, for databases that are kept province by province.
PROVINCES: tuple[str, ...] = tuple(
    province["code"]
    for province in json.loads((files("connectors") / "provinces.json").read_text("utf-8"))["new34"]
)


class Sex(Coded):
    MALE = "nam", "male"
    FEMALE = "nữ", "female"
    UNDETERMINED = "chưa xác định", "undetermined"


class IdDocumentType(Coded):
    CITIZEN_CARD = "thẻ căn cước, căn cước công dân", "citizen identity card"
    IDENTITY_CARD_9 = "giấy chứng minh nhân dân 9 số", "9-digit identity card"
    PASSPORT = "hộ chiếu", "passport"
    OTHER = "giấy tờ khác", "other document"


class PartyKind(Coded):
    INDIVIDUAL = "cá nhân", "individual"
    ORGANISATION = "tổ chức", "organisation"


@struct("Nơi, địa chỉ", "Place or address")
class Place:
    """Old records name three levels; districts were abolished on 1 July 2025 (domain.md 1.4)."""

    as_recorded: str | None = field("như ghi trong sổ", "As recorded", BASIC)
    as_of: PartialDate | None = field("ghi tại thời điểm", "Recorded as of", BASIC)
    facility: str | None = field("cơ sở", "Facility", BASIC)
    commune_code: str | None = field("mã xã, phường hiện tại", "Present commune code", BASIC)
    province_code: str | None = field("mã tỉnh, thành phố hiện tại", "Present province code", BASIC)
    country: str | None = field("mã quốc gia", "Country code", BASIC)


@struct("Giấy tờ tùy thân", "Identity document")
class IdDocument:
    kind: IdDocumentType | None = field("loại giấy tờ", "Kind of document", BASIC)
    number: str | None = field("số giấy tờ", "Number of the document", BASIC)
    issued_on: date | None = field("ngày cấp", "Issued on", BASIC)
    issuer: str | None = field("cơ quan cấp", "Issuer", BASIC)


def codes_of(party: str) -> tuple[str, str]:
    """Return the fields of ``party`` that hold the code of an organisation."""
    return f"{party}.enterprise_code", f"{party}.organisation_id"


def numbers_of(party: str) -> tuple[str, str]:
    """Return the fields of ``party`` that hold the number of a person.

    The tax code of a household business is its owner's citizen ID (Circular 86/2024).
    """
    return f"{party}.citizen_id", f"{party}.enterprise_code"


@struct("Bên, người có tên trong hồ sơ", "Party: somebody named in a record")
class Party:
    """A person, an organisation, or only what was written down."""

    kind: PartyKind | None = field("loại", "Kind", BASIC)
    name: str | None = field("họ, chữ đệm và tên; tên tổ chức", "Name", BASIC)
    citizen_id: PersonNumber | None = field("số định danh", "Person number", BASIC, person="person")
    birth_date: PartialDate | None = field("ngày hoặc năm sinh", "Date or year of birth", BASIC)
    ethnicity: str | None = field("dân tộc", "Ethnicity", SENSITIVE)
    nationality: str | None = field("quốc tịch", "Nationality", BASIC)
    residence: Place | None = field("nơi cư trú", "Residence", BASIC)
    id_document: IdDocument | None = field("giấy tờ tùy thân", "Identity document", BASIC)
    organisation_id: str | None = field("mã định danh tổ chức", "Organisation number", BASIC)
    enterprise_code: EnterpriseCode | None = field(
        "mã số doanh nghiệp, mã số thuế", "Enterprise code", BASIC
    )
    representative: str | None = field("người đại diện", "Representative", BASIC)
    representative_id: PersonNumber | None = field(
        "số định danh của người đại diện",
        "Representative's number",
        BASIC,
        person="representative_person",
    )
