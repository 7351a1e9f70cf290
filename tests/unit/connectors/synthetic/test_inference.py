"""Public fields of births do not reveal adoptions, wills or protection."""

from __future__ import annotations

from datetime import date

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.description import Sensitivity
from connectors.synthetic import PopulationOptions, clusters
from tools.inference import Tally, lowest_share, tally

#: Ages in years below which a birth that was registered again is looked at.
_YOUNG = 5


@pytest.fixture(scope="module")
def counts() -> Tally:
    return tally(4_000, 2026)


def test_no_value_nor_two_of_them_tell_what_is_concealed(counts: Tally) -> None:
    assert {"adoption", "will", "protection"} <= counts.facts.keys()
    assert [str(finding) for finding in counts.findings()] == []


def test_a_value_that_tells_is_noticed(counts: Tally) -> None:
    """The check finds a leak that is planted: five of five, as births once told of adoptions."""
    adopted = counts.facts["adoption"]
    leaking = Tally(counts.people, dict(counts.values), counts.facts, counts.groups)
    leaking.values["planted", "some"] = adopted
    findings = leaking.findings()
    assert findings
    assert all(("planted", "some") in finding.values for finding in findings)


def test_who_was_registered_again_as_a_child_is_as_likely_adopted_as_anybody() -> None:
    reregistered = adopted = 0
    for cluster in clusters(PopulationOptions(people=4_000)):
        people = {person.id: person for person in cluster.truth}
        for row in cluster.rows["civil_status", "births"]:
            born, on = row["birth_date"], row["registration_date"]
            person = people.get(str(row["citizen_id"]))
            young = isinstance(born, date) and isinstance(on, date) and (
                (on - born).days < _YOUNG * 365
            )  # fmt: skip
            if person and young and row["registration_kind"] == "RE_REGISTERED":
                reregistered += row["status"] in {"VALID", "AMENDED"}
                adopted += row["status"] in {"VALID", "AMENDED"} and person.adopted
    assert reregistered >= 5
    assert lowest_share(adopted, reregistered) < 0.02


def test_how_an_entry_came_about_is_closer_than_basic() -> None:
    for record in CIVIL_STATUS.records:
        for name in ("registration_kind", "amendments", "note"):
            if name in record.positions:
                assert record.column(name).sensitivity == Sensitivity.RESTRICTED, record.where
