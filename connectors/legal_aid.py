"""The Legal Aid Database: cases, beneficiaries and providers of state legal aid.

Provincial legal aid centres write it, in a system used since 2019; the central database is being
built. Why somebody gets aid is mostly sensitive (disability, HIV, violence, trafficking), and so is
every document that would tell it. One case may not be taken by two providers (Law 11/2017/QH14 Art.
9(4)). Fields of practice exclude business and commerce.
"""

from __future__ import annotations

from datetime import date

from connectors.declaration import (
    BASIC,
    PUBLIC,
    RESTRICTED,
    SENSITIVE,
    database,
    event,
    field,
    lookup,
    record,
)
from connectors.description import Coded, Coverage, Group, Text
from connectors.values import PartialDate, PersonNumber
from connectors.vocabulary import PROVINCES, Party, Place, Sex


class LegalAidCategory(Coded):
    """Law 11/2017/QH14 Art. 7; from MARTYR_FAMILY on (no. 7) financial hardship is needed too.

    Amendments proposed in 2026 would add to it.
    """

    MERITORIOUS = "người có công với cách mạng", "person of merit to the revolution"
    POOR_HOUSEHOLD = "người thuộc hộ nghèo", "member of a poor household"
    CHILD = "trẻ em", "child under 16"
    ETHNIC_MINORITY_SPECIAL_AREA = (
        "người dân tộc thiểu số cư trú ở vùng đặc biệt khó khăn",
        "member of an ethnic minority in an area of extreme difficulty",
    )
    ACCUSED_16_18 = "người bị buộc tội từ đủ 16 đến dưới 18 tuổi", "accused aged 16 to under 18"
    ACCUSED_NEAR_POOR = "người bị buộc tội thuộc hộ cận nghèo", "accused, near-poor household"
    MARTYR_FAMILY = "thân nhân liệt sĩ", "relative of a martyr"
    AGENT_ORANGE = "người nhiễm chất độc da cam", "victim of Agent Orange"
    ELDERLY = "người cao tuổi", "elderly person"
    DISABLED = "người khuyết tật", "person with a disability"
    VICTIM_16_18 = "bị hại từ đủ 16 đến dưới 18 tuổi", "victim of a crime aged 16 to under 18"
    DOMESTIC_VIOLENCE_VICTIM = "nạn nhân bạo lực gia đình", "victim of domestic violence"
    TRAFFICKING_VICTIM = "nạn nhân của hành vi mua bán người", "victim of trafficking"
    HIV = "người nhiễm HIV", "person with HIV"


class LegalAidHardshipProof(Coded):
    NEAR_POOR = "thuộc hộ cận nghèo", "near-poor household"
    MONTHLY_ALLOWANCE = "hưởng trợ cấp xã hội hằng tháng", "monthly social allowance"
    NONE_REQUIRED = "không yêu cầu chứng minh", "none required"


class LegalAidRequester(Coded):
    SELF = "người được trợ giúp pháp lý", "the beneficiary"
    RELATIVE = "người thân thích", "relative"
    AGENCY = "cơ quan nhà nước", "state agency"
    ORGANISATION = "tổ chức", "organisation"


class LegalAidChannel(Coded):
    DIRECT = "nộp trực tiếp", "in person"
    POST = "gửi qua dịch vụ bưu chính", "by post"
    ELECTRONIC = "nộp trực tuyến", "electronically"
    REFERRAL_BY_PROCEEDING_AGENCY = (
        "cơ quan tiến hành tố tụng giới thiệu",
        "referred by an agency conducting proceedings",
    )


class LegalAidAcceptance(Coded):
    ACCEPTED = "đã thụ lý", "accepted"
    PENDING_DOCS = "chờ bổ sung giấy tờ", "documents outstanding"
    REFUSED = "từ chối", "refused"


class LegalAidField(Coded):
    CRIMINAL = "pháp luật hình sự", "criminal"
    CIVIL = "pháp luật dân sự", "civil"
    MARRIAGE_FAMILY = "hôn nhân và gia đình", "marriage and family"
    ADMINISTRATIVE = "pháp luật hành chính", "administrative"
    LAND = "pháp luật đất đai", "land"
    LABOUR = "pháp luật lao động", "labour"
    OTHER = "lĩnh vực khác", "other"


class LegalAidForm(Coded):
    LITIGATION = "tham gia tố tụng", "litigation"
    CONSULTATION = "tư vấn pháp luật", "consultation"
    OUT_OF_COURT_REPRESENTATION = "đại diện ngoài tố tụng", "representation out of court"


