"""Two people alike but for what is hidden of one of them: nothing tells them apart.

Concealment never depends on whether a record exists (design section 7), in any part of an answer,
in what it may cost, in what is fetched, and in the journal.

Covers ``gateway.protection.rules``, ``gateway.protection.death``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.entry import person_hash
from gateway.execution.execute import record_rules
from gateway.execution.operation import ExecutableOperation, OperationRequest, Result
from gateway.execution.reference import execute_reference
from gateway.execution.resources import ExecutionResources
from gateway.procedures.procedure import UNIFIED
from gateway.protection import adoption, will
from gateway.protection.rules import RULES, ProtectionRules
from tests.support.hidden_rows import (
    adopted,
    aided,
    birth_mother,
    common,
    dead,
    once_sanctioned,
    replaced,
    taken_down,
    under_protection,
    who_made_a_will,
)
from tests.support.people import LAN
from tests.support.running import Running, running
from tests.support.selecting import ROOMY, of_person
from tests.support.worlds import (
    ALL,
    EVERY,
    LIVE,
    WAYS,
    Rows,
    World,
    acting,
    answer,
    together,
    world,
)

#: Alike in all that a number says of a person.
ONE, OTHER = "001220000001", "001220000002"


OWN, FOR_ANOTHER = "own view", "representative"
GUARDIANSHIP, TRANSFER = "1.004837", "notarised-transfer"


@dataclass(frozen=True)
class Hidden:
    """What one of a pair has, where it is looked for, and from whom it must stay hidden.

    ``rule``: what hides it. ``askers``: purposes of officers with every scope, ``OWN`` and
    ``FOR_ANOTHER``. ``both``: what both have beside the common rows.
    """

    rule: str
    rows: Callable[[str], Rows]
    sections: tuple[str, ...]
    askers: tuple[str, ...]
    both: Callable[[str], Rows] = lambda number: {}


_RECORD_ID = re.compile(r'"recordId": "([\w-]{22})"')

EVERYBODY = (UNIFIED, GUARDIANSHIP, OWN, FOR_ANOTHER)
PAIRS = {
    "adoption": Hidden("adoption", adopted, ("civilStatus",), EVERYBODY),
    "original": Hidden("original", replaced, ("civilStatus",), EVERYBODY),
    "child given away": Hidden("original", birth_mother, ("civilStatus",), EVERYBODY),
    "will": Hidden(
        "will", who_made_a_will, ("notary",), (UNIFIED, TRANSFER, will.PURPOSE, OWN, FOR_ANOTHER)
    ),
    "will of the dead": Hidden(
        "will", who_made_a_will, ("notary",), (UNIFIED, TRANSFER, OWN), dead
    ),
    "sanction past its period": Hidden(
        "violation",
        once_sanctioned,
        ("administrativeViolations",),
        ("no-sanction-check", TRANSFER),
    ),
    "protected address": Hidden("address", under_protection, ("population",), EVERYBODY),
    "legal aid": Hidden("represented", aided, ("legalAid",), (FOR_ANOTHER,)),
    "notice taken down": Hidden(
        "public notice",
        taken_down,
        ("civilEnforcement",),
        (UNIFIED, "enforcement-verification", OWN, FOR_ANOTHER),
    ),
}


def test_every_rule_has_a_pair() -> None:
    assert {pair.rule for pair in PAIRS.values()} == {rule.name for rule in RULES}


CASES = [(name, asker) for name, pair in PAIRS.items() for asker in pair.askers]


@dataclass(frozen=True)
class Seen:
    """All that an asker, or a reader of the journal, can see of a person; numbers taken out."""

    status: int
    body: Any
    journal: Any
    fetched: Any


def nameless(gateway: Running, number: str, seen: object) -> Any:
    text = json.dumps(seen, ensure_ascii=False).replace(number, "N")
    text = text.replace(person_hash(gateway.service.resources.person_hash, number), "H")
    # Ids of records differ from person to person; which of them are the same must not.
    ids = {
        record_id: f"R{place}"
        for place, record_id in enumerate(dict.fromkeys(_RECORD_ID.findall(text)))
    }
    return json.loads(_RECORD_ID.sub(lambda match: f'"recordId": "{ids[match[1]]}"', text))


async def look(gateway: Running, everything: World, number: str, asker: str, query: str) -> Seen:
    """Ask for one of the pair."""
    is_own_view = asker in {OWN, FOR_ANOTHER}
    if asker == OWN:
        token = gateway.token("me", "plans", subject=number)
    elif asker == FOR_ANOTHER:
        token = acting(gateway, LAN, number, scopes=("me", "plans"))
    else:
        token = gateway.token(*EVERY, "plans", purposes=[asker])
    stated = {"x_purpose": "", "x_case_number": ""} if is_own_view else {"x_purpose": asker}
    entries = len(gateway.journal())
    everything.forget()
    root = f"{{ me {{ {query} }} }}"
    if not is_own_view:
        root = f"query($id: PersonNumber!) {{ person(id: $id) {{ {query} }} }}"
    reply = await gateway.post(root, None if is_own_view else {"id": number}, token, **stated)
    (entry,) = gateway.journal()[entries:]
    for name in ("id", "at", "mac", "requestId", "seq", "tokenId"):
        entry.pop(name, None)
    return Seen(
        reply.status_code,
        nameless(gateway, number, reply.json()),
        nameless(gateway, number, entry),
        sorted(nameless(gateway, number, everything.fetched)),
    )


async def both_seen(
    gateway: Running, everything: World, pair: Hidden, asker: str
) -> tuple[Seen, Seen]:
    query = of_person(gateway.service.resources.schema, pair.sections)
    with_it = await look(gateway, everything, ONE, asker, query)
    return with_it, await look(gateway, everything, OTHER, asker, query)


def people(pair: Hidden) -> World:
    """Both of the pair, and the mother who may ask for them."""
    mother: Rows = {"population": {"identity": [{"citizen_id": LAN, "life_status": "ALIVE"}]}}
    both = [rows for number in (ONE, OTHER) for rows in (common(number), pair.both(number))]
    return world(together(mother, *both, pair.rows(ONE)))


def reads(seen: Seen) -> list[tuple[str, str, int]]:
    """Return which lists were read under how many keys: what would take time."""
    return [(record, lookup, len(keys)) for record, lookup, keys in seen.fetched]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("name", "asker"), CASES)
async def test_nothing_tells_who_has_what_is_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, asker: str, way: str
) -> None:
    answer(way, monkeypatch)
    pair = PAIRS[name]
    everything = people(pair)
    async with running(tmp_path, everything, ALL, LIVE, limits=ROOMY) as gateway:
        with_it, without = await both_seen(gateway, everything, pair, asker)
    assert with_it.status in {200, 294}
    assert with_it.body["data"], "there is an answer"
    assert with_it.body == without.body
    assert "cost" in with_it.body["extensions"]
    assert with_it.journal == without.journal
    assert reads(with_it) == reads(without)


@pytest.mark.parametrize(
    ("name", "asker"),
    [
        ("adoption", adoption.PURPOSE),
        ("original", adoption.PURPOSE),
        ("child given away", adoption.PURPOSE),
        ("will of the dead", will.PURPOSE),
        ("sanction past its period", UNIFIED),
        ("sanction past its period", OWN),
        ("protected address", "address-protection"),
        ("legal aid", UNIFIED),
        ("legal aid", OWN),
    ],
)
async def test_who_may_see_what_is_hidden_can_tell_them_apart(
    tmp_path: Path, name: str, asker: str
) -> None:
    """The pairs prove nothing unless there is a difference to be seen."""
    pair = PAIRS[name]
    everything = people(pair)
    async with running(tmp_path, everything, ALL, LIVE, limits=ROOMY) as gateway:
        with_it, without = await both_seen(gateway, everything, pair, asker)
    assert with_it.body["data"] != without.body["data"]


#: What permission denies for general purposes, whether or not the rule withholds it.
DENIED_ANYWAY = {"sanction past its period"}


@pytest.mark.parametrize("name", sorted(PAIRS.keys() - DENIED_ANYWAY))
async def test_without_its_rule_the_pair_would_differ(tmp_path: Path, name: str) -> None:
    pair = PAIRS[name]
    other_rules = tuple(rule for rule in RULES if rule.name != pair.rule)
    assert len(other_rules) == len(RULES) - 1

    async def execute_without_rule(
        resources: ExecutionResources,
        request: OperationRequest,
        executable: ExecutableOperation | None,
    ) -> Result:
        rules = replace(record_rules(resources, request), protection=ProtectionRules(other_rules))
        return await execute_reference(resources, request, request.document.tree(), rules)

    everything = people(pair)
    async with running(
        tmp_path, everything, ALL, LIVE, execute=execute_without_rule, limits=ROOMY
    ) as gateway:
        with_it, without = await both_seen(gateway, everything, pair, pair.askers[0])
    assert with_it.body["data"] != without.body["data"]
