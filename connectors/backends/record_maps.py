"""Maps records to existing tables: their names, codes and dates, as settings say.

``RecordMap`` is what settings give for one record. ``map_records`` checks all of them against the
declaration of the database and turns each into a ``StoredTable``: which columns to select, and how
to turn a row of the source into the raw values of the record (``connectors.codec``). Text is passed
on as it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from operator import itemgetter
from zoneinfo import ZoneInfo

from connectors.backends.readers import (
    READ_AS_DATES,
    convert_number,
    convert_plain,
    date_pattern,
    read_constant,
    read_date,
    read_joined,
    read_translated,
)
from connectors.codec import Unreadable, decode_value
from connectors.description import Column, Database, Kind, Record
from connectors.row_decoder import (
    DecodeRows,
    RowLayout,
    StoredValue,
    generate_decoder,
    plain_layout,
    rows_decoder,
)

_Raw = Sequence[object]

#: Values that stand before a row: the key that found it.
_KEYS = 1


@dataclass(frozen=True, slots=True)
class RecordMap:
    """Where and how a record is stored; what is not given is as declared.

    ``table``: table or view, ``schema.table`` outside the default schema. ``columns``: declared
    column -> column of the source. ``values``: declared column -> value of the source -> declared
    value; values that are not listed are unreadable. ``constants``: declared column that the source
    lacks -> the value of all rows. ``missing``: declared columns that the source lacks, without a
    value. ``dates``: declared column -> formats of dates, tried in this order. ``join``: declared
    column -> columns of the source, joined by ", ", empty ones left out. ``normalised``: numbers of
    people are looked up and read in the spellings of ``number_spellings``. ``mapped``: False for a
    record that the source does not store.
    """

    table: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    dates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    join: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    normalised: bool = False
    mapped: bool = True


@dataclass(frozen=True, eq=False)
class StoredTable:
    """The table of a source that holds a record.

    ``names``: the columns to select. ``columns``: declared column -> column of the source, for
    those that are one column. ``date``: the column that holds ``record.date``, None where there is
    none or where it does not sort. ``sorts``: whether the source can order the rows; if not, the
    backend does. ``converted``: declared columns whose values are translated. ``codes``: declared
    column -> the readable values of the source, for enumerations. ``normalised``: see
    ``RecordMap``. ``layout``: how a selected row becomes a row of the record.
    """

    record: Record
    schema: str | None
    table: str
    names: tuple[str, ...]
    columns: Mapping[str, str]
    date: str | None
    sorts: bool
    converted: frozenset[str]
    codes: Mapping[str, frozenset[str]]
    layout: RowLayout
    normalised: bool = False

    @property
    def read(self) -> Callable[[_Raw], _Raw] | None:
        """Turns a selected row into raw values in the order of ``record.columns``.

        None: it is in that form already.
        """
        return self.layout.read

    @cached_property
    def decode(self) -> DecodeRows:
        """Decodes selected rows, each after the key that found it."""
        if self.read is None:
            return rows_decoder(self.record, _KEYS)
        return generate_decoder(self.record, self.layout, _KEYS)

    def at(self, name: str) -> str:
        """Return the column of the source for the declared column ``name``."""
        return self.columns[name]


def map_records(
    database: Database, maps: Mapping[str, RecordMap] | None = None, zone: str | None = None
) -> dict[str, StoredTable]:
    """Return the table of each record of ``database``, by name; unmapped records are left out.

    ``zone``: the time zone of moments that are stored without one. Raises ValueError; the message
    names the setting that is wrong.
    """
    maps = maps or {}
    where = f"databases.{database.name}"
    hours = _zone(zone, f"{where}.zone")
    for name in maps.keys() - database.by_name.keys():
        raise ValueError(_missing_name(f"{where}.records.{name}", "record", name, database.by_name))
    keys = _keys(database)
    tables = {}
    for record in database.records:
        record_map = maps.get(record.name)
        if record_map is not None:
            _check(f"{where}.records.{record.name}", record, record_map, keys[record.name])
        if record_map is None or record_map.mapped:
            tables[record.name] = _stored(record, record_map, hours)
    return tables


def _zone(name: str | None, where: str) -> ZoneInfo | None:
    try:
        return None if name is None else ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError(f"{where}: there is no time zone {name}") from None


def _stored(record: Record, record_map: RecordMap | None, zone: ZoneInfo | None) -> StoredTable:
    """Turn a checked map into the table that a backend reads."""
    if record_map is None:
        names = tuple(column.name for column in record.columns)
        zoned = zone is not None and any(c.field.kind is Kind.DATETIME for c in record.columns)
        layout = _layout(record, RecordMap(), names, zone) if zoned else plain_layout(record)
        same = {name: name for name in names}
        codes = _codes(record, same, RecordMap())
        return StoredTable(
            record,
            None,
            record.table,
            names,
            same,
            record.date,
            True,
            frozenset(),
            codes,
            layout,
        )
    alone = record_map.constants.keys() | record_map.join.keys() | set(record_map.missing)
    columns = {
        field_column.name: record_map.columns.get(field_column.name, field_column.name)
        for field_column in record.columns
        if field_column.name not in alone
    }
    parts = (part for columns_of_field in record_map.join.values() for part in columns_of_field)
    names = tuple(dict.fromkeys((*columns.values(), *parts)))
    schema, _, table = (record_map.table or record.table).rpartition(".")
    sorts = record.date not in record_map.dates
    date = columns.get(record.date) if record.date and sorts else None
    layout = _layout(record, record_map, names, zone)
    converted = frozenset((*record_map.values, *record_map.dates))
    codes = _codes(record, columns, record_map)
    return StoredTable(
        record,
        schema or None,
        table,
        names,
        columns,
        date,
        sorts,
        converted,
        codes,
        layout,
        record_map.normalised,
    )


def _codes(
    record: Record, columns: Mapping[str, str], record_map: RecordMap
) -> dict[str, frozenset[str]]:
    """Return the source's readable values by declared column, where they are a list."""
    return {
        column.name: frozenset(
            record_map.values.get(column.name) or column.field.enumeration.__members__
        )
        for column in record.columns
        if column.name in columns and column.field.enumeration is not None and not column.field.many
    }


