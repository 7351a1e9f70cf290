"""Entries of the journal: who, when, why and about whom, without any person number.

Covers ``gateway.audit.record``.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.population import DATABASE as POPULATION
from connectors.values import person_number
from gateway.access.caller import Caller
from gateway.answer import State
from gateway.audit.entry import (
    RequestOutcome,
    describe_touched,
    encode_entry,
    person_hash,
    person_hashes,
    without_numbers,
)
from gateway.audit.touched import Role
from gateway.catalogue.permitted import Missing, Need
from gateway.derived.unsanctioned import DERIVED as UNSANCTIONED
from gateway.keys.keyring import Keyring, Secret
from gateway.plan.permissions import requested_fields
from gateway.protection.represented import is_closed
from tests.support.generated import PATIENT
from tests.support.people import DEAD, HOA, LAN, OLD_NUMBER

OLDEST, FORMER, SECRET = (Secret.of(letter * 32) for letter in (b"a", b"f", b"s"))
RING = Keyring(SECRET)
AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
MARRIAGES = CIVIL_STATUS.by_name["marriages"]
IDENTITY = POPULATION.by_name["identity"]
READ = ["civil_status.marriages", "population.identity"]
SECTIONS = {"population.identity": "ANSWERED", "civil_status.marriages": "UNAVAILABLE"}
OFFICER = Caller(
    client="desk",
    agency="Sở Tư pháp",
    subject="officer-1",
    token_id="t1",
    purpose="1.000894",
    case_number="H29-2026-0001",
)

Person = tuple[str, Role, Sequence[str]]


def _entry(
    caller: Caller = OFFICER,
    people: Iterable[Person] = ((HOA, Role.NAMED, READ),),
    ring: Keyring = RING,
    sections: Mapping[str, str] = SECTIONS,
    beside: Iterable[str] = (),
    **more: Any,
) -> dict[str, Any]:
    """Return an entry as it is read back from the journal."""
    codes = ["SOURCE_UNAVAILABLE", "SOURCE_UNAVAILABLE"]
    states = {name: State[state] for name, state in sections.items()}
    touched = describe_touched(ring, people, states, beside)
    entry = encode_entry(ring, AT, "request-1", caller, "d" * 64, touched, codes, **more)
    result: dict[str, Any] = orjson.loads(entry)
    return result


def _operation(needs: Sequence[Need], lacking: Sequence[Missing]) -> bytes:
    """Return what an entry says of ``needs`` all of which are asked for."""
    return requested_fields(needs, [True] * len(needs), lacking)


def _persons(*numbers: str) -> list[Person]:
    return [(number, Role.NAMED, ()) for number in numbers]


def test_an_entry_says_who_asked_when_why_and_from_where_it_was_answered() -> None:
    operation = _operation([(MARRIAGES, None), (MARRIAGES, 0)], [(), ()])
    result = _entry(requested=operation)
    assert re.fullmatch(r"[0-9a-f]{16}", result.pop("id"))
    assert result == {
        "at": "2026-11-23T03:00:00+00:00",
        "requestId": "request-1",
        "client": "desk",
        "agency": "Sở Tư pháp",
        "subject": "officer-1",
        "tokenId": "t1",
        "purpose": "1.000894",
        "caseNumber": "H29-2026-0001",
        "document": "d" * 64,
        "operation": None,
        "result": "ANSWERED",
        "persons": [{"person": person_hash(RING, HOA), "role": "NAMED", "sections": READ}],
        "sections": {"civil_status.marriages": "UNAVAILABLE", "population.identity": "ANSWERED"},
        "asked": {"fields": {"civil_status.marriages": ["event_id"]}, "lacking": []},
        "codes": ["SOURCE_UNAVAILABLE"],
        "showsFrom": None,
        "hiddenFromGuardians": False,
    }


def test_every_entry_has_an_id_of_its_own() -> None:
    assert len({_entry()["id"] for _ in range(100)}) == 100


def test_a_refusal_says_that_there_was_no_answer() -> None:
    result = _entry(people=[(HOA, Role.REFUSED, ())], sections={}, result=RequestOutcome.REFUSED)
    assert result["result"] == "REFUSED"
    assert [person["role"] for person in result["persons"]] == ["REFUSED"]
    assert result["asked"] == {}, "at times it was not even read what was asked"


def test_people_stand_with_their_role_and_what_was_read_of_each() -> None:
    people: list[Person] = [
        (HOA, Role.NAMED, READ),
        (LAN, Role.KIN, ["population.identity"]),
        (DEAD, Role.MENTIONED, ()),
    ]
    assert _entry(people=people)["persons"] == [
        {"person": person_hash(RING, HOA), "role": "NAMED", "sections": READ},
        {"person": person_hash(RING, LAN), "role": "KIN", "sections": ["population.identity"]},
        {"person": person_hash(RING, DEAD), "role": "MENTIONED", "sections": []},
    ]


@pytest.mark.parametrize("role", Role)
def test_every_role_is_written_by_its_name(role: Role) -> None:
    (person,) = _entry(people=[(HOA, role, ())])["persons"]
    assert person["role"] == role.name


def test_an_answer_that_touched_nobody_names_nobody() -> None:
    assert _entry(people=())["persons"] == []


def _numbers(entry: Mapping[str, object]) -> list[str]:
    """Return what reads like a person's number in an entry: digits that stand by themselves."""
    return re.findall(
        r"(?<![0-9a-f])(?:[0-9]{12}|[0-9]{9})(?![0-9a-f])", orjson.dumps(entry).decode()
    )


