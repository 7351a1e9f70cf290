"""A small cast for the demo: people whose story can be read off the registers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from connectors.legal_aid import LegalAidCategory
from connectors.synthetic.dealings import AidCase, Sanction
from connectors.synthetic.draw import age_on
from connectors.synthetic.options import TODAY
from connectors.synthetic.property_story import property_facts
from connectors.synthetic.truth import PersonTruth

#: ``{"id", "story", "tags", "name", "birthDate", "sex"}``, and for who has such the number of a
#: security registration, of a home's certificate, of a decision to enforce and of a chassis.
Persona = dict[str, object]

_STATUS = {
    "SINGLE": ("chưa kết hôn", "never married"),
    "MARRIED": ("đang có vợ/chồng", "married"),
    "DIVORCED": ("đã ly hôn", "divorced"),
    "WIDOWED": ("góa", "widowed"),
}
_FAULTS = {
    "BIRTH_DATE": ("hai nơi ghi ngày sinh khác nhau", "two registers differ in the date of birth"),
    "MARITAL_STATUS": (
        "CSDL dân cư chưa cập nhật tình trạng hôn nhân",
        "the population database holds an old marital status",
    ),
    "NAME_FORM": (
        "giấy khai sinh viết tên theo lối khác",
        "the birth record writes the name otherwise",
    ),
    "LIFE_STATUS": (
        "CSDL dân cư chưa ghi nhận việc chết",
        "the population database was not told of the death",
    ),
    "DIVORCE_NOT_NOTED": ("sổ hộ tịch thiếu ghi chú ly hôn", "a divorce is not noted in the book"),
    "SHARED_NUMBER": (
        "trùng số CMND với người khác",
        "shares an old card number with somebody else",
    ),
}


@dataclass(frozen=True, slots=True)
class _Role:
    """A part in the cast: who can play it, and living adults only or anybody."""

    fits: Callable[[PersonTruth], bool]
    adult: bool = True


def _tagged(tag: str, *, adult: bool = True) -> _Role:
    return _Role(lambda person: tag in person.tags, adult)


def _conflict(kind: str, *, adult: bool = True) -> _Role:
    return _Role(lambda person: any(conflict.what == kind for conflict in person.conflicts), adult)


def _fine(sanction: Sanction) -> bool:
    return sanction.main_sanction == "FINE"


def _parent_of_two(person: PersonTruth) -> bool:
    return (
        person.marital_status == "MARRIED"
        and len(person.children) >= 2
        and not person.conflicts
        and not person.adopted
        and not person.filed_under
        and all(spell.end is None for spell in person.marital_history)
    )


_ROLES: tuple[_Role, ...] = (
    _Role(_parent_of_two),
    _tagged("married"),
    _tagged("divorced"),
    _tagged("divorced"),
    _tagged("widowed"),
    _tagged("widowed"),
    _Role(lambda p: p.marital_status == "MARRIED" and len(p.marital_history) > 1),
    _Role(lambda p: p.marital_status == "SINGLE"),
    _tagged("deceased", adult=False),
    _tagged("deceased", adult=False),
    _tagged("minor", adult=False),
    _tagged("minor", adult=False),
    _tagged("adopted"),
    _tagged("adopted", adult=False),
    _tagged("old_number"),
    _tagged("old_number"),
    _conflict("MARITAL_STATUS"),
    _conflict("BIRTH_DATE"),
    _conflict("NAME_FORM"),
    _conflict("LIFE_STATUS", adult=False),
    _conflict("SHARED_NUMBER"),
    _conflict("DIVORCE_NOT_NOTED"),
    _Role(lambda p: "bereaved" in p.tags and p.marital_status != "WIDOWED"),
    _Role(lambda p: bool(p.guardian_of)),
    _Role(lambda p: p.life_state == "MISSING", adult=False),
    _Role(lambda p: any(aid_case.acceptance == "ACCEPTED" for aid_case in p.legal_aid)),
    _Role(lambda p: any(_fine(sanction) and not sanction.expired for sanction in p.sanctions)),
    _Role(lambda p: "fined_expired" in p.tags and all(_fine(sanction) for sanction in p.sanctions)),
    _tagged("protected"),
    _Role(lambda p: any(case.role == "DEBTOR" and case.open for case in p.enforcement_cases)),
    _tagged("blocked_asset"),
    _Role(
        lambda p: any(
            registration.role == "SECURING" and registration.effective
            for registration in p.securities
        )
    ),
    _Role(lambda p: any(registration.role == "SECURED" for registration in p.securities)),
    _Role(lambda p: len(p.transactions) >= 2),
    _tagged("testator"),
    _Role(lambda p: bool(p.wills) and p.life_state == "DEAD", adult=False),
)


def personas(truth: Iterable[PersonTruth], today: date = TODAY) -> list[Persona]:
    """Choose about 25 people so that every tag there is has a face.

    Each is a living adult where the tag allows it; the first is a married parent of two or more.
    Reading stops when the cast is complete, so the iterable may be of any length.
    """
    cast: dict[int, PersonTruth] = {}
    for person in truth:
        adult = person.life_state == "ALIVE" and age_on(person.birth_date, today) >= 18
        for place, role in enumerate(_ROLES):
            if place not in cast and (adult or not role.adult) and role.fits(person):
                cast[place] = person
                break
        if len(cast) == len(_ROLES):
            break
    return [_persona(cast[place], today) for place in sorted(cast)]


def _persona(person: PersonTruth, today: date) -> Persona:
    vi, en = zip(*_facts(person, today), strict=True)
    story = f"{person.full_name}: {', '.join(vi)} / {person.full_name}: {', '.join(en)}"
    things = {
        "registrationNo": next(
            (registration.registration_no for registration in person.securities), None
        ),
        "certificateNo": next(
            (asset.certificate_no for asset in person.assets if asset.certificate_no), None
        ),
        "decisionNo": next((case.decision_no for case in person.enforcement_cases), None),
        "chassisNo": next((asset.chassis_no for asset in person.assets if asset.chassis_no), None),
    }
    return {
        "id": person.id,
        "story": story,
        "tags": list(person.tags),
        "name": person.full_name,
        "birthDate": person.birth_date.isoformat(),
        "sex": person.sex,
        **{key: number for key, number in things.items() if number is not None},
    }


def _facts(person: PersonTruth, today: date) -> list[tuple[str, str]]:
    """Return what there is to tell, in Vietnamese and English; no relative is named."""
    facts = [_life(person, today)]
    if age_on(person.birth_date, today) >= 18:
        facts.append(_STATUS[person.marital_status])
    if len(person.marital_history) > 1:
        count = len(person.marital_history)
        facts.append((f"đã kết hôn {count} lần", f"has married {count} times"))
    if person.children:
        count = len(person.children)
        facts.append((f"có {count} con", f"{count} {'child' if count == 1 else 'children'}"))
    if person.adopted:
        facts.append(("là con nuôi", "adopted as a child"))
    if person.guardian_of:
        facts.append(("đang giám hộ cho người thân", "guardian of a relative"))
    if "old_number" in person.tags:
        facts.append(("có hồ sơ ghi theo số cũ", "some records are under an old number"))
    facts += [_aid(aid_case) for aid_case in person.legal_aid]
    facts += [_sanction(sanction) for sanction in person.sanctions]
    facts += property_facts(person)
    if person.protection is not None:
        facts.append(
            (
                "nơi ở được bảo vệ: các CSDL ghi địa chỉ thay thế",
                "address protected: the registers show a substitute",
            )
        )
    facts += [_FAULTS[conflict.what] for conflict in person.conflicts if conflict.what in _FAULTS]
    if "bereaved" in person.tags and person.marital_status != "WIDOWED":
        facts.append(("có người thân đã mất", "has lost a close relative"))
    return facts


def _aid(case: AidCase) -> tuple[str, str]:
    year, category = case.requested.year, LegalAidCategory[case.category].title
    if case.acceptance != "ACCEPTED":
        return f"đã yêu cầu trợ giúp pháp lý năm {year}", f"asked for legal aid in {year}"
    return (
        f"được trợ giúp pháp lý năm {year} theo diện {category.vi}",
        f"legal aid in {year} as {category.en}",
    )


def _sanction(sanction: Sanction) -> tuple[str, str]:
    """Say what a sanction was, and whether it still counts (Law 15/2012/QH13 Art. 7)."""
    vi, en = ("bị phạt tiền", "fined") if _fine(sanction) else ("bị phạt cảnh cáo", "warned")
    year = sanction.decided.year
    if sanction.expired:
        return (
            f"{vi} năm {year}, đã qua thời hạn bị coi là đã bị xử phạt",
            f"{en} in {year}, which no longer counts",
        )
    return f"{vi} năm {year}, còn trong thời hạn", f"{en} in {year}, which still counts"


def _life(person: PersonTruth, today: date) -> tuple[str, str]:
    man, year = person.sex == "MALE", person.birth_date.year
    noun = ("nam", "man") if man else ("nữ", "woman")
    if age_on(person.birth_date, today) < 18:
        noun = ("bé trai", "boy") if man else ("bé gái", "girl")
    if person.life_state == "DEAD" and person.death_date is not None:
        died = person.death_date.year
        return (
            f"{noun[0]} sinh năm {year}, mất năm {died}",
            f"{noun[1]} born in {year}, died in {died}",
        )
    if person.life_state == "MISSING":
        return f"{noun[0]} sinh năm {year}, bị tuyên bố mất tích", (
            f"{noun[1]} born in {year}, declared missing"
        )
    return f"{noun[0]} sinh năm {year}", f"{noun[1]} born in {year}"
