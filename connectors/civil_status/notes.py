"""Changes, notes of court decisions, confirmations of marital status.

The values before and after a change may be of any class (an ethnicity, a parent) and its ground may
be an adoption, so they are kept accordingly. Notes of adoptions are told by ``event_type``.
"""

from __future__ import annotations

from datetime import date

from connectors.change_rules import change
from connectors.civil_status.header import IN_FORCE, NO_EVENT, RESERVE, Event
from connectors.declaration import BASIC, RESTRICTED, SENSITIVE, event, field, lookup, record
from connectors.description import Coded
from connectors.values import PersonNumber
from connectors.vocabulary import Place


class CivilStatusChangeKind(Coded):
    CHANGE = "thay đổi", "change"
    CORRECTION = "cải chính", "correction"
    SUPPLEMENT = "bổ sung", "supplement"
    ETHNICITY_REDETERMINATION = "xác định lại dân tộc", "redetermination of ethnicity"


class ConfirmedMaritalStatus(Coded):
    NEVER_MARRIED = "chưa đăng ký kết hôn với ai", "never married"
    CURRENTLY_MARRIED = "đang có vợ/chồng", "married"
    DIVORCED_NOT_REMARRIED = "đã ly hôn, chưa kết hôn lại", "divorced, not remarried"
    WIDOWED_NOT_REMARRIED = "vợ/chồng đã chết, chưa kết hôn lại", "widowed, not remarried"


class ConfirmationPurpose(Coded):
    MARRIAGE = "để kết hôn", "marriage"
    PROPERTY_TRANSACTION = "giao dịch tài sản", "property transaction"
    OTHER = "mục đích khác", "other purpose"


@record(
    ("Thay đổi, cải chính, bổ sung hộ tịch, xác định lại dân tộc", "Change of civil status"),
    lookups=[lookup("changes", "Thay đổi, cải chính hộ tịch", "Changes", by="citizen_id")],
    identity="event_id",
    reserve=RESERVE,
    date="registration_date",
    status="status",
    events=[
        event(
            "registration_date", "CIVIL_STATUS_CHANGED", "thay đổi hộ tịch", "civil status changed"
        ),
    ],
    changes=[
        change("CORRECTION", "changes", date="registration_date", when=IN_FORCE, unless=NO_EVENT),
    ],
)
class CivilStatusChange(Event):
    citizen_id: PersonNumber | None = field("số định danh", "Person number", BASIC, person="person")
    extract_no: str | None = field("số trích lục", "Number of the extract", BASIC)
    change_kind: CivilStatusChangeKind | None = field(
        "loại thay đổi", "Kind", BASIC, dimension=True
    )
    changed_field: str | None = field("nội dung được thay đổi", "What was changed", BASIC)
    old_value: str | None = field("nội dung trước", "Value before", SENSITIVE)
    new_value: str | None = field("nội dung sau", "Value after", SENSITIVE)
    reason: str | None = field("lý do", "Reason", RESTRICTED)
    basis_document: str | None = field("giấy tờ căn cứ", "Document it is based on", RESTRICTED)
    target_event_id: str | None = field("mã sự kiện được thay đổi", "Event that was changed", BASIC)


@record(
    ("Ghi chú bản án, quyết định", "Note of a decision of a court or agency"),
    lookups=[
        lookup(
            "court_notes",
            "Ghi chú bản án, quyết định",
            "Notes of decisions of courts and agencies",
            by=("citizen_id", "spouse_id"),
        )
    ],
    identity="event_id",
    reserve=RESERVE,
    date="registration_date",
    status="status",
    events=[
        event("decision_date", "COURT_DECIDED", "Tòa án, cơ quan ra quyết định", "court decided"),
        event(
            "effective_date",
            "COURT_DECISION_IN_FORCE",
            "quyết định có hiệu lực",
            "decision in force",
        ),
        event(
            "registration_date",
            "COURT_DECISION_NOTED",
            "ghi chú quyết định",
            "court decision noted",
        ),
    ],
)
class CourtDecisionNote(Event):
    citizen_id: PersonNumber | None = field("số định danh", "Person number", BASIC, person="person")
    spouse_id: PersonNumber | None = field(
        "số định danh của vợ/chồng", "Spouse's number", BASIC, person="spouse"
    )
    child_ids: tuple[PersonNumber, ...] | None = field(
        "số định danh của các con", "Children's numbers", BASIC, person="children"
    )
    court_name: str | None = field("Tòa án, cơ quan ra quyết định", "Court or agency", BASIC)
    decision_no: str | None = field("số bản án, quyết định", "Decision number", BASIC)
    decision_date: date | None = field("ngày ra quyết định", "Date of the decision", BASIC)
    effective_date: date | None = field("ngày có hiệu lực", "Effective from", BASIC)
    content: str | None = field("nội dung", "Content", SENSITIVE)
    revoked_by_event_id: str | None = field("bị hủy bởi sự kiện", "Event that revoked it", BASIC)


@record(
    ("Giấy xác nhận tình trạng hôn nhân", "Confirmation of marital status"),
    lookups=[
        lookup(
            "marital_status_confirmations",
            "Xác nhận tình trạng hôn nhân",
            "Confirmations of marital status",
            by="citizen_id",
        )
    ],
    identity="event_id",
    reserve=RESERVE,
    date="issued_on",
    status="status",
    events=[
        event(
            "issued_on",
            "MARITAL_STATUS_CONFIRMED",
            "xác nhận tình trạng hôn nhân",
            "status confirmed",
        ),
    ],
)
class MaritalStatusConfirmation(Event):
    """Decree 123/2015/NĐ-CP Art. 21-23: for six months, and only for the purpose it states."""

    confirmation_no: str | None = field("số giấy xác nhận", "Confirmation number", BASIC)
    citizen_id: PersonNumber | None = field("số định danh", "Person number", BASIC, person="person")
    residence: Place | None = field("nơi cư trú", "Residence", BASIC)
    marital_status: ConfirmedMaritalStatus | None = field(
        "tình trạng hôn nhân", "Marital status", BASIC, dimension=True
    )
    resided_from: date | None = field("cư trú từ ngày", "Resided from", BASIC)
    resided_until: date | None = field("cư trú đến ngày", "Resided until", BASIC)
    purpose: ConfirmationPurpose | None = field(
        "mục đích sử dụng", "Purpose", BASIC, dimension=True
    )
    intended_spouse_name: str | None = field("người dự định kết hôn", "Intended spouse", BASIC)
    intended_spouse_id: PersonNumber | None = field(
        "số định danh của người dự định kết hôn",
        "Intended spouse's number",
        BASIC,
        person="intended_spouse",
    )
    issued_on: date | None = field("ngày cấp", "Issued on", BASIC)
    valid_until: date | None = field("có giá trị đến", "Valid until", BASIC)
    issuer: str | None = field("cơ quan cấp", "Issuer", BASIC)
    basis_event_ids: tuple[str, ...] | None = field(
        "các sự kiện làm căn cứ", "Events it rests on", BASIC
    )