def test_no_person_is_named_by_number() -> None:
    assert _numbers(_entry(people=_persons(HOA, LAN, DEAD, OLD_NUMBER))) == []


def test_a_citizen_who_asks_is_not_named_either() -> None:
    citizen = Caller(client="portal", subject=HOA, scopes=frozenset({"me"}), citizen=HOA)
    result = _entry(citizen, [(HOA, Role.OWN, ())])
    assert _numbers(result) == []
    assert result["subject"] == person_hash(RING, HOA)
    (person,) = result["persons"]
    assert person["person"] == result["subject"], "the log shows that it was their own view"


def test_whoever_asks_for_somebody_is_the_subject_and_not_named_either() -> None:
    """Whatever a token has for a subject: the representative was found in it."""
    mother = Caller(
        client="portal", subject="portal-77", scopes=frozenset({"me"}), citizen=HOA,
        representative=LAN,
    )  # fmt: skip
    result = _entry(mother, [(HOA, Role.REPRESENTED, ())])
    assert _numbers(result) == []
    assert result["subject"] == person_hash(RING, LAN)
    assert [person["person"] for person in result["persons"]] == [person_hash(RING, HOA)]


def test_an_officer_whose_token_names_them_by_number_is_not_named_either() -> None:
    officer = Caller(client="desk", subject=LAN, scopes=frozenset({"population:read"}))
    result = _entry(officer)
    assert _numbers(result) == []
    assert result["subject"] == person_hash(RING, LAN)


@pytest.mark.parametrize("template", ["x{}", "{}/1", "HS {}", "mailto:{}@moj.example"])
@pytest.mark.parametrize("number", [HOA, OLD_NUMBER, "001.183.274.301", "001 183 274 301"])
def test_a_number_within_what_a_token_or_a_header_says_is_redacted(
    template: str, number: str
) -> None:
    text = template.format(number)
    caller = Caller(
        client=text, agency=text, subject=text, token_id=text, purpose=text, case_number=text
    )
    result = _entry(caller)
    digits = "".join(character for character in number if character.isdigit())
    redacted = template.format("…" + person_hash(RING, digits).partition(":")[2][:8])
    names = ("client", "agency", "subject", "tokenId", "purpose", "caseNumber")
    assert {name: result[name] for name in names} == dict.fromkeys(names, redacted)
    touched = describe_touched(RING, (), {})
    entry = orjson.loads(encode_entry(RING, AT, text, caller, "d" * 64, touched, ()))
    assert entry["requestId"] == redacted


