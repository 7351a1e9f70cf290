"""Provinces in rules: codes, prefixes of numbers and names, before and after the mergers of 2025.

Resolution 202/2025/QH15 made 34 provinces of 63; the codes are those of Decision 19/2025/QĐ-TTg
(``domain.md`` 1.4, ``connectors/provinces.json``). Each form gives a province as ``<79>``, so that
provinces are the same where the text is:

``PROVINCE_OF_CODE``    of a code, that of a former province too: ``<34>`` of which ``<33>`` is made
``PROVINCE_OF_NUMBER``  of the first three digits of a citizen ID: where the birth was registered
``FORMER_PROVINCE``     of an address as written: one of the 63, or a present one of their names
``PROVINCE_OF_TEXT``    of an address as written, by the code of the present province

What is not recognised is none of ``PROVINCES``: compare what ``is_province`` holds of only.
"""

from __future__ import annotations

import json
import unicodedata
from importlib.resources import files

from rules.expression import ColumnTerm, Condition, ConstantTerm, Form, like
from rules.names import PLAIN
from rules.text_forms import (
    LastPart,
    Replace,
    Slice,
    Substitute,
    TextForm,
    Translate,
    Trim,
    Wrap,
    form,
)

_DATA = json.loads((files("connectors") / "provinces.json").read_text("utf-8"))
#: The code of each of the 63 former provinces, with that of the province that it is part of now.
PRESENT_CODES: dict[str, str] = {
    province["pin_prefix"][1:]: province["new_code"] for province in _DATA["old63"]
}
_MERGED = Substitute(
    tuple(
        (f"<{former}>", f"<{present}>")
        for former, present in PRESENT_CODES.items()
        if former != present
    )
)
#: All codes that a form gives, former and present, as one text for patterns.
_PROVINCES = "".join(f"<{code}>" for code in PRESENT_CODES)


def _letters(text: str) -> str:
    marks = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(sign for sign in marks if not unicodedata.combining(sign))


def _names() -> dict[str, str]:
    """Return how addresses name provinces, in letters without marks, with their former codes.

    A name that a present province has goes with the present code. Where that was the code of a
    partner (Quảng Trị, 45, is 44 now, which was Quảng Bình), they change places.
    """
    names = {}
    for province in _DATA["old63"]:
        name = _letters(province["name"].removeprefix("TP. ")).replace(" - ", " ")
        names[name] = province["pin_prefix"][1:]
    by_code = {code: name for name, code in names.items()}
    for province in _DATA["new34"]:
        name = _letters(province["name"]).removeprefix("tinh ").removeprefix("thanh pho ")
        if name in names:
            names[by_code[province["code"]]], names[name] = names[name], province["code"]
    return names | {"hue": names["thua thien hue"], "hcm": names["ho chi minh"]}


#: What stands before the name of a province.
_KINDS = ("tinh", "thanh pho", "tp.", "tp")

PROVINCE_OF_CODE = form("province", Translate("%_<>", ""), Wrap("<", ">"), _MERGED)
PROVINCE_OF_NUMBER = form(
    "province of number",
    Slice(1, 3),
    Substitute(tuple((f"0{former}", present) for former, present in PRESENT_CODES.items())),
    Wrap("<", ">"),
)
FORMER_PROVINCE = form(
    "former province",
    Replace(" - ", " "),
    Replace("-", " "),
    Wrap(" ", ">"),
    [Replace(f" {kind} ", ",") for kind in _KINDS],
    Replace(", viet nam>", ""),
    LastPart(","),
    Translate(".>", ""),
    Trim(),
    Substitute(tuple(_names().items())),
    Wrap("<", ">"),
    base=PLAIN,
)
PROVINCE_OF_TEXT = form("province of text", _MERGED, base=FORMER_PROVINCE)

_PATTERNS = {
    province.name: form(f"pattern of {province.name}", Wrap("%", "%"), base=province)
    for province in (PROVINCE_OF_CODE, PROVINCE_OF_NUMBER, FORMER_PROVINCE)
}


def is_province(province: TextForm, column: ColumnTerm) -> Condition:
    """The form of the column is a province, present or former, and nothing else."""
    return like(ConstantTerm(_PROVINCES), Form(_PATTERNS[province.name], column))
