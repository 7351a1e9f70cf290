"""A check of a marriage, through a whole gateway, shows nothing of anybody but the couple.

Covers ``gateway.procedures.checks.kinship`` and ``gateway.procedures.marriage_registration``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.registry import installed_databases
from connectors.values import PartialDate
from gateway.procedures.marriage_registration import CHECK
from gateway.telemetry.logs import configure
from tests.support.checks import ask_check, states_in
from tests.support.couples import (
    BRIDE,
    BRIDE_ELDERS,
    BRIDE_FATHER,
    BRIDE_MOTHER,
    FORMER_HUSBAND,
    FORMER_WIFE,
    GROOM,
    GROOM_ELDERS,
    GROOM_FATHER,
    GROOM_MOTHER,
    RELATIVES,
    STRANGERS,
    Row,
    adoption,
    birth,
    marriage,
    registers,
    replaced,
)
from tests.support.lockstep import Lockstep, Waves, in_lockstep
from tests.support.receipts import without_salts
from tests.support.running import running
from tests.support.worlds import ALL, LIVE, WAYS, World, answer, together, world

CODE = "1.000894"
COUPLE = {"marriageRegistration": {"groom": GROOM, "bride": BRIDE}}
X, Y = STRANGERS[4], STRANGERS[5]
OLD = "123456789"
DIVORCED = {"marital_status": "DIVORCED"}
#: Both were married before, which their own records show.
WIFE = marriage(GROOM, FORMER_WIFE, event_id="KH-1")
HUSBAND = marriage(FORMER_HUSBAND, BRIDE, event_id="KH-2")
PAST = {"marriages": [WIFE, HUSBAND], "groom": DIVORCED, "bride": DIVORCED}


def adopted_away(mother: str | None, father: str | None) -> Row:
    """Return the bride's birth before an adoption, and after."""
    births = [birth(BRIDE, BRIDE_MOTHER, BRIDE_FATHER), replaced(BRIDE, mother, father)]
    return {"births": births, "adoptions": [adoption(BRIDE, BRIDE_FATHER, BRIDE_MOTHER)]}


def name_of(number: str) -> str:
    return f"Họ Hàng Số {number[-6:]}"


#: Worlds in which something bars the marriage, each something else. What everybody may see of the
#: couple's own records is the same.
BARS: dict[str, Row] = {
    "half siblings": {"parents": {BRIDE: (BRIDE_MOTHER, GROOM_FATHER)}},
    "half siblings under an old number": {"parents": {BRIDE: (BRIDE_MOTHER, OLD)}},
    "first cousins": {"parents": {BRIDE_MOTHER: (GROOM_ELDERS[1], GROOM_ELDERS[0])}},
    "a replaced birth": adopted_away(GROOM_MOTHER, GROOM_FATHER),
    "an adoption": {"adoptions": [adoption(BRIDE, GROOM)]},
    "a parent who was adopted away": {
        "births": [
            birth(BRIDE_FATHER, BRIDE_ELDERS[1], BRIDE_ELDERS[0]),
            replaced(BRIDE_FATHER, GROOM_ELDERS[1], GROOM_ELDERS[0]),
        ],
        "adoptions": [adoption(BRIDE_FATHER, BRIDE_ELDERS[0], BRIDE_ELDERS[1])],
    },
    "a mother-in-law": {"parents": {FORMER_WIFE: (BRIDE, STRANGERS[0])}},
    "a father-in-law": {"parents": {FORMER_HUSBAND: (STRANGERS[3], GROOM)}},
    "a stepfather": {"marriages": [marriage(GROOM, BRIDE_MOTHER, event_id="KH-1"), HUSBAND]},
}
#: Worlds in which it is not known whether something bars it.
DOUBTS: dict[str, Row] = {
    "a foundling": adopted_away(None, None),
    "a parent's birth that is not registered": {"parents": {GROOM_FATHER: None}},
    "a cancelled adoption": {"adoptions": [adoption(BRIDE, GROOM, status="REVOKED")]},
    "a former husband whose father is not recorded": {
        "parents": {FORMER_HUSBAND: (STRANGERS[3], None)}
    },
}


def raw(rows: Row, *, old: bool = True) -> World:
    """Return the databases of a couple, with names of everybody.

    ``old``: the groom's father has had an identity card.
    """
    lists = registers(**{**PAST, **rows})
    everybody: list[dict[str, object]] = [
                 {"citizen_id": number, "life_status": "ALIVE", "marital_status": "SINGLE",
                  "birth_date": "1970", "full_name": name_of(number)}
                 for number in RELATIVES]  # fmt: skip
    card: dict[str, object] = {"entry_id": "E1", "number": OLD, "citizen_id": GROOM_FATHER}
    databases: dict[str, dict[str, list[dict[str, object]]]] = {
        "population": {"identity": everybody, "earlier_numbers": [card] if old else []}
    }
    lookups = {
        f"{database.name}.{lookup.name}": (database.name, record.name)
        for database in installed_databases()
        for record in database.records
        for lookup in record.lookups
    }
    for name, listed in lists.items():
        if name == "civil_status.births_of_children":
            continue  # the births once more
        database, record = lookups[name]
        plain = [_plain(row) for row in listed]
        databases = together(databases, {database: {record: plain}})
    return world(databases)


