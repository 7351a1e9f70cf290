"""Every declared reference leads to the person whose number it is, and no walk is endless.

A real gateway over the synthetic world: each column of each connector that holds a person's number
is followed, by plan and field by field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from connectors.backends.memory import MemoryBackend
from connectors.registry import installed_databases
from gateway.catalogue.sections import MOST_LINKED
from gateway.procedures.procedure import UNIFIED
from gateway.settings import Limits
from tests.support.people import HOA, LAN
from tests.support.references import Reference, number_columns, references
from tests.support.running import Running, codes, running
from tests.support.synthetic_people import the_sample
from tests.support.worlds import EVERY, LIVE, WAYS, Row, answer, world

DATABASES = tuple(database for database in installed_databases() if database.records)
REFERENCES = tuple(references(DATABASES))
#: Records that only these purposes open.
PURPOSES = {"adoptions": "2.001263", "wills": "notarised-inheritance"}
#: Rows that are tried until one is shown: rules of law hide some.
TRIED, CHANGED = 40, 2
#: Columns that hold the number of the person whose row it is: nothing else finds the row.
SUBJECTS = {
    "legal_aid.entitlements.citizen_id",
    "population.identity.citizen_id",
    "population.earlier_numbers.number",
    "population.earlier_numbers.citizen_id",
    "population.residences.citizen_id",
    "population.family.citizen_id",
    "population.protection_orders.citizen_id",
}
#: Columns by which alone a row is found, or that every row has.
KEYS = {
    "administrative_violations.handling_decisions.citizen_id",
    "administrative_violations.records.violator_citizen_id",
    "administrative_violations.sanctions.violator_citizen_id",
    "civil_enforcement.exit_postponements.person_id",
    "civil_enforcement.public_notices.debtor_citizen_id",
    "civil_status.changes.citizen_id",
    "civil_status.deaths.citizen_id",
    "civil_status.marital_status_confirmations.citizen_id",
    "legal_aid.beneficiary.citizen_id",
    "legal_aid.cases.beneficiary_id",
    "notary.wills.testator_id",
}
PASSPORT = "C1234567"


def test_every_number_of_somebody_else_leads_to_a_person() -> None:
    without = {
        f"{database.name}.{record.name}.{column.name}"
        for database, record, column in number_columns(DATABASES)
        if column.field.person is None
    }
    assert without == SUBJECTS


@dataclass
class Generated:
    """The rows of the sample, of which some are changed: by database and record."""

    rows: dict[tuple[str, str], list[dict[str, object]]] = field(
        default_factory=lambda: {
            key: [dict(row) for row in rows] for key, rows in the_sample().rows.items()
        }
    )

    def backends(self) -> dict[str, MemoryBackend]:
        return {
            database.name: MemoryBackend(
                database,
                {record.name: self.rows[database.name, record.name] for record in database.records},
            )
            for database in DATABASES
        }

    def reachable(self, reference: Reference) -> Iterator[tuple[str, dict[str, object]]]:
        """Yield rows of the reference's record, each with a person from whom the way leads to it.

        Those with a number come first.
        """
        rows = self.rows[reference.database.name, reference.record.name]
        for row in sorted(rows, key=lambda row: row.get(reference.column.name) is None):
            for subject in sorted(reference.subjects(row, self.rows)):
                if the_sample().holder.get(subject) == subject:
                    yield subject, row
                    break


def _plain_people() -> list[str]:
    return [
        person.id
        for person in the_sample().people.values()
        if not person.earlier_numbers and not person.conflicts
    ]


def _fill(generated: Generated) -> None:
    """Put somebody's number where the generator puts none."""
    people = _plain_people()
    for reference in REFERENCES:
        name, many = reference.column.name, reference.column.field.many
        if any(row.get(name) for _, row in islice(generated.reachable(reference), 1)):
            continue
        for place, (_, row) in enumerate(islice(generated.reachable(reference), TRIED)):
            row[name] = [people[place], people[place + 1]] if many else people[place]