class LegalAidProceedingStage(Coded):
    INVESTIGATION = "điều tra", "investigation"
    PROSECUTION = "truy tố", "prosecution"
    FIRST_INSTANCE = "xét xử sơ thẩm", "first instance"
    APPEAL = "xét xử phúc thẩm", "appeal"
    CASSATION = "giám đốc thẩm, tái thẩm", "cassation or reopening"


class LegalAidCaseStatus(Coded):
    IN_PROGRESS = "đang thực hiện", "in progress"
    TRANSFERRED = "đã chuyển cho nơi khác", "transferred"
    DISCONTINUED = "không tiếp tục thực hiện", "discontinued"
    COMPLETED = "đã hoàn thành", "completed"


class LegalAidQuality(Coded):
    GOOD = "tốt", "good"
    FAIR = "khá", "fair"
    PASS = "đạt", "pass"
    FAIL = "chưa đạt", "fail"


class LegalAidEventType(Coded):
    """An assumption: the steps of a case that Law 11/2017/QH14 Art. 29-39 gives a date."""

    REQUESTED = "yêu cầu", "requested"
    ACCEPTED = "thụ lý", "accepted"
    REFUSED = "từ chối", "refused"
    ASSIGNED = "phân công người thực hiện", "assigned"
    REASSIGNED = "thay thế người thực hiện", "reassigned"
    TRANSFERRED = "chuyển vụ việc", "transferred"
    DISCONTINUED = "không tiếp tục thực hiện", "discontinued"
    COMPLETED = "hoàn thành", "completed"
    FILE_HANDED_OVER = "bàn giao hồ sơ", "file handed over"
    OTHER = "việc khác", "other"


class LegalAidProviderType(Coded):
    STATE_CENTRE = "Trung tâm trợ giúp pháp lý nhà nước", "state legal aid centre"
    STATE_CENTRE_BRANCH = "Chi nhánh của Trung tâm", "branch of a state centre"
    CONTRACTED = "tổ chức ký hợp đồng", "organisation under contract"
    REGISTERED = "tổ chức đăng ký tham gia", "registered organisation"


class LegalAidPersonRole(Coded):
    LEGAL_AID_OFFICER = "trợ giúp viên pháp lý", "state legal aid officer"
    LAWYER = "luật sư", "lawyer"
    LEGAL_CONSULTANT = "tư vấn viên pháp luật", "legal consultant"
    COLLABORATOR = "cộng tác viên", "collaborator"


class LegalAidPractice(Coded):
    """An assumption: no source names the states of providers and persons."""

    ACTIVE = "đang hoạt động", "active"
    SUSPENDED = "tạm ngừng", "suspended"
    ENDED = "đã chấm dứt", "ended"


