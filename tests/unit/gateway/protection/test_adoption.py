"""Only the registering agency sees an adoption, under an adoption procedure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from connectors.synthetic import PopulationOptions, clusters, write
from gateway.procedures.procedure import UNIFIED
from gateway.protection.adoption import PURPOSE
from gateway.settings import DatabaseSettings
from tests.support.people import DEAD, HOA, LAN, backends
from tests.support.running import OFFICER, Running, running

CHILD = "001220000001"
BIRTHS: list[dict[str, object]] = [
    {
        "event_id": "original",
        "event_type": "BIRTH",
        "citizen_id": CHILD,
        "mother_citizen_id": LAN,
        "status": "SUPERSEDED",
    },
    {
        "event_id": "in force",
        "event_type": "BIRTH",
        "citizen_id": CHILD,
        "father_citizen_id": DEAD,
        "status": "VALID",
    },
]
QUERY = """query($id: PersonNumber!) { person(id: $id) { civilStatus {
  births(status: [VALID, SUPERSEDED]) { items { eventId } truncated }
  birthsOfChildren { items { eventId } }
  courtNotes { items { eventId } }
  adoptions { items { eventId } source { state } } } } }"""
SCOPES = (*OFFICER, "civil_status:restricted")


def events(section: dict[str, Any], name: str) -> list[str]:
    return [row["eventId"] for row in section[name]["items"]]


async def sections(gateway: Running, number: str, **headers: Any) -> dict[str, Any]:
    token = gateway.token(*SCOPES, purposes=[PURPOSE, UNIFIED])
    answer = await gateway.post(QUERY, {"id": number}, token, **headers)
    civil_status: dict[str, Any] = answer.json()["data"]["person"]["civilStatus"]
    return civil_status


async def test_originals_notes_and_records_are_hidden_from_everybody_else(tmp_path: Path) -> None:
    async with running(tmp_path, backends(civil_status={"births": BIRTHS})) as gateway:
        child = await sections(gateway, CHILD)
        mother = await sections(gateway, LAN)
        adopted = await sections(gateway, HOA)
        father = await sections(gateway, DEAD)
    assert events(child, "births") == ["in force"]
    assert events(mother, "birthsOfChildren") == []
    assert events(father, "birthsOfChildren") == ["in force"]
    assert events(adopted, "courtNotes") == ["N2"]
    assert adopted["adoptions"] == {"items": None, "source": {"state": "WITHHELD"}}


async def test_the_registering_agency_sees_them_under_the_adoption_purpose(tmp_path: Path) -> None:
    async with running(tmp_path, backends(civil_status={"births": BIRTHS})) as gateway:
        child = await sections(gateway, CHILD, x_purpose=PURPOSE)
        adopted = await sections(gateway, HOA, x_purpose=PURPOSE)
    assert sorted(events(child, "births")) == ["in force", "original"]
    assert sorted(events(adopted, "courtNotes")) == ["N1", "N2"]
    assert events(adopted, "adoptions") == ["A1"]


@pytest.mark.parametrize("is_own_view", [True, False])
async def test_no_answer_about_a_synthetic_adoptee_gives_the_adoption_away(
    tmp_path: Path, is_own_view: bool
) -> None:
    """Everything that can be selected about an adoptee, searched for the parents by birth."""
    options = PopulationOptions(people=3_000)
    truths = [truth for cluster in clusters(options) for truth in cluster.truth]
    adoptees = [
        truth
        for truth in truths
        if truth.adopted
        and (truth.birth_mother_id, truth.birth_father_id) != (truth.mother_id, truth.father_id)
    ][:5]
    assert adoptees, "the population has adoptees whose birth was registered anew"
    databases = [POPULATION, CIVIL_STATUS]
    paths = {truth.name: tmp_path / f"{truth.name}.sqlite" for truth in databases}
    write(databases, paths, options)
    settings = {name: DatabaseSettings(url=f"sqlite:///{path}") for name, path in paths.items()}
    root = "me" if is_own_view else "person(id: $id)"
    query = f"""query($id: PersonNumber) {{ {root} {{ population {{ family {{ items {{ memberId name
    }} }} }}
      civilStatus {{ births {{ items {{ eventId note mother {{ citizenId name }}
        father {{ citizenId name }} }} }}
        changes {{ items {{ reason newValue oldValue }} }} recognitions {{ items {{ recognisingId }}
        }} guardianships {{ items {{ eventId note }} }} courtNotes {{ items {{ content note }} }}
        maritalStatusConfirmations {{ items {{ note }} }} }} }} }}"""
    if not is_own_view:
        query = query.replace("PersonNumber)", "PersonNumber!)")
    else:
        query = query.replace("query($id: PersonNumber)", "query")
    async with running(
        tmp_path, {}, databases=(POPULATION, CIVIL_STATUS), databases_=settings
    ) as gateway:
        for adoptee in adoptees:
            scopes = ("me",) if is_own_view else (*SCOPES, "population:sensitive")
            variables = None if is_own_view else {"id": adoptee.id}
            body = await gateway.ask(query, variables, scopes=scopes, subject=adoptee.id)
            text = json.dumps(body["data"], ensure_ascii=False)
            hidden_numbers = {adoptee.birth_mother_id, adoptee.birth_father_id} - {
                adoptee.mother_id,
                adoptee.father_id,
                None,
            }
            assert not [number for number in hidden_numbers if str(number) in text], adoptee.id
            assert "nuôi" not in text.lower()
