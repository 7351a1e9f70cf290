"""What every entry of the civil status books has in common (Law 60/2014/QH13 Art. 3).

The law does not class these fields. Notes, amendments, the kind of registration and the requester's
relation are kept more closely than the rest: the margin of a birth is where an adoption shows, and
a small child who was registered again was mostly adopted.
"""

from __future__ import annotations

from datetime import date, datetime

from connectors.change_rules import CHANGED, DELETED, ENTERED, ChangeMark, change
from connectors.declaration import BASIC, RESTRICTED, SENSITIVE, field, struct
from connectors.description import Coded
from connectors.values import PersonNumber

#: Of no such entry a change is an event, for anybody. Adoptions, and notes of them: Law on Adoption
#: 52/2010/QH12, ``gateway.protection.adoption``. What was replaced: Law on Civil Status
#: 60/2014/QH13 Art. 28, 63-64, ``gateway.protection.original``. Registered again, or digitised from
#: paper: the fact is old, and who was registered again as a child was mostly adopted.
NO_EVENT = {
    "event_type": ("ADOPTION", "ADOPTION_TERMINATION", "FOREIGN_ADOPTION"),
    "status": ("SUPERSEDED",),
    "registration_kind": ("RE_REGISTERED", "DIGITISED"),
}
#: Entries in force.
IN_FORCE = {"status": ("VALID", "AMENDED", None)}

#: Rows of a list that rules of law may hide (adoptions, what was replaced) take no place in it.
RESERVE = 50


def corrections(lookup: str, *ignored: str) -> list[ChangeMark]:
    """Declare that entries of a list are corrected: amended, revoked, changed or taken out.

    ``ignored``: fields that other events change.
    """
    return [
        *(
            change("CORRECTION", lookup, on=(ENTERED,), when={"status": (status,)}, unless=NO_EVENT)
            for status in ("AMENDED", "REVOKED")
        ),
        change(
            "CORRECTION",
            lookup,
            on=(CHANGED, DELETED),
            when=IN_FORCE,
            unless=NO_EVENT,
            ignored=("source_updated_at", "data_quality", *ignored),
        ),
    ]


class CivilStatusEventType(Coded):
    # registered
    BIRTH = "khai sinh", "birth"
    MARRIAGE = "kết hôn", "marriage"
    GUARDIANSHIP = "giám hộ", "guardianship"
    GUARDIANSHIP_SUPERVISION = "giám sát việc giám hộ", "supervision of guardianship"
    GUARDIANSHIP_END = "chấm dứt giám hộ", "end of guardianship"
    PARENT_CHILD_RECOGNITION = "nhận cha, mẹ, con", "recognition of parent or child"
    CHANGE_CORRECTION = (
        "thay đổi, cải chính, bổ sung hộ tịch, xác định lại dân tộc",
        "change, correction, supplement, redetermination of ethnicity",
    )
    DEATH = "khai tử", "death"
    # noted from decisions of courts and agencies
    NATIONALITY_CHANGE = "thay đổi quốc tịch", "change of nationality"
    PARENTAGE_DETERMINATION = "xác định cha, mẹ, con", "determination of parentage"
    SEX_REDETERMINATION = "xác định lại giới tính", "redetermination of sex"
    ADOPTION = "nuôi con nuôi", "adoption"
    ADOPTION_TERMINATION = "chấm dứt việc nuôi con nuôi", "termination of adoption"
    DIVORCE = "ly hôn", "divorce"
    UNLAWFUL_MARRIAGE_ANNULMENT = (
        "hủy việc kết hôn trái pháp luật",
        "annulment of unlawful marriage",
    )
    MARRIAGE_RECOGNITION = "công nhận việc kết hôn", "recognition of marriage"
    GUARDIANSHIP_RECOGNITION = "công nhận giám hộ", "recognition of guardianship"
    DECLARED_MISSING = "tuyên bố mất tích", "declared missing"
    DECLARED_MISSING_REVOKED = "hủy tuyên bố mất tích", "declaration of missing revoked"
    DECLARED_DEAD = "tuyên bố đã chết", "declared dead"
    DECLARED_DEAD_REVOKED = "hủy tuyên bố đã chết", "declaration of death revoked"
    DECLARED_INCAPACITATED = "tuyên bố mất năng lực hành vi dân sự", "declared incapacitated"
    DECLARED_INCAPACITATED_REVOKED = (
        "hủy tuyên bố mất năng lực hành vi dân sự",
        "declaration of incapacity revoked",
    )
    DECLARED_RESTRICTED = (
        "tuyên bố hạn chế năng lực hành vi dân sự",
        "declared restricted in capacity",
    )
    DECLARED_RESTRICTED_REVOKED = (
        "hủy tuyên bố hạn chế năng lực hành vi dân sự",
        "declaration of restricted capacity revoked",
    )
    # noted after it was settled by a foreign authority
    FOREIGN_BIRTH = "ghi chú khai sinh ở nước ngoài", "birth abroad"
    FOREIGN_MARRIAGE = "ghi chú kết hôn ở nước ngoài", "marriage abroad"
    FOREIGN_DIVORCE = "ghi chú ly hôn ở nước ngoài", "divorce abroad"
    FOREIGN_ANNULMENT = "ghi chú hủy kết hôn ở nước ngoài", "annulment of marriage abroad"
    FOREIGN_GUARDIANSHIP = "ghi chú giám hộ ở nước ngoài", "guardianship abroad"
    FOREIGN_PARENTAGE = "ghi chú nhận, xác định cha, mẹ, con ở nước ngoài", "parentage abroad"
    FOREIGN_ADOPTION = "ghi chú nuôi con nuôi ở nước ngoài", "adoption abroad"
    FOREIGN_CHANGE = "ghi chú thay đổi hộ tịch ở nước ngoài", "change of civil status abroad"
    FOREIGN_DEATH = "ghi chú khai tử ở nước ngoài", "death abroad"
    # documents
    MARITAL_STATUS_CONFIRMATION = "xác nhận tình trạng hôn nhân", "confirmation of marital status"


