"""The National Population Database: the reference for who a person is.

Law 26/2023/QH15 Art. 9 lists its 26 items; the numbers in the comments are theirs. It belongs to
the Ministry of Public Security; the gateway reads it to verify, never to copy. Codings that the law
leaves open (marital status, relations) are assumptions of ``domain.md`` 2.7.
"""

from __future__ import annotations

from datetime import date

from connectors.declaration import (
    BASIC,
    RESTRICTED,
    SENSITIVE,
    database,
    event,
    field,
    lookup,
    record,
    struct,
)
from connectors.description import Coded, Group
from connectors.values import PartialDate, PersonNumber
from connectors.vocabulary import Place, Sex


class LifeStatus(Coded):
    ALIVE = "còn sống", "alive"
    DEAD = "đã chết", "dead"
    MISSING = "mất tích", "missing"


class PopulationMaritalStatus(Coded):
    SINGLE = "chưa kết hôn", "single"
    MARRIED = "đang có vợ/chồng", "married"
    WIDOWED = "góa", "widowed"
    DIVORCED = "đã ly hôn", "divorced"
    SEPARATED = "ly thân", "separated"


class BloodGroup(Coded):
    A = "nhóm A", "group A"
    B = "nhóm B", "group B"
    AB = "nhóm AB", "group AB"
    O = "nhóm O", "group O"  # noqa: E741 - the name of the group


class IdentityStatus(Coded):
    CURRENT = "đang sử dụng", "in use"
    UNDER_CORRECTION = "đang được cải chính", "under correction"


class ResidenceKind(Coded):
    PERMANENT = "thường trú", "permanent"
    TEMPORARY = "tạm trú", "temporary"
    CURRENT = "nơi ở hiện tại", "current"
    ABSENT = "khai báo tạm vắng", "declared absence"


class FamilyRelation(Coded):
    FATHER = "cha", "father"
    MOTHER = "mẹ", "mother"
    SPOUSE = "vợ/chồng", "spouse"
    CHILD = "con", "child"
    LEGAL_REPRESENTATIVE = "người đại diện hợp pháp", "legal representative"
    REPRESENTED = "người được đại diện", "represented person"


class HouseholdRelation(Coded):
    HEAD = "chủ hộ", "head of household"
    SPOUSE = "vợ/chồng của chủ hộ", "spouse of the head"
    CHILD = "con", "child"
    PARENT = "cha/mẹ", "parent"
    GRANDCHILD = "cháu", "grandchild"
    OTHER = "quan hệ khác", "other relation"


class EarlierNumberKind(Coded):
    IDENTITY_CARD_9 = "số CMND 9 số", "9-digit identity card number"
    CANCELLED = "số định danh đã hủy", "cancelled personal identification number"


class ProtectionGround(Coded):
    """An assumption: whom the law protects by keeping secret where they live.

    Criminal Procedure Code 101/2015/QH13 Art. 484-486; Law 13/2022/QH15 on domestic violence; Law
    53/2024/QH15 on trafficking.
    """

    WITNESS = "bảo vệ người làm chứng, người tố giác, bị hại", "witness, informant or victim"
    DOMESTIC_VIOLENCE = "bảo vệ người bị bạo lực gia đình", "victim of domestic violence"
    TRAFFICKING = "bảo vệ nạn nhân của hành vi mua bán người", "victim of trafficking"
    OTHER = "căn cứ khác", "other ground"


@struct("Thẻ căn cước", "Identity card")
class IdentityCard:
    issued_on: date | None = field("ngày cấp", "Issued on", BASIC)
    issued_at: str | None = field("nơi cấp", "Issued at", BASIC)
    expires_on: date | None = field("ngày hết hạn", "Expires on", BASIC)