def _plain(row: Mapping[str, Any]) -> dict[str, object]:
    """Return a row as a database holds it, with the names of whom it numbers."""
    written: dict[str, object] = {
        column: str(value) if not isinstance(value, str | None) else value
        for column, value in row.items()
    }
    for column, value in row.items():
        if column.endswith("_citizen_id") and value in RELATIVES:
            written[column.replace("_citizen_id", "_name")] = name_of(value)
    return written


async def ask(folder: Path, known: World, given: Mapping[str, Any] = COUPLE) -> dict[str, Any]:
    async with running(folder, known, ALL, LIVE) as gateway:
        return await ask_check(gateway, CODE, given)


def without_ids(body: Mapping[str, Any]) -> str:
    """Return an answer without the ids of records, which are keyed for each gateway."""
    return re.sub(r"'id': '[^']*'", "'id': ''", str(body))


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    answer(request.param, monkeypatch)
    way: str = request.param
    return way


@pytest.mark.usefixtures("way")
async def test_a_couple_without_a_bar_has_to_be_there(tmp_path: Path) -> None:
    body = await ask(tmp_path, raw({}))
    checked = body["data"]["checkProcedure"]
    assert checked["outcome"] == "NEEDS_PERSON"
    assert {code for code, state in states_in(body).items() if state != "PASS"} == {
        "VOLUNTARY", "NOT_SHAM"
    }  # fmt: skip
    assert "errors" not in body
    (kin,) = (rule for rule in checked["rules"] if rule["code"] == "NO_CLOSE_KIN")
    assert (kin["evidence"], kin["reason"]) == ([], None)


@pytest.mark.usefixtures("way")
async def test_answers_tell_that_a_marriage_is_barred_and_never_by_what(tmp_path: Path) -> None:
    answers = {}
    for place, (name, rows) in enumerate(BARS.items()):
        body = await ask(tmp_path / str(place), raw(rows))
        assert states_in(body)["NO_CLOSE_KIN"] == "FAIL", name
        assert body["data"]["checkProcedure"]["outcome"] == "NOT_MET"
        answers[name] = without_ids(body)
    assert len(set(answers.values())) == 1


@pytest.mark.usefixtures("way")
async def test_answers_tell_that_a_bar_is_not_known_and_never_why(tmp_path: Path) -> None:
    answers = {}
    for place, (name, rows) in enumerate(DOUBTS.items()):
        body = await ask(tmp_path / str(place), raw(rows))
        assert states_in(body)["NO_CLOSE_KIN"] == "UNKNOWN", name
        answers[name] = without_ids(body)
    assert len(set(answers.values())) == 1


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("rows", [*BARS.values(), *DOUBTS.values()], ids=[*BARS, *DOUBTS])
async def test_no_relative_is_in_answer_journal_or_log(
    tmp_path: Path, rows: Row, capfd: pytest.CaptureFixture[str]
) -> None:
    known = raw(rows)
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        configure()
        body = await ask_check(gateway, CODE, COUPLE)
        (entry,) = gateway.journal()
    logged = "".join(capfd.readouterr())
    files = b"".join(path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file())
    assert logged
    assert entry["persons"]
    for text in (str(body), str(entry), logged, files.decode("utf-8", "replace")):
        for number in (*RELATIVES, OLD):
            assert number not in text
        assert "Họ Hàng" not in text
        assert "adoption" not in str(body).lower()
    # Whoever was read is in the journal: the couple with their roles, relatives by keyed hashes.
    roles = [touched["role"] for touched in entry["persons"]]
    assert roles.count("NAMED") == 2
    assert roles.count("KIN") >= 4


_RECEIPT = """query($input: CheckInput!) {
  checkProcedure(code: "1.000894", input: $input) { receipt } }"""


async def test_receipts_say_the_same_whatever_bars_the_marriage(tmp_path: Path) -> None:
    statements = []
    for place, rows in enumerate(BARS.values()):
        async with running(tmp_path / str(place), raw(rows), ALL, LIVE) as gateway:
            token = gateway.token("procedures:check", purposes=[CODE])
            reply = await gateway.post(_RECEIPT, {"input": COUPLE}, token, x_purpose=CODE)
        receipt = reply.json()["data"]["checkProcedure"]["receipt"]
        statement = str(without_salts(receipt))
        assert not [number for number in (*RELATIVES, OLD) if number in statement]
        assert "adoption" not in statement
        # Ids are keyed for each gateway, and so are those of records.
        statements.append(re.sub(r"'(id|requestId|iss)': '[^']*'|[0-9a-f]{32}", "", statement))
        payload = without_salts(receipt)
        rules = payload["rules"]
        assert isinstance(rules, list)
        (kin,) = (rule for rule in rules if rule["code"] == "NO_CLOSE_KIN")
        assert kin == {"code": "NO_CLOSE_KIN", "state": "FAIL", "reason": None, "evidence": []}
    assert len(set(statements)) == 1, statements


