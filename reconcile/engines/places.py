"""Where people live, for the provinces by which findings are counted; nothing of the protected.

``PERSON_PLACES`` has at most one row a person: their residence of today, or, where none is in force
(the dead), the last. Who lives where they do under an order of protection (domain.md: an assumption
of section 7 of the design) has none, though residences hold a substitute address: a report of a
province with one finding must not be about them. Where it is not known who is protected, nobody
has one.

Provinces were merged on 1 July 2025 (``connectors/provinces.json``). The former province is told
where the present one has one predecessor only, or where the address, as it was written, names it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache
from importlib.resources import files
from typing import Any

import sqlalchemy as sa

from connectors.vocabulary import PROVINCES
from reconcile.engines.completeness import NUMBERS
from reconcile.engines.records import (
    EARLIER_NUMBERS,
    IDENTITY,
    PLACE_COLUMNS,
    PROTECTION_ORDERS,
    RESIDENCES,
    is_faulty,
    rows_of,
)
from rules.names import PLAIN
from rules.rule import Case
from rules.statements import TODAY
from rules.text_forms import text_function

PERSON_PLACES = "person_places"
PROTECTED_PEOPLE = "protected_people"
PLACE_NAMES = ("address_province_code", "address_as_recorded", "address_as_of")
#: Kinds of residence in the order in which they say where somebody lives (Law on Residence
#: 68/2020/QH14 Art. 2, own knowledge).
_KINDS = ("CURRENT", "PERMANENT", "TEMPORARY")
_MERGED_ON = "2025-07-01"
#: What kind of unit it is, as it is written before the name: without marks, in lower case.
_UNITS = ("tinh ", "thanh pho ", "tp. ", "tp ")
_plain = text_function(PLAIN)


def protected_statement(is_protection_known: bool) -> sa.Select[Any]:
    """Return the statement of the table ``PROTECTED_PEOPLE``; everybody where it is not known."""
    if is_protection_known:
        return _protected(sa.bindparam(TODAY, type_=sa.Text())).distinct()
    numbers = sa.table(NUMBERS, sa.column("person", sa.Text()))
    return sa.select(numbers.c.person).distinct()


def shows_residence(case: Case) -> bool:
    """Say whether a side of a case is where somebody lives."""
    return any(side.row.record in (RESIDENCES, PROTECTION_ORDERS) for side in case.sides)


def is_unprotected(person: Any) -> sa.ColumnElement[bool]:
    """Return the condition that somebody's residence may be shown."""
    people = sa.table(PROTECTED_PEOPLE, sa.column("person", sa.Text()))
    return ~sa.exists().where(people.c.person == person)


def places_statement(is_protection_known: bool) -> Any:
    """Return the statement of the table ``PERSON_PLACES``; it has the legal day as parameter."""
    numbers = sa.table(NUMBERS, sa.column("number", sa.Text()), sa.column("person", sa.Text()))
    rows = rows_of(RESIDENCES, "raw")
    day = sa.bindparam(TODAY, type_=sa.Text())
    ended = sa.or_(rows.c.valid_until < day, rows.c.valid_from > day)
    rank = sa.case(
        *((rows.c.kind == kind, place) for place, kind in enumerate(_KINDS)), else_=len(_KINDS)
    )
    order = (
        sa.case((ended, 1), else_=0),
        sa.case((ended, 0), else_=rank),
        sa.func.coalesce(rows.c.valid_until, "9999").desc(),
        sa.func.coalesce(rows.c.valid_from, "").desc(),
        rows.c.entry_id,
    )
    place = sa.func.row_number().over(partition_by=numbers.c.person, order_by=order)
    ranked = (
        sa.select(numbers.c.person, *(rows.c[name] for name in PLACE_NAMES), place.label("place"))
        .select_from(numbers.join(rows, rows.c.citizen_id == numbers.c.number))
        .where(
            rows.c.kind.in_(_KINDS),
            sa.or_(rows.c.valid_from.is_(None), rows.c.valid_from <= day),
            ~_is_among(numbers.c.person, _protected(day)),
            ~_is_among(numbers.c.person, _with_faults()),
        )
    )
    if not is_protection_known:
        ranked = ranked.where(sa.literal_column("1 = 0"))
    first = ranked.subquery("residence")
    return sa.select(first.c.person, *(first.c[name] for name in PLACE_NAMES)).where(
        first.c.place == 1
    )


