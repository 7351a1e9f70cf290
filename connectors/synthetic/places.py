"""Provinces before and after 1 July 2025, communes, and places as records write them.

The provinces are those of ``domain.md`` 1.4 (Decision 19/2025, Resolution 202/2025). Which communes
there are is not in that table: their names and codes are made up here, with as many codes per
province as the province has communes. Until 30 June 2025 an address had three levels; districts
were abolished then, so old places are text "xã X, huyện Y, tỉnh Z" and carry no present code unless
the office has mapped them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from random import Random

from connectors.synthetic.draw import Weighted, between, pick, words
from connectors.synthetic.numbers import NEW_PROVINCES_SINCE
from connectors.values import PartialDate

_CITIES = {"001", "031", "048", "079", "092", "046"}
#: Provinces that draw people (weight against 1 for the others); a rough picture, no census figure.
_LARGE = {"001": 5.0, "079": 6.0, "038": 2.2, "040": 2.0, "074": 1.8, "075": 2.0, "031": 1.5}
_SYLLABLES = words(
    "An Bình Cao Châu Đại Đông Giang Hà Hải Hiệp Hòa Hưng Khánh Kim Lạc Lâm Long Lộc Mỹ Nam "
    "Nghĩa Ninh Phú Phước Quang Sơn Tân Tây Thạch Thanh Thạnh Thịnh Thượng Tiên Trung Vạn Văn "
    "Vĩnh Xuân Yên"
)
_FACILITIES = (
    "Bệnh viện đa khoa tỉnh {}",
    "Bệnh viện Phụ sản {}",
    "Bệnh viện đa khoa khu vực {}",
)

Columns = dict[str, object]


@dataclass(frozen=True, slots=True)
class Province:
    """One of the 63 old provinces and the one of the 34 that it is part of now."""

    prefix: str
    name: str
    new_code: str
    new_name: str
    communes: int

    @property
    def title(self) -> str:
        """The old name with its kind."""
        name = self.name.removeprefix("TP. ")
        return f"thành phố {name}" if self.prefix in _CITIES else f"tỉnh {name}"

    @property
    def southern(self) -> bool:
        """Whether family names are written the southern way here (Huỳnh, Võ)."""
        return self.prefix >= "046"

    def number_prefix(self, registered: date) -> str:
        """Return the first three digits of a number given for a birth in this province."""
        return self.prefix if registered < NEW_PROVINCES_SINCE else f"0{self.new_code}"


@dataclass(frozen=True, slots=True)
class Home:
    """A commune in which people live, as it was called then and as it is called now."""

    province: Province
    commune: str
    code: str
    three_levels: str
    two_levels: str
    street: str

    @property
    def office(self) -> str:
        """The commune's people's committee, which keeps its civil status books."""
        return f"UBND {self.commune}"


@cache
def provinces() -> tuple[Province, ...]:
    """Return the 63 old provinces in the order of their prefixes."""
    text = (files("connectors") / "provinces.json").read_text(encoding="utf-8")
    data = json.loads(text)
    new = {entry["code"]: entry for entry in data["new34"]}
    return tuple(
        Province(
            entry["pin_prefix"],
            entry["name"],
            entry["new_code"],
            new[entry["new_code"]]["name"],
            new[entry["new_code"]]["communes"],
        )
        for entry in data["old63"]
    )


@cache
def prefixes() -> tuple[str, ...]:
    """Return the first three digits that numbers may have."""
    return tuple(province.prefix for province in provinces())


@cache
def _weighted() -> Weighted[Province]:
    return Weighted((province, _LARGE.get(province.prefix, 1.0)) for province in provinces())


def province(rng: Random) -> Province:
    """Draw a province; the large ones more often."""
    return _weighted().draw(rng)


def home(rng: Random, where: Province) -> Home:
    """Draw a commune of a province."""
    urban = rng.random() < 0.38
    name = f"{pick(rng, _SYLLABLES)} {pick(rng, _SYLLABLES)}"
    district = f"{pick(rng, _SYLLABLES)} {pick(rng, _SYLLABLES)}"
    commune = f"phường {name}" if urban else f"xã {name}"
    kind = "quận" if urban and where.prefix in _CITIES else "thị xã" if urban else "huyện"
    new = where.new_name[0].lower() + where.new_name[1:]
    street = f"số {between(rng, 1, 320)}, đường {pick(rng, _SYLLABLES)} {name.split(maxsplit=1)[0]}"
    return Home(
        where,
        commune,
        f"{where.new_code}{between(rng, 1, where.communes):03d}",
        f"{commune}, {kind} {district}, {where.title}",
        f"{commune}, {new}",
        street if urban else f"thôn {between(rng, 1, 14)}",
    )


def place(field: str, at: Home, day: date, *, coded: bool = True, street: bool = False) -> Columns:
    """Return the columns of the place ``field`` as written on ``day``.

    ``coded``: the office gives the present codes too (Decree 87/2020 data; not in digitised books).
    """
    recorded, country, as_of, commune, province_code = _columns(field)
    old = day < NEW_PROVINCES_SINCE
    text = at.three_levels if old else at.two_levels
    columns: Columns = {recorded: f"{at.street}, {text}" if street else text, country: "VN"}
    if old:
        columns[as_of] = year_only(day.year)
    if coded:
        columns[commune] = at.code
        columns[province_code] = at.province.new_code
    return columns


@cache
def _columns(field: str) -> tuple[str, str, str, str, str]:
    names = ("as_recorded", "country", "as_of", "commune_code", "province_code")
    recorded, country, as_of, commune, code = (f"{field}_{name}" for name in names)
    return recorded, country, as_of, commune, code


@cache
def year_only(year: int) -> PartialDate:
    """Return the date of which only the year is known."""
    return PartialDate(year)


def facility(rng: Random, at: Home) -> str:
    """Draw the hospital or health station in which somebody is born or dies."""
    if rng.random() < 0.25:
        return f"Trạm y tế {at.commune}"
    return pick(rng, _FACILITIES).format(at.province.name)