def _layout(
    record: Record, record_map: RecordMap, names: tuple[str, ...], zone: ZoneInfo | None
) -> RowLayout:
    """Return how rows with values in the order of ``names`` become those of ``record``."""
    places = {name: place for place, name in enumerate(names)}
    parts = tuple(_part(column, record_map, places, zone) for column in record.columns)
    reads = tuple(map(_read_part, parts))

    def read(raw: _Raw) -> _Raw:
        return [read_value(raw) for read_value in reads]

    return RowLayout(len(names), parts, read)


def _read_part(part: StoredValue | Callable[[_Raw], object] | None) -> Callable[[_Raw], object]:
    """Return what reads a value from a row."""
    if part is None:
        return read_constant(None)
    if not isinstance(part, StoredValue):
        return part
    take, convert = itemgetter(part.place), part.convert
    return take if convert is None else lambda raw: convert(take(raw))


def _part(
    column: Column, record_map: RecordMap, places: Mapping[str, int], zone: ZoneInfo | None
) -> StoredValue | Callable[[_Raw], object] | None:
    name = column.name
    if name in record_map.missing:
        return None
    if name in record_map.constants:
        return read_constant(record_map.constants[name])
    if name in record_map.join:
        return read_joined(tuple(places[part] for part in record_map.join[name]))
    place = places[record_map.columns.get(name, name)]
    take = itemgetter(place)
    if name in record_map.values:
        return read_translated(take, dict(record_map.values[name]), column.field.many)
    if name in record_map.dates:
        return read_date(take, column.field.kind, record_map.dates[name], zone)
    is_number = record_map.normalised and column.field.kind is Kind.PERSON_NUMBER
    convert = convert_number if is_number else convert_plain
    return StoredValue(place, partial(convert, column.field.kind, zone))


