"""The declaration language: what declarations become, and which ones are refused.

Covers ``connectors.description``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.civil_status import DATABASE as CIVIL_STATUS
from connectors.declaration import (
    BASIC,
    PUBLIC,
    RESTRICTED,
    SENSITIVE,
    DeclarationError,
    database,
    event,
    field,
    lookup,
    record,
    struct,
)
from connectors.description import Coded, Coverage, Database, Group, Kind, Record, Text
from connectors.population import DATABASE as POPULATION
from connectors.values import PartialDate, PersonNumber


class State(Coded):
    VALID = "có hiệu lực", "valid"
    REVOKED = "đã thu hồi", "revoked"


@struct("Nơi", "Place")
class Spot:
    name: str = field("tên", "Name", BASIC)
    ward: str | None = field("phường", "Ward", PUBLIC)


@struct("Người", "Somebody")
class Somebody:
    id: PersonNumber | None = field("số", "Number", BASIC, person="person")
    home: Spot | None = field("nhà", "Home", SENSITIVE)


@struct("Người kia", "The other")
class Other:
    id: PersonNumber | None = field("số", "Number", BASIC)
    since: PartialDate | None = field("từ", "Since", BASIC)


class Registered:
    event_id: str = field("mã", "Event id", PUBLIC)
    registered_on: PartialDate | None = field("ngày", "Registered on", BASIC)


@record(
    ("Sự kiện", "Event"),
    lookups=[
        lookup("events", "Sự kiện", "Events", by="citizen_id"),
        lookup("events_as_other", "Sự kiện", "Events as the other", by=["other.id", "citizen_id"]),
    ],
    identity="event_id",
    date="registered_on",
    status="state",
    limit=7,
)
class Event(Registered):
    citizen_id: PersonNumber = field("số", "Number", BASIC, person="person")
    other: Somebody | None = field("người kia", "The other", BASIC)
    state: State | None = field("tình trạng", "State", BASIC, dimension=True)
    states: tuple[State, ...] | None = field("các tình trạng", "States", BASIC)
    text: str | None = field("chữ", "Text", RESTRICTED)
    count: int | None = field("số lượng", "Count", BASIC)
    open: bool | None = field("mở", "Open", BASIC)
    amount: Decimal | None = field("tiền", "Amount", BASIC)
    day: date | None = field("ngày", "Day", BASIC)
    moment: datetime | None = field("lúc", "Moment", BASIC)


@record(
    ("Ghi chú", "Note"),
    lookups=[lookup("notes", "Ghi chú", "Notes", by="event_id", on=("events", "event_id"))],
    identity="note_id",
    single=True,
    sensitivity=SENSITIVE,
)
class Note:
    note_id: str = field("mã", "Id", BASIC)
    event_id: str | None = field("mã sự kiện", "Event id", RESTRICTED)


def _declare(*records: type, **more: Any) -> Database:
    return database(
        "sample",
        title=("Mẫu", "Sample"),
        owner=("Không ai", "Nobody"),
        legal_basis=("Luật 1",),
        group=Group.OPERATING,
        records=records,
        **more,
    )


@pytest.fixture
def events() -> Record:
    return _declare(Event, Note).by_name["events"]


def test_a_database_is_what_its_declaration_says() -> None:
    declared = _declare(Event, Note, coverage=Coverage(provinces=("01",)))
    assert (declared.name, declared.title) == ("sample", Text("Mẫu", "Sample"))
    assert (declared.owner, declared.legal_basis) == (Text("Không ai", "Nobody"), ("Luật 1",))
    assert (declared.group, declared.coverage.provinces) == (Group.OPERATING, ("01",))
    assert [record.name for record in declared.records] == ["events", "notes"]
    assert _declare().coverage == Coverage(), "nothing said is the whole country"


def test_a_record_takes_the_name_of_its_first_list(events: Record) -> None:
    assert (events.name, events.table, events.type_name) == ("events", "events", "Event")
    assert (events.identity, events.date, events.status) == ("event_id", "registered_on", "state")
    assert (events.single, events.limit) == (False, 7)
    assert events.database == "sample"


def test_a_record_may_have_a_name_of_its_own() -> None:
    @record(("A", "A"), lookups=[lookup("b", "B", "B", by="id")], identity="id", name="something")
    class Named:
        id: str = field("mã", "Id", BASIC)

    assert _declare(Named).records[0].name == "something"


def test_fields_of_base_classes_come_first_in_the_order_written(events: Record) -> None:
    names = [field.name for field in events.fields]
    assert names[:4] == ["event_id", "registered_on", "citizen_id", "other"]
    assert names[-1] == "moment"


def test_each_type_becomes_its_kind(events: Record) -> None:
    kinds = {field.name: field.kind for field in events.fields}
    assert kinds == {
        "event_id": Kind.STRING,
        "registered_on": Kind.PARTIAL_DATE,
        "citizen_id": Kind.PERSON_NUMBER,
        "other": Kind.STRUCT,
        "state": Kind.ENUM,
        "states": Kind.ENUM,
        "text": Kind.STRING,
        "count": Kind.INTEGER,
        "open": Kind.BOOLEAN,
        "amount": Kind.DECIMAL,
        "day": Kind.DATE,
        "moment": Kind.DATETIME,
    }
    assert [field.name for field in events.fields if field.many] == ["states"]
    assert events.column("state").field.enumeration is State
    assert events.column("states").field.enumeration is State


def test_structs_are_stored_flat(events: Record) -> None:
    assert [column.name for column in events.columns[2:6]] == [
        "citizen_id",
        "other_id",
        "other_home_name",
        "other_home_ward",
    ]
    assert events.column("other_home_ward").path == ("other", "home", "ward")
    assert events.positions["other_home_ward"] == 5
    with pytest.raises(KeyError):
        events.column("other")


def test_a_field_is_kept_as_closely_as_whatever_it_is_in(events: Record) -> None:
    assert events.column("event_id").sensitivity is PUBLIC
    assert events.column("text").sensitivity is RESTRICTED
    assert events.column("other_id").sensitivity is BASIC
    assert events.column("other_home_ward").sensitivity is SENSITIVE
    notes = _declare(Event, Note).by_name["notes"]
    assert notes.column("note_id").sensitivity is SENSITIVE
    assert notes.column("event_id").sensitivity is RESTRICTED


def test_only_what_a_record_means_nothing_without_is_required(events: Record) -> None:
    """Inside a struct nothing is: whether there is one at all is up to the source."""
    required = [column.name for column in events.columns if column.required]
    assert required == ["event_id", "citizen_id"]


def test_a_list_may_be_found_by_several_columns(events: Record) -> None:
    assert events.lookups[0].by == ("citizen_id",)
    assert events.lookups[1].by == ("other_id", "citizen_id")


def test_the_same_struct_is_described_once(events: Record) -> None:
    second_event = _declare(Event, Note).by_name["events"]
    assert events.fields[3].struct is second_event.fields[3].struct


def test_a_description_cannot_be_changed(events: Record) -> None:
    with pytest.raises(FrozenInstanceError):
        events.limit = 8  # type: ignore[misc]  # the point of the test


def test_a_record_is_equal_to_itself_only_and_a_key_of_dictionaries(events: Record) -> None:
    (other,) = (record for record in _declare(Event, Note).records if record.name == events.name)
    assert events == events  # noqa: PLR0124 - the point of the test
    assert events != other
    assert {events: 1, other: 2}[events] == 1


_ID = lookup("things", "Vật", "Things", by="id")


def _undeclared() -> list[type]:
    class Thing:
        id: str = field("mã", "Id", BASIC)

    return [Thing]


def _without_fields() -> list[type]:
    @record(("A", "A"), lookups=[_ID], identity="id")
    class Thing:
        pass

    return [Thing]


def _undeclared_name() -> list[type]:
    @record(("A", "A"), lookups=[_ID], identity="id")
    class Thing:
        id: str = field("mã", "Id", BASIC)
        name: str | None

    return [Thing]


def _with(annotation: object, **more: Any) -> list[type]:
    class Thing:
        id: str = field("mã", "Id", BASIC)
        odd: Any = field("lạ", "Odd", BASIC, **more)

    Thing.__annotations__["odd"] = annotation
    return [record(("A", "A"), lookups=[_ID], identity="id")(Thing)]


def _record_with(**more: Any) -> list[type]:
    class Thing:
        id: str = field("mã", "Id", BASIC)
        day: date | None = field("ngày", "Day", BASIC)
        state: State | None = field("tình trạng", "State", BASIC)
        holder: PersonNumber | None = field("người giữ", "Holder", BASIC)

    arguments: dict[str, Any] = {"lookups": [_ID], "identity": "id", **more}
    return [record(("A", "A"), **arguments)(Thing)]


def _entry(by: str = "id", **more: Any) -> list[type]:
    return _record_with(lookups=[lookup("x", "A", "A", by=by, entry=("thing", "number"), **more)])


def _organisation(by: str, **more: Any) -> list[type]:
    return _record_with(lookups=[lookup("x", "A", "A", by=by, organisation="things", **more)])


def _colliding() -> list[type]:
    class Thing:
        id: str = field("mã", "Id", BASIC)
        spot: Spot | None = field("nơi", "Spot", BASIC)
        spot_name: str | None = field("tên nơi", "Name of the spot", BASIC)

    return [record(("A", "A"), lookups=[_ID], identity="id")(Thing)]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_undeclared, "Thing is not declared with @record"),
        (_without_fields, "Thing declares no fields"),
        (_undeclared_name, "Thing.name is annotated but not declared"),
        (lambda: _with(bytes), "Thing.odd has a type that records cannot hold"),
        (lambda: _with(float | None), "Thing.odd has a type"),
        (lambda: _with(str | int), "Thing.odd has a type"),
        (lambda: _with(list[str]), "Thing.odd has a type"),
        (lambda: _with(dict[str, str]), "Thing.odd has a type"),
        (lambda: _with(object), "Thing.odd has a type"),
        (lambda: _with(tuple[Spot, ...]), "Thing.odd: a list of structs"),
        (lambda: _with(str, person="somebody"), "Thing.odd names a person but is no PersonNumber"),
        (_colliding, "sample.things: two fields flatten to the same column"),
        (lambda: _record_with(identity="key"), "sample.things: there is no field key"),
        (lambda: _record_with(identity="day"), "sample.things: day is the identity, so it must"),
        (lambda: _record_with(date="when"), "sample.things: there is no field when"),
        (lambda: _record_with(status="how"), "sample.things: there is no field how"),
        (lambda: _record_with(date="id"), "sample.things: id is no date"),
        (lambda: _record_with(status="day"), "sample.things: day is no enumeration"),
        (
            lambda: _record_with(lookups=[lookup("things", "A", "A", by="owner")]),
            "sample.things: there is no field owner",
        ),
        (
            lambda: _record_with(lookups=[lookup("things", "A", "A", by=["id", "a.b"])]),
            "sample.things: there is no field a_b",
        ),
        (
            lambda: _record_with(lookups=[_ID, _ID]),
            r"test_declaration.py:\d+: sample.things: two lists are called so",
        ),
        (
            lambda: _record_with(lookups=[lookup("x", "A", "A", by="id", on=("y", "id"))]),
            r"sample\.x hangs on y\.id: no such",
        ),
        (
            lambda: _record_with(lookups=[lookup("x", "A", "A", by="id", on=("x", "y"))]),
            r"sample\.x hangs on x\.y: no such",
        ),
        (
            lambda: _entry(on=("things", "id")),
            r"sample\.x is an entry: it hangs on nothing and is not hidden",
        ),
        (lambda: _entry(hidden=True), r"sample\.x is an entry: it hangs on nothing"),
        (lambda: _entry("day"), r"sample\.x is an entry: its key is text"),
        (lambda: _entry("holder"), r"sample\.x is an entry: its key is text, and nobody's number"),
        (lambda: _organisation("holder"), r"sample\.x is of an organisation: its key is text"),
        (lambda: _organisation("id", on=("things", "id")), r"sample\.x hangs on a record, so it"),
        (lambda: [Event, Note, Event], r"test_declaration.py:\d+: sample.events is declared at"),
        (lambda: [Note], r"sample\.notes hangs on events\.event_id: no such"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(
    make: Callable[[], list[type]], message: str
) -> None:
    with pytest.raises(DeclarationError, match=message):
        _declare(*make())


@pytest.mark.parametrize("declared", [POPULATION, CIVIL_STATUS], ids=lambda source: source.name)
def test_the_real_databases_say_everything_in_both_languages(declared: Database) -> None:
    texts = [declared.title, declared.owner]
    for described in declared.records:
        texts += [described.title, *(entry.title for entry in described.lookups)]
        texts += [column.field.title for column in described.columns]
        for column in described.columns:
            if column.field.enumeration is not None:
                texts += [member.title for member in column.field.enumeration]
    for text in texts:
        assert text.vi.strip()
        assert text.en.strip()
        assert text.en.isascii()


@pytest.mark.parametrize("declared", [POPULATION, CIVIL_STATUS], ids=lambda source: source.name)
def test_the_real_databases_can_tell_their_rows_apart(declared: Database) -> None:
    for described in declared.records:
        assert described.column(described.identity).required, (
            f"{described.name} has rows without identity"
        )


def test_a_field_declared_twice_is_refused_with_file_and_line() -> None:
    @record(
        ("Hai lần", "Twice"),
        lookups=[lookup("twice", "Hai lần", "Twice", by="owner_id")],
        identity="entry_id",
    )
    class Twice:
        entry_id: str = field("mã", "Id", BASIC)
        owner_id: str | None = field("chủ", "Owner", BASIC)
        owner_id: str | None = field("chủ khác", "Another owner", BASIC)  # type: ignore[no-redef]  # noqa: PIE794

    with pytest.raises(DeclarationError, match=r"test_declaration\.py:\d+: Twice declares a field"):
        database(
            "sample",
            title=("Mẫu", "Sample"),
            owner=("Ai", "Who"),
            legal_basis=(),
            group=Group.OPERATING,
            records=[Twice],
        )


@record(
    ("Việc", "Matter"),
    lookups=[
        lookup("matters", "Việc", "Matters", by="citizen_id"),
        lookup("matters_of_others", "Việc", "Matters of others", by="other.id"),
        lookup("hidden_matters", "Việc", "Hidden matters", by="event_id", hidden=True),
    ],
    identity="event_id",
    events=[
        event("day", "BEGUN", "bắt đầu", "begun"),
        event("moment", "ENDED", "kết thúc", "ended"),
        event("other.since", "BEGUN_BY_OTHER", "người kia", "other", within="matters_of_others"),
    ],
)
class Matter(Registered):
    citizen_id: PersonNumber | None = field("số", "Number", BASIC)
    other: Other | None = field("người kia", "The other", BASIC)
    day: date | None = field("ngày", "Day", BASIC)
    moment: datetime | None = field("lúc", "Moment", BASIC)


def test_a_date_is_an_event_in_the_first_list_of_its_record_or_in_the_one_named() -> None:
    matters = _declare(Matter).by_name["matters"]
    assert [(each.column, each.code, each.lookup) for each in matters.events] == [
        ("day", "BEGUN", "matters"),
        ("moment", "ENDED", "matters"),
        ("other_since", "BEGUN_BY_OTHER", "matters_of_others"),
    ]
    assert matters.events[0].title == Text("bắt đầu", "begun")


@pytest.mark.parametrize(
    ("events", "complaint"),
    [
        ([event("nothing", "BEGUN", "a", "a")], "has no field nothing"),
        ([event("text", "BEGUN", "a", "a")], "text is no date"),
        ([event("days", "BEGUN", "a", "a")], "days is no date"),
        ([event("day", "begun", "a", "a")], "in capitals"),
        ([event("day", "BEGUN", "a", "a"), event("day", "ENDED", "b", "b")], "an event twice"),
        ([event("day", "BEGUN", "a", "a", within="nowhere")], "in no list nowhere"),
        ([event("day", "BEGUN", "a", "a", within="by_text")], "in no list by_text"),
        ([event("secret_day", "BEGUN", "a", "a")], "secret_day is RESTRICTED"),
    ],
)
def test_events_that_cannot_be_placed_are_refused(events: list[Any], complaint: str) -> None:
    @record(
        ("A", "A"),
        lookups=[
            lookup("dated", "A", "A", by="id"),
            lookup("by_text", "A", "A", by="text", hidden=True),
        ],
        identity="id",
        events=events,
    )
    class Dated:
        id: str = field("mã", "Id", BASIC)
        text: str | None = field("chữ", "Text", BASIC)
        day: date | None = field("ngày", "Day", BASIC)
        days: tuple[date, ...] | None = field("các ngày", "Days", BASIC)
        secret_day: date | None = field("ngày", "Day", RESTRICTED)

    with pytest.raises(DeclarationError, match=complaint):
        _declare(Dated)


def test_events_hang_only_on_what_a_persons_number_finds() -> None:
    @record(
        ("A", "A"),
        lookups=[lookup("steps", "A", "A", by="note_id", on=("notes", "note_id"))],
        identity="id",
        events=[event("day", "BEGUN", "a", "a")],
    )
    class Step:
        id: str = field("mã", "Id", BASIC)
        note_id: str | None = field("mã", "Note id", BASIC)
        day: date | None = field("ngày", "Day", BASIC)

    with pytest.raises(DeclarationError, match="notes is no list of a person"):
        _declare(Event, Note, Step)
