"""Rows of a person: common ones, and ones that rules hide."""

from __future__ import annotations

from tests.support.people import LAN
from tests.support.worlds import Rows

SOMEBODY = "001085000001"


def common(number: str) -> Rows:
    """What is there of both: a child of LAN's, with something in every database."""
    return {
        "population": {
            "identity": [
                {"citizen_id": number, "sex": "MALE", "birth_date": "2020-01-01", "full_name": "A",
                 "life_status": "ALIVE", "status": "CURRENT"},
            ],
            "residences": [
                {"entry_id": f"{number} lives", "citizen_id": number, "address_commune_code": "1"}
            ],
            "family": [
                {"entry_id": f"{number} family", "citizen_id": number, "relation": "MOTHER",
                 "member_id": LAN}
            ],
        },
        "civil_status": {
            "births": [
                {"event_id": f"{number} born", "citizen_id": number, "birth_date": "2020-01-01",
                 "registration_date": "2020-02-01", "mother_citizen_id": LAN, "status": "VALID",
                 "event_type": "BIRTH"},
            ],
            "court_notes": [
                {"event_id": f"{number} missing", "citizen_id": number, "status": "VALID",
                 "event_type": "DECLARED_MISSING", "registration_date": "2021-02-01"},
            ],
        },
        "notary": {
            "transactions": [
                {"notarial_no": f"{number} sale", "kind": "SALE", "notarised_on": "2021-01-01",
                 "status": "VALID"}
            ],
            "transaction_parties": [
                {"entry_id": f"{number} sells", "notarial_no": f"{number} sale",
                 "party_citizen_id": number},
            ],
        },
        "civil_enforcement": {
            "public_notices": [
                {"notice_id": f"{number} notice", "debtor_citizen_id": number,
                 "published_on": "2021-01-01"}
            ],
        },
    }  # fmt: skip


def adopted(number: str) -> Rows:
    return {
        "civil_status": {
            "adoptions": [
                {"event_id": f"{number} adoption", "child_id": number, "status": "VALID",
                 "adopter_mother_id": LAN, "registration_date": "2020-02-01"},
            ],
            "court_notes": [
                {"event_id": f"{number} {kind}", "citizen_id": number, "event_type": kind,
                 "status": "VALID", "registration_date": f"202{place}-02-01"}
                for place, kind in enumerate(
                    ("ADOPTION", "ADOPTION_TERMINATION", "FOREIGN_ADOPTION"), 1
                )
            ],
        }
    }  # fmt: skip


def replaced(number: str) -> Rows:
    return {
        "civil_status": {
            "births": [
                {"event_id": f"{number} original", "citizen_id": number, "status": "SUPERSEDED",
                 "mother_citizen_id": SOMEBODY, "registration_date": day, "event_type": "BIRTH"}
                for day in ("2020-01-02", "2024-01-02", None)
            ],
            "recognitions": [
                {"event_id": f"{number} recognised", "recognised_id": number,
                 "recognising_id": SOMEBODY, "status": "SUPERSEDED"},
            ],
            "marriages": [
                {"event_id": f"{number} marriage", "wife_citizen_id": number,
                 "status": "SUPERSEDED"},
            ],
        }
    }  # fmt: skip


def birth_mother(number: str) -> Rows:
    return {
        "civil_status": {
            "births": [
                {"event_id": f"child of {number}", "citizen_id": SOMEBODY, "status": "SUPERSEDED",
                 "mother_citizen_id": number, "registration_date": "2024-01-02"},
            ],
        }
    }  # fmt: skip


def who_made_a_will(number: str) -> Rows:
    return {
        "notary": {
            "wills": [{"notarial_no": f"{number} will", "testator_id": number}],
            "transactions": [
                {"notarial_no": f"{number} will", "kind": "WILL", "status": status,
                 "notarised_on": day}
                for status, day in (("VALID", "2022-01-01"), ("CANCELLED", "2010-01-01"))
            ],
            "transaction_parties": [
                {"entry_id": f"{number} wills", "notarial_no": f"{number} will",
                 "role": "TESTATOR", "party_citizen_id": number},
            ],
        },
    }  # fmt: skip


def dead(number: str) -> Rows:
    return {
        "civil_status": {
            "deaths": [{"event_id": f"{number} died", "citizen_id": number, "status": "VALID"}]
        }
    }


def once_sanctioned(number: str) -> Rows:
    """Sanctioned and detained, all of it long past its period."""
    return {
        "administrative_violations": {
            "records": [{"record_no": f"{number} record", "violator_citizen_id": number}],
            "sanctions": [
                {"decision_no": f"{number} fine", "violator_citizen_id": number,
                 "main_sanction": "FINE", "decision_date": "2010-01-01", "status": "EXECUTED"},
            ],
            "executions": [
                {"execution_id": f"{number} paid", "decision_no": f"{number} fine",
                 "completed_on": "2010-02-01"},
            ],
            "handling_decisions": [
                {"decision_no": f"{number} measure", "citizen_id": number,
                 "measure": "COMPULSORY_REHAB", "completed_on": "2012-01-01"},
            ],
        }
    }  # fmt: skip


def under_protection(number: str) -> Rows:
    return {
        "population": {
            "protection_orders": [
                {"order_no": f"{number} order", "citizen_id": number, "ground": "WITNESS",
                 "true_address_commune_code": "2", "valid_from": "2021-01-01"},
            ]
        }
    }  # fmt: skip


def aided(number: str) -> Rows:
    return {
        "legal_aid": {
            "cases": [{"case_no": f"{number} case", "beneficiary_id": number}],
            "beneficiary": [{"citizen_id": number}],
        }
    }


def taken_down(number: str) -> Rows:
    return {
        "civil_enforcement": {
            "public_notices": [
                {"notice_id": f"{number} gone", "debtor_citizen_id": number,
                 "published_on": day, "removed_on": "2026-01-05"}
                for day in ("2022-01-01", "2015-01-01", None)
            ]
        }
    }  # fmt: skip
