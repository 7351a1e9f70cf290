"""A small sample database, and files that hold it, for tests of backends."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from connectors.codec import encode_text
from connectors.declaration import BASIC, database, field, lookup, record, struct
from connectors.description import Coded, Database, Group, Record
from connectors.tables import STATEMENT_TABLE, metadata_of
from connectors.values import PartialDate, PersonNumber

RawRows = Mapping[str, Iterable[Mapping[str, object]]]

AN, BINH, CHI, DUNG = "001090000001", "001190000002", "001200000003", "001300000004"


class Mood(Coded):
    CALM = "bình tĩnh", "calm"
    LOUD = "ồn ào", "loud"


@struct("Nơi", "Place")
class Spot:
    name: str | None = field("tên", "Name", BASIC)
    since: PartialDate | None = field("từ", "Since", BASIC)


@record(
    ("Kết hôn", "Marriage"),
    lookups=[
        lookup("unions", "Kết hôn", "Marriages", by=["one_id", "other_id"]),
        lookup("unions_as_one", "Kết hôn", "Marriages as the first named", by="one_id"),
    ],
    identity="event_id",
    date="registered_on",
    limit=3,
)
class Union:
    event_id: str = field("mã", "Event id", BASIC)
    one_id: PersonNumber | None = field("một bên", "One", BASIC, person="one")
    other_id: PersonNumber | None = field("bên kia", "The other", BASIC, person="other")
    registered_on: PartialDate | None = field("ngày", "Registered on", BASIC)
    mood: Mood | None = field("tâm trạng", "Mood", BASIC)


@record(
    ("Mọi loại", "Every kind"),
    lookups=[lookup("things", "Mọi loại", "Every kind", by="owner_id")],
    identity="thing_id",
)
class Thing:
    thing_id: str = field("mã", "Id", BASIC)
    owner_id: PersonNumber = field("chủ", "Owner", BASIC, person="owner")
    title: str | None = field("tên", "Title", BASIC)
    amount: Decimal | None = field("số tiền", "Amount", BASIC)
    pieces: int | None = field("số lượng", "Pieces", BASIC)
    open: bool | None = field("mở", "Open", BASIC)
    day: date | None = field("ngày", "Day", BASIC)
    about: PartialDate | None = field("khoảng", "About", BASIC)
    moment: datetime | None = field("lúc", "Moment", BASIC)
    mood: Mood | None = field("tâm trạng", "Mood", BASIC)
    moods: tuple[Mood, ...] | None = field("các tâm trạng", "Moods", BASIC)
    names: tuple[str, ...] | None = field("các tên", "Names", BASIC)
    spot: Spot | None = field("nơi", "Place", BASIC)
    select: str | None = field("từ khóa", "A reserved word", BASIC)


@record(
    ("Vụ việc", "Case"),
    lookups=[
        lookup(
            "cases",
            "Vụ việc",
            "Cases",
            by=["who_id", "for_id"],
            through=("case_parties", "case_no"),
        )
    ],
    identity="case_no",
    date="opened_on",
    limit=3,
)
class Case:
    case_no: str = field("số", "Number", BASIC)
    opened_on: date | None = field("ngày mở", "Opened on", BASIC)


@record(
    ("Bên", "Party of a case"),
    lookups=[lookup("case_parties", "Các bên", "Parties", by="case_no", on=("cases", "case_no"))],
    identity="party_no",
)
class CaseParty:
    party_no: str = field("mã", "Id", BASIC)
    case_no: str | None = field("số vụ", "Case", BASIC)
    who_id: PersonNumber | None = field("ai", "Who", BASIC, person="who")
    for_id: PersonNumber | None = field("đại diện cho", "For whom", BASIC, person="for_whom")


DATABASE = database(
    "sample",
    title=("Mẫu", "Sample"),
    owner=("Không ai", "Nobody"),
    legal_basis=(),
    group=Group.OPERATING,
    records=[Union, Thing, Case, CaseParty],
)
UNIONS = DATABASE.by_name["unions"]
THINGS = DATABASE.by_name["things"]
CASES = DATABASE.by_name["cases"]
EMPTY: RawRows = {"unions": (), "things": (), "cases": (), "case_parties": ()}


def union(
    event_id: str, one: str | None = AN, other: str | None = None, **more: object
) -> dict[str, object]:
    """Return the raw row of a union."""
    return {"event_id": event_id, "one_id": one, "other_id": other} | more


def thing(thing_id: str, owner: str | None = AN, **more: object) -> dict[str, object]:
    """Return the raw row of a thing."""
    return {"thing_id": thing_id, "owner_id": owner} | more


def write_file(
    path: Path, rows: RawRows, as_of: object = None, described: Database = DATABASE
) -> Path:
    """Write an SQLite file with the tables of ``rows``; unreadable values go in as they are."""
    engine = sa.create_engine(f"sqlite:///{path}")
    metadata = metadata_of(described)
    tables = [metadata.tables[described.by_name[name].table] for name in rows]
    metadata.create_all(engine, [*tables, metadata.tables[STATEMENT_TABLE]])
    engine.dispose()
    with closing(sqlite3.connect(path)) as file, file:
        for name, raws in rows.items():
            _insert(file, described.by_name[name], raws)
        if as_of is not None:
            file.execute(f"INSERT INTO {STATEMENT_TABLE} VALUES (?)", (encode_text(as_of),))
    return path


def _insert(file: sqlite3.Connection, record: Record, raws: Iterable[Mapping[str, object]]) -> None:
    marks = ", ".join("?" * len(record.columns))
    file.executemany(
        f"INSERT INTO {record.table} VALUES ({marks})",
        [[encode_text(raw.get(column.name)) for column in record.columns] for raw in raws],
    )
