"""Where a person resides, on a day, with today's units (nơi cư trú).

Law 26/2023/QH15 Art. 9(16)-(19): permanent, temporary and present residence are items of the
population database. domain.md 1.4: provinces were merged on 1 July 2025 (Resolution
202/2025/QH15) and districts abolished, while old addresses keep the text of their time. So the text
stands beside the codes of today; a province is found by its old code or name
(``connectors/provinces.json``), a commune only where the register has its present code. Whoever is
protected has a substitute address there, as everybody may see.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated

from connectors.description import Coded, Row, Text
from gateway.derived.view import (
    PERSON,
    Conclusion,
    DerivedView,
    Evidence,
    Facts,
    UnknownReason,
)

_RESIDENCES = "population.residences"


class ResidenceForm(Coded):
    """In what form a person resides somewhere."""

    PERMANENT = "thường trú", "permanent"
    TEMPORARY = "tạm trú", "temporary"
    CURRENT = "nơi ở hiện tại", "present whereabouts"


@dataclass(frozen=True, slots=True)
class ResidenceAddress:
    """Nơi cư trú / A residence, with the units of today."""

    kind: Annotated[ResidenceForm, Text("loại", "kind")]
    as_recorded: Annotated[str | None, Text("như ghi trong sổ", "as recorded")]
    commune_code: Annotated[str | None, Text("mã xã hiện nay", "code of the commune today")]
    province_code: Annotated[str | None, Text("mã tỉnh hiện nay", "code of the province today")]
    province_name: Annotated[str | None, Text("tên tỉnh hiện nay", "name of the province today")]
    since: Annotated[date | None, Text("từ ngày", "since")]


def residence(evidence: Evidence) -> Conclusion:
    """Return the residences on the day of the question; none means that none is registered."""
    entries = evidence.list(_RESIDENCES)
    if entries.reason is not None:
        return Conclusion.unknown(entries.reason)
    addresses: list[ResidenceAddress] = []
    rows: list[Row] = []
    for row in entries.rows:
        kind, holds = entries.code(row, "kind"), _holds(evidence, entries, row)
        if holds is False or kind == "ABSENT":
            continue
        if holds is None or kind is None:
            return Conclusion.unknown(UnknownReason.NOT_RECORDED)
        addresses.append(_address(entries, row, ResidenceForm[kind]))
        rows.append(row)
    kinds = [address.kind for address in addresses]
    if len(kinds) > len(set(kinds)):
        return Conclusion.unknown(UnknownReason.CONTRADICTORY)
    order = list(ResidenceForm)
    ordered = sorted(addresses, key=lambda address: order.index(address.kind))
    return Conclusion.of(ordered, entries.basis(*rows))


def _holds(evidence: Evidence, entries: Facts, row: Row) -> bool | None:
    """Say whether a residence holds on the day; without a beginning it holds today alone."""
    day = evidence.question.valid_on
    since, until = entries.value(row, "valid_from"), entries.value(row, "valid_until")
    if until is not None and until <= day:
        return False
    if since is None:
        return True if day == evidence.question.today else None
    return bool(since <= day)


def _address(entries: Facts, row: Row, kind: ResidenceForm) -> ResidenceAddress:
    as_recorded, commune, province, since = (
        entries.value(row, name)
        for name in (
            "address_as_recorded",
            "address_commune_code",
            "address_province_code",
            "valid_from",
        )
    )
    code = present_province(province, as_recorded)
    name = None if code is None else _present_names().get(code)
    return ResidenceAddress(kind, as_recorded, commune, code, name, since)


def present_province(code: str | None, text: str | None) -> str | None:
    """Return the code of today's province, of an old or present code, or else of an address.

    ``text``: an address whose last part names a province, old or present. None: it is not known.
    """
    if code is not None:
        digits = code.removeprefix("0") if len(code) == len("001") else code
        return _by_code().get(digits)
    if text is None:
        return None
    return _by_name().get(_plain(text.rpartition(",")[2]))


def _plain(name: str) -> str:
    """Return a name of a province without its kind, case, spaces and tone mark placement."""
    decomposed = unicodedata.normalize("NFD", name.casefold().strip())
    # Tone marks stand on one vowel or the other (Hòa, Hoà): sorted behind the word.
    tones = {"\u0300", "\u0301", "\u0303", "\u0309", "\u0323"}
    words = []
    for word in decomposed.replace("-", " ").replace(".", " ").split():
        letters = "".join(letter for letter in word if letter not in tones)
        words.append(letters + "".join(letter for letter in word if letter in tones))
    for kind in (["tinh\u0309"], ["thanh\u0300", "phô\u0301"], ["tp"]):
        plain = ["".join(unicodedata.normalize("NFD", part)) for part in kind]
        if words[: len(plain)] == plain:
            words = words[len(plain) :]
    return " ".join(words)


@cache
def _provinces() -> Mapping[str, list[Mapping[str, str]]]:
    text = (files("connectors") / "provinces.json").read_text("utf-8")
    data: Mapping[str, list[Mapping[str, str]]] = json.loads(text)
    return data


@cache
def _by_code() -> Mapping[str, str]:
    """Return the present code by old and present codes, of two digits."""
    old = {entry["pin_prefix"][1:]: entry["new_code"] for entry in _provinces()["old63"]}
    return {**old, **{entry["code"]: entry["code"] for entry in _provinces()["new34"]}}


@cache
def _by_name() -> Mapping[str, str]:
    """Return the present code by old and present names; the old ones cover more."""
    present = {_plain(entry["name"]): entry["code"] for entry in _provinces()["new34"]}
    old = {_plain(entry["name"]): entry["new_code"] for entry in _provinces()["old63"]}
    return {**present, **old}


@cache
def _present_names() -> Mapping[str, str]:
    return {entry["code"]: entry["name"] for entry in _provinces()["new34"]}


DERIVED = DerivedView(
    database=PERSON,
    name="residence",
    type_name="ResidenceFact",
    title=Text("nơi cư trú, theo đơn vị hành chính hiện nay", "where the person resides"),
    value=list[ResidenceAddress],
    lists=(_RESIDENCES,),
    compute=residence,
    needs_full_coverage=True,
)
