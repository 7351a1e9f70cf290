"""Entries of the journal: they say who, when, why and about whom, and name nobody by number."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

import orjson
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.caller import Caller
from gateway.audit.entry import entry, person_hash
from tests.support.generated import PATIENT
from tests.support.people import DEAD, HOA, LAN, OLD_NUMBER

SECRET, OTHER_SECRET = b"s" * 32, b"o" * 32
AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
OFFICER = Caller(
    client="desk",
    agency="Sở Tư pháp",
    subject="officer-1",
    token_id="t1",
    purpose="1.000894",
    case_number="H29-2026-0001",
)


def _entry(
    caller: Caller = OFFICER, persons: Iterable[str] = (HOA,), secret: bytes = SECRET
) -> dict[str, object]:
    sections = {"population.identity": "ANSWERED", "civil_status.marriages": "UNAVAILABLE"}
    codes = ["SOURCE_UNAVAILABLE", "SOURCE_UNAVAILABLE"]
    return entry(secret, AT, "request-1", caller, "d" * 64, persons, sections, codes)


def test_an_entry_says_who_asked_when_why_and_from_where_it_was_answered() -> None:
    assert _entry() == {
        "at": "2026-11-23T03:00:00+00:00",
        "requestId": "request-1",
        "client": "desk",
        "agency": "Sở Tư pháp",
        "subject": "officer-1",
        "tokenId": "t1",
        "purpose": "1.000894",
        "caseNumber": "H29-2026-0001",
        "document": "d" * 64,
        "persons": [person_hash(SECRET, HOA)],
        "sections": {"civil_status.marriages": "UNAVAILABLE", "population.identity": "ANSWERED"},
        "codes": ["SOURCE_UNAVAILABLE"],
    }


def _numbers(found: dict[str, object]) -> list[str]:
    """Return what reads like a person's number in an entry: digits that stand by themselves."""
    return re.findall(
        r"(?<![0-9a-f])(?:[0-9]{12}|[0-9]{9})(?![0-9a-f])", orjson.dumps(found).decode()
    )


def test_no_person_is_named_by_number() -> None:
    assert _numbers(_entry(persons=[HOA, LAN, DEAD, OLD_NUMBER])) == []


def test_a_citizen_who_asks_is_not_named_either() -> None:
    citizen = Caller(client="portal", subject=HOA, scopes=frozenset({"me"}), citizen=HOA)
    found = _entry(citizen)
    assert _numbers(found) == []
    assert found["subject"] == person_hash(SECRET, HOA)
    assert found["persons"] == [found["subject"]], "the log shows that it was their own view"


def test_an_officer_whose_token_names_them_by_number_is_not_named_either() -> None:
    officer = Caller(client="desk", subject=LAN, scopes=frozenset({"population:read"}))
    found = _entry(officer)
    assert _numbers(found) == []
    assert found["subject"] == person_hash(SECRET, LAN)


def test_an_anonymous_subject_stays_empty() -> None:
    assert _entry(Caller())["subject"] is None


def test_the_same_number_has_the_same_hash_and_under_another_key_another() -> None:
    assert person_hash(SECRET, HOA) == person_hash(SECRET, HOA)
    assert person_hash(SECRET, HOA) != person_hash(SECRET, LAN)
    assert person_hash(SECRET, HOA) != person_hash(OTHER_SECRET, HOA)
    assert _entry()["persons"] != _entry(secret=OTHER_SECRET)["persons"]


def test_a_hash_tells_nothing_by_its_form() -> None:
    assert all(
        re.fullmatch(r"[0-9a-f]{64}", person_hash(SECRET, number)) for number in (HOA, OLD_NUMBER)
    )


def test_a_person_touched_twice_is_named_once_and_the_order_tells_nothing() -> None:
    assert _entry(persons=[HOA, LAN, HOA]) == _entry(persons=[LAN, HOA])


@PATIENT
@given(
    st.lists(st.from_regex(r"[0-9]{12}|[0-9]{9}", fullmatch=True), max_size=5),
    st.from_regex(r"[0-9]{12}|[0-9]{9}", fullmatch=True),
)
def test_whatever_the_numbers_none_is_in_the_entry(persons: list[str], subject: str) -> None:
    assert _numbers(_entry(Caller(client="c", subject=subject), persons)) == []
