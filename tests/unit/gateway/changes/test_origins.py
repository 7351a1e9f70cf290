"""Every kind of event of people has an origin in the databases that are declared."""

from __future__ import annotations

from connectors.registry import installed_databases
from gateway.changes.event import LifeEventKind
from gateway.changes.feed_scope import PERSON_KINDS
from gateway.changes.origins import lookups_by_record, origins_of
from gateway.settings import InterestTerms

ORIGINS = origins_of(installed_databases())


def test_every_kind_of_event_of_people_has_an_origin() -> None:
    assert {origin.kind for origin in ORIGINS} == PERSON_KINDS


def test_origins_name_the_lists_in_which_people_see_the_record() -> None:
    births = next(origin for origin in ORIGINS if origin.kind is LifeEventKind.BIRTH)
    assert births.record.name == "births"
    assert births.lookups == ("births", "births_of_children")
    assert lookups_by_record(ORIGINS)[births.record] == births.lookups


def test_a_change_of_a_partys_row_is_an_event_of_the_case() -> None:
    opened = [origin for origin in ORIGINS if origin.kind is LifeEventKind.CASE_OPENED]
    assert [(each.record.database, each.record.name) for each in opened] == [
        ("civil_enforcement", "cases")
    ]


def test_nothing_that_is_withheld_from_everybody_is_an_origin() -> None:
    names = {f"{origin.record.database}.{origin.record.name}" for origin in ORIGINS}
    assert names.isdisjoint({"civil_status.adoptions", "notary.wills"})
    assert not any(name.startswith("administrative_violations.") for name in names)


def test_settings_know_the_same_kinds() -> None:
    names = [kind.name for kind in PERSON_KINDS]
    assert InterestTerms.model_validate({"kinds": names}).kinds == {*names}