def test_an_anonymous_subject_stays_empty() -> None:
    assert _entry(Caller())["subject"] is None


def test_the_same_number_has_the_same_hash_and_under_another_key_another() -> None:
    other = Keyring(FORMER)
    assert person_hash(RING, HOA) == person_hash(RING, HOA)
    assert person_hash(RING, HOA) != person_hash(RING, LAN)
    assert person_hash(RING, HOA) != person_hash(other, HOA)
    assert _entry()["persons"] != _entry(ring=other)["persons"]


def test_a_hash_tells_its_key_and_else_nothing_by_its_form() -> None:
    for number in (HOA, OLD_NUMBER):
        assert re.fullmatch(rf"{SECRET.id}:[0-9a-f]{{64}}", person_hash(RING, number))


def test_a_new_hash_is_made_with_the_current_key_alone() -> None:
    rotated = Keyring(SECRET, (FORMER, OLDEST))
    assert person_hash(rotated, HOA) == person_hash(RING, HOA)
    assert _entry(ring=rotated)["persons"] == _entry()["persons"]


def test_what_was_written_under_former_keys_is_found_again() -> None:
    rotated = Keyring(SECRET, (FORMER, OLDEST))
    hashes = [person_hash(Keyring(key), HOA) for key in (SECRET, FORMER, OLDEST)]
    assert person_hashes(rotated, [HOA]) == hashes
    assert person_hashes(RING, [HOA]) == hashes[:1]


def test_every_number_of_a_person_is_looked_for_under_every_key() -> None:
    rotated = Keyring(SECRET, (FORMER,))
    result = person_hashes(rotated, [HOA, OLD_NUMBER])
    separate = [*person_hashes(rotated, [HOA]), *person_hashes(rotated, [OLD_NUMBER])]
    assert result == separate
    assert len(set(result)) == 4
    assert person_hashes(rotated, []) == []
    assert not set(result) & set(person_hashes(rotated, [LAN]))


def test_what_was_asked_is_told_by_record_and_column() -> None:
    needs = [(MARRIAGES, None), (IDENTITY, 0), (MARRIAGES, 24), (MARRIAGES, 13)]
    assert orjson.loads(_operation(needs, [()] * 4)) == {
        "fields": {
            "civil_status.marriages": ["husband_ethnicity", "requester_relation"],
            "population.identity": ["citizen_id"],
        },
        "lacking": [],
    }


def test_what_only_has_to_be_looked_at_was_not_asked_for() -> None:
    """A struct is null or not by all of its columns: they are needed, whoever may see them."""
    needs: list[Need] = [(MARRIAGES, None), (MARRIAGES, 21), (MARRIAGES, 24), (IDENTITY, 0)]
    lacking = [(), (), ("civil_status:sensitive",), ("population:read",)]
    assert orjson.loads(requested_fields(needs, [True, True, False, False], lacking)) == {
        "fields": {"civil_status.marriages": ["husband_name"]},
        "lacking": [],
    }


def test_a_derived_view_is_asked_for_by_its_name() -> None:
    name = "administrative_violations.is_considered_unsanctioned"
    assert orjson.loads(_operation([(UNSANCTIONED, None)], [()]))["fields"] == {name: []}


def test_what_is_lacking_is_told_once_and_in_order() -> None:
    caller = replace(OFFICER, scopes=frozenset({"civil_status:read"}))
    needs = [(IDENTITY, None), (IDENTITY, 0), (MARRIAGES, 24), (MARRIAGES, 0)]
    lacking = [caller.missing_for(*need) for need in needs]
    assert lacking[-1] == ()
    assert orjson.loads(_operation(needs, lacking))["lacking"] == [
        "civil_status:sensitive",
        "population:read",
        "purpose:civil_status.marriages.husband.ethnicity",
    ]


