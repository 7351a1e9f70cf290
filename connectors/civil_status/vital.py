"""Births and deaths (Law 60/2014/QH13 Art. 14, 32-34; Decision 3458/QĐ-BTP)."""

from __future__ import annotations

from connectors.change_rules import CREATED, KEYED, NUMBERED, ChangeMark, change
from connectors.civil_status.header import IN_FORCE, NO_EVENT, RESERVE, Event, corrections
from connectors.declaration import BASIC, RESTRICTED, SENSITIVE, event, field, lookup, record
from connectors.description import ChangeTrigger, Coded
from connectors.values import PartialDate, PersonNumber
from connectors.vocabulary import IdDocument, Party, Place, Sex


class BirthCircumstance(Coded):
    NORMAL = "thông thường", "normal"
    OUT_OF_WEDLOCK = "con ngoài giá thú", "out of wedlock"
    ABANDONED = "trẻ bị bỏ rơi", "abandoned child"
    SURROGACY = "mang thai hộ", "surrogacy"
    PARENT_UNDETERMINED = "chưa xác định được cha, mẹ", "parent undetermined"


#: What a new birth must be: in force, and registered for the first time, in this country. (A
#: certificate from abroad may have been issued anew after an adoption there.)
_NEW_BIRTH = {**IN_FORCE, "registration_kind": ("ON_TIME", "LATE")}


def _birth_event(lookup: str, *on: ChangeTrigger) -> ChangeMark:
    """Declare that a birth is an event for those who have it in a list.

    After an adoption the birth is entered anew, in the place of the first, with its date and kind
    (``docs/decisions``, 46). Such an entry is not the only one under the child's number, or was
    registered long before it is there; the law lets nobody adopt within days (52/2010/QH12 Art.
    21).
    """
    return change(
        "BIRTH",
        lookup,
        on=on,
        date="birth_date",
        when=_NEW_BIRTH,
        unless=NO_EVENT,
        recent=("registration_date", 15),
        sole="births",
        repeatable=False,
    )


class DeathKind(Coded):
    NATURAL_DEATH = "chết về mặt sinh học", "natural death"
    DECLARED_DEAD_BY_COURT = "Tòa án tuyên bố đã chết", "declared dead by a court"


@record(
    ("Khai sinh", "Birth registration"),
    lookups=[
        lookup("births", "Khai sinh", "Births", by="citizen_id"),
        lookup(
            "births_of_children",
            "Khai sinh của các con",
            "Births of children",
            by=("mother.citizen_id", "father.citizen_id"),
        ),
    ],
    identity="event_id",
    reserve=RESERVE,
    date="registration_date",
    status="status",
    events=[
        event("birth_date", "BORN", "sinh", "born"),
        event("birth_date", "CHILD_BORN", "sinh con", "child born", within="births_of_children"),
        event("registration_date", "BIRTH_REGISTERED", "đăng ký khai sinh", "birth registered"),
    ],
    province="citizen_id",
    changes=[
        _birth_event("births", CREATED, NUMBERED),
        # Parents who are entered later may be adoptive: only those of before have an event.
        _birth_event("births_of_children", CREATED, KEYED),
        # No CORRECTION of a birth: an adoption changes it too. What the law calls a correction has
        # an entry of its own (``notes.CivilStatusChange``).
    ],
)
class Birth(Event):
    citizen_id: PersonNumber | None = field("số định danh", "Person number", BASIC, person="person")
    family_name: str | None = field("họ", "Family name", BASIC)
    middle_name: str | None = field("chữ đệm", "Middle name", BASIC)
    given_name: str | None = field("tên", "Given name", BASIC)
    full_name: str | None = field("họ, chữ đệm và tên như ghi", "Full name as written", BASIC)
    sex: Sex | None = field("giới tính", "Sex", BASIC, dimension=True)
    birth_date: PartialDate | None = field("ngày, tháng, năm sinh", "Date of birth", BASIC)
    birth_date_words: str | None = field("ngày sinh bằng chữ", "Date of birth in words", BASIC)
    birth_place: Place | None = field("nơi sinh", "Place of birth", BASIC)
    native_place: Place | None = field("quê quán", "Native place", BASIC)
    ethnicity: str | None = field("dân tộc", "Ethnicity", SENSITIVE)
    nationality: str | None = field("quốc tịch", "Nationality", BASIC, dimension=True)
    mother: Party | None = field("người mẹ", "Mother", BASIC)
    father: Party | None = field("người cha", "Father", BASIC)
    birth_certificate_no: str | None = field("số Giấy khai sinh", "Birth certificate number", BASIC)
    birth_circumstance: BirthCircumstance | None = field(
        "hoàn cảnh sinh", "Circumstance of birth", RESTRICTED
    )
    birth_notification_no: str | None = field(
        "số giấy chứng sinh", "Number of the hospital's notice of birth", RESTRICTED
    )
    birth_order: int | None = field("con thứ mấy", "Order of birth", RESTRICTED)


@record(
    ("Khai tử", "Death registration"),
    lookups=[lookup("deaths", "Khai tử", "Deaths", by="citizen_id")],
    identity="event_id",
    reserve=RESERVE,
    date="registration_date",
    status="status",
    events=[
        event("death_date", "DIED", "chết", "died"),
        event("registration_date", "DEATH_REGISTERED", "đăng ký khai tử", "death registered"),
    ],
    province="last_residence.province_code",
    birth_date="birth_date",
    changes=[
        change("DEATH", "deaths", date="death_date", when=IN_FORCE, unless=NO_EVENT),
        *corrections("deaths"),
    ],
)
class Death(Event):
    citizen_id: PersonNumber | None = field("số định danh", "Person number", BASIC, person="person")
    family_name: str | None = field("họ", "Family name", BASIC)
    middle_name: str | None = field("chữ đệm", "Middle name", BASIC)
    given_name: str | None = field("tên", "Given name", BASIC)
    full_name: str | None = field("họ, chữ đệm và tên như ghi", "Full name as written", BASIC)
    birth_date: PartialDate | None = field("ngày, tháng, năm sinh", "Date of birth", BASIC)
    sex: Sex | None = field("giới tính", "Sex", BASIC, dimension=True)
    ethnicity: str | None = field("dân tộc", "Ethnicity", SENSITIVE)
    nationality: str | None = field("quốc tịch", "Nationality", BASIC, dimension=True)
    last_residence: Place | None = field("nơi cư trú cuối cùng", "Last residence", BASIC)
    id_document: IdDocument | None = field("giấy tờ tùy thân", "Identity document", BASIC)
    death_date: PartialDate | None = field("ngày, tháng, năm chết", "Date of death", BASIC)
    death_time: str | None = field("giờ, phút chết", "Hour and minute of death", BASIC)
    death_place: Place | None = field("nơi chết", "Place of death", BASIC)
    death_cause: str | None = field("nguyên nhân chết", "Cause of death", SENSITIVE)
    death_kind: DeathKind | None = field("loại khai tử", "Kind of death", BASIC, dimension=True)
    death_notice_no: str | None = field("số giấy báo tử", "Number of the death notice", BASIC)
    death_notice_issuer: str | None = field("nơi cấp giấy báo tử", "Death notice issued by", BASIC)
    extract_no: str | None = field("số trích lục khai tử", "Number of the death extract", BASIC)