def _keys(database: Database) -> dict[str, set[str]]:
    """Return, for each record, the columns by which rows are found or linked."""
    keys: dict[str, set[str]] = {record.name: {record.identity} for record in database.records}
    for record in database.records:
        for lookup in record.lookups:
            holder, link = lookup.through or (record.name, None)
            keys[holder].update(lookup.by)
            if link is not None:
                keys[holder].add(link)
                keys[record.name].add(link)
            if lookup.on is not None:
                keys[lookup.on[0]].add(lookup.on[1])
    return keys


def _missing_name(where: str, kind: str, name: str, names: Mapping[str, object]) -> str:
    return f"{where}: there is no {kind} {name}; there are {', '.join(sorted(names))}"


def _check(where: str, record: Record, record_map: RecordMap, keys: set[str]) -> None:
    """Refuse a map that does not fit the declaration."""
    if record_map.table is not None and (
        not all(record_map.table.split(".")) or record_map.table.count(".") > 1
    ):
        raise ValueError(f"{where}.table: it must be written table or schema.table")
    ways: dict[str, str] = {}
    for way, name in _mentioned(record_map):
        setting = f"{where}.{way}.{name}"
        if name not in record.positions:
            raise ValueError(_missing_name(setting, "column", name, record.positions))
        ways_of_name = {way, ways.setdefault(name, way)}
        if len(ways_of_name) > 1 and ways_of_name not in (
            {"columns", "values"},
            {"columns", "dates"},
        ):
            raise ValueError(f"{setting}: {name} is in {ways[name]} already")
        if name in keys and way != "columns":
            raise ValueError(
                f"{setting}: {name} is a key, which takes a column of its own as it is"
            )
        _CHECKS[way](setting, record.column(name), record_map)


def _mentioned(record_map: RecordMap) -> Iterator[tuple[str, str]]:
    for way in ("columns", "values", "dates", "constants", "join", "missing"):
        for name in getattr(record_map, way):
            yield way, name


def _check_columns(where: str, column: Column, record_map: RecordMap) -> None:
    if not record_map.columns[column.name]:
        raise ValueError(f"{where}: it must name a column")


def _check_values(where: str, column: Column, record_map: RecordMap) -> None:
    for stored_code, ours in record_map.values[column.name].items():
        _check_value(f"{where}.{stored_code}", column, ours)


def _check_constants(where: str, column: Column, record_map: RecordMap) -> None:
    _check_value(where, column, record_map.constants[column.name], many=column.field.many)


def _check_value(where: str, column: Column, value: str, *, many: bool = False) -> None:
    """Refuse a value that the declaration cannot read."""
    raw = value if many or not column.field.many else [value]
    try:
        decode_value(column, raw)
    except Unreadable:
        codes = column.field.enumeration
        kind = column.field.kind.value
        allowed = f"none of {', '.join(codes.__members__)}" if codes else f"no {kind}"
        raise ValueError(f"{where}: {value} is {allowed}") from None


def _check_dates(where: str, column: Column, record_map: RecordMap) -> None:
    if column.field.kind not in READ_AS_DATES or column.field.many:
        raise ValueError(f"{where}: {column.name} is no date")
    if not record_map.dates[column.name]:
        raise ValueError(f"{where}: it must name a way to write a date")
    for written in record_map.dates[column.name]:
        try:
            date_pattern(column.field.kind, written)
        except ValueError as error:
            raise ValueError(f"{where}: {written}: {error}") from None


def _check_join(where: str, column: Column, record_map: RecordMap) -> None:
    if column.field.kind is not Kind.STRING or column.field.many:
        raise ValueError(f"{where}: {column.name} is no text")
    if not record_map.join[column.name] or not all(record_map.join[column.name]):
        raise ValueError(f"{where}: it must name a column")


def _check_missing(where: str, column: Column, _record_map: RecordMap) -> None:
    if column.required:
        raise ValueError(f"{where}: a row without {column.name} cannot be read")


_CHECKS: dict[str, Callable[[str, Column, RecordMap], None]] = {
    "columns": _check_columns,
    "values": _check_values,
    "dates": _check_dates,
    "constants": _check_constants,
    "join": _check_join,
    "missing": _check_missing,
}
