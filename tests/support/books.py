"""Rows of the civil status books and the population database, for rules over written evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from connectors.values import PartialDate
from gateway.derived.registers import BIRTHS, DEATHS, IDENTITY, NOTES

Row = dict[str, Any]
Lists = dict[str, list[Row]]


def day(text: str) -> PartialDate:
    """Return a date as the registers have it: ``1990``, ``1990-05`` or ``1990-05-05``."""
    return PartialDate.parse(text)


def identity(number: str, born: str = "1990-05-05", **more: Any) -> Row:
    """Return somebody who lives, as the population database has them."""
    return {"citizen_id": number, "birth_date": day(born), "life_status": "ALIVE", **more}


def birth(number: str, born: str = "1990-05-05", **more: Any) -> Row:
    """Return the entry of a birth; ``more``: the parents, as ``mother_citizen_id``."""
    return {"event_id": f"KS {number}", "status": "VALID", "citizen_id": number,
            "birth_date": day(born), **more}  # fmt: skip


def death(number: str, died: str = "2026-01-01", **more: Any) -> Row:
    """Return the entry of a death."""
    return {"event_id": f"KT {number}", "status": "VALID", "citizen_id": number,
            "death_date": day(died), "death_kind": "NATURAL_DEATH", **more}  # fmt: skip


def marriage(husband: str, wife: str, start: str = "2018-03-01", **more: Any) -> Row:
    """Return the entry of a marriage."""
    return {"event_id": "KH", "status": "VALID", "husband_citizen_id": husband,
            "wife_citizen_id": wife, "effective_from": day(start), **more}  # fmt: skip


def divorce(husband: str, wife: str, effect: date, **more: Any) -> Row:
    """Return the note of a divorce of the marriage of ``marriage``."""
    return {"event_id": "LH", "status": "VALID", "husband_id": husband, "wife_id": wife,
            "marriage_event_id": "KH", "legal_effect_date": effect, **more}  # fmt: skip


def note(number: str, kind: str, effect: date = date(2020, 1, 1), **more: Any) -> Row:
    """Return the note of a court's decision."""
    return {"event_id": f"TA {kind}", "event_type": kind, "status": "VALID",
            "citizen_id": number, "effective_date": effect, **more}  # fmt: skip


def together(*several: Mapping[str, Sequence[Row]]) -> Lists:
    """Return all the rows of ``several``, by list."""
    lists: Lists = {BIRTHS: [], DEATHS: [], NOTES: [], IDENTITY: []}
    for one_of_them in several:
        for name, rows in one_of_them.items():
            lists.setdefault(name, []).extend(rows)
    return lists
