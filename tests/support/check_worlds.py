"""The rows of a check's tests as databases of a gateway, and rows of people that tests begin from.

Tests of rules write rows by list and with values; ``world_of`` puts the same rows into databases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from connectors.values import PartialDate
from gateway.derived.registers import BIRTHS, IDENTITY
from tests.support.evidence import Lists
from tests.support.worlds import ALL, Row, World, world

_RECORDS = {
    f"{database.name}.{lookup.name}": (database.name, record.name)
    for database in ALL
    for record in database.records
    for lookup in record.lookups
}


def identity(number: str, born: str, **more: Any) -> dict[str, Any]:
    """Return an identity of somebody who lives. ``born``: as dates are written, perhaps partial."""
    row = {"citizen_id": number, "birth_date": PartialDate.parse(born), "life_status": "ALIVE",
           "marital_status": "SINGLE", "status": "CURRENT"}  # fmt: skip
    return {**row, **more}


def birth(number: str, born: str, **more: Any) -> dict[str, Any]:
    """Return a birth in force. ``mother``, ``father``: their numbers."""
    parents = {f"{role}_citizen_id": more.pop(role, None) for role in ("mother", "father")}
    return {"event_id": f"B-{number}", "event_type": "BIRTH", "citizen_id": number,
            "birth_date": PartialDate.parse(born), "status": "VALID",
            "birth_circumstance": "NORMAL", **parents, **more}  # fmt: skip


def declared(number: str, kind: str, since: date = date(2020, 1, 1)) -> dict[str, Any]:
    """Return a note of a court's declaration in force."""
    return {"event_id": f"N-{number}", "event_type": kind, "citizen_id": number,
            "status": "VALID", "effective_date": since}  # fmt: skip


def death(number: str, died: str = "2021-03-04") -> dict[str, Any]:
    """Return a death in force."""
    return {"event_id": f"D-{number}", "event_type": "DEATH", "citizen_id": number,
            "status": "VALID", "death_date": PartialDate.parse(died),
            "death_kind": "NATURAL_DEATH"}  # fmt: skip


def marriage(husband: str, wife: str, since: str, **more: Any) -> dict[str, Any]:
    """Return a marriage in force."""
    return {"event_id": f"M-{husband}-{wife}", "event_type": "MARRIAGE", "status": "VALID",
            "husband_citizen_id": husband, "wife_citizen_id": wife,
            "effective_from": PartialDate.parse(since), **more}  # fmt: skip


def people(*identities: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """Return identities, with a birth of each as of the same day, without parents."""
    births = [birth(each["citizen_id"], str(each["birth_date"])) for each in identities]
    return {IDENTITY: list(identities), BIRTHS: list(births)}


def with_rows(
    lists: Lists, added: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, list[Mapping[str, Any]]]:
    """Return ``lists`` with more rows."""
    names = dict.fromkeys((*lists, *added))
    return {name: [*lists.get(name, ()), *added.get(name, ())] for name in names}


def changed(
    lists: Lists, name: str, number: str, **values: Any
) -> dict[str, list[Mapping[str, Any]]]:
    """Return ``lists`` with other values in the rows of one person (``citizen_id``)."""
    rows = [
        {**row, **values} if row.get("citizen_id") == number else row for row in lists.get(name, ())
    ]
    return {**{key: list(rows_of) for key, rows_of in lists.items()}, name: rows}


def world_of(lists: Lists) -> World:
    """Return all databases with the rows of ``lists``."""
    rows: dict[str, dict[str, list[Row]]] = {"population": {}}
    for name, listed in lists.items():
        database, record = _RECORDS[name]
        rows.setdefault(database, {}).setdefault(record, []).extend(_raw(listed))
    return world(rows)


def _raw(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    return [{column: _written(value) for column, value in row.items()} for row in rows]


def _written(value: Any) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, PartialDate) else value