def _remove(generated: Generated) -> dict[Reference, list[str]]:
    """Remove the number of some rows for each reference, and name a foreigner where it is a party.

    Returns who may lead to the rows, for those that another number still finds.
    """
    found: dict[Reference, list[str]] = {}
    changed: set[int] = set()
    for reference in REFERENCES:
        # Of few rows each reference may have one only.
        rows = generated.rows[reference.database.name, reference.record.name]
        count, most = 0, min(CHANGED, 1 + len(rows) // 20)
        for _, row in generated.reachable(reference):
            if reference.column.required or count == most:
                break  # a row without a required number cannot be read
            before = dict(row)
            row[reference.column.name] = None
            subjects = sorted(reference.subjects(row, generated.rows))
            if id(row) in changed or not subjects:
                row.update(before)
                continue
            changed.add(id(row))
            count += 1
            found.setdefault(reference, []).extend(subjects)
            above = "_".join(reference.column.path[:-1])
            if above:  # who is named otherwise, in a struct
                row[f"{above}_name"] = reference.name
            if reference.is_party:
                row[f"{above}_id_document_kind"] = "PASSPORT"
                row[f"{above}_id_document_number"] = PASSPORT
    return found


@cache
def _filled() -> tuple[Generated, dict[str, MemoryBackend]]:
    """Return the sample with a number for each reference, for both ways to execute."""
    generated = Generated()
    _fill(generated)
    return generated, generated.backends()


@cache
def _removed() -> tuple[dict[Reference, list[str]], dict[str, MemoryBackend]]:
    """Return who may lead to rows whose number was removed, for both ways to execute."""
    generated = Generated()
    rows_without = _remove(generated)
    return rows_without, generated.backends()


async def _ask(gateway: Running, reference: Reference, subject: str) -> dict[str, Any]:
    selection = reference.selection("id askedAs", "(first: 30)")
    query = f"query($id: PersonNumber!) {{ person(id: $id) {{ {selection} }} }}"
    purpose = PURPOSES.get(reference.record.name, UNIFIED)
    body: dict[str, Any] = (
        await gateway.post(
            query,
            {"id": subject},
            gateway.token(*EVERY, purposes=[purpose]),
            x_purpose=purpose,
        )
    ).json()
    return body


def _pairs(shown: Mapping[str, Any], reference: Reference) -> Iterator[tuple[str, Any]]:
    """Yield each number that is recorded, with the person it leads to."""
    numbers, people = shown[reference.number], shown[reference.field]
    if not isinstance(numbers, list):
        numbers, people = [numbers], [people]
    for number, person in zip(numbers or (), people or (), strict=True):
        if number is None:
            assert person is None
        else:
            yield number, person


@pytest.mark.parametrize("way", WAYS)
async def test_each_reference_leads_to_the_person_whose_number_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    answer(way, monkeypatch)
    (generated, backends), holder = _filled(), the_sample().holder
    followed: dict[str, int] = {}
    async with running(tmp_path, backends, DATABASES, LIVE) as gateway:
        for reference in REFERENCES:
            for subject, _ in islice(generated.reachable(reference), TRIED):
                body = await _ask(gateway, reference, subject)
                assert "data" in body, (reference.name, body)
                person = body["data"]["person"]
                for shown in reference.shown(person) if person else ():
                    for number, linked in _pairs(shown, reference):
                        if linked is None:
                            assert "NUMBER_CONFLICT" in codes(body), reference.name
                            continue
                        assert linked["askedAs"] == number, reference.name
                        assert linked["id"] == holder[number], reference.name
                        followed[reference.name] = followed.get(reference.name, 0) + 1
                if followed.get(reference.name):
                    break
    assert followed.keys() == {reference.name for reference in REFERENCES}


@pytest.mark.parametrize("way", WAYS)
async def test_a_party_without_a_citizen_id_is_shown_by_name_and_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    answer(way, monkeypatch)
    rows_without, backends = _removed()
    nobody: set[Reference] = set()
    async with running(tmp_path, backends, DATABASES, LIVE) as gateway:
        for reference, subjects in rows_without.items():
            for subject in subjects:
                body = await _ask(gateway, reference, subject)
                shown = [
                    value
                    for value in reference.shown(body["data"]["person"])
                    if value[reference.number] is None
                ]
                assert all(value[reference.field] is None for value in shown), reference.name
                if reference.is_party:
                    foreign = [value for value in shown if value["name"] == reference.name]
                    document = {"kind": "PASSPORT", "number": PASSPORT}
                    assert all(value["idDocument"] == document for value in foreign)
                    shown = foreign
                if shown:
                    nobody.add(reference)
                    break
    assert {item.name for item in nobody} == {item.name for item in rows_without}
    left_out = {reference.name for reference in REFERENCES} - {item.name for item in nobody}
    assert left_out == KEYS


async def test_a_row_whose_number_cannot_be_read_is_counted_and_never_makes_a_list_empty(
    tmp_path: Path,
) -> None:
    marriage: Row = {"event_id": "M1", "husband_citizen_id": HOA, "wife_citizen_id": PASSPORT}
    marriages = {"civil_status": {"marriages": [marriage]}}
    query = f"""{{ person(id: "{HOA}") {{ civilStatus {{ marriages {{
        items {{ wife {{ name }} }} source {{ state }} }} }} }} }}"""
    async with running(tmp_path, world(marriages), DATABASES, LIVE) as gateway:
        body = await gateway.ask(query, scopes=EVERY)
    assert codes(body) == ["BAD_RECORD"]
    marriages_shown = body["data"]["person"]["civilStatus"]["marriages"]
    assert marriages_shown == {"items": None, "source": {"state": "PARTIAL"}}


async def test_a_walk_along_any_reference_ends_before_anything_is_read(tmp_path: Path) -> None:
    source = world({})
    people = [f"0010900{number:05}" for number in range(100)]
    async with running(tmp_path, source, DATABASES, LIVE) as gateway:
        for reference in REFERENCES:
            deep = wide = "id"
            for _ in range(5):
                deep = reference.selection(deep)
            body = await gateway.ask(f'{{ person(id: "{HOA}") {{ {deep} }} }}', scopes=EVERY)
            assert codes(body) == ["TOO_DEEP"], reference.name
            if all(step.record.single for step in reference.way):
                continue  # one row of each person, and so one person of each
            for _ in range(2):
                wide = reference.selection(wide, "(first: 200)")
            query = f"query($ids: [PersonNumber!]!) {{ persons(ids: $ids) {{ {wide} }} }}"
            body = await gateway.ask(query, {"ids": people}, scopes=EVERY)
            assert codes(body) in (["TOO_COSTLY"], ["TOO_DEEP"]), reference.name
        assert [name for name, *_ in source.fetched if not name.startswith("population.")] == []


#: Walks in a circle: the list, and what leads from its rows to the next person.
CIRCLES = {
    "births": "mother { person { %s } }",
    "marriages": "wife { person { %s } }",
    "recognitions": "recognised { %s }",
    "guardianships": "ward { %s }",
    "adoptions": "child { %s }",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CIRCLES)
async def test_a_circle_of_people_is_walked_as_far_as_the_document_goes_and_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, name: str
) -> None:
    """People recorded as their own parent or spouse; two who adopt, or look after, each other."""
    answer(way, monkeypatch)
    header: Row = {"registration_date": "2015-01-01", "status": "VALID"}
    rows: dict[str, list[Row]] = {
        "births": [{"event_id": "B", "citizen_id": HOA, "mother_citizen_id": HOA}],
        "marriages": [{"event_id": "M", "husband_citizen_id": HOA, "wife_citizen_id": HOA}],
        "recognitions": [{"event_id": "R", "recognising_id": HOA, "recognised_id": HOA}],
        "guardianships": [
            {"event_id": "G1", "ward_id": LAN, "guardian_citizen_id": HOA},
            {"event_id": "G2", "ward_id": HOA, "guardian_citizen_id": LAN},
        ],
        "adoptions": [
            {"event_id": "A1", "child_id": LAN, "adopter_father_id": HOA},
            {"event_id": "A2", "child_id": HOA, "adopter_mother_id": LAN},
        ],
    }
    source = world({"civil_status": {name: [header | row for row in rows[name]]}})
    selected = "id"
    for _ in range(2):
        selected = f"id civilStatus {{ {name} {{ items {{ {CIRCLES[name] % selected} }} }} }}"
    purpose = PURPOSES.get(name, UNIFIED)
    async with running(tmp_path, source, DATABASES, LIVE) as gateway:
        token = gateway.token(*EVERY, purposes=[purpose])
        query = f'{{ person(id: "{HOA}") {{ {selected} }} }}'
        body = (await gateway.post(query, None, token, x_purpose=purpose)).json()
    assert codes(body) == []
    assert set(re.findall("[0-9]{12}", str(body["data"]))) == (
        {HOA, LAN} if len(rows[name]) > 1 else {HOA}
    )
    keys = [key for _, lookup, asked in source.fetched if lookup == name for key in asked]
    assert len(keys) == len(set(keys)), "nobody's list is read twice"


