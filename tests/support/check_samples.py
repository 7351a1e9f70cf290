"""For each check a case among generated people that comes out as well as its procedure permits.

``tests/unit/gateway/procedures/test_faults_of_checks.py`` makes databases and lists fail for each
of them, and demands an entry of every check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from connectors.synthetic import PersonTruth, PopulationOptions, clusters
from tests.support.evidence import TODAY
from tests.support.synthetic_people import Sample

#: An input as the schema has it: what stands in the field of the check.
Input = Mapping[str, Any]


@dataclass(frozen=True)
class CheckSample:
    """Cases of which one comes out as ``outcome``.

    ``inputs``: yields cases of the people of a sample; the first that comes out so is taken.
    ``proved_elsewhere``: rule and list where a rule may pass although the list is not known:
    another list proves it by itself. ``at``: the day of the procedure.
    """

    inputs: Callable[[Sample], Iterator[Input]]
    outcome: str
    proved_elsewhere: frozenset[tuple[str, str]] = frozenset()
    at: date | None = None


@cache
def sample() -> Sample:
    """Return two thousand people with all their rows."""
    return Sample(options := PopulationOptions(people=2_000), list(clusters(options)))


def adults(people: Sample, sex: str | None = None, status: str | None = None) -> Iterator[str]:
    """Yield the numbers of living adults without contradictions.

    ``sex``: MALE or FEMALE; ``status``: as in ``PersonTruth.marital_status``.
    """
    for person in people.people.values():
        fits = sex in {None, person.sex} and status in {None, person.marital_status}
        if fits and _is_plain(person) and 22 <= TODAY.year - person.birth_date.year <= 60:
            yield person.id


def _is_plain(person: PersonTruth) -> bool:
    is_bound = person.incapacitated or person.missing_since or person.ward_of
    is_odd = person.conflicts or person.earlier_numbers or person.former_name
    return person.life_state == "ALIVE" and not (is_bound or is_odd)


def motherless(people: Sample) -> Iterator[Input]:
    """Yield people of whose mother nothing is known, and a woman who recognises them."""
    (woman, *_) = adults(people, "FEMALE")
    for child in people.people.values():
        if not child.mother_id and _is_plain(child):
            yield {"parent": woman, "child": child.id}


def _couples(people: Sample) -> Iterator[Input]:
    """Yield couples that were too young to marry on paper, with all grandparents known."""
    born_since = date(1999, 1, 1)
    grooms, brides = (
        [
            person.id
            for person in people.people.values()
            if person.sex == sex
            and person.birth_date >= born_since
            and TODAY.year - person.birth_date.year > youngest
            and person.marital_status == "SINGLE"
            and _is_plain(person)
            and _has_known_elders(people, person.id)
        ]
        for sex, youngest in (("MALE", 20), ("FEMALE", 18))
    )
    for groom, bride in zip(grooms, reversed(brides), strict=False):
        yield {"groom": groom, "bride": bride}


def _has_known_elders(people: Sample, number: str) -> bool:
    parents = _parents_of(people, number)
    return bool(parents) and all(_parents_of(people, parent) for parent in parents)


def _parents_of(people: Sample, number: str) -> tuple[str, ...]:
    """Return both parents of somebody who has the same by law and by blood; else nobody."""
    person = people.people[number]
    parents = (person.mother_id, person.father_id)
    if parents != (person.birth_mother_id, person.birth_father_id):
        return ()
    return tuple(parent for parent in parents if parent is not None) if all(parents) else ()


def sellers(people: Sample) -> Iterator[Input]:
    """Yield owners of homes without a block, with their spouses, and a woman who buys."""
    (buyer, *_) = adults(people, "FEMALE")
    for person in people.people.values():
        certificates = [asset.certificate_no for asset in person.assets if not asset.blocked]
        if certificates and certificates[0] and _is_plain(person) and person.id != buyer:
            given = {"seller": person.id, "buyer": buyer, "certificateNumber": certificates[0]}
            is_married = person.marital_status == "MARRIED"
            yield {**given, "spouse": person.marital_history[-1].spouse_id} if is_married else given


def lenders(people: Sample) -> Iterator[Input]:
    """Yield people who give something as security to the same woman."""
    (lender, *_) = adults(people, "FEMALE")
    for number in adults(people, "MALE"):
        yield {
            "operation": "REGISTRATION",
            "requester": "SECURED_PARTY",
            "securingParty": number,
            "securedParty": lender,
        }


def parties_of_cases(people: Sample) -> Iterator[Input]:
    """Yield parties of enforcement cases, each with the number of a decision."""
    for person in people.people.values():
        if _is_plain(person):
            for case in person.enforcement_cases:
                yield {"party": person.id, "decisionNumber": case.decision_no}


def minors(people: Sample) -> Iterator[str]:
    """Yield the numbers of living minors without contradictions."""
    for person in people.people.values():
        if _is_plain(person) and TODAY.year - person.birth_date.year < 18:
            yield person.id


def wards(people: Sample) -> Iterator[Input]:
    """Yield minors, whose parents live, with a guardian."""
    (guardian, *_) = adults(people)
    return ({"ward": ward, "guardian": guardian} for ward in minors(people))


def debtors(people: Sample) -> Iterator[Input]:
    """Yield debtors of enforcement cases, each with the number of a decision."""
    for person in people.people.values():
        if _is_plain(person):
            for case in person.enforcement_cases:
                if case.role == "DEBTOR":
                    yield {"debtor": person.id, "decisionNumber": case.decision_no}


def adoptions(people: Sample) -> Iterator[Input]:
    """Yield small children and single people of whom each might adopt them, all with known kin."""
    children = [
        number
        for number in minors(people)
        if TODAY.year - people.people[number].birth_date.year < 9
        and _has_known_elders(people, number)
    ]
    for adopter in adults(people, status="SINGLE"):
        if _parents_of(people, adopter):
            yield from ({"child": child, "adopter": adopter} for child in children[:3])


#: By the name of the check.
SAMPLES: Mapping[str, CheckSample] = {
    "marriage_registration": CheckSample(
        _couples,
        "NEEDS_PERSON",
        frozenset(
            {
                # The book of births prevails about the age, and says little about life.
                ("GROOM_OF_AGE", "population.identity"),
                ("BRIDE_OF_AGE", "population.identity"),
                ("GROOM_ALIVE", "civil_status.births"),
                ("BRIDE_ALIVE", "civil_status.births"),
                # So it does about who was too young to marry on paper.
                ("NO_CLOSE_KIN", "population.identity"),
            }
        ),
    ),
    "no_sanction_check": CheckSample(
        lambda people: ({"applicant": number} for number in adults(people)),
        "MET",
        # Births say no more here than that somebody is not born yet.
        frozenset({("APPLICANT_ALIVE", "civil_status.births")}),
    ),
    "notarised_transfer": CheckSample(
        sellers,
        "NEEDS_DOCUMENT",  # of the land registry, always
        # Births say no more here than that somebody is not born yet, or who is of age by the birth
        # that was read.
        frozenset(
            (f"{role}_{code}", "civil_status.births")
            for role in ("SELLER", "BUYER", "SPOUSE")
            for code in ("ALIVE", "NOT_INCAPACITATED", "ACTS_ALONE", "IS_SPOUSE")
        ),
    ),
    "security_registration": CheckSample(
        lenders,
        "MET",
        # Births say no more here than that somebody is not born yet.
        frozenset(
            {
                ("SECURING_PARTY_ACTIVE", "civil_status.births"),
                ("SECURED_PARTY_ACTIVE", "civil_status.births"),
            }
        ),
    ),
    "enforcement_result": CheckSample(
        parties_of_cases,
        "MET",
        # Births say no more here than that somebody is not born yet.
        frozenset({("PARTY_ALIVE", "civil_status.births")}),
    ),
    "enforcement_verification": CheckSample(
        debtors,
        "MET",
        # Births say no more here than that somebody is not born yet.
        frozenset(
            {
                ("DEBTOR_ALIVE", "civil_status.births"),
                ("MARITAL_STATUS_KNOWN", "civil_status.births"),
                # Whoever is married is so whatever was confirmed before.
                ("MARITAL_STATUS_KNOWN", "civil_status.marital_status_confirmations"),
            }
        ),
    ),
    "marital_status_certificate": CheckSample(
        lambda people: (
            {"applicant": number, "purpose": "PROPERTY_TRANSACTION"} for number in adults(people)
        ),
        "MET",
        # Births say no more here than that somebody is not born yet.
        frozenset({("APPLICANT_ALIVE", "civil_status.births")}),
    ),
    "guardianship": CheckSample(
        wards,
        "NEEDS_DOCUMENT",
        frozenset(
            {
                # Births say no more here than that somebody is not born yet.
                ("WARD_ALIVE", "civil_status.births"),
                ("GUARDIAN_ALIVE", "civil_status.births"),
            }
        ),
    ),
    "civil_status_change": CheckSample(
        lambda people: ({"subject": number, "kind": "CORRECTION"} for number in adults(people)),
        "NEEDS_DOCUMENT",
        frozenset(
            {
                # Births say no more here than that somebody is not born yet.
                ("SUBJECT_ALIVE", "civil_status.births"),
                # The entry itself proves that it is there; others are corrected without it.
                ("RECORD_EXISTS", "civil_status.births"),
                ("RECORD_EXISTS", "civil_status.marriages"),
                ("RECORD_EXISTS", "civil_status.deaths"),
                ("ETHNICITY_OF_PARENT", "civil_status.births"),
            }
        ),
    ),
    "domestic_adoption": CheckSample(
        adoptions,
        "NEEDS_DOCUMENT",
        frozenset(
            {
                # Births say no more here than that somebody is not born yet.
                ("CHILD_ALIVE", "civil_status.births"),
                ("ADOPTER_ALIVE", "civil_status.births"),
                # The book has the date of birth.
                ("CHILD_YOUNG_ENOUGH", "population.identity"),
                ("CHILD_AGREES", "population.identity"),
                ("ADOPTER_OLDER", "population.identity"),
            }
        ),
    ),
    "legal_aid_request": CheckSample(
        lambda people: (
            {"applicant": child, "matter": "CIVIL", "province": "01", "caseProvince": "01"}
            for child in minors(people)
        ),
        "MET",
        frozenset(
            {
                # Births say no more here than that somebody is not born yet.
                ("APPLICANT_ALIVE", "civil_status.births"),
                # The book has the date of birth.
                ("CHILD", "population.identity"),
                # One category suffices, and one of residence and the place of the case.
                ("CHILD", "legal_aid.entitlements"),
                ("CASE_IN_PROVINCE", "population.residences"),
            }
        ),
    ),
    "parent_child_recognition": CheckSample(
        motherless,
        "NEEDS_DOCUMENT",
        frozenset(
            {
                # Births say no more here than that somebody is not born yet.
                ("PARENT_ALIVE", "civil_status.births"),
                ("CHILD_ALIVE", "civil_status.births"),
                # It is about fathers: the mother who is recognised meets it.
                ("NO_PRESUMED_FATHER", "civil_status.recognitions"),
                # The book has the date of birth.
                ("CHILD_AGREES", "population.identity"),
                ("OTHER_PARENT_CONSENTS", "population.identity"),
            }
        ),
    ),
    "birth_registration": CheckSample(
        lambda people: (
            {"mother": number, "birthDate": "2026-11-01"} for number in adults(people, "FEMALE")
        ),
        "NEEDS_DOCUMENT",  # the notification of birth
        # Births say no more here than that somebody is not born yet.
        frozenset({("MOTHER_ALIVE_AT_BIRTH", "civil_status.births")}),
    ),
    "civil_status_extract": CheckSample(
        lambda people: ({"subject": number, "kind": "BIRTH"} for number in adults(people)),
        "MET",
        frozenset(
            {
                # Births say no more here than that somebody is not born yet.
                ("REQUESTER_ALIVE", "civil_status.births"),
                # The extract of a birth that the person asks for needs none of these.
                *(
                    ("RECORD_EXISTS", f"civil_status.{name}")
                    for name in (
                        "marriages",
                        "divorces",
                        "deaths",
                        "guardianships",
                        "recognitions",
                    )
                ),
            }
        ),
    ),
    "death_registration": CheckSample(
        lambda people: (
            {"deceased": number, "requester": mother, "deathDate": "2026-11-20"}
            for number in adults(people)
            if (mother := people.people[number].mother_id) is not None
        ),
        "NEEDS_DOCUMENT",  # the notice of death
        frozenset(
            {
                # Births say no more here than that somebody is not born yet.
                ("DECEASED_RECORDED_ALIVE", "civil_status.births"),
                # One record that shows the relation is enough.
                ("REQUESTER_ENTITLED", "civil_status.births"),
                ("REQUESTER_ENTITLED", "civil_status.births_of_children"),
                ("REQUESTER_ENTITLED", "civil_status.recognitions"),
                ("REQUESTER_ENTITLED", "civil_status.marriages"),
                ("REQUESTER_ENTITLED", "civil_status.divorces"),
                ("REQUESTER_ENTITLED", "population.family"),
            }
        ),
    ),
}
