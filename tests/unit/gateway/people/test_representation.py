"""Who may ask in another person's place: the records of today decide, not the token alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.people import HOA, LAN, OLD_NUMBER
from tests.support.representation import (
    AUTHORISATION,
    CHILD,
    authorised,
    birth,
    books,
    death,
    guardianship,
    verdict,
)
from tests.support.running import codes, running
from tests.support.worlds import ALL, LIVE, Row, acting


@pytest.mark.parametrize("role", ["mother", "father"])
@pytest.mark.parametrize("status", ["VALID", "AMENDED"])
async def test_a_parent_asks_for_a_minor(tmp_path: Path, role: str, status: str) -> None:
    row = birth(status=status, **{f"{role}_citizen_id": LAN})
    assert await verdict(tmp_path, books(births=[row])) == "shown"


async def test_a_parent_whom_the_birth_names_by_an_old_number_does_so_too(tmp_path: Path) -> None:
    all_sources = books(births=[birth(father_citizen_id=OLD_NUMBER)])
    assert await verdict(tmp_path, all_sources, representative=HOA) == "shown"


@pytest.mark.parametrize(
    "row",
    [
        birth(mother_citizen_id=HOA),
        birth(requester_citizen_id=LAN),
        birth(status="SUPERSEDED"),
        birth(status="REVOKED"),
        birth(status=None),
        {**birth(), "citizen_id": LAN, "mother_citizen_id": CHILD},
    ],
)
async def test_no_birth_in_force_that_names_them_a_parent_is_no_ground(
    tmp_path: Path, row: Row
) -> None:
    assert await verdict(tmp_path, books(births=[row])) == "DENIED"


@pytest.mark.parametrize(("seconds", "expected"), [(14 * 3600 - 1, "shown"), (14 * 3600, "DENIED")])
async def test_the_child_comes_of_age_when_the_day_begins_in_viet_nam(
    tmp_path: Path, seconds: int, expected: str
) -> None:
    """The tests' clock stands at 3:00 UTC; the birthday begins at 17:00 UTC."""
    later = timedelta(seconds=seconds)
    assert await verdict(tmp_path, books(births=[birth()]), later=later) == expected


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("2009", "shown"),
        ("2008", "DENIED"),
        ("2008-12", "shown"),
        ("2008-11", "DENIED"),
        ("2008-11-23", "DENIED"),
        (None, "DENIED"),
    ],
)
async def test_of_a_partial_date_the_first_day_counts(
    tmp_path: Path, born: str | None, expected: str
) -> None:
    assert await verdict(tmp_path, books(births=[birth(born)])) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "shown"),
        ({"status": "AMENDED"}, "shown"),
        ({"start_date": "2026-11-23"}, "shown"),
        ({"start_date": "2026-11-24"}, "DENIED"),
        ({"start_date": None}, "DENIED"),
        ({"end_date": "2026-11-24"}, "shown"),
        ({"end_date": "2026-11-23"}, "DENIED"),
        ({"end_date": "2020-01-02"}, "DENIED"),
        ({"status": "REVOKED"}, "DENIED"),
        ({"status": "SUPERSEDED"}, "DENIED"),
        ({"guardian_citizen_id": HOA}, "DENIED"),
        ({"guardian_citizen_id": HOA, "supervisor_id": LAN}, "DENIED"),
        ({"ward_id": LAN, "guardian_citizen_id": CHILD}, "DENIED"),
        ({"ward_id": HOA, "supervisor_id": CHILD}, "DENIED"),
    ],
)
async def test_a_guardian_asks_for_the_ward_while_the_guardianship_runs(
    tmp_path: Path, changes: Row, expected: str
) -> None:
    all_sources = books(guardianships=[guardianship(**changes)])
    assert await verdict(tmp_path, all_sources) == expected


async def test_a_guardianship_that_ended_does_not_take_from_a_parent(tmp_path: Path) -> None:
    past_guardianship = guardianship(end_date="2020-01-01")
    assert (
        await verdict(tmp_path, books(births=[birth()], guardianships=[past_guardianship]))
        == "shown"
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "shown"),
        ({"status": "CANCELLED"}, "DENIED"),
        ({"status": "DECLARED_INVALID"}, "DENIED"),
        ({"status": None}, "DENIED"),
        ({"kind": "SALE"}, "DENIED"),
    ],
)
async def test_whom_a_person_authorised_before_a_notary_asks_for_them(
    tmp_path: Path, changes: Row, expected: str
) -> None:
    code = await verdict(tmp_path, authorised(changes), authorisation=AUTHORISATION)
    assert code == expected