@pytest.mark.parametrize("way", WAYS)
async def test_hundreds_of_children_are_cut_at_the_limit_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    answer(way, monkeypatch)
    births: list[Row] = [
        {"event_id": f"B{place:03}", "citizen_id": f"0010900{place:05}", "mother_citizen_id": LAN}
        for place in range(500)
    ]
    query = f"""{{ person(id: "{LAN}") {{ civilStatus {{
        birthsOfChildren(first: 200) {{ items {{ person {{ askedAs }} }} truncated }} }} }} }}"""
    source = world({"civil_status": {"births": births}})
    limits = Limits(deadline=120, persons_reached=100)
    async with running(tmp_path / "all", source, DATABASES, LIVE) as gateway:
        whole = await gateway.ask(query, scopes=EVERY)
    async with running(tmp_path / "few", source, DATABASES, LIVE, limits=limits) as gateway:
        cut = await gateway.ask(query, scopes=EVERY)
    children = whole["data"]["person"]["civilStatus"]["birthsOfChildren"]
    assert children["truncated"]
    assert len(children["items"]) == 200
    assert codes(whole) == []
    assert {item["person"] is None for item in children["items"]} == {False}
    opened = [
        item["person"] for item in cut["data"]["person"]["civilStatus"]["birthsOfChildren"]["items"]
    ]
    assert sum(person is not None for person in opened) == 99, "and the mother"
    assert set(codes(cut)) == {"TOO_MANY_PERSONS"}