class RegistrationKind(Coded):
    ON_TIME = "đúng hạn", "on time"
    LATE = "quá hạn", "late"
    RE_REGISTERED = "đăng ký lại", "registered again"
    FOREIGN_NOTE = "ghi chú việc đã đăng ký ở nước ngoài", "note of a registration abroad"
    DIGITISED = "số hóa từ sổ giấy", "digitised from paper books"


class EventStatus(Coded):
    VALID = "có hiệu lực", "valid"
    AMENDED = "đã thay đổi, cải chính", "amended"
    REVOKED = "đã thu hồi, hủy bỏ", "revoked"
    SUPERSEDED = "đã được thay thế", "superseded"


class DataQuality(Coded):
    VERIFIED_WITH_NPDB = "đã khớp với CSDL dân cư", "verified with the population database"
    UNVERIFIED = "chưa đối chiếu", "unverified"
    MISMATCH = "không khớp", "mismatch"


class OfficeLevel(Coded):
    COMMUNE = "Ủy ban nhân dân cấp xã", "commune People's Committee"
    DISTRICT_LEGACY = "Ủy ban nhân dân cấp huyện (trước 01/7/2025)", "district, until 1 July 2025"
    MISSION = "cơ quan đại diện Việt Nam ở nước ngoài", "Vietnamese mission abroad"


@struct("Cơ quan đăng ký hộ tịch", "Civil status office")
class Office:
    agency_code: str | None = field("mã cơ quan", "Agency code", BASIC)
    name: str | None = field("tên cơ quan", "Name of the office", BASIC)
    level: OfficeLevel | None = field("cấp", "Level", BASIC)


@struct("Người ký", "Signatory")
class Signatory:
    name: str | None = field("họ, chữ đệm và tên", "Name", BASIC)
    title: str | None = field("chức vụ", "Title", BASIC)


@struct("Người yêu cầu đăng ký", "Requester")
class Requester:
    name: str | None = field("họ, chữ đệm và tên", "Name", BASIC)
    citizen_id: PersonNumber | None = field("số định danh", "Person number", BASIC, person="person")
    relation: str | None = field("quan hệ với người được đăng ký", "Relation", SENSITIVE)


class Event:
    """The header of every entry."""

    event_id: str = field("mã sự kiện", "Event id", BASIC)
    event_type: CivilStatusEventType | None = field("loại sự kiện", "Kind of event", BASIC)
    book_no: str | None = field("quyển số", "Book number", BASIC)
    register_no: str | None = field("số đăng ký", "Number in the register", BASIC)
    registration_date: date | None = field("ngày đăng ký", "Date of registration", BASIC)
    registration_office: Office | None = field("nơi đăng ký", "Registered at", BASIC)
    signatory: Signatory | None = field("người ký", "Signatory", BASIC)
    registration_kind: RegistrationKind | None = field(
        "loại đăng ký", "Kind of registration", RESTRICTED
    )
    requester: Requester | None = field("người yêu cầu", "Requester", BASIC)
    status: EventStatus | None = field("tình trạng", "Status", BASIC, dimension=True)
    amendments: tuple[str, ...] | None = field("các lần thay đổi", "Amending events", RESTRICTED)
    note: str | None = field("ghi chú", "Note", RESTRICTED)
    source_updated_at: datetime | None = field("cập nhật lúc", "Updated at the source", BASIC)
    data_quality: DataQuality | None = field("chất lượng dữ liệu", "Quality of the data", BASIC)
