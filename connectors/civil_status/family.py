"""Marriages and their end, adoptions, guardianships, recognitions of parents and children.

That no divorce is noted does not prove a marriage still stands: courts send judgments unevenly.
"""

from __future__ import annotations

from datetime import date

from connectors.change_rules import change
from connectors.civil_status.header import IN_FORCE, NO_EVENT, RESERVE, Event, corrections
from connectors.declaration import BASIC, RESTRICTED, SENSITIVE, event, field, lookup, record
from connectors.description import Coded
from connectors.values import PartialDate, PersonNumber
from connectors.vocabulary import Party


class MarriageEndReason(Coded):
    DIVORCE = "ly hôn", "divorce"
    ANNULMENT = "hủy việc kết hôn trái pháp luật", "annulment"
    DEATH_OF_SPOUSE = "vợ hoặc chồng chết", "death of a spouse"
    DECLARED_DEAD = "vợ hoặc chồng bị tuyên bố là đã chết", "a spouse was declared dead"


class DivorceKind(Coded):
    CONTESTED = "đơn phương", "contested"
    CONSENSUAL = "thuận tình", "consensual"
    FOREIGN = "giải quyết ở nước ngoài", "settled abroad"


class AdoptionScope(Coded):
    DOMESTIC = "trong nước", "domestic"
    FOREIGN = "có yếu tố nước ngoài", "with a foreign element"


class RelationBeforeAdoption(Coded):
    STEP = "cha dượng, mẹ kế", "step-parent"
    AUNT_UNCLE = "cô, cậu, dì, chú, bác ruột", "aunt or uncle by blood"
    UNRELATED = "không có quan hệ họ hàng", "unrelated"


class GuardianshipKind(Coded):
    NATURAL = "giám hộ đương nhiên", "natural"
    APPOINTED = "giám hộ cử", "appointed"
    COURT_DESIGNATED = "Tòa án chỉ định", "designated by a court"


class GuardianshipReason(Coded):
    MINOR = "người chưa thành niên", "minor"
    INCAPACITATED = "mất năng lực hành vi dân sự", "incapacitated"
    COGNITION_DIFFICULTY = (
        "có khó khăn trong nhận thức, làm chủ hành vi",
        "difficulty in cognition or control of acts",
    )


class RecognitionKind(Coded):
    FATHER_RECOGNISES_CHILD = "cha nhận con", "father recognises child"
    MOTHER_RECOGNISES_CHILD = "mẹ nhận con", "mother recognises child"
    CHILD_RECOGNISES_FATHER = "con nhận cha", "child recognises father"
    CHILD_RECOGNISES_MOTHER = "con nhận mẹ", "child recognises mother"


class RecognitionEvidence(Coded):
    DNA = "kết quả giám định ADN", "DNA test"
    OTHER = "chứng cứ khác", "other evidence"


@record(
    ("Kết hôn", "Marriage registration"),
    lookups=[
        lookup("marriages", "Kết hôn", "Marriages", by=("husband.citizen_id", "wife.citizen_id"))
    ],
    identity="event_id",
    reserve=RESERVE,
    date="registration_date",
    status="status",
    events=[
        event("registration_date", "MARRIAGE_REGISTERED", "đăng ký kết hôn", "marriage registered"),
        event("effective_from", "MARRIED", "hôn nhân có hiệu lực", "married"),
        event("ended_on", "MARRIAGE_ENDED", "hôn nhân chấm dứt", "marriage ended"),
    ],
    province="wife.residence.province_code",
    birth_date="wife.birth_date",
    changes=[
        change(
            "MARRIAGE",
            "marriages",
            date="registration_date",
            when=IN_FORCE,
            unless={**NO_EVENT, "re_registered": (True,)},
        ),
        *corrections("marriages", "ended_on", "end_reason", "end_event_id"),
    ],
)
class Marriage(Event):
    certificate_no: str | None = field("số Giấy chứng nhận kết hôn", "Certificate number", BASIC)
    husband: Party | None = field("chồng", "Husband", BASIC)
    husband_ordinal: int | None = field("chồng kết hôn lần thứ", "Husband's marriage number", BASIC)
    wife: Party | None = field("vợ", "Wife", BASIC)
    wife_ordinal: int | None = field("vợ kết hôn lần thứ", "Wife's marriage number", BASIC)
    foreign_element: bool | None = field(
        "có yếu tố nước ngoài", "Foreign element", BASIC, dimension=True
    )
    effective_from: PartialDate | None = field("có hiệu lực từ", "Effective from", BASIC)
    ended_on: PartialDate | None = field("ngày chấm dứt hôn nhân", "Ended on", BASIC)
    end_reason: MarriageEndReason | None = field(
        "lý do chấm dứt", "Reason of the end", BASIC, dimension=True
    )
    end_event_id: str | None = field("mã sự kiện chấm dứt", "Event that ended it", BASIC)
    re_registered: bool | None = field("là đăng ký lại", "Registered again", BASIC)