def test_an_entry_that_is_deferred_says_from_when_it_shows() -> None:
    assert _entry(deferred=timedelta(days=30))["showsFrom"] == "2026-12-23T03:00:00+00:00"
    assert _entry(deferred=timedelta(hours=1))["showsFrom"] == "2026-11-23T04:00:00+00:00"


@pytest.mark.parametrize("deferred", [None, timedelta(0)])
def test_an_entry_that_is_not_deferred_shows_at_once(deferred: timedelta | None) -> None:
    assert _entry(deferred=deferred)["showsFrom"] is None


@pytest.mark.parametrize(
    "sections",
    [{"legal_aid.cases": "ANSWERED"}, {**SECTIONS, "legal_aid.providers": "UNAVAILABLE"},
     {"population.protection_orders": "WITHHELD"}],
)  # fmt: skip
def test_what_asks_about_legal_aid_or_protection_is_hidden_from_guardians(
    sections: dict[str, str],
) -> None:
    """Whether it was answered or not: that somebody asked says it all."""
    assert _entry(sections=sections)["hiddenFromGuardians"]


@pytest.mark.parametrize("beside", ["legal_aid.cases", "population.protection_orders"])
def test_so_is_what_another_entry_of_the_request_tells_of(beside: str) -> None:
    entry = _entry(beside=[beside])
    assert entry["hiddenFromGuardians"]
    assert entry["sections"] == SECTIONS, "it does not tell of it itself"


@pytest.mark.parametrize("purpose", ["2.000829", "2.000829.H29", "address-protection"])
def test_so_is_whatever_is_asked_for_such_a_purpose(purpose: str) -> None:
    assert _entry(replace(OFFICER, purpose=purpose))["hiddenFromGuardians"]
    entry = _entry(replace(OFFICER, purpose=purpose), sections={}, result=RequestOutcome.REFUSED)
    assert entry["hiddenFromGuardians"]


@pytest.mark.parametrize("purpose", [None, "1.000894", "1.000894.H29", "guardianship"])
def test_nothing_else_is_hidden_from_guardians(purpose: str | None) -> None:
    sections = {**SECTIONS, "population.residences": "DENIED", "civil_status.adoptions": "WITHHELD"}
    assert not _entry(replace(OFFICER, purpose=purpose), sections=sections)["hiddenFromGuardians"]


@PATIENT
@given(
    st.lists(st.from_regex(r"[0-9]{12}|[0-9]{9}", fullmatch=True), max_size=5),
    st.from_regex(r"[0-9]{12}|[0-9]{9}", fullmatch=True),
)
def test_whatever_the_numbers_none_is_in_the_entry(persons: list[str], subject: str) -> None:
    assert _numbers(_entry(Caller(client="c", subject=subject), _persons(*persons))) == []


NUMBERS = st.from_regex(r"[0-9]{12}|[0-9]{9}", fullmatch=True)
TEXTS = st.none() | NUMBERS | st.text(max_size=12) | st.sampled_from(["HS 001 183 274 301", 'a"\n'])
LISTS = st.sampled_from(
    [*READ, "legal_aid.cases", "population.protection_orders", "audit.access_log", 'không"']
)
CALLERS = st.builds(
    Caller,
    client=TEXTS,
    agency=TEXTS,
    subject=TEXTS,
    representative=st.none() | NUMBERS,
    token_id=TEXTS,
    purpose=TEXTS | st.sampled_from(["2.000829", "address-protection"]),
    case_number=TEXTS,
)
PEOPLE = st.lists(
    st.tuples(NUMBERS, st.sampled_from(Role), st.lists(LISTS, max_size=4).map(sorted)), max_size=6
)
RINGS = st.permutations([SECRET, FORMER, OLDEST]).map(lambda keys: Keyring(keys[0], (*keys[1:],)))