@pytest.mark.parametrize("way", WAYS)
async def test_a_row_that_names_too_many_people_leads_to_none_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    answer(way, monkeypatch)
    children = [f"0010900{place:05}" for place in range(MOST_LINKED + 1)]
    notes: list[Row] = [
        {"event_id": "N1", "citizen_id": HOA, "event_type": "DIVORCE", "child_ids": children},
        {"event_id": "N2", "citizen_id": HOA, "event_type": "DIVORCE", "child_ids": children[1:]},
        {"event_id": "N3", "citizen_id": HOA, "event_type": "DIVORCE", "child_ids": []},
    ]
    query = f"""{{ person(id: "{HOA}") {{ civilStatus {{
        courtNotes {{ items {{ childIds children {{ askedAs }} }} }} }} }} }}"""
    async with running(
        tmp_path, world({"civil_status": {"court_notes": notes}}), DATABASES, LIVE
    ) as gateway:
        body = await gateway.ask(query, scopes=EVERY)
    first, second, third = body["data"]["person"]["civilStatus"]["courtNotes"]["items"]
    assert (len(first["childIds"]), first["children"]) == (MOST_LINKED + 1, None)
    assert [child["askedAs"] for child in second["children"]] == children[1:]
    assert third["children"] == []
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "TOO_MANY_PERSONS"
    assert error["path"] == ["person", "civilStatus", "courtNotes", "items", 0, "children"]