@record(
    ("Ghi chú ly hôn", "Note of a divorce"),
    lookups=[lookup("divorces", "Ly hôn", "Divorces", by=("husband_id", "wife_id"))],
    identity="event_id",
    reserve=RESERVE,
    date="registration_date",
    status="status",
    events=[
        event("judgment_date", "DIVORCE_DECIDED", "quyết định ly hôn", "divorce decided"),
        event("legal_effect_date", "DIVORCED", "ly hôn có hiệu lực", "divorced"),
        event("registration_date", "DIVORCE_NOTED", "ghi chú ly hôn", "divorce noted"),
    ],
    changes=[
        change("DIVORCE", "divorces", date="legal_effect_date", when=IN_FORCE, unless=NO_EVENT),
        *corrections("divorces"),
    ],
)
class DivorceNote(Event):
    """The marriage ends on ``legal_effect_date`` (Law on Marriage and Family Art. 57)."""

    husband_id: PersonNumber | None = field(
        "số định danh của chồng", "Husband's number", BASIC, person="husband"
    )
    wife_id: PersonNumber | None = field(
        "số định danh của vợ", "Wife's number", BASIC, person="wife"
    )
    marriage_event_id: str | None = field("mã sự kiện kết hôn", "Event of the marriage", BASIC)
    court_name: str | None = field("Tòa án", "Court", BASIC)
    judgment_no: str | None = field("số bản án, quyết định", "Judgment number", BASIC)
    judgment_date: date | None = field("ngày bản án, quyết định", "Date of the judgment", BASIC)
    legal_effect_date: date | None = field(
        "ngày có hiệu lực pháp luật", "In legal effect from", BASIC
    )
    divorce_kind: DivorceKind | None = field(
        "loại ly hôn", "Kind of divorce", BASIC, dimension=True
    )


@record(
    ("Nuôi con nuôi", "Adoption"),
    lookups=[
        lookup(
            "adoptions",
            "Nuôi con nuôi",
            "Adoptions",
            by=("child_id", "adopter_father_id", "adopter_mother_id"),
        )
    ],
    identity="event_id",
    reserve=RESERVE,
    date="registration_date",
    status="status",
    sensitivity=RESTRICTED,
)
class Adoption(Event):
    """Law 52/2010/QH12: for the registering agencies only; legal effect from ``handover_date``."""

    certificate_no: str | None = field(
        "số Giấy chứng nhận nuôi con nuôi", "Certificate number", RESTRICTED
    )
    decision_date: date | None = field("ngày quyết định", "Date of the decision", RESTRICTED)
    handover_date: date | None = field("ngày giao nhận con nuôi", "Date of handover", RESTRICTED)
    child_id: PersonNumber | None = field(
        "số định danh của con nuôi", "Child's number", RESTRICTED, person="child"
    )
    adopter_father_id: PersonNumber | None = field(
        "số định danh của cha nuôi", "Adoptive father's number", RESTRICTED, person="adopter_father"
    )
    adopter_mother_id: PersonNumber | None = field(
        "số định danh của mẹ nuôi", "Adoptive mother's number", RESTRICTED, person="adopter_mother"
    )
    biological_mother: Party | None = field("mẹ đẻ", "Biological mother", RESTRICTED)
    biological_father: Party | None = field("cha đẻ", "Biological father", RESTRICTED)
    adoption_scope: AdoptionScope | None = field(
        "trong nước, nước ngoài", "Domestic or foreign", RESTRICTED
    )
    relation_before: RelationBeforeAdoption | None = field(
        "quan hệ trước khi nhận nuôi", "Relation before the adoption", RESTRICTED
    )
    child_new_name: str | None = field("họ tên mới của con nuôi", "Child's new name", RESTRICTED)
    termination_date: date | None = field("ngày chấm dứt", "Terminated on", RESTRICTED)
    termination_decision_no: str | None = field(
        "số quyết định chấm dứt", "Number of the decision to terminate", RESTRICTED
    )


