"""Names, ethnic groups and religions with the weights of ``domain.md`` section 5.

Family names take the suggested national weights; Hoàng and Vũ are written Huỳnh and Võ in the
south. Given and middle names are those counted in ``duyet/vietnamese-namedb``. Weights marked there
as assumptions (shares of syllables, of "Thị" by year of birth, of religions) are assumptions here
too.
"""

from __future__ import annotations

import unicodedata
from random import Random
from typing import NamedTuple

from connectors.synthetic.draw import Weighted, pick, words

_COMMON = (
    "Nguyễn 38.4 Trần 12.1 Lê 9.5 Phạm 7.0 Phan 4.5 Đặng 2.1 Bùi 2.0 Đỗ 1.4 Hồ 1.3 Ngô 1.3 "
    "Dương 1.0 Lý 0.5 Trương 2.1 Đoàn 1.2 Đinh 1.0 Trịnh 1.0 Cao 0.9 Đào 0.8 Mai 0.8 Lương 0.7 "
    "Lưu 0.7 Lâm 0.6 Hà 0.5 Thái 0.4 Phùng 0.4 Tạ 0.4 Tô 0.3 Vương 0.3 Châu 0.3 Quách 0.2"
)


def _weights(text: str) -> list[tuple[str, float]]:
    words = text.split()
    return [(words[i], float(words[i + 1])) for i in range(0, len(words), 2)]


_NORTH = Weighted(_weights(f"{_COMMON} Hoàng 5.1 Vũ 3.9"))
_SOUTH = Weighted(_weights(f"{_COMMON} Huỳnh 5.1 Võ 3.9"))

_GROUPS = Weighted(
    [
        ("Kinh", 85.3), ("Tày", 1.9), ("Thái", 1.9), ("Mường", 1.5), ("Mông", 1.5), ("Khmer", 1.4),
        ("Nùng", 1.1), ("Dao", 0.9), ("Hoa", 0.8), ("Gia Rai", 0.5), ("Ê Đê", 0.8), ("Chăm", 0.7),
        ("Cơ Ho", 0.6), ("Sán Dìu", 0.6), ("Ba Na", 0.5),
    ]
)  # fmt: skip
_FAMILY_OF_GROUP: dict[str, tuple[str, ...]] = {
    "Tày": ("Nông", "Hoàng", "Triệu", "Ma", "Lương"),
    "Nùng": ("Nông", "Hoàng", "Triệu", "Lục"),
    "Dao": ("Triệu", "Bàn", "Phùng", "Đặng"),
    "Thái": ("Lò", "Cầm", "Quàng", "Hà"),
    "Mường": ("Bùi", "Quách", "Đinh", "Hà"),
    "Mông": ("Giàng", "Vàng", "Lý", "Thào", "Sùng"),
    "Khmer": ("Thạch", "Sơn", "Kim", "Danh", "Châu"),
    "Hoa": ("Trần", "Lý", "Lâm", "Vương", "Quách"),
    "Chăm": ("Chế", "Ông", "Bá"),
    "Cơ Ho": ("K'",),
    "Gia Rai": ("Rơ Châm", "Siu", "Kpă"),
    "Ê Đê": ("Niê", "Mlô", "Êban"),
}
_RELIGIONS = Weighted(
    [
        ("Không", 86.0), ("Công giáo", 6.0), ("Phật giáo", 5.0), ("Phật giáo Hòa Hảo", 1.0),
        ("Tin Lành", 1.0), ("Cao Đài", 0.6),
    ]
)  # fmt: skip

_MIDDLE_MEN = words(
    "Văn Đức Quốc Quang Hữu Minh Hoàng Thanh Duy Đình Công Trọng Thế Xuân Tuấn Tấn Mạnh Anh"
)
_MIDDLE_WOMEN = words("Ngọc Thanh Minh Hồng Kim Thu Phương Khánh Bảo Thảo Hoài")
_GIVEN_MEN = words(
    "Tuấn Dũng Thành Hiếu Nam Cường Hùng Tùng Huy Tiến Hoàng Duy Đức Mạnh Quang Phúc Tài "
    "Khánh Thịnh Toàn Hải Lâm Thái Sơn Thắng Bình Minh Long Hòa Quý"
)
_GIVEN_WOMEN = words(
    "Dung Thảo Ngân Trang Hương Nga Hà Huyền Phương Mai Loan Ngọc Thúy Linh Yến Hằng Hiền "
    "Thương Nhi Anh Nhung Vân Hạnh Thư Trâm Duyên My Ánh Hoa Châu Uyên Hòa Thùy Thủy"
)
_SECOND_GIVEN = words("Anh Minh Bảo Gia Khánh Hoàng Thiên An Thanh Như")

_TONE_PAIRS = (
    ("òa", "oà"), ("óa", "oá"), ("ỏa", "oả"), ("õa", "oã"), ("ọa", "oạ"),
    ("òe", "oè"), ("óe", "oé"),
    ("ùy", "uỳ"), ("úy", "uý"), ("ủy", "uỷ"), ("ũy", "uỹ"), ("ụy", "uỵ"),
)  # fmt: skip


class Name(NamedTuple):
    """A name in its parts, as birth records keep it, and whole."""

    family: str
    middle: str
    given_name: str
    full: str


def build(family: str, middle: str, given_name: str) -> Name:
    """Return a name of these parts; ``middle`` may be empty."""
    full = f"{family} {middle} {given_name}" if middle else f"{family} {given_name}"
    return Name(family, middle, given_name, full)


def ethnicity(rng: Random) -> str:
    """Draw an ethnic group."""
    return _GROUPS.draw(rng)


def religion(rng: Random) -> str:
    """Draw a religion; "Không" is none."""
    return _RELIGIONS.draw(rng)


def family_name(rng: Random, group: str, southern: bool) -> str:
    """Draw the family name of a founder."""
    weights = _FAMILY_OF_GROUP.get(group)
    if weights and rng.random() < 0.8:
        return pick(rng, weights)
    return (_SOUTH if southern else _NORTH).draw(rng)


def name(rng: Random, family: str, sex: str, year: int) -> Name:
    """Draw the name of somebody born in ``year``: 83% three syllables, 16% four, 1% two."""
    male = sex == "MALE"
    given_name = pick(rng, _GIVEN_MEN if male else _GIVEN_WOMEN)
    if male:
        middle = "Văn" if rng.random() < (0.45 if year < 1985 else 0.1) else pick(rng, _MIDDLE_MEN)
    else:
        share = 0.7 if year < 2000 else 0.25
        middle = "Thị" if rng.random() < share else pick(rng, _MIDDLE_WOMEN)
    length = rng.random()
    if length < 0.01:
        middle = ""
    elif length < 0.17:
        second = pick(rng, _SECOND_GIVEN)
        middle = f"{middle} {second}" if second not in (middle, given_name) else f"{middle} Trường"
    return build(family, middle if middle != given_name else "Thế" if male else "Diệu", given_name)


def decomposed(text: str) -> str:
    """Return ``text`` as old systems store it: letters and marks apart (NFD)."""
    return unicodedata.normalize("NFD", text)


def old_tone_marks(text: str) -> str:
    """Return ``text`` with tone marks placed the other customary way (Hòa -> Hoà)."""
    for new, old in _TONE_PAIRS:
        text = text.replace(new, old)
    return text


def without_marks(text: str) -> str:
    """Return a name as systems without Vietnamese letters store it."""
    marks = unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
    return "".join(sign for sign in marks if not unicodedata.combining(sign))
