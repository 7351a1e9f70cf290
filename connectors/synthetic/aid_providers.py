"""The providers of legal aid in each of the 34 provinces (Law 11/2017/QH14 Art. 10, 11, 17).

A state centre, one branch of it and one organisation under contract or registered, with the people
who take the cases. They are the same for every cluster and written once, with the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from random import Random

from connectors.synthetic import names
from connectors.synthetic.draw import between, later, pick, stream
from connectors.synthetic.places import Columns, home, provinces
from connectors.vocabulary import PROVINCES

_SEED = 3
_TRADES = ("Công ty Luật TNHH", "Trung tâm tư vấn pháp luật", "Văn phòng Luật sư")
_FIELDS = ("CRIMINAL", "CIVIL", "MARRIAGE_FAMILY", "ADMINISTRATIVE", "LAND", "LABOUR", "OTHER")


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider and the people who work for it, as rows of the legal aid database."""

    organisation_id: str
    name: str
    row: Columns
    people: tuple[Columns, ...]


@lru_cache(maxsize=len(PROVINCES))
def providers(province_code: str) -> tuple[Provider, ...]:
    """Return the providers of a province: the state centre, its branch, and another one."""
    rng = stream(_SEED, int(province_code), "aid providers")
    inside = [province for province in provinces() if province.new_code == province_code]
    title = inside[0].new_name
    centre = f"Trung tâm trợ giúp pháp lý nhà nước {title[0].lower()}{title[1:]}"
    private = pick(rng, _TRADES)
    surname = names.family_name(rng, "Kinh", inside[0].southern)
    whole = (
        ("STATE_CENTRE", centre, ("LEGAL_AID_OFFICER", "LEGAL_AID_OFFICER", "LAWYER")),
        ("STATE_CENTRE_BRANCH", f"Chi nhánh số 1 - {centre}", ("LEGAL_AID_OFFICER",)),
        (
            "REGISTERED" if private.startswith("Trung tâm") else "CONTRACTED",
            f"{private} {surname} và Cộng sự",
            ("LEGAL_CONSULTANT" if private.startswith("Trung tâm") else "LAWYER", "COLLABORATOR"),
        ),
    )
    return tuple(
        _provider(rng, province_code, number, *provider)
        for number, provider in enumerate(whole, start=1)
    )


def _provider(
    rng: Random, code: str, number: int, kind: str, name: str, roles: tuple[str, ...]
) -> Provider:
    identity = f"TGPL.{code}.{number:02d}"
    inside = [province for province in provinces() if province.new_code == code]
    at = home(rng, pick(rng, inside))
    row: Columns = {
        "organisation_id": identity,
        "name": name,
        "kind": kind,
        "address": f"{at.street}, {at.two_levels}",
        "fields_of_law": _FIELDS if number < 3 else tuple(f for f in _FIELDS if f != "OTHER"),
        "status": "ACTIVE",
    }
    if number == 3:
        row["licence_no"] = f"{between(rng, 1, 60)}/{between(rng, 2018, 2024)}/HĐ-TGPL"
    people = tuple(
        _person(rng, f"{identity}.{n}", role, identity, at.province.southern)
        for n, role in enumerate(roles, start=1)
    )
    return Provider(identity, name, row, people)


def _person(rng: Random, identity: str, role: str, organisation: str, southern: bool) -> Columns:
    sex = "MALE" if rng.random() < 0.5 else "FEMALE"
    surname = names.family_name(rng, "Kinh", southern)
    return {
        "person_id": identity,
        "name": names.name(rng, surname, sex, between(rng, 1968, 1992)).full,
        "role": role,
        "card_no": f"{between(rng, 1, 9999):04d}/TGPL",
        "organisation_id": organisation,
        "appointed_date": later(rng, date(2012, 1, 1), 0, 2400),
        "status": "ACTIVE",
    }