@record(
    ("Vụ việc trợ giúp pháp lý", "Legal aid case"),
    lookups=[lookup("cases", "Vụ việc trợ giúp pháp lý", "Legal aid cases", by="beneficiary_id")],
    identity="case_no",
    date="request_date",
    status="status",
    events=[
        event(
            "request_date", "LEGAL_AID_REQUESTED", "yêu cầu trợ giúp pháp lý", "legal aid requested"
        ),
        event(
            "accepted_date", "LEGAL_AID_ACCEPTED", "thụ lý vụ việc trợ giúp", "legal aid accepted"
        ),
        event(
            "assigned_date", "LEGAL_AID_ASSIGNED", "phân công người trợ giúp", "legal aid assigned"
        ),
        event(
            "completed_date", "LEGAL_AID_COMPLETED", "hoàn thành trợ giúp", "legal aid completed"
        ),
        event(
            "file_handover_date",
            "LEGAL_AID_FILED",
            "bàn giao hồ sơ trợ giúp",
            "legal aid file handed over",
        ),
    ],
    province="province_code",
)
class LegalAidCase:
    """To be assigned within 3 working days, 12 hours for the detained (Art. 31)."""

    case_no: str = field("số vụ việc", "Case number", BASIC)
    province_code: str | None = field("mã tỉnh, thành phố", "Province", BASIC, dimension=True)
    centre_id: str | None = field("mã Trung tâm", "Centre id", BASIC)
    beneficiary_id: PersonNumber = field(
        "số định danh của người được trợ giúp", "Beneficiary's number", BASIC, person="beneficiary"
    )
    beneficiary_category: LegalAidCategory | None = field(
        "diện người được trợ giúp", "Category of the beneficiary", SENSITIVE
    )
    hardship_proof: LegalAidHardshipProof | None = field(
        "chứng minh khó khăn về tài chính", "Proof of financial hardship", SENSITIVE
    )
    proof_docs: tuple[str, ...] | None = field("giấy tờ chứng minh", "Documents", SENSITIVE)
    request_date: date | None = field("ngày yêu cầu", "Requested on", BASIC)
    requester: LegalAidRequester | None = field("người yêu cầu", "Who asked", BASIC)
    channel: LegalAidChannel | None = field("cách yêu cầu", "Channel", BASIC, dimension=True)
    accepted_date: date | None = field("ngày thụ lý", "Accepted on", BASIC)
    acceptance_status: LegalAidAcceptance | None = field(
        "kết quả thụ lý", "Acceptance", BASIC, dimension=True
    )
    refusal_ground: str | None = field("lý do từ chối", "Ground of the refusal", SENSITIVE)
    field_of_law: LegalAidField | None = field("lĩnh vực", "Field", BASIC, dimension=True)
    form: LegalAidForm | None = field("hình thức", "Form", BASIC, dimension=True)
    subject: str | None = field("tóm tắt nội dung", "Summary of the subject", RESTRICTED)
    proceeding_stage: LegalAidProceedingStage | None = field(
        "giai đoạn tố tụng", "Stage of the proceedings", BASIC, dimension=True
    )
    court_case_no: str | None = field("số thụ lý của Tòa án", "Court's case number", BASIC)
    status: LegalAidCaseStatus | None = field("tình trạng", "Status", BASIC, dimension=True)
    assigned_person_id: str | None = field("mã người thực hiện", "Assigned person", BASIC)
    assigned_date: date | None = field("ngày phân công", "Assigned on", BASIC)
    completed_date: date | None = field("ngày hoàn thành", "Completed on", BASIC)
    file_handover_date: date | None = field("ngày bàn giao hồ sơ", "File handed over on", BASIC)
    result_summary: str | None = field("tóm tắt kết quả", "Summary of the result", RESTRICTED)
    quality_rating: LegalAidQuality | None = field(
        "đánh giá chất lượng", "Rating of the quality", BASIC, dimension=True
    )
    complex: bool | None = field("vụ việc phức tạp", "Complex case", BASIC, dimension=True)


@record(
    ("Người được trợ giúp pháp lý", "Legal aid beneficiary"),
    lookups=[lookup("beneficiary", "Người được trợ giúp", "Beneficiary", by="citizen_id")],
    identity="citizen_id",
    single=True,
    limit=2,
)
class LegalAidBeneficiary:
    citizen_id: PersonNumber = field("số định danh", "Person number", BASIC, person="person")
    name: str | None = field("họ, chữ đệm và tên", "Name", BASIC)
    birth_date: PartialDate | None = field("ngày, tháng, năm sinh", "Date of birth", BASIC)
    sex: Sex | None = field("giới tính", "Sex", BASIC, dimension=True)
    ethnicity: str | None = field("dân tộc", "Ethnicity", SENSITIVE)
    residence: Place | None = field("nơi cư trú", "Residence", BASIC)
    phone: str | None = field("số điện thoại", "Phone number", BASIC)
    email: str | None = field("thư điện tử", "Email", BASIC)
    representative: Party | None = field("người giám hộ, đại diện", "Representative", BASIC)


@record(
    ("Diện được trợ giúp pháp lý", "Entitlement to legal aid"),
    lookups=[
        lookup(
            "entitlements",
            "Các diện được trợ giúp",
            "Entitlements",
            by="citizen_id",
            on=("beneficiary", "citizen_id"),
        )
    ],
    identity="entry_id",
    date="valid_from",
    sensitivity=SENSITIVE,
    events=[
        event(
            "valid_from", "LEGAL_AID_ENTITLED", "thuộc diện được trợ giúp", "entitled to legal aid"
        ),
    ],
)
class LegalAidEntitlement:
    entry_id: str = field("mã bản ghi", "Entry id", SENSITIVE)
    citizen_id: PersonNumber = field("số định danh", "Person number", SENSITIVE)
    category: LegalAidCategory | None = field("diện được trợ giúp", "Category", SENSITIVE)
    valid_from: date | None = field("từ ngày", "From", SENSITIVE)
    valid_until: date | None = field("đến ngày", "Until", SENSITIVE)
    proof_doc_no: str | None = field("số giấy tờ chứng minh", "Document number", SENSITIVE)
    issuer: str | None = field("cơ quan cấp giấy tờ", "Issuer of the document", SENSITIVE)