@record(
    ("Thông tin nhân thân", "Identity"),
    lookups=[lookup("identity", "Thông tin nhân thân", "Identity", by="citizen_id")],
    identity="citizen_id",
    single=True,
    limit=2,
    events=[
        event("birth_date", "BORN", "sinh", "born"),
        event("card.issued_on", "IDENTITY_CARD_ISSUED", "cấp thẻ căn cước", "identity card issued"),
        event(
            "death_or_missing_date", "DIED_OR_MISSING", "chết hoặc mất tích", "died or went missing"
        ),
    ],
    province="citizen_id",
    birth_date="birth_date",
)
class Identity:
    citizen_id: PersonNumber = field(
        "số định danh cá nhân", "Personal identification number", BASIC
    )  # 3
    family_name: str | None = field("họ", "Family name", BASIC)  # 1
    middle_name: str | None = field("chữ đệm", "Middle name", BASIC)
    given_name: str | None = field("tên", "Given name", BASIC)
    full_name: str | None = field("họ, chữ đệm và tên khai sinh", "Full name as written", BASIC)
    other_name: str | None = field("tên gọi khác", "Other name", BASIC)  # 2
    birth_date: PartialDate | None = field("ngày, tháng, năm sinh", "Date of birth", BASIC)  # 4
    sex: Sex | None = field("giới tính", "Sex", BASIC, dimension=True)  # 5
    birth_place: Place | None = field("nơi sinh", "Place of birth", BASIC)  # 6
    birth_registered_at: Place | None = field(
        "nơi đăng ký khai sinh", "Birth registered at", BASIC
    )  # 7
    native_place: Place | None = field("quê quán", "Native place", BASIC)  # 8
    ethnicity: str | None = field("dân tộc", "Ethnicity", SENSITIVE)  # 9
    religion: str | None = field("tôn giáo", "Religion", SENSITIVE)  # 10
    nationality: str | None = field("quốc tịch", "Nationality", BASIC, dimension=True)  # 11
    blood_group: BloodGroup | None = field("nhóm máu", "Blood group", SENSITIVE)  # 12
    card: IdentityCard | None = field("thẻ căn cước", "Identity card", BASIC)  # 14
    residence_file_no: str | None = field("số hồ sơ cư trú", "Residence file number", BASIC)  # 20
    marital_status: PopulationMaritalStatus | None = field(
        "tình trạng hôn nhân", "Marital status", BASIC, dimension=True
    )  # 21
    household_relation: HouseholdRelation | None = field(
        "quan hệ với chủ hộ", "Relation to the head of household", BASIC
    )  # 22
    life_status: LifeStatus | None = field(
        "tình trạng sống", "Life status", BASIC, dimension=True
    )  # 24
    death_or_missing_date: PartialDate | None = field(
        "ngày chết hoặc mất tích", "Date of death or missing", BASIC
    )  # 24
    phone: str | None = field("số điện thoại di động", "Mobile number", BASIC)  # 25
    email: str | None = field("thư điện tử", "Email", BASIC)  # 25
    other: str | None = field("thông tin khác", "Other information", RESTRICTED)  # 26
    status: IdentityStatus | None = field("tình trạng dữ liệu", "State of the data", BASIC)


@record(
    ("Số định danh, số CMND đã dùng trước đây", "Earlier number"),
    lookups=[
        lookup("earlier_numbers", "Các số đã dùng trước đây", "Earlier numbers", by="citizen_id"),
        lookup("holders", "Người mang số", "Holders of a number", by="number", hidden=True),
    ],
    identity="entry_id",
    date="valid_until",
    events=[
        event("valid_until", "NUMBER_REPLACED", "thay số định danh", "number replaced"),
    ],
)
class EarlierNumber:
    entry_id: str = field("mã bản ghi", "Entry id", BASIC)
    number: PersonNumber = field("số đã dùng", "Earlier number", BASIC)  # 13
    citizen_id: PersonNumber = field("số định danh hiện tại", "Present number", BASIC)
    kind: EarlierNumberKind | None = field("loại số", "Kind of number", BASIC)
    valid_until: date | None = field("dùng đến ngày", "Valid until", BASIC)
    reason: str | None = field("lý do thay đổi", "Reason of the change", BASIC)