@pytest.mark.parametrize(
    "parties",
    [
        (("PRINCIPAL", LAN), ("AGENT", CHILD)),
        (("PRINCIPAL", CHILD), ("AGENT", HOA)),
        (("PRINCIPAL", HOA), ("AGENT", LAN), ("WITNESS", CHILD)),
        (("PRINCIPAL", CHILD), ("WITNESS", LAN)),
    ],
)
async def test_an_authorisation_between_others_is_no_ground(
    tmp_path: Path, parties: tuple[tuple[str, str], ...]
) -> None:
    all_sources = authorised(None, *parties)
    assert await verdict(tmp_path, all_sources, authorisation=AUTHORISATION) == "DENIED"


@pytest.mark.parametrize("number", ["1235/2026", None])
async def test_only_the_number_in_the_token_is_looked_at(
    tmp_path: Path, number: str | None
) -> None:
    assert await verdict(tmp_path, authorised(), authorisation=number) == "DENIED"


async def test_a_parent_who_names_no_valid_authorisation_is_denied(tmp_path: Path) -> None:
    all_sources = books(births=[birth()])
    assert await verdict(tmp_path, all_sources, authorisation=AUTHORISATION) == "DENIED"


@pytest.mark.parametrize("authorisation", [None, AUTHORISATION])
@pytest.mark.parametrize(("status", "expected"), [("VALID", "DENIED"), ("REVOKED", "shown")])
async def test_representation_ends_with_death(
    tmp_path: Path, authorisation: str | None, status: str, expected: str
) -> None:
    civil_status: dict[str, list[Row]] = {"births": [birth()], "deaths": [death(status=status)]}
    all_sources = books(**civil_status)
    all_sources["notary"] = authorised()["notary"]
    assert await verdict(tmp_path, all_sources, authorisation=authorisation) == expected


async def test_a_death_under_an_earlier_number_ends_it_too(tmp_path: Path) -> None:
    ward = {"ward_id": HOA}
    rows = [guardianship(**ward)]
    all_sources = books(guardianships=rows, deaths=[death(OLD_NUMBER)])
    assert await verdict(tmp_path, all_sources, represented=HOA) == "DENIED"


async def test_records_read_earlier_bear_nothing_out_while_the_books_cannot_be_asked(
    tmp_path: Path,
) -> None:
    """A guardianship may have ended since, and the ward may have died."""
    all_sources = books(births=[birth()])
    civil_status = LIVE["civil_status"].model_copy(update={"stale_if_error": 300.0})
    async with running(
        tmp_path, all_sources, ALL, {**LIVE, "civil_status": civil_status}
    ) as gateway:
        stated = {"x_purpose": "", "x_case_number": ""}
        token = acting(gateway, LAN, CHILD, None)
        before = await gateway.post("{ me { id } }", None, token, **stated)
        all_sources.of("civil_status").fault = "down"
        after = await gateway.post("{ me { id } }", None, token, **stated)
    assert "errors" not in before.json()
    assert codes(after.json()) == ["REPRESENTATION_UNCHECKED"]


async def test_the_cache_does_not_tell_a_representative_that_others_looked(tmp_path: Path) -> None:
    """From representatives some look-ups are hidden for good; reports say when rows were read."""
    databases = {
        name: settings.model_copy(update={"fresh": 600.0}) for name, settings in LIVE.items()
    }
    sections = "{ population { identity { source { fromCache } } } }"
    async with running(tmp_path, books(births=[birth()]), ALL, databases) as gateway:
        officer = gateway.token("population:read")
        for _ in range(2):
            officer_answer = await gateway.post(
                f'{{ person(id: "{CHILD}") {sections} }}', None, officer
            )
        assert "true" in officer_answer.text
        token = acting(gateway, LAN, CHILD, None)
        stated = {"x_purpose": "", "x_case_number": ""}
        own_answer = await gateway.post(f"{{ me {sections} }}", None, token, **stated)
    assert own_answer.json()["data"]["me"]["population"]["identity"]["source"] == {
        "fromCache": False
    }