@record(
    ("Tổ chức thực hiện trợ giúp pháp lý", "Legal aid provider"),
    lookups=[
        lookup(
            "centre", "Trung tâm thụ lý", "Centre", by="organisation_id", on=("cases", "centre_id")
        ),
        lookup(
            "organisation",
            "Tổ chức",
            "Organisation",
            by="organisation_id",
            on=("aid_persons", "organisation_id"),
        ),
    ],
    name="providers",
    identity="organisation_id",
    single=True,
    limit=2,
)
class LegalAidProvider:
    organisation_id: str = field("mã tổ chức", "Organisation id", PUBLIC)
    name: str | None = field("tên tổ chức", "Name", PUBLIC)
    kind: LegalAidProviderType | None = field("loại tổ chức", "Kind", PUBLIC, dimension=True)
    address: str | None = field("địa chỉ", "Address", PUBLIC)
    licence_no: str | None = field("số hợp đồng, đăng ký", "Contract or registration", PUBLIC)
    fields_of_law: tuple[LegalAidField, ...] | None = field("lĩnh vực", "Fields", PUBLIC)
    status: LegalAidPractice | None = field("tình trạng", "Status", PUBLIC, dimension=True)


@record(
    ("Người thực hiện trợ giúp pháp lý", "Person who gives legal aid"),
    lookups=[
        lookup(
            "assigned_person",
            "Người thực hiện",
            "Assigned person",
            by="person_id",
            on=("cases", "assigned_person_id"),
        )
    ],
    name="aid_persons",
    identity="person_id",
    single=True,
    limit=2,
)
class LegalAidPerson:
    person_id: str = field("mã người thực hiện", "Id of the person", PUBLIC)
    name: str | None = field("họ, chữ đệm và tên", "Name", PUBLIC)
    role: LegalAidPersonRole | None = field("tư cách", "Role", PUBLIC, dimension=True)
    card_no: str | None = field("số thẻ", "Card number", BASIC)
    organisation_id: str | None = field("mã tổ chức", "Organisation id", PUBLIC)
    citizen_id: PersonNumber | None = field(
        "số định danh", "Person number", RESTRICTED, person="person"
    )
    appointed_date: date | None = field("ngày bổ nhiệm", "Appointed on", PUBLIC)
    status: LegalAidPractice | None = field("tình trạng", "Status", PUBLIC, dimension=True)


@record(
    ("Diễn biến vụ việc", "Event in a legal aid case"),
    lookups=[
        lookup("timeline", "Diễn biến vụ việc", "Timeline", by="case_no", on=("cases", "case_no"))
    ],
    identity="event_id",
    date="event_date",
    events=[
        event(
            "event_date", "LEGAL_AID_STEP", "diễn biến vụ việc trợ giúp", "step in a legal aid case"
        ),
    ],
)
class LegalAidTimelineEvent:
    event_id: str = field("mã sự kiện", "Event id", BASIC)
    case_no: str = field("số vụ việc", "Case number", BASIC)
    kind: LegalAidEventType | None = field("loại sự kiện", "Kind of event", BASIC, dimension=True)
    event_date: date | None = field("ngày", "Date", BASIC)
    performed_by: str | None = field("người thực hiện", "By whom", BASIC)
    note: str | None = field("ghi chú", "Note", RESTRICTED)


DATABASE = database(
    "legal_aid",
    title=("Cơ sở dữ liệu về trợ giúp pháp lý", "Legal Aid Database"),
    owner=("Bộ Tư pháp", "Ministry of Justice"),
    legal_basis=("Luật Trợ giúp pháp lý 11/2017/QH14, Điều 39 khoản 3", "Nghị định 144/2017/NĐ-CP"),
    group=Group.UNDER_CONSTRUCTION,
    coverage=Coverage(
        provinces=PROVINCES,
        includes=(Text("vụ việc có hồ sơ điện tử", "cases with an electronic file"),),
        excludes=(
            Text("hồ sơ chỉ có bản giấy", "files that exist on paper only"),
            Text("lĩnh vực kinh doanh, thương mại", "business and commerce"),
        ),
    ),
    records=[
        LegalAidCase,
        LegalAidBeneficiary,
        LegalAidEntitlement,
        LegalAidProvider,
        LegalAidPerson,
        LegalAidTimelineEvent,
    ],
)
