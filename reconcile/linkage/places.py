"""Provinces and communes out of places as books write them, for SQL over their plain form.

A province of the 63, or of the times before (``connectors/former_provinces.json``), is mapped to
the province it is part of since 1 July 2025 (``connectors/provinces.json``); one that lies in
several of them today is unknown.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from importlib.resources import files

from rules.names import PLAIN
from rules.text_forms import text_function

#: Kinds of provinces and communes, in the plain form, as they stand before a name.
_PROVINCE_KINDS = ("thanh pho ", "tinh ", "tp. ", "tp ", "t. ")
_COMMUNE_KINDS = ("thi tran ", "phuong ", "dac khu ", "xa ", "tt. ", "p. ", "x. ")
_ABBREVIATIONS = {"hcm": "ho chi minh", "t. t. hue": "thua thien hue", "tt hue": "thua thien hue"}


@cache
def province_codes() -> dict[str, str]:
    """Return present codes by plain name without its kind, where there is one code only."""
    data = json.loads((files("connectors") / "provinces.json").read_text("utf-8"))
    former = json.loads((files("connectors") / "former_provinces.json").read_text("utf-8"))
    plain = text_function(PLAIN)
    codes: dict[str, set[str]] = defaultdict(set)
    now = {entry["name"]: entry["new_code"] for entry in data["old63"]}
    for name, code in now.items():
        codes[_bare(plain(name))].add(code)
    for entry in data["new34"]:
        name = _bare(plain(entry["name"]))
        codes[name] = codes[name] or {entry["code"]}  # older: the same name meant less
    for name, parts in former.items():
        codes[_bare(plain(name))] |= {now[part] for part in parts}
    for short, name in _ABBREVIATIONS.items():
        codes[short] = codes[name]
    return {
        name: next(iter(province_codes))
        for name, province_codes in sorted(codes.items())
        if len(province_codes) == 1
    }


def _bare(name: str) -> str:
    kind = next((kind for kind in _PROVINCE_KINDS if name.startswith(kind)), "")
    return name.removeprefix(kind)


def without_kind(text: str, kinds: tuple[str, ...], quote: Callable[[str], str]) -> str:
    """Return SQL of ``text`` without the kind before it; null if it begins with none of them."""
    cases = " ".join(
        f"when {text} like {quote(kind + '%')} then trim(substr({text}, {len(kind) + 1}))"
        for kind in kinds
    )
    return f"case {cases} end"


def commune_name(text: str, quote: Callable[[str], str]) -> str:
    """Return SQL of the plain name of a commune, if ``text`` is one with its kind before it."""
    return without_kind(text, _COMMUNE_KINDS, quote)


def province_name(text: str, quote: Callable[[str], str]) -> str:
    """Return SQL of the plain name of a province without its kind, which may be missing."""
    return f"coalesce({without_kind(text, _PROVINCE_KINDS, quote)}, {text})"
