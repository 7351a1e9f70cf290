"""Who a person's relatives are, what may be missing, and how far the walk goes.

Covers ``gateway.derived.kin``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.values import PartialDate
from gateway.derived.family import DERIVED, PersonFamily
from gateway.derived.kin import CHILDREN, RECOGNITIONS, REGISTERED_FAMILY
from gateway.derived.marriages import MARRIAGES
from gateway.derived.registers import BIRTHS, IDENTITY
from gateway.derived.view import UnknownReason
from tests.support.evidence import PERSON, TODAY, Lists, conclude
from tests.support.lockstep import Lockstep, Waves, in_lockstep
from tests.support.running import running
from tests.support.worlds import ALL, LIVE, WAYS, answer, world

Row = dict[str, Any]
Answer = Mapping[str, Any]
MOTHER, FATHER, SPOUSE = "001170000001", "001060000002", "001190000003"
CHILD, SISTER, BROTHER = "001215000004", "001192000005", "001095000006"
GRANDMOTHER, GRANDFATHER = "001150000007", "001040000008"


def birth(number: str, mother: str | None = None, father: str | None = None, year: int = 1990,
          **more: Any) -> Row:  # fmt: skip
    return {"event_id": f"KS{number}", "status": "VALID", "citizen_id": number,
            "full_name": f"name of {number}", "birth_date": PartialDate(year, 5, 6),
            "mother_citizen_id": mother, "father_citizen_id": father, **more}  # fmt: skip


FAMILY_BIRTHS = (
    birth(PERSON, MOTHER, FATHER),
    birth(SISTER, MOTHER, FATHER, 1992),
    birth(BROTHER, None, FATHER, 1995),
    birth(CHILD, SPOUSE, PERSON, 2015),
    birth(MOTHER, GRANDMOTHER, GRANDFATHER, 1970),
    birth(FATHER, None, None, 1960),
)


def registers(*births: Row, **lists: list[Row]) -> dict[str, list[Row]]:
    """Return what the registers say; of the birth of a parent those of children are, too."""
    identity = {"citizen_id": PERSON, "life_status": "ALIVE", "marital_status": "SINGLE",
                "birth_date": PartialDate(1990, 5, 6)}  # fmt: skip
    names = {"recognitions": RECOGNITIONS, "registered": REGISTERED_FAMILY, "marriages": MARRIAGES}
    rows = {names[name]: rows for name, rows in lists.items()}
    known = list(births or FAMILY_BIRTHS)
    return {IDENTITY: [identity], BIRTHS: known, CHILDREN: known, **rows}


def family(of: Lists, on: date = TODAY, **evidence: Any) -> PersonFamily:
    value = conclude(DERIVED, of, on, **evidence).value
    assert isinstance(value, PersonFamily)
    return value


def group(name: str, of: Lists, on: date = TODAY, **evidence: Any) -> tuple[object, object]:
    """Return a group: kinship and number of each, and the reason why there may be more."""
    members = getattr(family(of, on, **evidence), name)
    items = members.items
    shown = None if items is None else [(each.kinship.name, each.citizen_id) for each in items]
    return shown, members.reason and members.reason.name


def test_a_family_of_four_generations() -> None:
    known = registers()
    assert group("parents", known) == ([("FATHER", FATHER), ("MOTHER", MOTHER)], None)
    assert group("children", known) == ([("CHILD", CHILD)], None)
    siblings = [("FULL_SIBLING", SISTER), ("HALF_SIBLING", BROTHER)]
    assert group("siblings", known) == (siblings, None)
    elders = [("MATERNAL_GRANDFATHER", GRANDFATHER), ("MATERNAL_GRANDMOTHER", GRANDMOTHER)]
    assert group("grandparents", known) == (elders, None)


def test_names_are_those_of_the_record() -> None:
    (sister, _) = family(registers()).siblings.items or []
    assert sister.name == f"name of {SISTER}"


def test_no_group_is_empty_unless_that_is_known() -> None:
    alone = registers(birth(PERSON))
    for name in ("parents", "children", "siblings", "grandparents"):
        assert group(name, alone) == ([], None)
    nobody: Lists = {**registers(), BIRTHS: [], CHILDREN: []}
    for name in ("parents", "siblings", "grandparents"):
        assert group(name, nobody) == (None, "NOT_COVERED")


def test_two_births_in_force_with_other_parents_contradict_each_other() -> None:
    twice = registers(birth(PERSON, MOTHER), birth(PERSON, SPOUSE, event_id="2"))
    assert group("parents", twice) == (None, "CONTRADICTORY")
    assert group("siblings", twice) == (None, "CONTRADICTORY")


@pytest.mark.parametrize("status", ["REVOKED", "SUPERSEDED"])
def test_a_birth_that_was_replaced_names_nobody(status: str) -> None:
    replaced = birth(PERSON, SPOUSE, status=status, event_id="before")
    assert group("parents", registers(birth(PERSON, MOTHER), replaced)) == (
        [("MOTHER", MOTHER)],
        None,
    )
    gone = registers(birth(PERSON), birth(CHILD, PERSON, status=status))
    assert group("children", gone) == ([], None)


def test_a_parent_of_whom_only_the_name_is_known_leaves_siblings_open() -> None:
    named = registers(birth(PERSON, None, None, mother_name="Nguyễn Thị Ba"))
    assert group("parents", named) == ([("MOTHER", None)], None)
    assert group("siblings", named) == (None, "NOT_RECORDED")
    assert group("grandparents", named) == (None, "NOT_RECORDED")


def recognition(kind: str, first: str, second: str) -> Row:
    return {"event_id": "NR", "status": "VALID", "recognition_kind": kind,
            "recognising_id": first, "recognised_id": second,
            "birth_event_id": f"KS{PERSON}"}  # fmt: skip


@pytest.mark.parametrize(
    "recognised",
    [
        recognition("FATHER_RECOGNISES_CHILD", FATHER, PERSON),
        recognition("CHILD_RECOGNISES_FATHER", PERSON, FATHER),
    ],
)
def test_a_recognised_parent_is_a_parent_unless_the_birth_names_another(recognised: Row) -> None:
    unnamed = registers(birth(PERSON, MOTHER), recognitions=[recognised])
    both = [("FATHER", FATHER), ("MOTHER", MOTHER)]
    assert group("parents", unnamed) == (both, None)
    other = registers(birth(PERSON, MOTHER, BROTHER), recognitions=[recognised])
    assert group("parents", other) == ([("FATHER", BROTHER), ("MOTHER", MOTHER)], None)


@pytest.mark.parametrize("parties", [(FATHER, PERSON), (PERSON, FATHER)])
def test_where_it_is_not_recorded_who_recognises_whom_there_may_be_a_parent_more(
    parties: tuple[str, str],
) -> None:
    unsaid = {**recognition("FATHER_RECOGNISES_CHILD", *parties), "recognition_kind": None}
    known = registers(birth(PERSON, MOTHER), recognitions=[unsaid])
    assert group("parents", known) == ([("MOTHER", MOTHER)], "NOT_RECORDED")


def test_a_recognition_of_before_the_birth_was_replaced_names_no_parent() -> None:
    """An adopted child: the father by birth had recognised it."""
    recognised = recognition("FATHER_RECOGNISES_CHILD", FATHER, PERSON)
    replaced = {**recognised, "birth_event_id": "KS of before"}
    known = registers(birth(PERSON, MOTHER), recognitions=[replaced])
    assert group("parents", known) == ([("MOTHER", MOTHER)], None)
    unsaid = registers(birth(PERSON, MOTHER), recognitions=[{**recognised, "birth_event_id": None}])
    assert group("parents", unsaid) == ([("MOTHER", MOTHER)], "NOT_RECORDED")


def test_a_recognised_child_whose_birth_names_another_may_be_one_more() -> None:
    recognised = recognition("FATHER_RECOGNISES_CHILD", PERSON, SISTER)
    known = registers(birth(PERSON), recognitions=[recognised])
    assert group("children", known) == (None, "NOT_COVERED")


def kin(who: str, relation: str, member: str) -> Row:
    return {"entry_id": f"{who}{member}", "citizen_id": who, "relation": relation,
            "member_id": member}  # fmt: skip


def test_a_child_whom_only_the_population_database_knows_may_be_one_more() -> None:
    known = registers(registered=[kin(PERSON, "CHILD", CHILD), kin(PERSON, "CHILD", BROTHER)])
    assert group("children", known) == ([("CHILD", CHILD)], "NOT_COVERED")
    of_mother = registers(registered=[kin(MOTHER, "CHILD", "001088000009")])
    assert group("siblings", of_mother)[1] == "NOT_COVERED"


def test_relatives_are_those_born_by_the_day() -> None:
    assert group("children", registers(), date(2015, 5, 5)) == ([], None)
    assert group("children", registers(), date(2015, 5, 6)) == ([("CHILD", CHILD)], None)


def test_a_relative_filed_under_an_earlier_number_is_one_person() -> None:
    old = "123456789"
    births = (birth(PERSON, MOTHER, FATHER), birth(SISTER, old, None, 1992))
    earlier = {MOTHER: (old,)}
    siblings = group("siblings", registers(*births), earlier=earlier)
    assert siblings == ([("HALF_SIBLING", SISTER)], None)


def marriage(spouse: str | None, start: int, event: str, **more: Any) -> Row:
    return {"event_id": event, "status": "VALID", "husband_citizen_id": PERSON,
            "wife_citizen_id": spouse, "effective_from": PartialDate(start, 1, 1),
            **more}  # fmt: skip


def spouses(population: str, *marriages: Row, **lists: list[Row]) -> tuple[object, object]:
    known = registers(marriages=list(marriages), **lists)
    born = {"birth_date": PartialDate(2000, 1, 1), "marital_status": population}
    known[IDENTITY] = [{**known[IDENTITY][0], **born}]
    known[BIRTHS] = []
    return group("spouses", known)


def test_spouses_now_and_before() -> None:
    ended = marriage(SISTER, 2019, "M1", ended_on=PartialDate(2020, 1, 1), end_reason="DIVORCE")
    both = spouses("MARRIED", ended, marriage(SPOUSE, 2022, "M2"))
    assert both == ([("FORMER_SPOUSE", SISTER), ("SPOUSE", SPOUSE)], None)
    again = spouses("MARRIED", {**ended, "wife_citizen_id": SPOUSE}, marriage(SPOUSE, 2022, "M2"))
    assert again == ([("SPOUSE", SPOUSE)], None)
    assert spouses("SINGLE") == ([], None)


def test_nobody_is_named_whose_marriage_may_have_ended() -> None:
    assert spouses("DIVORCED", marriage(SPOUSE, 2022, "M")) == (None, "CONTRADICTORY")
    other = [kin(PERSON, "SPOUSE", SISTER)]
    assert spouses("MARRIED", marriage(SPOUSE, 2022, "M"), registered=other) == (
        None,
        "NOT_COVERED",
    )
    assert spouses("MARRIED", marriage(None, 2022, "M")) == (None, "NOT_RECORDED")


def test_nobody_is_a_former_spouse_who_may_be_married_to_the_person_again() -> None:
    ended = marriage(SPOUSE, 2019, "M1", ended_on=PartialDate(2020, 1, 1), end_reason="DIVORCE")
    again = spouses("WIDOWED", ended, marriage(SPOUSE, 2022, "M2"))
    assert again == (None, "CONTRADICTORY")


def test_whoever_could_marry_on_paper_may_have_had_other_spouses() -> None:
    assert group("spouses", registers())[1] == "NOT_COVERED"


@pytest.mark.parametrize("reason", UnknownReason)
@pytest.mark.parametrize(
    ("name", "groups"),
    [
        (BIRTHS, ("parents", "siblings", "grandparents")),
        (CHILDREN, ("children", "siblings")),
        (RECOGNITIONS, ("parents", "children")),
        (REGISTERED_FAMILY, ("children", "siblings", "spouses")),
        (MARRIAGES, ("spouses",)),
    ],
)
def test_where_something_may_be_missing_the_group_says_why(
    name: str, groups: tuple[str, ...], reason: UnknownReason
) -> None:
    alone = registers(birth(PERSON, MOTHER))
    for each in groups:
        assert group(each, alone, missing={name: reason})[1] == reason.name, each
        items, _ = group(each, {}, missing={name: reason})
        assert items is None, each


def test_the_citizen_sees_who_stands_in_their_own_records() -> None:
    known = registers()
    assert group("parents", known, is_own_view=True)[0]
    for name in ("siblings", "grandparents"):
        assert group(name, known, is_own_view=True) == (None, "NOT_IN_OWN_RECORDS")


def test_a_circle_of_parents_ends() -> None:
    circle = registers(birth(PERSON, MOTHER), birth(MOTHER, PERSON))
    assert group("parents", circle) == ([("MOTHER", MOTHER)], None)
    assert group("grandparents", circle) == ([("MATERNAL_GRANDMOTHER", PERSON)], None)
    itself = registers(birth(PERSON, PERSON))
    assert group("siblings", itself) == ([], None)


# --- over the gateway ----------------------------------------------------------------------------

GROUP = "{ items { kinship citizenId } reason }"
FIELD = f"""family {{ reason basis {{ record }} value {{ parents {GROUP} children {GROUP}
  siblings {GROUP} spouses {GROUP} grandparents {GROUP} }} }}"""
QUERY = f"query($id: PersonNumber!) {{ person(id: $id) {{ {FIELD} }} }}"


def _raw(row: Row) -> Row:
    return {name: str(value) if isinstance(value, PartialDate) else value
            for name, value in row.items() if value is not None}  # fmt: skip


def raw_rows(children: int = 0, old: bool = False) -> dict[str, dict[str, list[Row]]]:
    """Return the family as databases hold it. ``old``: the mother stands there by an old number."""
    more = [birth(f"0012{place:08d}", MOTHER, FATHER, 1991) for place in range(children)]
    births = [_raw(row) for row in (*FAMILY_BIRTHS, *more)]
    people = {str(row["citizen_id"]) for row in births} | {SPOUSE, GRANDMOTHER, GRANDFATHER}
    identities = [{"citizen_id": number, "life_status": "ALIVE", "marital_status": "SINGLE",
                   "birth_date": "1990"} for number in sorted(people)]  # fmt: skip
    earlier: list[Row] = []
    if old:
        earlier = [{"entry_id": "E", "number": "123456789", "citizen_id": MOTHER}]
        for row in births:
            if row.get("mother_citizen_id") == MOTHER:
                row["mother_citizen_id"] = "123456789"
    return {
        "population": {"identity": identities, "earlier_numbers": earlier},
        "civil_status": {"births": births},
    }


@pytest.mark.parametrize("way", WAYS)
async def test_relatives_are_in_the_journal_as_kin_with_what_was_read_of_them(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(way, monkeypatch)
    async with running(tmp_path, world(raw_rows()), ALL, LIVE) as gateway:
        body = await gateway.ask(QUERY, {"id": PERSON}, ("person:read", "population:read"))
        (entry,) = gateway.journal()
    value: Answer = body["data"]["person"]["family"]["value"]
    assert [each["citizenId"] for each in value["siblings"]["items"]] == [SISTER, BROTHER]
    roles = sorted((touched["role"], len(touched["sections"])) for touched in entry["persons"])
    # Both parents were read; the others are named.
    assert roles.count(("KIN", 2)) == 2
    assert [role for role, _ in roles].count("MENTIONED") == 5
    kin_sections = {tuple(each["sections"]) for each in entry["persons"] if each["role"] == "KIN"}
    assert kin_sections == {("civil_status.births", "population.family")}


@pytest.mark.parametrize("way", WAYS)
async def test_the_own_view_reads_nothing_of_relatives_and_rests_on_own_records(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(way, monkeypatch)
    sources = world(raw_rows())
    async with running(tmp_path, sources, ALL, LIVE) as gateway:
        token = gateway.token("me", subject=PERSON, purposes=[])
        reply = await gateway.post(f"{{ me {{ {FIELD} }} }}", token=token, x_purpose="")
    value = reply.json()["data"]["me"]["family"]["value"]
    assert value["siblings"] == {"items": None, "reason": "NOT_IN_OWN_RECORDS"}
    assert {each["citizenId"] for each in value["parents"]["items"]} == {MOTHER, FATHER}
    asked = {key for name, _, keys in sources.fetched for key in keys if "civil" in name}
    assert asked == {PERSON}


@pytest.mark.parametrize(
    ("children", "old", "waves"), [(0, False, 4), (60, False, 4), (60, True, 6)]
)
async def test_a_family_takes_four_waves_whatever_its_size(
    tmp_path: Path, children: int, old: bool, waves: int
) -> None:
    sources = in_lockstep(world(raw_rows(children, old)))
    async with running(tmp_path, sources, ALL, LIVE) as gateway:
        counted = Waves()
        for name in sources:
            backend = sources.of(name)
            assert isinstance(backend, Lockstep)
            backend.waves = counted
        scopes = ("person:read", "population:read")
        body = await counted.during(gateway.ask(QUERY, {"id": PERSON}, scopes))
    value = body["data"]["person"]["family"]["value"]
    assert len(value["siblings"]["items"]) == 2 + children
    assert len(value["grandparents"]["items"]) == 2
    assert counted.count <= waves
