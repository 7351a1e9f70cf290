"""The permission table over entities: each field of an entity is what its own root field shows.

``tests/unit/gateway/test_permission_table.py`` holds ``person`` and ``organization`` against the
declarations; here every demo caller asks for the same person and organisation in both ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from strawberry.utils.str_converters import to_camel_case

from connectors.description import Group
from connectors.registry import installed_databases
from gateway.cli.demo import CALLERS
from gateway.procedures.procedure import UNIFIED
from gateway.settings import DatabaseSettings, Limits
from tests.support.running import running
from tests.support.table import CODE, PERSON, SelectedList, backends, lists, organisation_tables
from tests.support.worlds import EVERY

DATABASES = tuple(database for database in installed_databases() if database.records)
WIDE = Limits(
    document_characters=10**6,
    tokens=40_000,
    fields=10_000,
    depth=20,
    cost=10**9,
    deadline=300,
    new_documents_per_minute=10**6,
)
QUERY = """query($of: [_Any!]!) {
  person(id: "%s") { ...P } organization(code: "%s") { ...O }
  _entities(representations: $of) { ...P ...O } }
fragment P on Person { askedAs identification %s } fragment O on Organization { code %s }"""
REPRESENTATIONS = [
    {"__typename": "Person", "id": PERSON},
    {"__typename": "Organization", "code": CODE},
]


def caller_cases() -> Iterator[tuple[str, tuple[str, ...], str | None]]:
    """Yield name, scopes and a purpose: each of every demo caller, and a citizen who names."""
    for name, caller in CALLERS.items():
        for purpose in caller.purposes or (None,):
            yield name, caller.scopes, purpose
    yield "citizen who names", ("me", *EVERY), UNIFIED


def documents() -> Iterator[str]:
    """Yield a document for each database, with all of its lists and all below them."""
    for database in DATABASES:
        section = to_camel_case(database.name)
        of_person = _section(section, lists((database,)))
        yield QUERY % (PERSON, CODE, of_person, _section(section, organisation_tables((database,))))


def _section(name: str, tables: Iterator[SelectedList]) -> str:
    selected = " ".join(table.selection for table in tables)
    return f"{name} {{ {selected} }}" if selected else ""


def errors_below(body: Mapping[str, Any], *roots: str) -> set[tuple[str, str]]:
    """Return code and path of each error below ``roots``, without the root and places in lists."""
    return {
        (error["extensions"]["code"], ".".join(str(step) for step in error["path"][1:]
                                               if isinstance(step, str)))
        for error in body.get("errors", ())
        if error.get("path", [""])[0] in roots
    }  # fmt: skip


async def test_every_caller_sees_of_an_entity_what_they_see_of_the_person(tmp_path: Path) -> None:
    live = {item.name: DatabaseSettings(group=Group.OPERATING, timeout=120) for item in DATABASES}
    wrong, rows = [], 0
    async with running(tmp_path, backends(DATABASES), DATABASES, live, limits=WIDE) as gateway:
        for name, scopes, purpose in caller_cases():
            subject = PERSON if "me" in scopes else "somebody"
            token = gateway.token(*scopes, subject=subject, purposes=[purpose or "none"])
            stated = {"x_purpose": purpose or "", **({} if purpose else {"x_case_number": ""})}
            for query in documents():
                reply = await gateway.post(query, {"of": REPRESENTATIONS}, token, **stated)
                body = reply.json()
                data = body.get("data")
                if data is None:  # refused as a whole, before anything is read
                    assert reply.status_code in {400, 401, 403}, body
                    continue
                rows += reply.text.count("«")
                if data["_entities"] != [data["person"], data["organization"]]:
                    wrong.append(f"{name} {purpose}: other data")
                of_roots = errors_below(body, "person", "organization")
                if errors_below(body, "_entities") != of_roots:
                    wrong.append(f"{name} {purpose}: {of_roots ^ errors_below(body, '_entities')}")
    assert wrong == []
    assert rows > 1000, "empty answers prove nothing"
