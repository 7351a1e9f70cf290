"""The National Database on Handling of Administrative Violations.

Since Resolution 66.9/2025/NQ-CP (8 December 2025) the Ministry of Public Security builds and runs
it; the Ministry of Justice is a user. All of it is sensitive (Decree 356/2025/NĐ-CP Art. 4), and
after the legal period nobody is considered sanctioned any more (Law 15/2012/QH13 Art. 7): for that
``completed_on`` and ``expired_on`` are here.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from connectors.declaration import SENSITIVE, database, event, field, lookup, record
from connectors.description import Coded, Coverage, Group, Lookup, Text
from connectors.values import PersonNumber
from connectors.vocabulary import Party, Place, Sex, codes_of, numbers_of


class ViolationRecordStatus(Coded):
    OPEN = "đang giải quyết", "open"
    DECIDED = "đã ra quyết định xử phạt", "decided"
    NO_SANCTION = "không xử phạt", "no sanction"
    TRANSFERRED_CRIMINAL = "chuyển truy cứu trách nhiệm hình sự", "transferred to prosecution"


class SanctionForm(Coded):
    """Law 15/2012/QH13 Art. 21; WARNING and FINE are only ever the main sanction."""

    WARNING = "cảnh cáo", "warning"
    FINE = "phạt tiền", "fine"
    LICENCE_REVOCATION = (
        "tước quyền sử dụng giấy phép, chứng chỉ hành nghề có thời hạn",
        "licence or certificate withdrawn for a time",
    )
    ACTIVITY_SUSPENSION = "đình chỉ hoạt động có thời hạn", "activity suspended for a time"
    CONFISCATION = "tịch thu tang vật, phương tiện", "exhibits or means confiscated"
    EXPULSION = "trục xuất", "expulsion"


class RemedialMeasure(Coded):
    """Law 15/2012/QH13 Art. 28."""

    RESTORE_STATE = "khôi phục lại tình trạng ban đầu", "restore the former state"
    DISMANTLE = "tháo dỡ công trình, phần công trình", "dismantle a construction"
    ENV_REMEDY = "khắc phục ô nhiễm môi trường", "remedy pollution"
    RE_EXPORT_OR_EXPEL = (
        "đưa ra khỏi lãnh thổ hoặc tái xuất hàng hóa, vật phẩm, phương tiện",
        "take goods or means out of the country",
    )
    DESTROY = "tiêu hủy hàng hóa, vật phẩm gây hại", "destroy harmful goods"
    CORRECT_INFORMATION = "cải chính thông tin", "correct information"
    REMOVE_INFRINGING_ELEMENT = "loại bỏ yếu tố vi phạm", "remove the infringing element"
    RECALL_PRODUCT = "thu hồi sản phẩm, hàng hóa", "recall products"
    DISGORGE = "nộp lại số lợi bất hợp pháp", "disgorge illegal gains"
    OTHER = "biện pháp khác", "other measure"


class AggravatingCircumstance(Coded):
    RECIDIVISM = "tái phạm", "recidivism"
    REPEATED = "vi phạm hành chính nhiều lần", "repeated violation"
    OTHER = "tình tiết tăng nặng khác", "other aggravating circumstance"


class SanctionProcedure(Coded):
    ON_SPOT = "xử phạt không lập biên bản", "on the spot, without a record"
    WITH_RECORD = "xử phạt có lập biên bản", "with a record"


class SanctionStatus(Coded):
    ISSUED = "đã ban hành", "issued"
    AMENDED = "đã sửa đổi, đính chính", "amended"
    CANCELLED = "đã hủy bỏ", "cancelled"
    EXECUTED = "đã thi hành xong", "executed"
    PARTLY = "đã thi hành một phần", "partly executed"
    EXPIRED = "hết thời hiệu thi hành", "limitation of execution expired"
    APPEALED = "đang bị khiếu nại, khởi kiện", "appealed"


class SanctionExecutionType(Coded):
    PAID = "nộp phạt", "paid"
    INSTALLMENT = "nộp phạt nhiều lần", "instalment"
    POSTPONED = "hoãn thi hành", "postponed"
    EXEMPTED = "miễn", "exempted"
    REDUCED = "giảm", "reduced"
    SUSPENDED = "đình chỉ thi hành", "suspended"
    COERCED = "cưỡng chế thi hành", "coerced"


class AdminHandlingMeasure(Coded):
    COMMUNE_EDUCATION = "giáo dục tại xã, phường, đặc khu", "education in the commune"
    REFORM_SCHOOL = "đưa vào trường giáo dưỡng", "reform school"
    COMPULSORY_EDUCATION = "đưa vào cơ sở giáo dục bắt buộc", "compulsory education centre"
    COMPULSORY_REHAB = "đưa vào cơ sở cai nghiện bắt buộc", "compulsory rehabilitation centre"
    # in their place, for minors
    WARNING_REMINDER = "nhắc nhở", "reminder"
    FAMILY_MANAGEMENT = "quản lý tại gia đình", "supervision in the family"


class AdminHandlingStatus(Coded):
    """An assumption: no source names the states of these decisions."""

    ISSUED = "đã ban hành", "issued"
    IN_FORCE = "đang chấp hành", "being served"
    POSTPONED = "hoãn, tạm đình chỉ chấp hành", "postponed or suspended"
    COMPLETED = "đã chấp hành xong", "completed"
    CANCELLED = "đã hủy bỏ", "cancelled"
    EXPIRED = "hết thời hiệu thi hành", "limitation of execution expired"


def _hung(name: str, vi: str, en: str) -> Lookup:
    """A list that hangs on a sanction."""
    return lookup(name, vi, en, by="decision_no", on=("sanctions", "decision_no"))


@record(
    ("Biên bản vi phạm hành chính", "Record of an administrative violation"),
    lookups=[
        lookup(
            "records",
            "Biên bản vi phạm hành chính",
            "Records of violations",
            by=numbers_of("violator"),
        ),
        lookup(
            "organisation_records",
            "Biên bản vi phạm hành chính của tổ chức",
            "Records of violations of an organisation",
            by=codes_of("violator"),
            organisation="records",
        ),
    ],
    identity="record_no",
    date="made_on",
    status="status",
    sensitivity=SENSITIVE,
    events=[
        event("made_on", "VIOLATION_RECORDED", "lập biên bản vi phạm", "violation recorded"),
    ],
)
class ViolationRecord:
    record_no: str = field("số biên bản", "Record number", SENSITIVE)
    made_on: date | None = field("ngày lập", "Made on", SENSITIVE)
    place: Place | None = field("nơi xảy ra", "Place", SENSITIVE)
    maker_agency: str | None = field("cơ quan lập biên bản", "Agency", SENSITIVE)
    maker: str | None = field("người lập biên bản", "Made by", SENSITIVE)
    violator: Party | None = field("người, tổ chức vi phạm", "Violator", SENSITIVE)
    act_code: str | None = field("điểm, khoản, điều, nghị định", "Provision violated", SENSITIVE)
    sector: str | None = field("lĩnh vực", "Field", SENSITIVE, dimension=True)
    description: str | None = field("mô tả hành vi", "Description", SENSITIVE)
    evidence: tuple[str, ...] | None = field("chứng cứ", "Evidence", SENSITIVE)
    seized_items: tuple[str, ...] | None = field(
        "tang vật, phương tiện bị tạm giữ", "Items seized", SENSITIVE
    )
    explanation_right: bool | None = field("quyền giải trình", "Right to explain", SENSITIVE)
    status: ViolationRecordStatus | None = field("tình trạng", "Status", SENSITIVE, dimension=True)


@record(
    ("Quyết định xử phạt vi phạm hành chính", "Decision on a sanction"),
    lookups=[
        lookup(
            "sanctions",
            "Quyết định xử phạt",
            "Decisions on sanctions",
            by=numbers_of("violator"),
        ),
        lookup(
            "organisation_sanctions",
            "Quyết định xử phạt tổ chức",
            "Decisions on sanctions of an organisation",
            by=codes_of("violator"),
            organisation="sanctions",
        ),
    ],
    identity="decision_no",
    date="decision_date",
    status="status",
    sensitivity=SENSITIVE,
    events=[
        event("decision_date", "SANCTIONED", "ra quyết định xử phạt", "sanctioned"),
    ],
)
class SanctionDecision:
    """To be carried out within 10 days, unless it says otherwise."""

    decision_no: str = field("số quyết định", "Decision number", SENSITIVE)
    decision_date: date | None = field("ngày ra quyết định", "Date of the decision", SENSITIVE)
    issuer_agency: str | None = field("cơ quan ra quyết định", "Agency", SENSITIVE)
    issuer_title: str | None = field("chức danh người ra quyết định", "Issuer's title", SENSITIVE)
    violator: Party | None = field("người, tổ chức bị xử phạt", "Violator", SENSITIVE)
    violator_sex: Sex | None = field("giới tính", "Violator's sex", SENSITIVE)
    violator_licence_no: str | None = field(
        "số đăng ký đầu tư, đăng ký kinh doanh, giấy phép thành lập",
        "Number of the investment, business or establishment licence",
        SENSITIVE,
    )
    record_no: str | None = field("số biên bản", "Record number", SENSITIVE)
    sector: str | None = field("lĩnh vực", "Field", SENSITIVE, dimension=True)
    main_sanction: SanctionForm | None = field(
        "hình thức xử phạt chính", "Main sanction", SENSITIVE, dimension=True
    )
    fine_amount: Decimal | None = field("mức tiền phạt", "Amount of the fine", SENSITIVE)
    additional_sanctions: tuple[SanctionForm, ...] | None = field(
        "hình thức xử phạt bổ sung", "Additional sanctions", SENSITIVE
    )
    remedial_measures: tuple[RemedialMeasure, ...] | None = field(
        "biện pháp khắc phục hậu quả", "Remedial measures", SENSITIVE
    )
    aggravating: tuple[AggravatingCircumstance, ...] | None = field(
        "tình tiết tăng nặng", "Aggravating circumstances", SENSITIVE
    )
    mitigating: tuple[str, ...] | None = field(
        "tình tiết giảm nhẹ", "Mitigating circumstances", SENSITIVE
    )
    execution_deadline: date | None = field("hạn thi hành", "To be executed by", SENSITIVE)
    procedure: SanctionProcedure | None = field(
        "thủ tục xử phạt", "Procedure", SENSITIVE, dimension=True
    )
    status: SanctionStatus | None = field("tình trạng", "Status", SENSITIVE, dimension=True)


@record(
    ("Hành vi bị xử phạt", "Act that was sanctioned"),
    lookups=[_hung("acts", "Hành vi vi phạm", "Acts")],
    identity="entry_id",
    sensitivity=SENSITIVE,
)
class SanctionedAct:
    entry_id: str = field("mã bản ghi", "Entry id", SENSITIVE)
    decision_no: str = field("số quyết định", "Decision number", SENSITIVE)
    legal_ref: str | None = field("điểm, khoản, điều, nghị định", "Provision", SENSITIVE)
    description: str | None = field("mô tả hành vi", "Description", SENSITIVE)


@record(
    ("Thi hành quyết định xử phạt", "Execution of a sanction"),
    lookups=[_hung("executions", "Thi hành quyết định", "Execution")],
    identity="execution_id",
    date="executed_on",
    sensitivity=SENSITIVE,
    events=[
        event(
            "executed_on", "SANCTION_EXECUTED", "thi hành quyết định xử phạt", "sanction executed"
        ),
        event(
            "completed_on", "SANCTION_COMPLETED", "thi hành xong quyết định", "execution completed"
        ),
        event("expired_on", "SANCTION_EXPIRED", "hết thời hiệu thi hành", "limitation expired"),
    ],
)
class SanctionExecution:
    execution_id: str = field("mã thi hành", "Execution id", SENSITIVE)
    decision_no: str = field("số quyết định", "Decision number", SENSITIVE)
    kind: SanctionExecutionType | None = field("loại", "Kind", SENSITIVE, dimension=True)
    amount_paid: Decimal | None = field("số tiền đã nộp", "Amount paid", SENSITIVE)
    receipt_no: str | None = field("số biên lai", "Receipt number", SENSITIVE)
    executed_on: date | None = field("ngày", "Date", SENSITIVE)
    completed_on: date | None = field("ngày thi hành xong", "Completed on", SENSITIVE)
    expired_on: date | None = field("ngày hết thời hiệu", "Limitation expired on", SENSITIVE)


@record(
    ("Quyết định áp dụng biện pháp xử lý hành chính", "Decision on an administrative measure"),
    lookups=[
        lookup(
            "handling_decisions",
            "Biện pháp xử lý hành chính",
            "Decisions on administrative handling measures",
            by="citizen_id",
        )
    ],
    identity="decision_no",
    date="valid_from",
    status="status",
    sensitivity=SENSITIVE,
    events=[
        event("valid_from", "HANDLING_BEGUN", "áp dụng biện pháp xử lý", "handling measure begun"),
        event(
            "completed_on", "HANDLING_COMPLETED", "chấp hành xong biện pháp", "handling completed"
        ),
        event(
            "expired_on", "HANDLING_EXPIRED", "hết thời hiệu biện pháp", "handling measure expired"
        ),
    ],
)
class AdminHandlingDecision:
    """Minors fall under Law 59/2024/QH15 on juvenile justice since 1 January 2026."""

    decision_no: str = field("số quyết định", "Decision number", SENSITIVE)
    citizen_id: PersonNumber = field("số định danh", "Person number", SENSITIVE, person="person")
    measure: AdminHandlingMeasure | None = field("biện pháp", "Measure", SENSITIVE, dimension=True)
    authority: str | None = field("Tòa án, cơ quan quyết định", "Court or authority", SENSITIVE)
    valid_from: date | None = field("từ ngày", "From", SENSITIVE)
    valid_until: date | None = field("đến ngày", "Until", SENSITIVE)
    status: AdminHandlingStatus | None = field("tình trạng", "Status", SENSITIVE, dimension=True)
    completed_on: date | None = field("ngày chấp hành xong", "Completed on", SENSITIVE)
    expired_on: date | None = field("ngày hết thời hiệu", "Limitation expired on", SENSITIVE)


DATABASE = database(
    "administrative_violations",
    title=(
        "Cơ sở dữ liệu quốc gia về xử lý vi phạm hành chính",
        "National Database on Handling of Administrative Violations",
    ),
    owner=("Bộ Công an", "Ministry of Public Security"),
    legal_basis=(
        "Luật Xử lý vi phạm hành chính 15/2012/QH13 (sửa đổi 67/2020/QH14, 88/2025/QH15), Điều 17",
        "Nghị quyết 66.9/2025/NQ-CP",
        "Nghị định 20/2016/NĐ-CP",
        "Nghị định 118/2021/NĐ-CP, sửa đổi bởi 68/2025/NĐ-CP và 190/2025/NĐ-CP",
    ),
    group=Group.UNDER_CONSTRUCTION,
    coverage=Coverage(
        includes=(
            Text("xử phạt vi phạm hành chính", "sanctions for administrative violations"),
            Text("biện pháp xử lý hành chính", "administrative handling measures"),
        ),
        excludes=(Text("án tích, lý lịch tư pháp", "convictions and judicial records"),),
    ),
    records=[
        ViolationRecord,
        SanctionDecision,
        SanctionedAct,
        SanctionExecution,
        AdminHandlingDecision,
    ],
)
