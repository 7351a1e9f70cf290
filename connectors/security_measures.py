"""The Database on Security Measures: mortgages, pledges and other security over movables.

Notice-based and public by design (Decree 99/2022/NĐ-CP Art. 50, 52-53): what is registered is
PUBLIC, who and what is named in it BASIC. The moment of entry decides priority. Only the land
registries know whether a house is mortgaged (Art. 10, 25, 44). The applicants' access code of Art.
50 is a secret and has no field here.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from connectors.declaration import BASIC, PUBLIC, database, event, field, lookup, record, struct
from connectors.description import Coded, Coverage, Group, Lookup, Text
from connectors.vocabulary import Party, Place, codes_of, numbers_of


class SecurityMeasureType(Coded):
    MORTGAGE = "thế chấp", "mortgage"
    PLEDGE = "cầm cố", "pledge"
    RETENTION_OF_TITLE = "bảo lưu quyền sở hữu", "retention of title"
    DEPOSIT = "đặt cọc", "deposit"
    SECURITY_COLLATERAL = "ký cược", "security collateral"
    ESCROW = "ký quỹ", "escrow"


class SecurityApplicationType(Coded):
    INITIAL = "đăng ký biện pháp bảo đảm", "initial registration"
    CHANGE = "đăng ký thay đổi", "registration of a change"
    DELETION = "xóa đăng ký", "deletion"
    ENFORCEMENT_NOTICE = "thông báo xử lý tài sản bảo đảm", "notice of enforcement of collateral"
    ERROR_CORRECTION = "chỉnh lý thông tin có sai sót", "correction of an error"
    CANCELLATION = "hủy đăng ký", "cancellation"
    RESTORATION = "khôi phục việc đăng ký", "restoration"


class SecurityStatus(Coded):
    EFFECTIVE = "đang có hiệu lực", "effective"
    DELETED = "đã xóa đăng ký", "deleted"
    CANCELLED = "đã hủy đăng ký", "cancelled"
    RESTORED = "đã khôi phục", "restored"


class SecurityDeletionGround(Coded):
    AGREEMENT = "các bên thỏa thuận xóa đăng ký", "agreement of the parties"
    OBLIGATION_ENDED = "nghĩa vụ được bảo đảm chấm dứt", "the secured obligation ended"
    REPLACED = "thay thế bằng biện pháp khác", "replaced by another measure"
    ASSET_GONE = "tài sản bảo đảm không còn", "the collateral is gone"
    ASSET_HANDLED = "tài sản bảo đảm đã được xử lý", "the collateral was realised"
    COURT_JUDGMENT = "theo bản án, quyết định của Tòa án", "judgment or decision of a court"
    OTHER = "căn cứ khác", "other ground"


class SecurityRegistryOffice(Coded):
    HANOI = "Trung tâm tại Hà Nội", "centre in Hanoi"
    HO_CHI_MINH_CITY = "Trung tâm tại Thành phố Hồ Chí Minh", "centre in Ho Chi Minh City"
    DA_NANG = "Trung tâm tại Đà Nẵng", "centre in Da Nang"


class SecurityAmendmentGround(Coded):
    PARTY_CHANGE = "thay đổi bên", "change of a party"
    NAME_CHANGE = "thay đổi tên", "change of a name"
    ADD_COLLATERAL = "bổ sung tài sản bảo đảm", "collateral added"
    WITHDRAW_COLLATERAL = "rút bớt tài sản bảo đảm", "collateral withdrawn"
    FUTURE_ASSET_FORMED = "tài sản hình thành trong tương lai đã hình thành", "future asset formed"
    FIX_DECLARATION_ERROR = "sửa sai sót khi kê khai", "error in the declaration corrected"
    ADD_OBLIGATION = "bổ sung nghĩa vụ được bảo đảm", "obligation added"
    OTHER = "căn cứ khác", "other ground"


class SecurityPartyRole(Coded):
    SECURING = "bên bảo đảm", "securing party"
    SECURED = "bên nhận bảo đảm", "secured party"
    DEBTOR = "bên có nghĩa vụ", "obligor"
    TRUSTEE = "quản tài viên", "trustee in bankruptcy"
    NEW_SECURING = "bên bảo đảm mới", "new securing party"
    NEW_SECURED = "bên nhận bảo đảm mới", "new secured party"
    NEW_DEBTOR = "bên có nghĩa vụ mới", "new obligor"
    NEW_TRUSTEE = "quản tài viên mới", "new trustee in bankruptcy"


class CollateralType(Coded):
    MOTOR_VEHICLE = "phương tiện giao thông cơ giới", "motor vehicle"
    VESSEL_INLAND_FISHING_RAIL = (
        "phương tiện thủy nội địa, tàu cá, phương tiện đường sắt",
        "inland vessel, fishing vessel, railway vehicle",
    )
    INVENTORY = "hàng hóa luân chuyển, kho hàng", "inventory, stored goods"
    TEMP_CONSTRUCTION = "công trình xây dựng tạm", "temporary construction"
    ANNUAL_CROP = "cây hằng năm", "annual crop"
    INSTALLED_MOVABLE = "động sản gắn vào bất động sản", "movable installed in real property"
    MACHINERY = "vật đồng bộ, vật đặc định", "machinery, set or specific thing"
    PROPERTY_RIGHT = "quyền tài sản", "property right"
    RECEIVABLE = "quyền đòi nợ", "receivable"
    UNLISTED_SECURITIES = "chứng khoán chưa niêm yết", "unlisted securities"
    FUTURE_MOVABLE = "động sản hình thành trong tương lai", "future movable"
    ALL_MOVABLES = "toàn bộ động sản", "all movables"


@struct("Hợp đồng bảo đảm", "Security contract")
class SecuredContract:
    name: str | None = field("tên hợp đồng", "Name of the contract", PUBLIC)
    number: str | None = field("số hợp đồng", "Number of the contract", PUBLIC)
    signed_on: date | None = field("ngày ký kết", "Date of the contract", PUBLIC)


@struct("Hợp đồng là căn cứ phát sinh quyền", "Contract that a right rests on")
class CollateralBasisContract:
    name: str | None = field("tên hợp đồng", "Name of the contract", BASIC)
    number: str | None = field("số hợp đồng", "Number of the contract", BASIC)
    effective_on: date | None = field("ngày có hiệu lực", "Effective from", BASIC)
    parties: tuple[str, ...] | None = field("các bên như ghi", "Parties as written", BASIC)


def _hung(name: str, vi: str, en: str) -> Lookup:
    """A list that hangs on a registration."""
    return lookup(name, vi, en, by="registration_no", on=("registrations", "registration_no"))


@record(
    ("Đăng ký biện pháp bảo đảm", "Security registration"),
    lookups=[
        lookup(
            "registrations",
            "Đăng ký biện pháp bảo đảm",
            "Security registrations",
            by=numbers_of("party"),
            through=("security_parties", "registration_no"),
        ),
        lookup(
            "organisation_registrations",
            "Đăng ký biện pháp bảo đảm của tổ chức",
            "Security registrations of an organisation",
            by=codes_of("party"),
            through=("security_parties", "registration_no"),
            organisation="registrations",
        ),
        lookup(
            "registration",
            "Đăng ký của tài sản",
            "Registration of the collateral",
            by="registration_no",
            on=("collateral", "registration_no"),
        ),
        lookup(
            "registration_by_number",
            "Biện pháp bảo đảm theo số đăng ký",
            "Security registration, by its number",
            by="registration_no",
            entry=("security_registration", "number"),
        ),
    ],
    identity="registration_no",
    date="registered_on",
    status="status",
    events=[
        event(
            "secured_contract.signed_on",
            "SECURITY_AGREED",
            "ký hợp đồng bảo đảm",
            "security agreed",
        ),
        event(
            "registered_on",
            "SECURITY_REGISTERED",
            "đăng ký biện pháp bảo đảm",
            "security registered",
        ),
        event("end_time", "SECURITY_ENDED", "chấm dứt biện pháp bảo đảm", "security ended"),
    ],
)
class SecurityRegistration:
    """Of two entries of the same security the earliest counts (Art. 49)."""

    registration_no: str = field("số đăng ký", "Registration number", PUBLIC)
    application_no: str | None = field("số đơn", "Application number", PUBLIC)
    application_type: SecurityApplicationType | None = field("loại đơn", "Application", PUBLIC)
    measure_type: SecurityMeasureType | None = field(
        "biện pháp bảo đảm", "Security measure", PUBLIC, dimension=True
    )
    registered_on: date | None = field("ngày đăng ký", "Registered on", PUBLIC)
    effective_time: datetime | None = field("thời điểm có hiệu lực", "Effective from", PUBLIC)
    status: SecurityStatus | None = field("tình trạng", "Status", PUBLIC, dimension=True)
    secured_contract: SecuredContract | None = field("hợp đồng bảo đảm", "Contract", PUBLIC)
    requester: Party | None = field("người yêu cầu đăng ký", "Applicant", BASIC)
    obligation: str | None = field("nghĩa vụ được bảo đảm", "Secured obligation", BASIC)
    end_time: datetime | None = field("thời điểm chấm dứt hiệu lực", "Effective until", PUBLIC)
    deletion_ground: SecurityDeletionGround | None = field(
        "căn cứ xóa đăng ký", "Ground of the deletion", PUBLIC, dimension=True
    )
    duplicate_of: str | None = field("trùng với số đăng ký", "Duplicate of", PUBLIC)
    registry_office: SecurityRegistryOffice | None = field(
        "cơ quan đăng ký", "Registry office", PUBLIC, dimension=True
    )
    last_change_at: datetime | None = field("thay đổi gần nhất lúc", "Last changed at", PUBLIC)


@record(
    ("Bên trong đăng ký biện pháp bảo đảm", "Party to a security registration"),
    name="security_parties",
    lookups=[
        _hung("parties", "Các bên", "Parties"),
        lookup(
            "organisation_roles",
            "Tư cách của tổ chức trong các đăng ký",
            "Roles of an organisation in registrations",
            by=codes_of("party"),
            organisation="roles",
        ),
    ],
    identity="entry_id",
)
class SecurityParty:
    entry_id: str = field("mã bản ghi", "Entry id", PUBLIC)
    registration_no: str = field("số đăng ký", "Registration number", PUBLIC)
    role: SecurityPartyRole | None = field("tư cách", "Role", PUBLIC, dimension=True)
    party: Party | None = field("bên", "Party", BASIC)
    branch_name: str | None = field("tên chi nhánh", "Name of the branch", BASIC)


@record(
    ("Tài sản bảo đảm", "Collateral"),
    lookups=[
        _hung("collateral", "Tài sản bảo đảm", "Collateral"),
        lookup(
            "collateral_by_chassis",
            "Tài sản bảo đảm theo số khung",
            "Collateral, by its chassis number",
            by="chassis_no",
            entry=("collateral", "chassis_number"),
        ),
    ],
    identity="collateral_id",
)
class Collateral:
    """Road vehicles are known by their chassis number (Art. 45)."""

    collateral_id: str = field("mã tài sản", "Collateral id", PUBLIC)
    registration_no: str = field("số đăng ký", "Registration number", PUBLIC)
    collateral_type: CollateralType | None = field(
        "loại tài sản", "Kind of collateral", PUBLIC, dimension=True
    )
    description: str | None = field("mô tả tài sản", "Description", PUBLIC)
    chassis_no: str | None = field("số khung", "Chassis number", PUBLIC)
    plate_no: str | None = field("biển số", "Number plate", BASIC)
    engine_no: str | None = field("số máy", "Engine number", PUBLIC)
    vehicle_name: str | None = field("tên phương tiện", "Name of the vehicle", PUBLIC)
    vehicle_brand: str | None = field("nhãn hiệu", "Brand", PUBLIC)
    vehicle_grade: str | None = field("cấp phương tiện", "Grade of the vehicle", PUBLIC)
    vehicle_registration_no: str | None = field("số đăng ký xe", "Vehicle registration", BASIC)
    inventory_value: Decimal | None = field("giá trị hàng hóa", "Value of the inventory", BASIC)
    goods_kind: str | None = field("loại hàng hóa", "Kind of goods", PUBLIC)
    warehouse: Place | None = field("địa chỉ kho hàng", "Address of the warehouse", BASIC)
    right_name: str | None = field("tên quyền tài sản", "Name of the right", PUBLIC)
    basis_contract: CollateralBasisContract | None = field(
        "hợp đồng là căn cứ phát sinh quyền", "Contract that the right rests on", BASIC
    )
    is_future: bool | None = field("hình thành trong tương lai", "Future asset", PUBLIC)
    withdrawn_at: datetime | None = field("rút bớt lúc", "Withdrawn at", PUBLIC)


@record(
    ("Đăng ký thay đổi", "Amendment of a security registration"),
    lookups=[_hung("amendments", "Các lần thay đổi", "Amendments")],
    identity="amendment_no",
    events=[
        event(
            "effective_time", "SECURITY_AMENDED", "thay đổi biện pháp bảo đảm", "security amended"
        ),
    ],
)
class SecurityAmendment:
    """Collateral or obligations that are added rank from the amendment on (Art. 6(1)(c))."""

    amendment_no: str = field("số đăng ký thay đổi", "Amendment number", PUBLIC)
    registration_no: str = field("số đăng ký", "Registration number", PUBLIC)
    application_type: SecurityApplicationType | None = field("loại đơn", "Application", PUBLIC)
    ground: SecurityAmendmentGround | None = field(
        "căn cứ thay đổi", "Ground", PUBLIC, dimension=True
    )
    old_value: str | None = field("nội dung trước", "Value before", BASIC)
    new_value: str | None = field("nội dung sau", "Value after", BASIC)
    effective_time: datetime | None = field("thời điểm có hiệu lực", "Effective from", PUBLIC)
    affects_priority: bool | None = field("ảnh hưởng thứ tự ưu tiên", "Affects priority", PUBLIC)
    requester: Party | None = field("người yêu cầu", "Applicant", BASIC)
    received_at: datetime | None = field("tiếp nhận lúc", "Received at", PUBLIC)
    processed_at: datetime | None = field("giải quyết lúc", "Processed at", PUBLIC)


@record(
    ("Thông báo xử lý tài sản bảo đảm", "Notice of enforcement of collateral"),
    lookups=[
        _hung("enforcement_notices", "Thông báo xử lý tài sản bảo đảm", "Enforcement notices")
    ],
    identity="notice_no",
    events=[
        event(
            "effective_time",
            "REALISATION_NOTIFIED",
            "thông báo xử lý tài sản",
            "notice of realisation",
        ),
    ],
)
class SecurityEnforcementNotice:
    """Information only: without effect on third parties (Art. 6(4))."""

    notice_no: str = field("số thông báo", "Notice number", PUBLIC)
    registration_no: str = field("số đăng ký", "Registration number", PUBLIC)
    reason: str | None = field("lý do xử lý", "Reason", PUBLIC)
    method: str | None = field("phương thức xử lý", "Method", PUBLIC)
    place: Place | None = field("địa điểm xử lý", "Place", BASIC)
    planned_for: datetime | None = field("thời gian xử lý", "Planned for", PUBLIC)
    other_secured_parties_notified: bool | None = field(
        "đã thông báo các bên cùng nhận bảo đảm", "Other secured parties notified", PUBLIC
    )
    effective_time: datetime | None = field("thời điểm có hiệu lực", "Effective from", PUBLIC)
    end_time: datetime | None = field("thời điểm chấm dứt", "Ended at", PUBLIC)


DATABASE = database(
    "security_measures",
    title=("Cơ sở dữ liệu về biện pháp bảo đảm", "Database on Security Measures"),
    owner=("Bộ Tư pháp", "Ministry of Justice"),
    legal_basis=(
        "Bộ luật Dân sự 91/2015/QH13, Điều 292-350",
        "Nghị định 21/2021/NĐ-CP",
        "Nghị định 99/2022/NĐ-CP",
    ),
    group=Group.OPERATING,
    coverage=Coverage(
        includes=(
            Text("động sản không phải tàu bay, tàu biển", "movables other than aircraft and ships"),
            Text("chứng khoán chưa niêm yết", "unlisted securities"),
            Text(
                "cây hằng năm, công trình xây dựng tạm", "annual crops and temporary constructions"
            ),
        ),
        excludes=(
            Text("quyền sử dụng đất, tài sản gắn liền với đất", "land and what is attached to it"),
            Text("tàu bay", "aircraft"),
            Text("tàu biển", "sea-going ships"),
            Text("chứng khoán niêm yết", "listed securities"),
        ),
    ),
    records=[
        SecurityRegistration,
        SecurityParty,
        Collateral,
        SecurityAmendment,
        SecurityEnforcementNotice,
    ],
)
