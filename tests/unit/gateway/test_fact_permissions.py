"""The permission table of facts: every fact, for every demo caller and purpose, on both paths.

What should be answered is worked out from the rules alone: a scope for the fact, a purpose that
lists it; and a record stands in its basis only where the caller may read the list.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors.description import Group
from connectors.registry import installed_databases
from gateway.catalogue.sections import derived_views
from gateway.derived.view import PERSON as PLACE
from gateway.procedures.registry import ALL, procedure_of
from gateway.settings import DatabaseSettings
from tests.support.running import running
from tests.support.table import PERSON, backends
from tests.support.worlds import WAYS, answer
from tests.unit.gateway.test_permission_table import ACTIONS, CASES, DATABASES, WIDE, may_list

FACTS = derived_views(PLACE, installed_databases())
OBJECTS = {"guardianship", "residence", "family", "conflicts"}
QUERY = " ".join(
    f"{name} {{ state reason value {'{ __typename }' if name in OBJECTS else ''}"
    " basis { database record id asOf } sources { state } }"
    for name in FACTS
)
#: Scopes beside those of the case: all of the facts, each by its own name, and none.
GRANTS: dict[str, tuple[str, ...]] = {
    "of all facts": (f"{PLACE}:read", f"{PLACE}:sensitive"),
    "of each": tuple(
        f"{PLACE}.{fact.derived.name}:{ACTIONS[fact.derived.sensitivity]}"
        for fact in FACTS.values()
    ),
    "of none": (),
}


def may_ask(scopes: tuple[str, ...], purpose: str | None, name: str) -> bool:
    """Say whether a caller may ask for a fact, by the rules."""
    derived, procedure = FACTS[name].derived, procedure_of(purpose) if purpose else None
    if procedure is None or not (procedure.unlimited or derived.name in procedure.derived):
        return False
    action = ACTIONS[derived.sensitivity]
    return bool({f"{PLACE}:{action}", f"{PLACE}.{derived.name}:{action}"} & {*scopes})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "scopes", "purpose"), CASES, ids=[f"{name} {purpose}" for name, _, purpose in CASES]
)
async def test_facts_are_for_whom_scope_and_purpose_say(
    tmp_path: Path,
    way: str,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    scopes: tuple[str, ...],
    purpose: str | None,
) -> None:
    answer(way, monkeypatch)
    live = {item.name: DatabaseSettings(group=Group.OPERATING, timeout=120) for item in DATABASES}
    async with running(tmp_path, backends(DATABASES), DATABASES, live, limits=WIDE) as gateway:
        for grant in GRANTS.values():
            is_own = name == "citizen"
            given = scopes if is_own else (*scopes, *grant)
            token = gateway.token(
                *given, subject=PERSON if "me" in scopes else "somebody",
                purposes=[purpose or "none"],
            )  # fmt: skip
            stated = {"x_purpose": purpose} if purpose else {"x_purpose": "", "x_case_number": ""}
            root = "me" if is_own else f'person(id: "{PERSON}")'
            body = (await gateway.post(f"{{ {root} {{ {QUERY} }} }}", None, token, **stated)).json()
            person = (body.get("data") or {}).get("me" if is_own else "person")
            if person is not None:
                _check(person, is_own, given, purpose)


def _check(
    person: dict[str, Any], is_own: bool, scopes: tuple[str, ...], purpose: str | None
) -> None:
    records = {
        (record.database, record.name): record
        for database in DATABASES
        for record in database.records
    }
    for name in FACTS:
        fact = person[name]
        allowed = is_own or may_ask(scopes, purpose, name)
        assert (fact["state"] != "DENIED") is allowed, name
        if not allowed:
            assert fact["value"] is None
            assert (fact["basis"], fact["sources"]) == (None, [])
        for basis in fact["basis"] or ():
            record = records[basis["database"], basis["record"]]
            assert is_own or may_list(scopes, purpose, record), (name, basis)
            assert (basis["database"], basis["record"]) != ("civil_status", "adoptions")


def test_the_page_says_which_facts_each_purpose_lists() -> None:
    names = {fact.derived.name: name for name, fact in FACTS.items()}
    rows = [
        f"| `{procedure.codes[0]}` | {', '.join(f'`{names[name]}`' for name in listed)} |"
        for procedure in ALL
        if (listed := [name for name in names if name in procedure.derived])
    ]
    page = (Path(__file__).parents[3] / "docs/reference/facts.md").read_text("utf-8")
    assert [line for line in page.splitlines() if (line.startswith("| `") and "-" in line) or
            line.startswith(("| `1", "| `2"))] == rows  # fmt: skip


def test_every_purpose_lists_facts_that_there_are() -> None:
    names = {fact.derived.name for fact in FACTS.values()}
    others = {"access_log", "is_considered_unsanctioned", "timeline"}
    assert {name for procedure in ALL for name in procedure.derived} <= names | others
    assert {name for procedure in ALL for name in procedure.derived} >= names
