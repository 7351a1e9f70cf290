"""Acts for which people and companies are sanctioned, with the fines that decrees set for them.

A choice for the demo. Decrees and their times are real; amounts are of the order that they set for
an individual (twice that for organisations), and provisions are cited down to the article. Law
15/2012/QH13 Art. 23-24 bounds the fines of each field.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

_EVER = date(2020, 1, 1), date(9999, 1, 1)
_ND100 = date(2020, 1, 1), date(2024, 12, 31)
_ND168 = date(2025, 1, 1), date(9999, 1, 1)
_TRAFFIC, _ORDER = "giao thông đường bộ", "an ninh, trật tự, an toàn xã hội"
_ROAD, _COMMUNE, _MARKET = "Phòng Cảnh sát giao thông", "commune", "Chi cục Quản lý thị trường"
_COMMUNE_POLICE = "Công an"


@dataclass(frozen=True, slots=True)
class Offence:
    """One act. Fines in thousand dong, for an individual; ``weight``: how often it is sanctioned.

    ``who``: ``ADULT``, ``COMPANY`` or ``BOTH``; ``YOUNG`` also for those of 16 and 17 (half the
    fine, Art. 134), ``CHILD`` for those of 14 and 15 only (warned, never fined).
    """

    sector: str
    legal_ref: str
    description: str
    low: int
    high: int
    agency: str
    weight: int
    offender: str = "ADULT"
    valid: tuple[date, date] = _EVER
    warned: float = 0.0
    additional: tuple[str, ...] = ()
    remedial: tuple[str, ...] = ()
    seized: str | None = None


OFFENCES: tuple[Offence, ...] = (
    Offence(_TRAFFIC, "Điều 6 Nghị định 100/2019/NĐ-CP", "Không chấp hành hiệu lệnh của đèn tín "
            "hiệu giao thông (xe mô tô)", 800, 1_000, _ROAD, 14, "YOUNG", _ND100),
    Offence(_TRAFFIC, "Điều 7 Nghị định 168/2024/NĐ-CP", "Không chấp hành hiệu lệnh của đèn tín "
            "hiệu giao thông (xe mô tô)", 4_000, 6_000, _ROAD, 14, "YOUNG", _ND168),
    Offence(_TRAFFIC, "Điều 6 Nghị định 100/2019/NĐ-CP", "Không đội mũ bảo hiểm khi điều khiển xe "
            "mô tô", 400, 600, _ROAD, 16, "YOUNG", _ND100),
    Offence(_TRAFFIC, "Điều 7 Nghị định 168/2024/NĐ-CP", "Không đội mũ bảo hiểm khi điều khiển xe "
            "mô tô", 400, 600, _ROAD, 16, "YOUNG", _ND168),
    Offence(_TRAFFIC, "Điều 6 Nghị định 100/2019/NĐ-CP", "Điều khiển xe mô tô mà trong hơi thở có "
            "nồng độ cồn", 6_000, 8_000, _ROAD, 12, "ADULT", _ND100,
            additional=("LICENCE_REVOCATION",), seized="xe mô tô"),
    Offence(_TRAFFIC, "Điều 7 Nghị định 168/2024/NĐ-CP", "Điều khiển xe mô tô mà trong hơi thở có "
            "nồng độ cồn", 6_000, 8_000, _ROAD, 12, "ADULT", _ND168, seized="xe mô tô"),
    Offence(_TRAFFIC, "Điều 5 Nghị định 100/2019/NĐ-CP", "Điều khiển xe ô tô mà trong hơi thở có "
            "nồng độ cồn vượt quá 0,4 miligam/1 lít khí thở", 30_000, 40_000, _ROAD, 3, "ADULT",
            _ND100, additional=("LICENCE_REVOCATION",), seized="xe ô tô"),
    Offence(_TRAFFIC, "Điều 6 Nghị định 168/2024/NĐ-CP", "Điều khiển xe ô tô mà trong hơi thở có "
            "nồng độ cồn vượt quá 0,4 miligam/1 lít khí thở", 30_000, 40_000, _ROAD, 3, "ADULT",
            _ND168, additional=("LICENCE_REVOCATION",), seized="xe ô tô"),
    Offence(_TRAFFIC, "Điều 21 Nghị định 100/2019/NĐ-CP", "Người từ đủ 14 tuổi đến dưới 16 tuổi "
            "điều khiển xe mô tô", 0, 0, _ROAD, 1, "CHILD", _ND100, 1.0),
    Offence(_TRAFFIC, "Điều 18 Nghị định 168/2024/NĐ-CP", "Người từ đủ 14 tuổi đến dưới 16 tuổi "
            "điều khiển xe mô tô", 0, 0, _ROAD, 1, "CHILD", _ND168, 1.0),
    Offence("bảo vệ môi trường", "Điều 25 Nghị định 45/2022/NĐ-CP", "Vứt, thải rác thải không đúng "
            "nơi quy định", 500, 1_000, _COMMUNE, 6, "YOUNG", (date(2022, 8, 25), _EVER[1]),
            remedial=("RESTORE_STATE",)),
    Offence("bảo vệ môi trường", "Điều 18 Nghị định 45/2022/NĐ-CP", "Xả nước thải vượt quy chuẩn "
            "kỹ thuật về chất thải", 40_000, 120_000, _COMMUNE, 3, "COMPANY",
            (date(2022, 8, 25), _EVER[1]), remedial=("ENV_REMEDY",)),
    Offence("thương mại", "Điều 15 Nghị định 98/2020/NĐ-CP", "Kinh doanh hàng hóa nhập lậu",
            1_000, 20_000, _MARKET, 5, "BOTH", (date(2020, 10, 15), _EVER[1]),
            additional=("CONFISCATION",), seized="hàng hóa vi phạm"),
    Offence("thương mại", "Điều 11 Nghị định 98/2020/NĐ-CP", "Buôn bán hàng giả mạo nhãn hiệu",
            2_000, 30_000, _MARKET, 3, "BOTH", (date(2020, 10, 15), _EVER[1]),
            additional=("CONFISCATION",), remedial=("DESTROY", "DISGORGE"),
            seized="hàng hóa vi phạm"),
    Offence("an toàn thực phẩm", "Điều 15 Nghị định 115/2018/NĐ-CP", "Không bảo đảm điều kiện về "
            "an toàn thực phẩm tại cơ sở kinh doanh", 1_000, 10_000, _COMMUNE, 4, "BOTH"),
    Offence("xây dựng", "Điều 16 Nghị định 16/2022/NĐ-CP", "Xây dựng nhà ở không có giấy phép xây "
            "dựng", 30_000, 60_000, _COMMUNE, 3, "BOTH", (date(2022, 1, 28), _EVER[1]),
            remedial=("DISMANTLE",)),
    Offence(_ORDER, "Điều 7 Nghị định 144/2021/NĐ-CP", "Gây mất trật tự công cộng ở khu dân cư",
            300, 500, _COMMUNE_POLICE, 8, "YOUNG", (date(2022, 1, 1), _EVER[1]), 0.5),
    Offence(_ORDER, "Điều 28 Nghị định 144/2021/NĐ-CP", "Đánh bạc trái phép", 1_000, 2_000,
            _COMMUNE_POLICE, 5, "ADULT", (date(2022, 1, 1), _EVER[1]),
            additional=("CONFISCATION",), seized="tiền dùng để đánh bạc"),
    Offence("cư trú", "Điều 9 Nghị định 144/2021/NĐ-CP", "Không thực hiện đúng quy định về đăng ký "
            "tạm trú", 500, 1_000, _COMMUNE_POLICE, 4, "ADULT", (date(2022, 1, 1), _EVER[1]), 0.2),
    Offence("thuế", "Điều 13 Nghị định 125/2020/NĐ-CP", "Nộp hồ sơ khai thuế quá thời hạn quy định",
            2_000, 5_000, "Thuế cơ sở", 5, "BOTH", (date(2020, 12, 5), _EVER[1]), 0.2),
)  # fmt: skip


def offences(day: date, kind: str) -> Iterator[tuple[Offence, float]]:
    """Yield what may be sanctioned on ``day``, each with its weight.

    ``kind`` is ``CHILD`` (14, 15), ``YOUNG`` (16, 17), ``ADULT`` or ``COMPANY``.
    """
    fitting = {
        "CHILD": ("CHILD",),
        "YOUNG": ("YOUNG",),
        "ADULT": ("YOUNG", "ADULT", "BOTH"),
        "COMPANY": ("COMPANY", "BOTH"),
    }[kind]
    for offence in OFFENCES:
        if offence.offender in fitting and offence.valid[0] <= day <= offence.valid[1]:
            yield offence, float(offence.weight)
