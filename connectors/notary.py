"""The Notarization Database: notarised transactions, assets, preventive information, notaries.

Provinces keep local databases; the Ministry's central one, synchronised from them, is being built.
Its use must respect private life and family secrets (Law 46/2024/QH15 Art. 66). Wills are
RESTRICTED throughout and what they say is not declared at all; the gateway's protection hides them,
and transactions of the kind WILL, while the testator lives.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from connectors.change_rules import DELETED, ENTERED, ChangeMark, change
from connectors.declaration import (
    BASIC,
    PUBLIC,
    RESTRICTED,
    database,
    event,
    field,
    lookup,
    record,
    struct,
)
from connectors.description import Coded, Coverage, Group, Text
from connectors.values import PersonNumber
from connectors.vocabulary import PROVINCES, Party, Place, codes_of, numbers_of


class NotarialTransactionKind(Coded):
    SALE = "chuyển nhượng, mua bán", "sale"
    DONATION = "tặng cho", "donation"
    MORTGAGE = "thế chấp", "mortgage"
    LEASE = "thuê", "lease"
    CAPITAL_CONTRIBUTION = "góp vốn", "capital contribution"
    DEPOSIT = "đặt cọc", "deposit"
    AUTHORISATION = "ủy quyền", "authorisation"
    INHERITANCE_DIVISION = "thỏa thuận phân chia di sản", "division of an estate"
    INHERITANCE_DECLARATION = "khai nhận di sản", "declaration of inheritance"
    RENUNCIATION = "từ chối nhận di sản", "renunciation of an inheritance"
    SPOUSAL_PROPERTY_AGREEMENT = (
        "thỏa thuận chế độ tài sản, chia tài sản vợ chồng",
        "agreement on or division of spouses' property",
    )
    WILL = "di chúc", "will"
    CANCEL = "hủy bỏ giao dịch", "cancellation of a transaction"
    AMEND = "sửa đổi, bổ sung giao dịch", "amendment of a transaction"
    OTHER = "giao dịch khác", "other"


class NotarisationForm(Coded):
    PAPER = "văn bản giấy", "paper"
    E_DIRECT = "công chứng điện tử trực tiếp", "electronic, in presence"
    E_ONLINE = "công chứng điện tử trực tuyến", "electronic, online"


class NotarialTransactionStatus(Coded):
    VALID = "có hiệu lực", "valid"
    AMENDED = "đã sửa đổi, bổ sung", "amended"
    CANCELLED = "đã hủy bỏ", "cancelled"
    DECLARED_INVALID = "bị Tòa án tuyên vô hiệu", "declared invalid by a court"


class NotarialPartyRole(Coded):
    """An assumption: no source lists the roles."""

    TRANSFEROR = "bên chuyển nhượng, bên bán, bên tặng cho", "transferor"
    TRANSFEREE = "bên nhận chuyển nhượng, bên mua, bên được tặng cho", "transferee"
    MORTGAGOR = "bên thế chấp", "mortgagor"
    MORTGAGEE = "bên nhận thế chấp", "mortgagee"
    LESSOR = "bên cho thuê", "lessor"
    LESSEE = "bên thuê", "lessee"
    PRINCIPAL = "bên ủy quyền", "principal"
    AGENT = "bên được ủy quyền", "agent"
    HEIR = "người thừa kế", "heir"
    SPOUSE = "vợ, chồng trong thỏa thuận tài sản", "spouse in an agreement on property"
    TESTATOR = "người lập di chúc", "testator"
    WITNESS = "người làm chứng", "witness"
    OTHER = "tư cách khác", "other"


class NotaryAssetKind(Coded):
    LAND_USE_RIGHT = "quyền sử dụng đất", "land use right"
    HOUSE = "nhà ở", "house"
    APARTMENT = "căn hộ chung cư", "apartment"
    VEHICLE = "phương tiện giao thông", "vehicle"
    SHARE = "cổ phần, phần vốn góp", "share in a company"
    OTHER = "tài sản khác", "other asset"


class PreventiveKind(Coded):
    COURT_ORDER = "quyết định của Tòa án", "court order"
    ENFORCEMENT_MEASURE = "biện pháp thi hành án", "enforcement measure"
    INVESTIGATION = "cơ quan điều tra", "investigation"
    TAX = "cơ quan thuế", "tax"
    DISPUTE_WARNING = "cảnh báo tranh chấp", "warning of a dispute"
    LOST_CERTIFICATE = "mất giấy chứng nhận", "lost certificate"
    OTHER = "căn cứ khác", "other"


class PreventiveLevel(Coded):
    BLOCK = "ngăn chặn", "block"
    WARN = "cảnh báo, tham khảo", "warning"


class PreventiveStatus(Coded):
    ACTIVE = "đang áp dụng", "active"
    LIFTED = "đã giải tỏa", "lifted"


class NotarialOrgKind(Coded):
    PUBLIC = "phòng công chứng", "state notary office"
    OFFICE = "văn phòng công chứng", "private notary office"


class NotarialOrgStatus(Coded):
    """An assumption: no source names the states of notarial organisations."""

    OPERATING = "đang hoạt động", "operating"
    SUSPENDED = "tạm ngừng hoạt động", "suspended"
    CLOSED = "đã chấm dứt hoạt động", "closed"


class NotaryStatus(Coded):
    PRACTISING = "đang hành nghề", "practising"
    SUSPENDED = "tạm đình chỉ hành nghề", "suspended"
    DISMISSED = "đã miễn nhiệm", "dismissed"


#: A block in force, and one that was lifted. Of unknown level it may be one.
_BLOCK = {"level": ("BLOCK", None)}
_IN_FORCE = {**_BLOCK, "status": ("ACTIVE", None)}
_LIFTED = {**_BLOCK, "status": ("LIFTED",)}


def _block_changes(lookup: str) -> list[ChangeMark]:
    return [
        change("BLOCK_PLACED", lookup, date="valid_from", when=_IN_FORCE),
        change("BLOCK_LIFTED", lookup, on=(ENTERED,), date="lifted_on", when=_LIFTED),
        change("CORRECTION", lookup, on=(DELETED,), when=_IN_FORCE),
    ]


@struct("Thửa đất", "Parcel of land")
class LandParcel:
    map_sheet: str | None = field("tờ bản đồ số", "Map sheet", BASIC)
    parcel_no: str | None = field("thửa đất số", "Parcel number", BASIC)
    area: Decimal | None = field("diện tích (m²)", "Area in square metres", BASIC)
    place: Place | None = field("địa chỉ thửa đất", "Address of the parcel", BASIC)


@record(
    ("Giao dịch đã công chứng", "Notarised transaction"),
    lookups=[
        lookup(
            "transactions",
            "Giao dịch đã công chứng",
            "Notarised transactions",
            by=numbers_of("party"),
            through=("transaction_parties", "notarial_no"),
        ),
        lookup(
            "organisation_transactions",
            "Giao dịch đã công chứng của tổ chức",
            "Notarised transactions of an organisation",
            by=codes_of("party"),
            through=("transaction_parties", "notarial_no"),
            organisation="transactions",
        ),
        lookup(
            "asset_transactions",
            "Giao dịch của tài sản",
            "Transactions of the asset",
            by="asset_id",
            on=("assets", "asset_id"),
            through=("transaction_asset_links", "notarial_no"),
        ),
    ],
    identity="notarial_no",
    reserve=50,  # wills among them are hidden
    date="notarised_on",
    status="status",
    events=[
        event("notarised_on", "NOTARISED", "công chứng giao dịch", "transaction notarised"),
    ],
)
class NotarisedTransaction:
    notarial_no: str = field("số công chứng", "Notarial number", BASIC)
    book_no: str | None = field("quyển số", "Book number", BASIC)
    organisation_id: str | None = field("mã tổ chức hành nghề", "Organisation id", BASIC)
    notary_id: str | None = field("mã công chứng viên", "Notary id", BASIC)
    notarised_on: date | None = field("ngày công chứng", "Notarised on", BASIC)
    kind: NotarialTransactionKind | None = field(
        "loại giao dịch", "Kind of transaction", BASIC, dimension=True
    )
    form: NotarisationForm | None = field("hình thức công chứng", "Form", BASIC, dimension=True)
    value: Decimal | None = field("giá trị giao dịch", "Value", RESTRICTED)
    content_hash: str | None = field("mã băm văn bản", "Hash of the document", BASIC)
    status: NotarialTransactionStatus | None = field("tình trạng", "Status", BASIC, dimension=True)
    related_no: str | None = field("số công chứng liên quan", "Related transaction", BASIC)
    file_location: str | None = field("nơi lưu hồ sơ", "Where the file is kept", BASIC)
    requester: Party | None = field("người yêu cầu công chứng", "Requester", BASIC)
    fee: Decimal | None = field("phí công chứng", "Fee", BASIC)


@record(
    ("Bên trong giao dịch", "Party to a notarised transaction"),
    name="transaction_parties",
    lookups=[
        lookup(
            "parties", "Các bên", "Parties", by="notarial_no", on=("transactions", "notarial_no")
        ),
    ],
    identity="entry_id",
)
class NotarialParty:
    """Only parties find a transaction by their number, not the spouses that they name."""

    entry_id: str = field("mã bản ghi", "Entry id", BASIC)
    notarial_no: str = field("số công chứng", "Notarial number", BASIC)
    role: NotarialPartyRole | None = field("tư cách", "Role", BASIC, dimension=True)
    party: Party | None = field("bên", "Party", BASIC)
    spouse_id: PersonNumber | None = field(
        "số định danh của vợ/chồng", "Spouse's number", BASIC, person="spouse"
    )


@record(
    ("Tài sản", "Asset"),
    lookups=[
        lookup(
            "assets",
            "Tài sản sở hữu",
            "Assets owned",
            by=numbers_of("owner"),
            through=("asset_owners", "asset_id"),
        ),
        lookup(
            "organisation_assets",
            "Tài sản của tổ chức",
            "Assets of an organisation",
            by=codes_of("owner"),
            through=("asset_owners", "asset_id"),
            organisation="assets",
        ),
        lookup(
            "transaction_assets",
            "Tài sản của giao dịch",
            "Assets of a transaction",
            by="notarial_no",
            on=("transactions", "notarial_no"),
            through=("transaction_asset_links", "asset_id"),
        ),
        lookup(
            "asset_by_certificate",
            "Tài sản theo số phát hành Giấy chứng nhận",
            "Asset, by the serial number of its certificate",
            by="certificate_no",
            entry=("asset", "certificate_number"),
        ),
    ],
    identity="asset_id",
)
class NotaryAsset:
    """As the notaries know it; the land and vehicle registries prevail."""

    asset_id: str = field("mã tài sản", "Asset id", BASIC)
    kind: NotaryAssetKind | None = field("loại tài sản", "Kind", BASIC, dimension=True)
    certificate_no: str | None = field(
        "số phát hành Giấy chứng nhận", "Serial number of the certificate", BASIC
    )
    book_entry_no: str | None = field("số vào sổ cấp Giấy chứng nhận", "Number of entry", BASIC)
    parcel: LandParcel | None = field("thửa đất", "Parcel", BASIC)
    chassis_no: str | None = field("số khung", "Chassis number", BASIC)
    plate_no: str | None = field("biển số", "Number plate", BASIC)
    origin: str | None = field("nguồn gốc tài sản", "Origin", BASIC)
    transaction_status: str | None = field(
        "tình trạng giao dịch của tài sản", "State of transactions", BASIC
    )


@record(
    ("Chủ sở hữu, người sử dụng tài sản", "Owner of an asset"),
    name="asset_owners",
    lookups=[lookup("owners", "Chủ sở hữu", "Owners", by="asset_id", on=("assets", "asset_id"))],
    identity="entry_id",
)
class NotaryAssetOwner:
    entry_id: str = field("mã bản ghi", "Entry id", BASIC)
    asset_id: str = field("mã tài sản", "Asset id", BASIC)
    owner: Party | None = field("chủ sở hữu", "Owner", BASIC)
    share: str | None = field("phần sở hữu", "Share", BASIC)


@record(
    ("Tài sản trong giao dịch", "Link between a transaction and an asset"),
    name="transaction_asset_links",
    lookups=[
        lookup(
            "asset_links", "Tài sản trong giao dịch", "Asset links", by="notarial_no", hidden=True
        )
    ],
    identity="entry_id",
)
class NotarialAssetLink:
    entry_id: str = field("mã bản ghi", "Entry id", BASIC)
    notarial_no: str = field("số công chứng", "Notarial number", BASIC)
    asset_id: str = field("mã tài sản", "Asset id", BASIC)


@record(
    ("Thông tin ngăn chặn, cảnh báo", "Preventive information"),
    lookups=[
        lookup(
            "preventive_infos",
            "Thông tin ngăn chặn, cảnh báo",
            "Preventive information",
            by="person_id",
        ),
        lookup(
            "preventive_infos_on_asset",
            "Thông tin ngăn chặn, cảnh báo đối với tài sản",
            "Preventive information on the asset",
            by="asset_id",
            on=("assets", "asset_id"),
        ),
    ],
    identity="prevent_id",
    date="valid_from",
    status="status",
    events=[
        event(
            "valid_from",
            "PREVENTIVE_INFO_BEGUN",
            "bắt đầu ngăn chặn, cảnh báo",
            "block or warning begun",
        ),
        event(
            "lifted_on",
            "PREVENTIVE_INFO_LIFTED",
            "giải tỏa ngăn chặn, cảnh báo",
            "block or warning lifted",
        ),
    ],
    # Of the person named, and of the owners of the asset.
    changes=[*_block_changes("preventive_infos"), *_block_changes("preventive_infos_on_asset")],
)
class PreventiveInfo:
    """Concerns an asset, a person, or both."""

    prevent_id: str = field("mã thông tin ngăn chặn", "Id", BASIC)
    asset_id: str | None = field("mã tài sản", "Asset id", BASIC)
    person_id: PersonNumber | None = field("số định danh", "Person number", BASIC, person="person")
    kind: PreventiveKind | None = field("căn cứ", "Kind", BASIC, dimension=True)
    level: PreventiveLevel | None = field("mức độ", "Level", BASIC, dimension=True)
    issuer: str | None = field("cơ quan ban hành", "Issuer", BASIC)
    document_no: str | None = field("số văn bản", "Document number", BASIC)
    document_date: date | None = field("ngày văn bản", "Date of the document", BASIC)
    valid_from: date | None = field("từ ngày", "From", BASIC)
    lifted_by: str | None = field("số văn bản giải tỏa", "Lifted by document", BASIC)
    lifted_on: date | None = field("ngày giải tỏa", "Lifted on", BASIC)
    status: PreventiveStatus | None = field("tình trạng", "Status", BASIC, dimension=True)
    scope_province: str | None = field("phạm vi (mã tỉnh)", "Province it is for", BASIC)
    attachment_ref: str | None = field("văn bản đính kèm", "Attached document", RESTRICTED)


@record(
    ("Di chúc đã công chứng", "Notarised will"),
    lookups=[lookup("wills", "Di chúc", "Wills", by="testator_id")],
    identity="notarial_no",
    date="notarised_on",
    sensitivity=RESTRICTED,
    coverage=Coverage(
        provinces=PROVINCES,
        includes=(Text("di chúc có công chứng", "notarised wills"),),
        excludes=(Text("di chúc không công chứng", "wills that were not notarised"),),
    ),
)
class NotarisedWill:
    notarial_no: str = field("số công chứng", "Notarial number", RESTRICTED)
    testator_id: PersonNumber = field(
        "số định danh của người lập di chúc", "Testator's number", RESTRICTED, person="testator"
    )
    notarised_on: date | None = field("ngày công chứng", "Notarised on", RESTRICTED)
    keeper_id: str | None = field("mã tổ chức nhận lưu giữ", "Kept by", RESTRICTED)
    replaced_by: str | None = field("được thay thế bởi", "Replaced by", RESTRICTED)
    opened_on: date | None = field("ngày công bố", "Opened on", RESTRICTED)


@record(
    ("Tổ chức hành nghề công chứng", "Notarial organisation"),
    lookups=[
        lookup(
            "organisation",
            "Tổ chức hành nghề công chứng",
            "Notarial organisation",
            by="organisation_id",
            on=("transactions", "organisation_id"),
        ),
        lookup(
            "notary_organisation",
            "Nơi hành nghề",
            "Where the notary practises",
            by="organisation_id",
            on=("notaries", "organisation_id"),
        ),
        lookup(
            "keeper",
            "Nơi lưu giữ di chúc",
            "Where the will is kept",
            by="organisation_id",
            on=("wills", "keeper_id"),
        ),
    ],
    name="notarial_organisations",
    identity="organisation_id",
    single=True,
    limit=2,
)
class NotarialOrg:
    organisation_id: str = field("mã tổ chức", "Organisation id", PUBLIC)
    name: str | None = field("tên tổ chức", "Name", PUBLIC)
    kind: NotarialOrgKind | None = field("loại tổ chức", "Kind", PUBLIC, dimension=True)
    registration_no: str | None = field(
        "số quyết định, số đăng ký hoạt động", "Decision or registration number", PUBLIC
    )
    address: str | None = field("địa chỉ", "Address", PUBLIC)
    head: str | None = field("trưởng phòng, trưởng văn phòng", "Head", PUBLIC)
    province_code: str | None = field("mã tỉnh, thành phố", "Province", PUBLIC, dimension=True)
    status: NotarialOrgStatus | None = field("tình trạng", "Status", PUBLIC, dimension=True)


@record(
    ("Công chứng viên", "Notary"),
    lookups=[
        lookup(
            "notary", "Công chứng viên", "Notary", by="notary_id", on=("transactions", "notary_id")
        )
    ],
    name="notaries",
    identity="notary_id",
    single=True,
    limit=2,
)
class Notary:
    notary_id: str = field("mã công chứng viên", "Notary id", PUBLIC)
    name: str | None = field("họ, chữ đệm và tên", "Name", PUBLIC)
    appointment_no: str | None = field("số quyết định bổ nhiệm", "Appointment number", PUBLIC)
    card_no: str | None = field("số thẻ công chứng viên", "Card number", PUBLIC)
    organisation_id: str | None = field("mã tổ chức hành nghề", "Organisation id", PUBLIC)
    status: NotaryStatus | None = field("tình trạng", "Status", PUBLIC, dimension=True)


DATABASE = database(
    "notary",
    title=("Cơ sở dữ liệu công chứng", "Notarization Database"),
    owner=("Bộ Tư pháp", "Ministry of Justice"),
    legal_basis=("Luật Công chứng 46/2024/QH15, Điều 66", "Nghị định 104/2025/NĐ-CP"),
    group=Group.UNDER_CONSTRUCTION,
    coverage=Coverage(
        provinces=PROVINCES,
        includes=(
            Text(
                "dữ liệu được đồng bộ từ cơ sở dữ liệu công chứng của các tỉnh, thành phố",
                "what is synchronised from the provinces' local databases",
            ),
        ),
        excludes=(
            Text(
                "dữ liệu mà tỉnh, thành phố chưa đồng bộ",
                "what a province has not yet synchronised",
            ),
        ),
    ),
    records=[
        NotarisedTransaction,
        NotarialParty,
        NotaryAsset,
        NotaryAssetOwner,
        NotarialAssetLink,
        PreventiveInfo,
        NotarisedWill,
        NotarialOrg,
        Notary,
    ],
)
