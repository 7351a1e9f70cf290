"""Numbers that nobody holds: in whole databases only, with the number in the place of the person.

Covers ``rules.conflicts.unknown_number``.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping

import pytest

from connectors.synthetic import PopulationOptions, clusters
from connectors.synthetic.options import TODAY
from rules.expression import DATABASES, ListRead
from rules.registry import NUMBER_RULES, RULES
from rules.statements import RuleStatements, rule_statements
from tests.support.rule_databases import prepare, rows_found, sqlite_databases

#: ``make conflicts`` checks 20,000.
PEOPLE = int(os.environ.get("CONFLICT_PEOPLE", "1000"))
STATEMENTS = rule_statements(NUMBER_RULES, with_registration_dates=True)

Tables = dict[tuple[str, str], list[Mapping[str, object]]]
HOLDER, EARLIER, CARD, NOBODY = "001190000001", "001190000002", "012345678", "001190000009"


def found(tables: Tables, statements: RuleStatements = STATEMENTS) -> set[tuple[str, str]]:
    """Return number and identity of the row of each finding."""
    with sqlite_databases(tables, DATABASES).connect() as connection:
        prepare(connection, statements)
        return {
            (row[0], case.record_ids(row)[0])
            for case, row in rows_found(connection, statements, TODAY)
            if case.rule.is_of_numbers
        }


def test_numbers_that_nobody_holds_are_found_and_no_others() -> None:
    tables: Tables = defaultdict(list)
    planted = set()
    for cluster in clusters(PopulationOptions(people=PEOPLE, contradiction_rate=0.5)):
        for key, rows in cluster.rows.items():
            tables[key] += rows
        planted |= {
            (item.person_id, item.record_ids[0])
            for item in cluster.contradictions
            if item.rule == "UNKNOWN_NUMBER"
        }
    assert len(planted) > 10
    assert found(tables) == planted


@pytest.mark.parametrize(
    ("number", "expected"),
    [(HOLDER, False), (EARLIER, False), (CARD, False), (NOBODY, True)],
)
def test_present_and_earlier_numbers_and_old_cards_are_held(number: str, expected: bool) -> None:
    earlier = {"entry_id": "E1", "number": EARLIER, "citizen_id": HOLDER}
    birth = {"event_id": "KS1", "status": "VALID", "citizen_id": number}
    tables: Tables = {
        ("population", "identity"): [{"citizen_id": HOLDER}],
        ("population", "earlier_numbers"): [earlier],
        ("civil_status", "births"): [birth | {"mother_citizen_id": HOLDER}],
        ("notary", "transactions"): [{"notarial_no": "C1", "kind": "SALE"}],
        ("notary", "transaction_parties"): [
            {"entry_id": "P1", "notarial_no": "C1", "party_citizen_id": number}
        ],
    }
    assert found(tables) == ({(number, "KS1"), (number, "C1")} if expected else set())


def test_a_number_that_two_people_have_had_is_held() -> None:
    tables: Tables = {
        ("population", "identity"): [{"citizen_id": HOLDER}, {"citizen_id": EARLIER}],
        ("population", "earlier_numbers"): [
            {"entry_id": f"E{place}", "number": NOBODY, "citizen_id": holder}
            for place, holder in enumerate((HOLDER, EARLIER))
        ],
        ("legal_aid", "cases"): [{"case_no": "A1", "beneficiary_id": NOBODY}],
    }
    assert found(tables) == set()


def test_revoked_entries_and_wills_do_not_count() -> None:
    tables: Tables = {
        ("civil_status", "births"): [
            {"event_id": "KS1", "status": "SUPERSEDED", "citizen_id": NOBODY}
        ],
        ("notary", "transactions"): [{"notarial_no": "C1", "kind": "WILL"}],
        ("notary", "transaction_parties"): [
            {"entry_id": "P1", "notarial_no": "C1", "party_citizen_id": NOBODY}
        ],
    }
    assert found(tables) == set()


def test_the_rule_rests_on_the_whole_population_database() -> None:
    population = {ListRead("population", "identity"), ListRead("population", "earlier_numbers")}
    for rule in NUMBER_RULES:
        for case in rule.cases:
            assert case.complete_reads == population
            assert len(case.sides) == 1


def test_what_is_kept_from_everybody_is_not_read() -> None:
    read = {side.row.record.name for rule in NUMBER_RULES for c in rule.cases for side in c.sides}
    assert not read & {"adoptions", "court_notes", "wills", "protection_orders", "identity"}
    assert {"births", "cases", "sanctions", "registrations", "preventive_infos"} <= read


def test_other_rules_have_the_same_statements_beside_it() -> None:
    alone, together = rule_statements(RULES), rule_statements((*RULES, *NUMBER_RULES))
    for first, second in zip(alone.cases, together.cases, strict=False):
        assert str(first.statement) == str(second.statement)
    assert len(together.cases) == len(alone.cases) + len(NUMBER_RULES[0].cases)
