"""Organisations that records name: banks, companies, notary offices, enforcement agencies.

All are made up. They are the same in every cluster, made from their index alone, so that nothing
has to be remembered between clusters. Enterprise codes follow ``domain.md`` 1.2 (two digits of the
tax system, a serial, a check digit); their serials begin with 6, 7 or 8, which no tax office has
reached yet, so that no code is that of a real enterprise. State bodies have no enterprise code here
but an ``organisation_id`` of this project's own making.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from random import Random

from connectors.synthetic import names
from connectors.synthetic.draw import between, pick, stream, words
from connectors.synthetic.places import Columns, Home, Province, home, provinces

BANKS = 24
COMPANIES = 3_996
#: Notary offices of each of the 34 provinces (the first is the state's), and notaries of each.
OFFICES, NOTARIES = 5, 3
#: Companies that one cluster may have of its own. Ordinals 0-4 are those of property, securities
#: and enforcement; 5-9 are for other databases.
OWN_COMPANIES = 10

_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)
_TAX_PREFIX = {"01": "01", "31": "02", "79": "03", "48": "04"}
_BANKS = (
    "Sen Việt", "Trúc Xanh", "Sao Mai", "Cánh Diều", "Hoa Ban", "Lúa Vàng", "Biển Ngọc", "Tre Làng",
    "Chim Lạc", "Trống Đồng", "Mây Ngàn", "Phù Sa",
)  # fmt: skip
_TRADES = (
    "Xây dựng", "Thương mại", "Vận tải", "May mặc", "Cơ khí", "Nông sản", "Thủy sản", "Gỗ",
    "Ô tô", "Bất động sản", "Thực phẩm", "Du lịch",
)  # fmt: skip
_OWN_NAMES = words(
    "An Hưng Bình Cát Đại Gia Hải Hòa Hồng Khang Kim Lâm Minh Nam Ngọc Phát Phú Sơn Tâm Tân Thái "
    "Thành Thịnh Tiến Trường Vạn Việt Vĩnh"
)
_FORMS = ("Công ty TNHH", "Công ty TNHH", "Công ty cổ phần")
_SEED = 1


@dataclass(frozen=True, slots=True)
class Organisation:
    """A bank, a company or a State body.

    ``representative``: a name, nobody's in particular where there is no ``representative_number``.
    """

    name: str
    enterprise_code: str | None
    address: str
    commune_code: str
    province_code: str
    representative: str
    organisation_id: str | None = None
    trade: str = ""
    representative_number: str | None = None

    def party(self, field: str) -> Columns:
        """Return the columns of the party ``field`` that this organisation is."""
        row: Columns = {f"{field}_kind": "ORGANISATION", f"{field}_name": self.name}
        if self.enterprise_code is not None:
            row[f"{field}_enterprise_code"] = self.enterprise_code
        if self.organisation_id is not None:
            row[f"{field}_organisation_id"] = self.organisation_id
        row[f"{field}_representative"] = self.representative
        if self.representative_number is not None:
            row[f"{field}_representative_id"] = self.representative_number
        row[f"{field}_residence_as_recorded"] = self.address
        row[f"{field}_residence_commune_code"] = self.commune_code
        row[f"{field}_residence_province_code"] = self.province_code
        row[f"{field}_residence_country"] = "VN"
        return row


@dataclass(frozen=True, slots=True)
class NotaryOffice:
    """A notarial organisation and the notaries that practise there (``domain.md`` 2.6)."""

    organisation_id: str
    kind: str
    name: str
    address: str
    province_code: str
    head: str
    notaries: tuple[tuple[str, str], ...]


def check_digit(nine: str) -> int | None:
    """Return the tenth digit of an enterprise code, None if no code begins with ``nine``.

    ``10 - (sum mod 11)``; where that is 10 the serial is never issued (``domain.md`` 1.2).
    """
    digit = 10 - sum(w * int(d) for w, d in zip(_WEIGHTS, nine, strict=True)) % 11
    return digit if digit < 10 else None


def enterprise_code(province_code: str, serial: int) -> str:
    """Return the code of an even ``serial`` of seven digits, or of the next one if it has none.

    A step of one in the last digit changes the sum by 3, so one of the two serials has a code.
    """
    prefix = _TAX_PREFIX.get(province_code, province_code)
    for number in (serial, serial + 1):
        nine = f"{prefix}{number:07d}"
        digit = check_digit(nine)
        if digit is not None:
            return f"{nine}{digit}"
    raise ValueError("the serial of an enterprise code is even and has seven digits")


def bank(rng: Random) -> Organisation:
    """Draw a bank or a finance company."""
    return bank_at(between(rng, 0, BANKS - 1))


def company(rng: Random, trade: str | None = None) -> Organisation:
    """Draw a company; of one of the trades ``Ô tô``, ``Bất động sản``, ... if asked for."""
    index = between(rng, 0, COMPANIES - 1)
    if trade is not None:
        index = index - index % len(_TRADES) + _TRADES.index(trade)
    return company_at(index)


@lru_cache(maxsize=BANKS)
def bank_at(index: int) -> Organisation:
    """Return bank ``index`` of ``BANKS``; the second half are finance companies."""
    kind = "Ngân hàng TMCP" if index < len(_BANKS) else "Công ty Tài chính TNHH MTV"
    where = _province("01" if index % 2 else "79")
    return _organisation(
        f"{kind} {_BANKS[index % len(_BANKS)]}", where, 6_900_000 + 2 * index, "Ngân hàng"
    )


@lru_cache(maxsize=COMPANIES)
def company_at(index: int) -> Organisation:
    """Return company ``index`` of ``COMPANIES``."""
    rng = stream(_SEED, index, "company")
    where = pick(rng, provinces())
    trade = _TRADES[index % len(_TRADES)]
    return _organisation(_company_name(rng, trade), where, 6_000_000 + 2 * index, trade)


def company_of_owner(
    cluster: int,
    ordinal: int,
    at: Home,
    representative: str,
    trade: str | None = None,
    number: str | None = None,
) -> Organisation:
    """Return company ``ordinal`` of a cluster, which somebody of the cluster represents.

    ``representative`` and ``number``: of that person.
    """
    if not 0 <= ordinal < OWN_COMPANIES:
        raise ValueError(f"a cluster has no more than {OWN_COMPANIES} companies of its own")
    rng = stream(_SEED, cluster * OWN_COMPANIES + ordinal, "own company")
    trade = trade or pick(rng, _TRADES)
    serial = 7_000_000 + 2 * (cluster * OWN_COMPANIES + ordinal)
    code = at.province.new_code
    return Organisation(
        _company_name(rng, trade),
        enterprise_code(code, serial),
        f"{at.street}, {at.two_levels}",
        at.code,
        code,
        representative,
        trade=trade,
        representative_number=number,
    )


@lru_cache(maxsize=34)
def enforcement_agency(province_code: str) -> Organisation:
    """Return the provincial civil enforcement agency (Law 106/2025: THADS tỉnh, thành phố)."""
    where = _province(province_code)
    at = home(stream(_SEED, int(province_code), "enforcement agency"), where)
    return Organisation(
        f"Thi hành án dân sự {_lower(where.new_name)}",
        None,
        f"{at.street}, {at.two_levels}",
        at.code,
        province_code,
        _somebody(stream(_SEED, int(province_code), "enforcement head"), where),
        f"THADS.{province_code}",
    )


@lru_cache(maxsize=34 * OFFICES)
def notary_office(province_code: str, ordinal: int) -> NotaryOffice:
    """Return notary office ``ordinal`` of ``OFFICES`` of a province."""
    rng = stream(_SEED, int(province_code) * 100 + ordinal, "notary office")
    where = _province(province_code)
    at = home(rng, where)
    identity = f"CC.{province_code}.{ordinal + 1:02d}"
    notaries = tuple(
        (f"CCV.{province_code}.{ordinal + 1:02d}.{n + 1}", _somebody(rng, where))
        for n in range(NOTARIES)
    )
    public = ordinal == 0
    name = (
        f"Phòng Công chứng số 1 {_lower(where.new_name)}"
        if public
        else f"Văn phòng Công chứng {notaries[0][1]}"
    )
    return NotaryOffice(
        identity,
        "PUBLIC" if public else "OFFICE",
        name,
        f"{at.street}, {at.two_levels}",
        province_code,
        notaries[0][1],
        notaries,
    )


def _organisation(name: str, where: Province, serial: int, trade: str) -> Organisation:
    rng = stream(_SEED, serial, "organisation")
    at, code = home(rng, where), where.new_code
    return Organisation(
        name,
        enterprise_code(code, serial),
        f"{at.street}, {at.two_levels}",
        at.code,
        code,
        _somebody(rng, where),
        trade=trade,
    )


def _company_name(rng: Random, trade: str) -> str:
    return f"{pick(rng, _FORMS)} {trade} {pick(rng, _OWN_NAMES)} {pick(rng, _OWN_NAMES)}"


def _somebody(rng: Random, where: Province) -> str:
    sex = "MALE" if rng.random() < 0.6 else "FEMALE"
    return names.name(rng, names.family_name(rng, "Kinh", where.southern), sex, 1975).full


@lru_cache(maxsize=34)
def _province(code: str) -> Province:
    """Return an old province that is part of the new one ``code``, its namesake if there is one."""
    inside = [province for province in provinces() if province.new_code == code]
    return next((candidate for candidate in inside if candidate.prefix == f"0{code}"), inside[0])


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]
