"""Provinces after and before the mergers of 2025, as findings name them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

#: Digits of a province before the mergers, as numbers of people begin with it: ``0`` and its code.
_PREFIX = 3
#: Stands for what the records do not say.
UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Provinces:
    """``present``: names by code, in the order of the codes. ``former``: names by code.

    ``present_code``: of each former one, the code of the province that it is part of now.
    """

    present: dict[str, str]
    former: dict[str, str]
    present_code: dict[str, str]

    def place(self, province: str | None, former: str | None) -> tuple[str, str]:
        """Return the codes of a place, ``UNKNOWN`` for what is not recorded.

        A former province within another present one than is recorded is left out: somebody moved,
        and it is not said which is right.
        """
        code = former[1:] if former is not None and len(former) == _PREFIX else former
        former_code = code if code in self.former else None
        if province not in self.present:
            province = None if former_code is None else self.present_code[former_code]
        if province is None:
            return UNKNOWN, UNKNOWN
        if former_code is None or self.present_code[former_code] != province:
            return province, UNKNOWN
        return province, former_code


@cache
def provinces() -> Provinces:
    """Return the provinces of ``connectors/provinces.json``."""
    content = json.loads((files("connectors") / "provinces.json").read_text("utf-8"))
    present = {entry["code"]: entry["name"] for entry in content["new34"]}
    former = {entry["pin_prefix"][1:]: entry["name"] for entry in content["old63"]}
    codes = {entry["pin_prefix"][1:]: entry["new_code"] for entry in content["old63"]}
    return Provinces(dict(sorted(present.items())), dict(sorted(former.items())), codes)