def _plain_hash(key: Secret, number: str) -> str:
    return f"{key.id}:{hmac.new(key.key, number.encode(), 'sha256').hexdigest()}"


def _plain_subject(ring: Keyring, subject: str | None) -> str | None:
    try:
        return _plain_hash(ring.current, person_number(subject or ""))
    except ValueError:
        return without_numbers(ring, subject)


@PATIENT
@given(
    ring=RINGS,
    at=st.datetimes(timezones=st.just(UTC), max_value=AT.replace(year=9000, tzinfo=None)),
    request_id=st.text(max_size=40),
    caller=CALLERS,
    people=PEOPLE,
    states=st.dictionaries(LISTS, st.sampled_from(State)),
    codes=st.lists(st.sampled_from(["TIMED_OUT", "SOURCE_UNAVAILABLE", "DENIED"])),
    requested=st.sampled_from([b"{}", b'{"fields":{"population.identity":["sex"]},"lacking":[]}']),
    result=st.sampled_from(RequestOutcome),
    deferred=st.none() | st.timedeltas(timedelta(0), timedelta(days=900)),
    operation=st.none() | st.text(max_size=12),
)
def test_an_entry_joined_from_remembered_parts_is_the_entry_that_is_encoded_at_once(
    ring: Keyring,
    at: datetime,
    request_id: str,
    caller: Caller,
    people: list[Person],
    states: dict[str, State],
    codes: list[str],
    requested: bytes,
    result: RequestOutcome,
    deferred: timedelta | None,
    operation: str | None,
) -> None:
    """Byte by byte, and under every key."""
    touched = describe_touched(ring, people, states)
    entry = encode_entry(
        ring,
        at,
        request_id,
        caller,
        "d" * 64,
        touched,
        codes,
        requested,
        result,
        deferred,
        operation,
    )
    expected = {
        "id": orjson.loads(entry)["id"],
        "at": at.isoformat(),
        "requestId": without_numbers(ring, request_id),
        "client": without_numbers(ring, caller.client),
        "agency": without_numbers(ring, caller.agency),
        "subject": _plain_subject(ring, caller.representative or caller.subject),
        "tokenId": without_numbers(ring, caller.token_id),
        "purpose": without_numbers(ring, caller.purpose),
        "caseNumber": without_numbers(ring, caller.case_number),
        "document": "d" * 64,
        "operation": operation,
        "result": result.name,
        "persons": [
            {"person": _plain_hash(ring.current, number), "role": role.name, "sections": sections}
            for number, role, sections in people
        ],
        "sections": {name: states[name].name for name in sorted(states)},
        "asked": orjson.Fragment(requested),
        "codes": sorted(set(codes)),
        "showsFrom": (at + deferred).isoformat() if deferred else None,
        "hiddenFromGuardians": is_closed(
            [*states, *(name for _, _, sections in people for name in sections)], caller.purpose
        ),
    }
    assert entry == orjson.dumps(expected)
    assert len(expected["id"]) == 16


@PATIENT
@given(NUMBERS, st.lists(st.sampled_from([SECRET, FORMER, OLDEST]), min_size=1))
def test_a_hash_that_is_remembered_is_never_that_of_another_key(
    number: str, keys: list[Secret]
) -> None:
    for key in keys:
        assert person_hash(Keyring(key), number) == _plain_hash(key, number)


def test_keys_of_the_same_id_have_different_hashes() -> None:
    """An id has 32 bits: two keys may share it. Hashes are remembered by the whole key."""
    twin = Secret(b"t" * 32, SECRET.id)
    assert person_hash(RING, HOA) != person_hash(Keyring(twin), HOA)
    caller = Caller(client="c", subject=LAN)
    assert _entry(caller)["subject"] != _entry(caller, ring=Keyring(twin))["subject"]