@record(
    ("Nơi cư trú", "Residence"),
    lookups=[lookup("residences", "Nơi cư trú", "Residences", by="citizen_id")],
    identity="entry_id",
    date="valid_from",
    events=[
        event("valid_from", "RESIDENCE_BEGUN", "bắt đầu cư trú", "residence begun"),
        event("valid_until", "RESIDENCE_ENDED", "kết thúc cư trú", "residence ended"),
    ],
)
class Residence:
    entry_id: str = field("mã bản ghi", "Entry id", BASIC)
    citizen_id: PersonNumber = field(
        "số định danh cá nhân", "Personal identification number", BASIC
    )
    kind: ResidenceKind | None = field("loại cư trú", "Kind of residence", BASIC)  # 16-19
    address: Place | None = field("địa chỉ", "Address", BASIC)
    valid_from: date | None = field("từ ngày", "From", BASIC)
    valid_until: date | None = field("đến ngày", "Until", BASIC)


@record(
    ("Thành viên gia đình, người đại diện", "Family member or representative"),  # 15
    lookups=[
        lookup("family", "Gia đình, người đại diện", "Family and representatives", by="citizen_id")
    ],
    identity="entry_id",
)
class FamilyMember:
    entry_id: str = field("mã bản ghi", "Entry id", BASIC)
    citizen_id: PersonNumber = field(
        "số định danh cá nhân", "Personal identification number", BASIC
    )
    relation: FamilyRelation | None = field("quan hệ", "Relation", BASIC)
    name: str | None = field("họ, chữ đệm và tên", "Name", BASIC)
    member_id: PersonNumber | None = field(
        "số định danh của người đó", "Number of that person", BASIC, person="member"
    )
    old_number: PersonNumber | None = field(
        "số CMND 9 số", "9-digit identity card number", BASIC, person="member_by_old_number"
    )
    nationality: str | None = field("quốc tịch", "Nationality", BASIC)


@record(
    ("Thành viên hộ gia đình", "Household member"),  # 23
    lookups=[
        lookup(
            "household_members",
            "Thành viên hộ gia đình",
            "Household members",
            by="residence_file_no",
            on=("identity", "residence_file_no"),
        )
    ],
    identity="entry_id",
)
class HouseholdMember:
    entry_id: str = field("mã bản ghi", "Entry id", BASIC)
    residence_file_no: str = field("số hồ sơ cư trú", "Residence file number", BASIC)
    relation: HouseholdRelation | None = field("quan hệ với chủ hộ", "Relation to the head", BASIC)
    name: str | None = field("họ, chữ đệm và tên", "Name", BASIC)
    member_id: PersonNumber | None = field(
        "số định danh", "Number of the member", BASIC, person="member"
    )


@record(
    ("Quyết định bảo vệ nơi ở", "Order that protects an address"),
    lookups=[
        lookup(
            "protection_orders",
            "Quyết định bảo vệ nơi ở",
            "Orders that protect the address",
            by="citizen_id",
        )
    ],
    identity="order_no",
    date="valid_from",
    sensitivity=RESTRICTED,
)
class ProtectionOrder:
    """An assumption of design section 7: such orders are recorded with the population data.

    The true address stands here and nowhere else; residences, and whatever other databases copied
    from them, hold a substitute in the same form as anyone's address.
    """

    order_no: str = field("số quyết định bảo vệ", "Order number", RESTRICTED)
    citizen_id: PersonNumber = field(
        "số định danh cá nhân", "Personal identification number", RESTRICTED
    )
    issued_on: date | None = field("ngày ban hành", "Issued on", RESTRICTED)
    issuer: str | None = field("cơ quan ban hành", "Issuer", RESTRICTED)
    ground: ProtectionGround | None = field("căn cứ bảo vệ", "Ground", RESTRICTED)
    true_address: Place | None = field("nơi ở thực tế", "True address", RESTRICTED)
    valid_from: date | None = field("từ ngày", "From", RESTRICTED)
    valid_until: date | None = field("đến ngày", "Until", RESTRICTED)


DATABASE = database(
    "population",
    title=("Cơ sở dữ liệu quốc gia về dân cư", "National Population Database"),
    owner=("Bộ Công an", "Ministry of Public Security"),
    legal_basis=("Luật Căn cước 26/2023/QH15, Điều 8-11", "Nghị định 70/2024/NĐ-CP"),
    group=Group.OPERATING,
    records=[Identity, EarlierNumber, Residence, FamilyMember, HouseholdMember, ProtectionOrder],
)