def _is_among(person: Any, people: sa.Select[Any]) -> sa.ColumnElement[bool]:
    rows = people.subquery()
    return sa.exists().where(rows.c.person == person)


def _protected(day: Any) -> sa.Select[Any]:
    """Return who has an order in force under any number, also one that others hold too.

    A bound that could not be read is taken for none.
    """
    orders = rows_of(PROTECTION_ORDERS, "raw")
    identity, earlier = rows_of(IDENTITY, "raw"), rows_of(EARLIER_NUMBERS, "raw")
    holders = sa.union(
        sa.select(identity.c.citizen_id.label("number"), identity.c.citizen_id.label("person")),
        sa.select(earlier.c.number, earlier.c.citizen_id),
    ).subquery("holders")
    return (
        sa.select(holders.c.person)
        .select_from(holders.join(orders, orders.c.citizen_id == holders.c.number))
        .where(
            sa.or_(orders.c.valid_from.is_(None), orders.c.valid_from <= day),
            sa.or_(orders.c.valid_until.is_(None), orders.c.valid_until >= day),
        )
    )


def _with_faults() -> sa.Select[Any]:
    """Return of whom a residence could not be read: another may be the present one."""
    numbers = sa.table(NUMBERS, sa.column("number", sa.Text()), sa.column("person", sa.Text()))
    rows = rows_of(RESIDENCES, "raw")
    columns = frozenset(PLACE_COLUMNS[RESIDENCES])
    return (
        sa.select(numbers.c.person)
        .select_from(numbers.join(rows, rows.c.citizen_id == numbers.c.number))
        .where(is_faulty(rows, RESIDENCES, columns))
    )


def province_of(code: str | None) -> str | None:
    """Return the code of a province, None for a code that is none."""
    return code if code in PROVINCES else None


def former_province_of(code: str | None, as_recorded: str | None, as_of: str | None) -> str | None:
    """Return the code that the province had before the mergers, None where nothing tells it.

    ``code``: of the present province. ``as_recorded``: the address as it was written; its last part
    names the province. A name that the merged province took over tells it only in an address of
    before the mergers.
    """
    former = _former_provinces().get(code or "", {})
    if len(former) == 1:
        return next(iter(former.values()))
    name = _bare((as_recorded or "").rpartition(",")[2])
    if name == _bare(_present_names().get(code or "", "")) and not _is_before(as_of):
        return None
    return former.get(name)


def _is_before(as_of: str | None) -> bool:
    """Say whether a date is before the mergers, whatever is left open of it."""
    return as_of is not None and as_of < _MERGED_ON[: len(as_of)]


def _bare(name: str) -> str:
    """Return the plain letters of a province's name, without what kind of unit it is."""
    text = _plain(name)
    return next((text[len(unit) :] for unit in _UNITS if text.startswith(unit)), text)


@cache
def _provinces() -> Any:
    return json.loads((files("connectors") / "provinces.json").read_text("utf-8"))


@cache
def _former_provinces() -> dict[str, dict[str, str]]:
    """Return by present code: the former names with their codes."""
    former: dict[str, dict[str, str]] = defaultdict(dict)
    for province in _provinces()["old63"]:
        former[province["new_code"]][_bare(province["name"])] = province["pin_prefix"]
    return former


@cache
def _present_names() -> dict[str, str]:
    return {province["code"]: province["name"] for province in _provinces()["new34"]}
