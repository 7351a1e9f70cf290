"""The Civil Judgment Enforcement Database: decisions, obligations, measures, exit postponements.

The platform was switched on on 12 December 2025; 34 provincial agencies and their regional offices
write it. Only debtors without conditions to enforce are published, and only for as long as that
holds (Decree 152/2026/NĐ-CP Art. 23).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from connectors.change_rules import CREATED, ENTERED, NUMBERED, change
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
from connectors.description import Coded, Coverage, Group, Lookup, Text
from connectors.population import PopulationMaritalStatus
from connectors.values import PersonNumber
from connectors.vocabulary import Party, Place, codes_of, numbers_of


class JudgmentIssuer(Coded):
    COURT = "Tòa án", "court"
    ARBITRATION = "Trọng tài thương mại", "commercial arbitration"
    COMPETITION_COMMISSION = "Ủy ban Cạnh tranh Quốc gia", "National Competition Commission"
    TRADE_REMEDY = "cơ quan phòng vệ thương mại", "trade remedy authority"
    OTHER = "cơ quan khác", "other authority"


class JudgmentKind(Coded):
    CIVIL = "dân sự", "civil"
    MARRIAGE_FAMILY = "hôn nhân và gia đình", "marriage and family"
    BUSINESS = "kinh doanh, thương mại", "business and commerce"
    LABOUR = "lao động", "labour"
    CRIMINAL_CIVIL_PART = "phần dân sự trong bản án hình sự", "civil part of a criminal judgment"
    ADMINISTRATIVE_PROPERTY_PART = (
        "phần tài sản trong bản án hành chính",
        "property part of an administrative judgment",
    )
    BANKRUPTCY = "phá sản", "bankruptcy"
    PROVISIONAL_MEASURE = "biện pháp khẩn cấp tạm thời", "provisional emergency measure"


class EnforcementInitiation(Coded):
    EX_OFFICIO = "chủ động thi hành án", "ex officio"
    ON_REQUEST = "thi hành án theo yêu cầu", "on request"


class EnforcementStatus(Coded):
    PENDING_DECISION = "chờ ra quyết định thi hành án", "decision pending"
    IN_VOLUNTARY_PERIOD = "trong thời hạn tự nguyện", "in the voluntary period"
    ENFORCING = "có điều kiện, đang thi hành", "enforceable, being enforced"
    NO_CONDITIONS = "chưa có điều kiện thi hành", "no conditions to enforce yet"
    POSTPONED = "hoãn thi hành án", "postponed"
    TEMPORARILY_SUSPENDED = "tạm đình chỉ thi hành án", "temporarily suspended"
    DISCONTINUED = "đình chỉ thi hành án", "discontinued"
    RETURNED = "trả lại yêu cầu thi hành án", "request returned"
    ENTRUSTED = "ủy thác thi hành án", "entrusted to another agency"
    COMPLETED = "thi hành xong", "completed"
    ENDED = "kết thúc thi hành án", "ended"


class EnforcementPartyRole(Coded):
    DEBTOR = "người phải thi hành án", "judgment debtor"
    CREDITOR = "người được thi hành án", "judgment creditor"
    RELATED = "người có quyền lợi, nghĩa vụ liên quan", "person with related rights or obligations"


class EnforcementObligationType(Coded):
    PAY_MONEY = "trả tiền", "pay money"
    FINE = "phạt tiền", "fine"
    CONFISCATION = "tịch thu", "confiscation"
    BACK_COLLECTION = "truy thu", "collection of arrears"
    COURT_FEE = "án phí", "court fee"
    RETURN_ASSET = "trả lại tài sản", "return an asset"
    DELIVER_OBJECT = "giao vật", "deliver a thing"
    DELIVER_HOUSE_LAND = "giao nhà, đất", "deliver a house or land"
    DO_OR_NOT_DO = "làm hoặc không làm một việc", "do or not do something"
    MAINTENANCE = "cấp dưỡng", "maintenance"
    CHILD_CUSTODY = "giao con chưa thành niên để nuôi dưỡng", "hand over a child for custody"
    REINSTATE_WORKER = "nhận người lao động trở lại làm việc", "reinstate a worker"


class VerificationChannel(Coded):
    DIGITAL = "qua môi trường số", "digital"
    ON_SITE = "xác minh trực tiếp", "on site"
    LETTER = "bằng văn bản", "by letter"


class VerificationResult(Coded):
    HAS_CONDITIONS = "có điều kiện thi hành", "has conditions"
    NO_CONDITIONS = "chưa có điều kiện thi hành", "no conditions yet"
    PARTIAL = "có điều kiện thi hành một phần", "has conditions in part"


class EnforcementMeasureClass(Coded):
    SECURITY = "biện pháp bảo đảm", "security measure"
    COERCIVE = "biện pháp cưỡng chế", "coercive measure"


class EnforcementMeasureType(Coded):
    # security
    FREEZE_ACCOUNT = "phong tỏa tài khoản, tài sản ở nơi gửi giữ", "freeze accounts or deposits"
    TEMP_HOLD = "tạm giữ tài sản, giấy tờ", "hold assets or papers"
    SUSPEND_REGISTRATION = (
        "tạm dừng việc đăng ký, chuyển dịch, thay đổi hiện trạng tài sản",
        "suspend registration, transfer or alteration of assets",
    )
    # coercive
    DEDUCT_ACCOUNT = "khấu trừ tiền trong tài khoản", "deduct from an account"
    DEDUCT_INCOME = "trừ vào thu nhập", "deduct from income"
    SEIZE_ASSET = "kê biên, xử lý tài sản", "seize assets"
    EXPLOIT_ASSET = "khai thác tài sản", "exploit assets"
    FORCE_DELIVERY = "buộc chuyển giao vật, quyền, giấy tờ", "force delivery of things or rights"
    FORCE_ACT = "buộc thực hiện hoặc không thực hiện công việc", "force to act or not to act"


class EnforcementAddressee(Coded):
    BANK = "ngân hàng, tổ chức tín dụng", "bank"
    LAND_REGISTRY = "cơ quan đăng ký đất đai", "land registry"
    NOTARY = "tổ chức hành nghề công chứng", "notarial organisation"
    VEHICLE_REGISTRY = "cơ quan đăng ký phương tiện", "vehicle registry"
    OTHER = "cơ quan, tổ chức khác", "other"


class ExitPostponementCapacity(Coded):
    DEBTOR = "người phải thi hành án", "judgment debtor"
    LEGAL_REP_OF_DEBTOR_ORG = (
        "người đại diện theo pháp luật của tổ chức phải thi hành án",
        "legal representative of a debtor organisation",
    )


class ExitPostponementStatus(Coded):
    REQUESTED = "đã đề nghị", "requested"
    IN_FORCE = "đang có hiệu lực", "in force"
    LIFTED = "đã hủy bỏ", "lifted"


class ConfirmationScope(Coded):
    FULL = "toàn bộ", "in full"
    PARTIAL = "một phần", "in part"
    PERIODIC = "theo định kỳ", "periodic"


def _hung(name: str, vi: str, en: str) -> Lookup:
    """A list that hangs on a decision to enforce."""
    return lookup(name, vi, en, by="decision_no", on=("cases", "decision_no"))


@record(
    ("Việc thi hành án", "Enforcement case"),
    lookups=[
        lookup(
            "cases",
            "Việc thi hành án",
            "Enforcement cases",
            by=numbers_of("party"),
            through=("enforcement_parties", "decision_no"),
        ),
        lookup(
            "organisation_cases",
            "Việc thi hành án của tổ chức",
            "Enforcement cases of an organisation",
            by=codes_of("party"),
            through=("enforcement_parties", "decision_no"),
            organisation="cases",
        ),
    ],
    identity="decision_no",
    date="decision_date",
    status="status",
    events=[
        event(
            "request_date", "ENFORCEMENT_REQUESTED", "yêu cầu thi hành án", "enforcement requested"
        ),
        event(
            "decision_date",
            "ENFORCEMENT_DECIDED",
            "ra quyết định thi hành án",
            "enforcement decided",
        ),
        event(
            "status_since",
            "ENFORCEMENT_STATUS_CHANGED",
            "đổi tình trạng thi hành án",
            "status changed",
        ),
    ],
    changes=[
        change(
            "CASE_CLOSED",
            "cases",
            on=(CREATED, ENTERED),
            date="status_since",
            when={"status": ("DISCONTINUED", "RETURNED", "COMPLETED", "ENDED")},
        ),
    ],
)
class EnforcementCase:
    """The decision to enforce and what has become of it (Decree 152/2026/NĐ-CP Art. 12)."""

    decision_no: str = field("số quyết định thi hành án", "Decision number", BASIC)
    decision_date: date | None = field("ngày ra quyết định", "Date of the decision", BASIC)
    issuer_name: str | None = field("người ra quyết định", "Issued by", BASIC)
    issuer_title: str | None = field("chức vụ người ra quyết định", "Title of the issuer", BASIC)
    judgment_no: str | None = field("số bản án, quyết định", "Judgment number", BASIC)
    agency_id: str | None = field(
        "mã cơ quan thi hành án", "Enforcement agency", BASIC, dimension=True
    )
    initiation: EnforcementInitiation | None = field(
        "căn cứ ra quyết định", "Initiation", BASIC, dimension=True
    )
    request_date: date | None = field("ngày yêu cầu", "Requested on", BASIC)
    officer_id: str | None = field("mã chấp hành viên, thừa hành viên", "Officer", BASIC)
    voluntary_deadline: date | None = field("hạn tự nguyện thi hành", "Voluntary until", BASIC)
    status: EnforcementStatus | None = field("tình trạng", "Status", BASIC, dimension=True)
    status_since: date | None = field("từ ngày", "Status since", BASIC)
    pay_account: str | None = field("tài khoản nộp tiền", "Account to pay into", BASIC)
    entrusted_to: str | None = field("cơ quan nhận ủy thác", "Entrusted to", BASIC)


@record(
    ("Đương sự", "Party to an enforcement case"),
    name="enforcement_parties",
    lookups=[
        _hung("parties", "Đương sự", "Parties"),
        lookup(
            "organisation_roles",
            "Tư cách của tổ chức trong các việc thi hành án",
            "Roles of an organisation in enforcement",
            by=codes_of("party"),
            organisation="roles",
        ),
    ],
    identity="entry_id",
    # Whoever becomes a party has a case.
    changes=[change("CASE_OPENED", "cases", on=(CREATED, NUMBERED))],
)
class EnforcementParty:
    entry_id: str = field("mã bản ghi", "Entry id", BASIC)
    decision_no: str = field("số quyết định thi hành án", "Decision number", BASIC)
    role: EnforcementPartyRole | None = field("tư cách", "Role", BASIC, dimension=True)
    party: Party | None = field("đương sự", "Party", BASIC)
    phone: str | None = field("số điện thoại", "Phone number", RESTRICTED)


@record(
    ("Bản án, quyết định", "Judgment"),
    lookups=[
        lookup(
            "judgment",
            "Bản án, quyết định được thi hành",
            "Judgment being enforced",
            by="judgment_no",
            on=("cases", "judgment_no"),
        )
    ],
    identity="judgment_no",
    single=True,
    limit=2,
)
class EnforcedJudgment:
    judgment_no: str = field("số bản án, quyết định", "Judgment number", BASIC)
    issuer: JudgmentIssuer | None = field("loại cơ quan", "Issuer", BASIC, dimension=True)
    issuer_name: str | None = field("cơ quan ra bản án", "Name of the issuer", BASIC)
    issue_date: date | None = field("ngày ra bản án", "Issued on", BASIC)
    effective_date: date | None = field("ngày có hiệu lực", "Effective from", BASIC)
    kind: JudgmentKind | None = field("loại bản án", "Kind", BASIC, dimension=True)
    summary: str | None = field("tóm tắt nội dung", "Summary", RESTRICTED)
    obligations_text: str | None = field("nghĩa vụ phải thi hành", "Obligations", BASIC)
    url: str | None = field("địa chỉ công bố", "Where it is published", BASIC)


@record(
    ("Nghĩa vụ phải thi hành", "Obligation to be enforced"),
    lookups=[_hung("obligations", "Nghĩa vụ", "Obligations")],
    identity="obligation_id",
    date="due_date",
)
class EnforcementObligation:
    obligation_id: str = field("mã nghĩa vụ", "Obligation id", BASIC)
    decision_no: str = field("số quyết định thi hành án", "Decision number", BASIC)
    kind: EnforcementObligationType | None = field(
        "loại nghĩa vụ", "Kind of obligation", BASIC, dimension=True
    )
    amount: Decimal | None = field("số tiền", "Amount", BASIC)
    currency: str | None = field("loại tiền", "Currency", BASIC)
    interest_terms: str | None = field("lãi chậm thi hành án", "Interest", BASIC)
    periodic: bool | None = field("định kỳ", "Periodic", BASIC)
    joint_liability: bool | None = field("liên đới", "Joint liability", BASIC)
    paid_amount: Decimal | None = field("đã thi hành", "Paid", BASIC)
    remaining: Decimal | None = field("còn phải thi hành", "Remaining", BASIC)
    due_date: date | None = field("hạn thi hành", "Due on", BASIC)


@record(
    ("Xác minh điều kiện thi hành án", "Verification of conditions to enforce"),
    lookups=[
        _hung("verifications", "Xác minh điều kiện thi hành án", "Verifications of conditions")
    ],
    identity="verification_id",
    date="verified_on",
    events=[
        event(
            "verified_on",
            "CONDITIONS_VERIFIED",
            "xác minh điều kiện thi hành án",
            "conditions verified",
        ),
    ],
)
class ConditionVerification:
    """Debtors without conditions are verified again and again (Decree 152/2026 Art. 21-22)."""

    verification_id: str = field("mã xác minh", "Verification id", BASIC)
    decision_no: str = field("số quyết định thi hành án", "Decision number", BASIC)
    verified_on: date | None = field("ngày xác minh", "Verified on", BASIC)
    officer_id: str | None = field("mã chấp hành viên", "Officer", BASIC)
    channel: VerificationChannel | None = field("cách xác minh", "Channel", BASIC, dimension=True)
    debtor: Party | None = field("người được xác minh", "Whose conditions", BASIC)
    marital_status: PopulationMaritalStatus | None = field(
        "tình trạng hôn nhân", "Marital status", BASIC
    )
    headquarters: Place | None = field("trụ sở", "Headquarters", BASIC)
    permanent_residence: Place | None = field("nơi thường trú", "Permanent residence", BASIC)
    temporary_residence: Place | None = field("nơi tạm trú", "Temporary residence", BASIC)
    current_residence: Place | None = field("nơi ở hiện tại", "Current residence", BASIC)
    assets: tuple[str, ...] | None = field("tài sản", "Assets", SENSITIVE)
    income: str | None = field("thu nhập", "Income", SENSITIVE)
    accounts: tuple[str, ...] | None = field("tài khoản", "Accounts", SENSITIVE)
    result: VerificationResult | None = field("kết quả", "Result", BASIC, dimension=True)
    next_due: date | None = field("lần xác minh tiếp theo", "Next verification due", BASIC)


@record(
    ("Biện pháp bảo đảm, cưỡng chế thi hành án", "Enforcement measure"),
    lookups=[_hung("measures", "Biện pháp đã áp dụng", "Measures")],
    identity="measure_id",
    date="applied_on",
    events=[
        event("applied_on", "MEASURE_APPLIED", "áp dụng biện pháp thi hành án", "measure applied"),
        event("lifted_on", "MEASURE_LIFTED", "chấm dứt biện pháp thi hành án", "measure lifted"),
    ],
)
class EnforcementMeasure:
    """Registries suspend transactions on what it concerns (Decree 152/2026/NĐ-CP Art. 111)."""

    measure_id: str = field("mã biện pháp", "Measure id", BASIC)
    decision_no: str = field("số quyết định thi hành án", "Decision number", BASIC)
    measure_class: EnforcementMeasureClass | None = field(
        "nhóm biện pháp", "Class", BASIC, dimension=True
    )
    kind: EnforcementMeasureType | None = field("biện pháp", "Measure", BASIC, dimension=True)
    asset_ref: str | None = field("tài sản liên quan", "Asset concerned", BASIC)
    applied_on: date | None = field("ngày áp dụng", "Applied on", BASIC)
    lifted_on: date | None = field("ngày chấm dứt", "Lifted on", BASIC)
    addressee: EnforcementAddressee | None = field("nơi nhận", "Addressee", BASIC, dimension=True)


@record(
    ("Xác nhận kết quả thi hành án", "Confirmation of the result"),
    lookups=[_hung("confirmations", "Xác nhận kết quả thi hành án", "Confirmations of the result")],
    identity="confirmation_no",
    date="issued_on",
    events=[
        event(
            "issued_on", "ENFORCEMENT_CONFIRMED", "xác nhận kết quả thi hành án", "result confirmed"
        ),
    ],
)
class EnforcementConfirmation:
    confirmation_no: str = field("số giấy xác nhận", "Confirmation number", BASIC)
    decision_no: str = field("số quyết định thi hành án", "Decision number", BASIC)
    scope: ConfirmationScope | None = field("phạm vi", "Scope", BASIC, dimension=True)
    content: str | None = field("nội dung", "Content", BASIC)
    issued_on: date | None = field("ngày cấp", "Issued on", BASIC)


@record(
    ("Tạm hoãn xuất cảnh", "Postponement of exit"),
    lookups=[
        lookup("exit_postponements", "Tạm hoãn xuất cảnh", "Postponements of exit", by="person_id")
    ],
    identity="request_no",
    date="valid_from",
    status="status",
    coverage=Coverage(
        includes=(
            Text("do cơ quan thi hành án dân sự đề nghị", "requested by enforcement agencies"),
        ),
        excludes=(
            Text("do cơ quan khác đề nghị (điều tra, thuế)", "requested by others (police, tax)"),
        ),
    ),
    events=[
        event("valid_from", "EXIT_POSTPONED", "tạm hoãn xuất cảnh", "exit postponed"),
    ],
)
class ExitPostponement:
    """Law 106/2025/QH15 Art. 70; Decree 152/2026/NĐ-CP Art. 45."""

    request_no: str = field("số văn bản đề nghị", "Request number", BASIC)
    person_id: PersonNumber = field("số định danh", "Person number", BASIC, person="person")
    capacity: ExitPostponementCapacity | None = field(
        "tư cách", "In what capacity", BASIC, dimension=True
    )
    valid_from: date | None = field("từ ngày", "From", BASIC)
    valid_until: date | None = field("đến ngày", "Until", BASIC)
    status: ExitPostponementStatus | None = field("tình trạng", "Status", BASIC, dimension=True)
    lift_reason: str | None = field("lý do hủy bỏ", "Reason of the lifting", BASIC)


@record(
    ("Công khai người chưa có điều kiện thi hành án", "Public notice: no conditions to enforce"),
    lookups=[
        lookup(
            "public_notices",
            "Công khai chưa có điều kiện thi hành án",
            "Public notices of no conditions to enforce",
            by=numbers_of("debtor"),
        ),
        lookup(
            "organisation_public_notices",
            "Công khai tổ chức chưa có điều kiện thi hành án",
            "Public notices on an organisation",
            by=codes_of("debtor"),
            organisation="public_notices",
        ),
    ],
    identity="notice_id",
    reserve=50,  # those that were taken down are hidden
    date="published_on",
    coverage=Coverage(
        includes=(
            Text(
                "người phải thi hành án chưa có điều kiện, trong thời gian công khai",
                "debtors without conditions to enforce, while published",
            ),
        ),
        excludes=(Text("người phải thi hành án khác", "all other debtors"),),
    ),
    events=[
        event(
            "published_on",
            "NO_CONDITIONS_PUBLISHED",
            "công khai chưa có điều kiện",
            "notice published",
        ),
    ],
)
class PublicNoConditionsNotice:
    """PUBLIC while published, to be taken down within 3 working days (Art. 23).

    What was published is text; ``debtor`` says who that is and stays BASIC.
    """

    notice_id: str = field("mã thông tin công khai", "Notice id", PUBLIC)
    debtor: Party | None = field("người phải thi hành án", "Debtor", BASIC)
    debtor_name_published: str | None = field("tên được công khai", "Name as published", PUBLIC)
    debtor_address_published: str | None = field(
        "địa chỉ được công khai", "Address as published", PUBLIC
    )
    judgment_no: str | None = field("số bản án, quyết định", "Judgment number", PUBLIC)
    decision_no: str | None = field("số quyết định thi hành án", "Decision number", PUBLIC)
    outstanding_obligation: str | None = field("nghĩa vụ còn lại", "Outstanding", PUBLIC)
    reason: str | None = field("lý do chưa có điều kiện", "Reason", PUBLIC)
    published_on: date | None = field("ngày công khai", "Published on", PUBLIC)
    removed_on: date | None = field("ngày chấm dứt công khai", "Taken down on", PUBLIC)


DATABASE = database(
    "civil_enforcement",
    title=("Cơ sở dữ liệu về thi hành án dân sự", "Civil Judgment Enforcement Database"),
    owner=("Bộ Tư pháp", "Ministry of Justice"),
    legal_basis=(
        "Luật Thi hành án dân sự 106/2025/QH15, Điều 5",
        "Nghị định 152/2026/NĐ-CP, Điều 4-6",
        "Nghị định 151/2026/NĐ-CP",
    ),
    group=Group.OPERATING,
    coverage=Coverage(
        includes=(
            Text("việc đã có quyết định thi hành án", "cases with a decision to enforce"),
            Text(
                "phần dân sự trong bản án hình sự, phần tài sản trong bản án hành chính",
                "civil parts of criminal judgments, property parts of administrative ones",
            ),
        ),
        excludes=(
            Text(
                "bản án, quyết định chưa có yêu cầu hoặc quyết định thi hành án",
                "judgments whose enforcement was neither requested nor decided",
            ),
        ),
    ),
    records=[
        EnforcementCase,
        EnforcementParty,
        EnforcedJudgment,
        EnforcementObligation,
        ConditionVerification,
        EnforcementMeasure,
        EnforcementConfirmation,
        ExitPostponement,
        PublicNoConditionsNotice,
    ],
)
