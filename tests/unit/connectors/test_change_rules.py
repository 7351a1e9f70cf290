"""Declarations of which changes are events: what they become, and which ones are refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from connectors.change_rules import CREATED, DELETED, ChangeMark, change
from connectors.civil_enforcement import DATABASE as CIVIL_ENFORCEMENT
from connectors.declaration import (
    BASIC,
    RESTRICTED,
    DeclarationError,
    database,
    field,
    lookup,
    record,
)
from connectors.description import ChangeRule, Coded, Database, Group, PeopleRead, RowTest
from connectors.notary import DATABASE as NOTARY
from connectors.registry import installed_databases
from connectors.values import PersonNumber
from gateway.changes.event import SOURCE_KINDS, LifeEventKind


class State(Coded):
    VALID = "có hiệu lực", "valid"
    REVOKED = "đã thu hồi", "revoked"


def _declare(*changes: ChangeMark, **more: Any) -> Database:
    @record(
        ("Việc", "Matter"),
        lookups=[
            lookup("matters", "Việc", "Matters", by="citizen_id"),
            lookup("matters_by_title", "Việc", "By title", by="title"),
            lookup("matters_hidden", "Việc", "Hidden", by="citizen_id", hidden=True),
            lookup("matters_of_group", "Việc", "Of group", by="title", on=("groups", "title")),
        ],
        identity="id",
        changes=changes,
        **more,
    )
    class Matter:
        id: str = field("mã", "Id", BASIC)
        citizen_id: PersonNumber | None = field("số", "Number", BASIC)
        title: str | None = field("tên", "Title", BASIC)
        day: date | None = field("ngày", "Day", BASIC)
        secret_day: date | None = field("ngày kín", "Secret day", RESTRICTED)
        state: State | None = field("tình trạng", "State", BASIC)

    @record(
        ("Nhóm", "Group"),
        lookups=[lookup("groups", "Nhóm", "Groups", by="owner_id")],
        identity="title",
    )
    class Company:
        title: str = field("tên", "Title", BASIC)
        owner_id: PersonNumber | None = field("chủ", "Owner", BASIC)

    return database(
        "sample",
        title=("Mẫu", "Sample"),
        owner=("Không ai", "Nobody"),
        legal_basis=(),
        group=Group.OPERATING,
        records=[Matter, Company],
    )


def test_a_record_without_rules_has_no_events() -> None:
    assert _declare().by_name["matters"].changes == ()


def test_a_rule_says_of_whom_and_of_what_the_event_is() -> None:
    declared = _declare(
        change("BIRTH", "matters", on=(CREATED,), date="day", when={"state": ("VALID", None)})
    )
    assert declared.by_name["matters"].changes == (
        ChangeRule(
            kind="BIRTH",
            lookup="matters",
            people=("citizen_id",),
            read=None,
            shown=("matters", "id"),
            date="day",
            triggers=frozenset({CREATED}),
            when=(RowTest("state", frozenset({"VALID", None})),),
            unless=(),
            recent=None,
            sole=None,
            repeatable=True,
        ),
    )


def test_people_named_by_other_rows_are_to_be_read() -> None:
    (closed,) = CIVIL_ENFORCEMENT.by_name["cases"].changes
    assert closed.read == PeopleRead("enforcement_parties", "parties", "decision_no")
    assert closed.people == ("party_citizen_id", "party_enterprise_code")
    of_owners = [rule for rule in NOTARY.by_name["preventive_infos"].changes if rule.read]
    assert {rule.read for rule in of_owners} == {PeopleRead("asset_owners", "owners", "asset_id")}


def test_the_row_of_a_party_tells_of_its_case() -> None:
    (opened,) = CIVIL_ENFORCEMENT.by_name["enforcement_parties"].changes
    assert (opened.shown, opened.read) == (("cases", "decision_no"), None)


@pytest.mark.parametrize(
    ("mark", "complaint"),
    [
        (change("birth", "matters"), "must be called in capitals"),
        (change("BIRTH", "births"), "there is no list births"),
        (change("BIRTH", "matters_hidden"), "there is no list matters_hidden"),
        (change("BIRTH", "matters_by_title"), "is not of people"),
        (change("BIRTH", "groups"), "is not of this record, nor through it"),
        (change("BIRTH", "matters_of_group"), "groups has no list by title"),
        (change("BIRTH", "matters", on=()), "is on nothing"),
        (change("BIRTH", "matters", date="title"), "title is no date"),
        (change("BIRTH", "matters", date="secret_day"), "or RESTRICTED"),
        (change("BIRTH", "matters", recent=("title", 3)), "title is no date"),
        (change("BIRTH", "matters", sole="groups"), "there is no list groups"),
        (change("BIRTH", "matters", when={"nothing": ("A",)}), "no single field nothing"),
        (change("BIRTH", "matters", unless={"state": ("LOST",)}), "state is never LOST"),
        (change("BIRTH", "matters", on=(DELETED,), ignored=("x",)), "no single field x"),
    ],
)
def test_rules_that_do_not_fit_the_record_are_refused(mark: ChangeMark, complaint: str) -> None:
    with pytest.raises(DeclarationError, match=complaint):
        _declare(mark)


def test_a_record_that_the_law_may_conceal_as_a_whole_has_no_events() -> None:
    with pytest.raises(DeclarationError, match="every field is RESTRICTED"):
        _declare(change("BIRTH", "matters"), sensitivity=RESTRICTED)


def test_every_rule_is_of_a_kind_that_the_event_log_knows() -> None:
    kinds = {
        rule.kind
        for database in installed_databases()
        for record in database.records
        for rule in record.changes
    }
    assert kinds == {kind.name for kind in LifeEventKind if kind not in SOURCE_KINDS}