@record(
    ("Giám hộ", "Guardianship"),
    lookups=[
        lookup(
            "guardianships",
            "Giám hộ",
            "Guardianships",
            by=("ward_id", "guardian.citizen_id", "supervisor_id"),
        )
    ],
    identity="event_id",
    reserve=RESERVE,
    date="registration_date",
    status="status",
    events=[
        event("start_date", "GUARDIANSHIP_BEGUN", "bắt đầu giám hộ", "guardianship begun"),
        event(
            "registration_date",
            "GUARDIANSHIP_REGISTERED",
            "đăng ký giám hộ",
            "guardianship registered",
        ),
        event("end_date", "GUARDIANSHIP_ENDED", "chấm dứt giám hộ", "guardianship ended"),
    ],
)
class Guardianship(Event):
    """Its reason is health data; its end may be an adoption (Civil Code Art. 62)."""

    registration_no: str | None = field("số đăng ký giám hộ", "Registration number", BASIC)
    ward_id: PersonNumber | None = field(
        "số định danh của người được giám hộ", "Ward's number", BASIC, person="ward"
    )
    guardian: Party | None = field("người giám hộ", "Guardian", BASIC)
    supervisor_id: PersonNumber | None = field(
        "số định danh của người giám sát", "Supervisor's number", BASIC, person="supervisor"
    )
    guardianship_kind: GuardianshipKind | None = field(
        "loại giám hộ", "Kind", BASIC, dimension=True
    )
    reason: GuardianshipReason | None = field("lý do giám hộ", "Reason", SENSITIVE)
    start_date: date | None = field("ngày bắt đầu", "From", BASIC)
    end_date: date | None = field("ngày chấm dứt", "Until", BASIC)
    end_reason: str | None = field("lý do chấm dứt", "Reason of the end", RESTRICTED)
    property_list_ref: str | None = field(
        "danh mục tài sản", "Reference of the property list", BASIC
    )
    decision_no: str | None = field("số quyết định", "Decision number", BASIC)


@record(
    ("Nhận cha, mẹ, con", "Recognition of parent or child"),
    lookups=[
        lookup(
            "recognitions",
            "Nhận cha, mẹ, con",
            "Recognitions of parents and children",
            by=("recognising_id", "recognised_id"),
        )
    ],
    identity="event_id",
    reserve=RESERVE,
    date="registration_date",
    status="status",
    events=[
        event(
            "registration_date", "PARENTAGE_RECOGNISED", "nhận cha, mẹ, con", "parentage recognised"
        ),
    ],
)
class ParentChildRecognition(Event):
    registration_no: str | None = field("số đăng ký", "Registration number", BASIC)
    recognising_id: PersonNumber | None = field(
        "số định danh của người nhận", "Number of who recognises", BASIC, person="recogniser"
    )
    recognised_id: PersonNumber | None = field(
        "số định danh của người được nhận",
        "Number of who is recognised",
        BASIC,
        person="recognised",
    )
    recognition_kind: RecognitionKind | None = field(
        "quan hệ được nhận", "Kind", BASIC, dimension=True
    )
    evidence: RecognitionEvidence | None = field("chứng cứ", "Evidence", SENSITIVE)
    other_parent_consent: bool | None = field("cha, mẹ kia đồng ý", "Other parent consents", BASIC)
    birth_event_id: str | None = field("mã sự kiện khai sinh", "Event of the birth", BASIC)
    combined_with_birth: bool | None = field("kết hợp khai sinh", "Combined with the birth", BASIC)
