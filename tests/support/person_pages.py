"""The pages about a person over ASGI: what an officer types, and what each list says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

import httpx2

from connectors.description import Kind
from gateway.catalogue.sections import child_lists, person_lists
from gateway.procedures.procedure import UNIFIED
from tests.support.pages import CASE, LOCAL, ParsedPage
from tests.support.people import HOA, population_rows
from tests.support.rows import some_row
from tests.support.running import Running
from tests.support.worlds import ALL, EVERY, Row, Rows

#: Every scope that shows a person, facts included.
SCOPES = (*EVERY, "person:read", "person:sensitive")
_SECTION = re.compile(r'<section class="register[^"]*" id="(\w+)"')
_AFTER_SECTIONS = re.compile(r'<section class="timeline"|<form id="more"')
_MARK = re.compile(r'class="mark-state s-(\w+)"')
_ASIDE = re.compile(r'<div class="inner-list">.*?</div>|<aside.*?</aside>', re.S)


@dataclass
class PersonDesk:
    """An officer at ``/person``, by the token of a proxy. ``query``: of the address."""

    gateway: Running
    scopes: tuple[str, ...] = SCOPES
    purpose: str = UNIFIED
    query: str = ""
    subject: str = "officer-1"

    @property
    def address(self) -> str:
        """The address of the page."""
        return f"{LOCAL}/person{self.query}"

    @property
    def token(self) -> str:
        """The officer's token."""
        return self.gateway.token(*self.scopes, purposes=[self.purpose], subject=self.subject)

    async def get(self) -> httpx2.Response:
        """Return the form."""
        headers = {"authorization": f"Bearer {self.token}"}
        return await self.gateway.client.get(self.address, headers=headers)

    async def look(self, number: str = HOA, **typed: str) -> httpx2.Response:
        """Type a number and look; ``form_token`` stands in place of the page's own."""
        fields = ParsedPage.of((await self.get()).text).fields
        fields |= {"number": number, "purpose": self.purpose, "case-number": CASE}
        fields |= {name.replace("_", "-"): value for name, value in typed.items()}
        headers = {"authorization": f"Bearer {self.token}"}
        return await self.gateway.client.post(self.address, data=fields, headers=headers)


async def own_view(
    gateway: Running, number: str = HOA, query: str = "", path: str = "/me", token: str = ""
) -> httpx2.Response:
    """Return the page of a citizen."""
    token = token or gateway.token("me", subject=number, purposes=[])
    headers = {"authorization": f"Bearer {token}"}
    return await gateway.client.get(f"{LOCAL}{path}{query}", headers=headers)


def sections(html: str) -> dict[str, str]:
    """Return the part of a page that each database has, by its name in the schema."""
    _, *pieces = _SECTION.split(_AFTER_SECTIONS.split(html)[0])
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


def marks(html: str) -> list[str]:
    """Return the states that a part of a page shows, in their order.

    Those of lists within a record are left out: they depend on the record alone. So is the key.
    """
    return _MARK.findall(_ASIDE.sub("", html))


def recorded_rows(number: str = HOA, seed: int = 1) -> Rows:
    """Return a world in which every list of a person, and each list below, has a record."""
    rng, rows = Random(seed), {"population": population_rows()}
    for database in ALL:
        records: dict[str, list[Row]] = rows.setdefault(database.name, {})
        for record, lookup in person_lists(database).values():
            if lookup.through is not None or records.get(record.name):
                continue
            row = some_row(rng, record) | {record.identity: f"{record.name}-1"}
            row |= {
                column.name: row.get(column.name) or "K1"
                for column in record.columns
                if column.required and column.field.kind is Kind.STRING
            }
            row[lookup.by[0]] = number
            if record.status and record.name in {"births", "marriages"}:
                row[record.status] = "VALID"
            if record.name == "court_notes":
                row["event_type"] = "DECLARED_MISSING"
            records[record.name] = [row]
            for child, below, column in child_lists(record, [database]):
                hung = some_row(rng, child) | {child.identity: f"{child.name}-1"}
                records.setdefault(child.name, []).append(hung | {below.by[0]: row.get(column)})
    return rows