@pytest.mark.usefixtures("way")
async def test_adoptions_are_read_of_everybody_and_reported_of_nobody(tmp_path: Path) -> None:
    known = raw({})
    async with running(tmp_path, known, ALL, LIVE) as gateway:
        body = await ask_check(gateway, CODE, COUPLE)
        (entry,) = gateway.journal()
    asked = {key for name, lookup, keys in known.fetched for key in keys if lookup == "adoptions"}
    assert asked >= {GROOM, BRIDE, GROOM_FATHER, GROOM_MOTHER, BRIDE_FATHER, BRIDE_MOTHER,
                     FORMER_WIFE, FORMER_HUSBAND}  # fmt: skip
    named = [touched for touched in entry["persons"] if touched["role"] == "NAMED"]
    assert all("civil_status.adoptions" in touched["sections"] for touched in named)
    assert len(body["data"]["checkProcedure"]["sources"]) == len(CHECK.roles["groom"]) - 1


READ_ALIKE: dict[str, Row] = {
    "nothing": {},
    "an adoption": {"adoptions": [adoption(BRIDE, GROOM)]},
    "a groom who is too young": {
        "groom": {**DIVORCED, "birth_date": PartialDate(2015, 1, 1)},
        "births": [birth(GROOM, GROOM_MOTHER, GROOM_FATHER, birth_date=PartialDate(2015, 1, 1))],
    },
    "two men": {"bride": {**DIVORCED, "sex": "MALE"}},
    "a bride who is dead": {"deaths": [{
        "event_id": "KT", "citizen_id": BRIDE, "status": "VALID", "death_date": "2026-01-01"}]},
}  # fmt: skip


@pytest.mark.usefixtures("way")
async def test_the_same_is_read_whatever_rules_come_to(tmp_path: Path) -> None:
    read = []
    for place, rows in enumerate(READ_ALIKE.values()):
        known = raw(rows)
        await ask(tmp_path / str(place), known)
        read.append({(name, lookup, key) for name, lookup, keys in known.fetched for key in keys})
    assert all(each == read[0] for each in read)


@pytest.mark.parametrize(
    ("rows", "old", "waves"),
    [
        ({}, False, 3),
        ({}, True, 5),
        (BARS["half siblings under an old number"], True, 5),
        ({"parents": {GROOM: (BRIDE, GROOM), BRIDE: (BRIDE, GROOM)}}, True, 3),
        ({"parents": dict.fromkeys(RELATIVES, (BRIDE_MOTHER, GROOM_FATHER))}, True, 5),
    ],
    ids=["everybody", "an old number", "a bar", "each other's parents", "a circle"],
)
async def test_the_walk_ends(tmp_path: Path, rows: Row, old: bool, waves: int) -> None:
    sources = in_lockstep(raw(rows, old=old))
    # All lists of a database are asked for at once: none waits for a call that is in flight.
    at_once = {name: each.model_copy(update={"calls_in_flight": 50}) for name, each in LIVE.items()}
    async with running(tmp_path, sources, ALL, at_once) as gateway:
        counted = Waves()
        for name in sources:
            backend = sources.of(name)
            assert isinstance(backend, Lockstep)
            backend.waves = counted
        body = await counted.during(ask_check(gateway, CODE, COUPLE))
    assert "errors" not in body
    assert counted.count <= waves
    read = {key for _, _, keys in sources.fetched for key in keys}
    assert read <= {GROOM, BRIDE, OLD, *RELATIVES}


@pytest.mark.usefixtures("way")
async def test_the_day_of_hanoi_decides_about_age(tmp_path: Path) -> None:
    young = {"groom": {**DIVORCED, "birth_date": PartialDate(2006, 11, 24)},
             "births": [birth(GROOM, GROOM_MOTHER, GROOM_FATHER,
                              birth_date=PartialDate(2006, 11, 24))]}  # fmt: skip
    async with running(tmp_path, raw(young), ALL, LIVE) as gateway:
        # The clock of tests stands at 10 in the morning in Hanoi, 3 o'clock UTC.
        gateway.clock.advance(13 * 3600)
        body = await ask_check(gateway, CODE, COUPLE)
        assert states_in(body)["GROOM_OF_AGE"] == "FAIL"
        gateway.clock.advance(3600 + 1)
        body = await ask_check(gateway, CODE, COUPLE)
        assert body["data"]["checkProcedure"]["at"] == "2026-11-24"
        assert states_in(body)["GROOM_OF_AGE"] == "PASS"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("database", ["population", "civil_status"])
async def test_a_silent_database_is_named_and_nobody_else(tmp_path: Path, database: str) -> None:
    known = raw(BARS["half siblings"])
    known.of(database).fault = "down"
    body = await ask(tmp_path, known)
    checked = body["data"]["checkProcedure"]
    assert checked["outcome"] in {"UNKNOWN", "NOT_MET"}
    assert states_in(body)["NO_CLOSE_KIN"] in {"UNKNOWN", "FAIL"}
    assert [silent["name"] for silent in checked["silent"]] == [database]
    assert "adoption" not in str(body).lower()
