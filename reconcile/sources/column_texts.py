"""Turns what a source stores into text, column by column, as the gateway would read it.

A batch of 10,000 rows holds few distinct dates and codes, so ``connectors.codec`` reads each
distinct value once; texts and numbers of people are checked by Arrow. What Arrow does not find in
order goes to the codec too, so the codec alone defines what is readable.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.backends.readers import convert_plain
from connectors.backends.record_maps import RecordMap, StoredTable
from connectors.codec import FAULTS, encode_text, value_reader
from connectors.description import Column, Kind, Record
from connectors.row_decoder import StoredValue

_Convert = Callable[[object], object]
#: Distinct values of a column whose texts are cached: all days of two centuries.
_CACHED = 80_000
_CHECKED_BY_ARROW = frozenset({Kind.STRING, Kind.ENTERPRISE_CODE, Kind.PERSON_NUMBER})


class _Unreadable:
    """The text of a value that cannot be read."""


_UNREADABLE = _Unreadable()
_Text = str | None | _Unreadable


@dataclass(frozen=True, slots=True)
class RawColumn:
    """Values of a column of the source, in a batch.

    ``restore``: turns text that is there into the value that the driver would give; None: the
    values are those.
    """

    values: pa.Array | Sequence[object]
    restore: _Convert | None = None


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Rows of a source. ``columns``: by their names in the source."""

    rows: int
    columns: Mapping[str, RawColumn]


@dataclass(frozen=True, slots=True)
class TextBatch:
    """Rows as text. ``faults``: by column that has any, true where a value cannot be read."""

    texts: pa.RecordBatch
    faults: Mapping[str, pa.Array]


@dataclass(slots=True)
class _ColumnReading:
    """How a declared column is made of columns of the source.

    ``names``: those. ``convert``: turns their values into what the codec reads. ``is_plain``:
    text is passed on as it is.
    """

    column: Column
    names: tuple[str, ...]
    convert: Callable[[tuple[object, ...]], object]
    is_plain: bool
    read: _Convert
    cache: dict[object, _Text] = dataclasses.field(default_factory=dict)

    def text(self, values: tuple[object, ...]) -> _Text:
        """Return the text of a value."""
        try:
            raw = self.convert(values)
            if raw is None:
                return None
            text = str(encode_text(self.read(raw)))
            text.encode()
        except (*FAULTS, KeyError):
            return _UNREADABLE
        return _UNREADABLE if "\0" in text else text

    def texts(self, values: Sequence[object], restore: _Convert | None) -> list[_Text]:
        """Return the texts of values, each distinct one read once."""
        if len(self.cache) > _CACHED:
            self.cache.clear()
        return [self._cached_text(value, restore) for value in values]

    def _cached_text(self, value: object, restore: _Convert | None) -> _Text:
        # 1, 1.0 and True are the same key.
        key = (type(value), value)
        try:
            text = self.cache.get(key, _MISSING)
        except TypeError:  # a list
            return self.text((_restored(value, restore),))
        if text is _MISSING:
            text = self.cache[key] = self.text((_restored(value, restore),))
        return text  # type: ignore[return-value]  # a text, as it is not missing


_MISSING = object()


def _restored(value: object, restore: _Convert | None) -> object:
    return value if restore is None or not isinstance(value, str) else restore(value)


class RecordReading:
    """How the rows of a stored record become text.

    ``columns``: the declared columns that are read, the identity among them. ``record_map``: what
    settings say of the record.
    """

    def __init__(
        self, stored: StoredTable, record_map: RecordMap | None, columns: Sequence[str]
    ) -> None:
        self.stored = stored
        self.columns = tuple(columns)
        self._readings = [_reading(stored, record_map, name) for name in columns]
        #: The columns of the source that are selected.
        names = (name for reading in self._readings for name in reading.names)
        self.names: tuple[str, ...] = tuple(dict.fromkeys(names))
        #: The column of the source by which rows are ordered.
        self.key: str = stored.at(stored.record.identity)
        self.schema = pa.schema([pa.field(name, pa.string()) for name in columns])

    @property
    def record(self) -> Record:
        """The declared record."""
        return self.stored.record

    def read(self, batch: RawBatch) -> TextBatch:
        """Return a batch as text; some 0.3 microseconds a value."""
        texts, faults = [], {}
        for name, reading in zip(self.columns, self._readings, strict=True):
            column, faulty = _column_texts(reading, batch)
            if reading.column.required:
                faulty = _or(faulty, column.is_null() if column.null_count else None)
            texts.append(column)
            if faulty is not None and faulty.true_count:
                faults[name] = faulty
        return TextBatch(pa.RecordBatch.from_arrays(texts, schema=self.schema), faults)


def _reading(stored: StoredTable, record_map: RecordMap | None, name: str) -> _ColumnReading:
    record = stored.record
    column = record.column(name)
    part = stored.layout.values[record.positions[name]]
    read = value_reader(column)
    if part is None:
        return _ColumnReading(column, (), lambda _: None, False, read)
    if isinstance(part, StoredValue):
        convert = part.convert
        is_plain = convert is None or getattr(convert, "func", None) is convert_plain
        return _ColumnReading(
            column, (stored.at(name),), partial(_convert_value, convert), is_plain, read
        )
    if name in stored.columns:
        names: tuple[str, ...] = (stored.at(name),)
    else:
        names = () if record_map is None else tuple(record_map.join.get(name, ()))
    places = tuple(stored.names.index(of) for of in names)
    make = partial(_convert_row, part, stored.layout.width, places)
    return _ColumnReading(column, names, make, False, read)


def _convert_value(convert: _Convert | None, values: tuple[object, ...]) -> object:
    (value,) = values
    return value if value is None or convert is None else convert(value)


def _convert_row(
    part: Callable[[Sequence[object]], object],
    width: int,
    places: tuple[int, ...],
    values: tuple[object, ...],
) -> object:
    """Read a value from a row that has only the columns that it is made of."""
    row: list[object] = [None] * width
    for place, value in zip(places, values, strict=True):
        row[place] = value
    return part(row)


def _column_texts(reading: _ColumnReading, batch: RawBatch) -> tuple[pa.Array, pa.Array | None]:
    """Return the texts of a column, and where they are unreadable."""
    if not reading.names:
        return _arrays([reading.text(())] * batch.rows)
    columns = [batch.columns[name] for name in reading.names]
    if len(columns) > 1:
        rows = zip(*(_listed(column) for column in columns), strict=True)
        return _arrays([reading.text(row) for row in rows])
    (raw,) = columns
    values = _as_array(raw.values)
    if not isinstance(values, pa.Array):
        return _arrays(reading.texts(values, raw.restore))
    if pa.types.is_null(values.type) and not reading.column.required:
        return values.cast(pa.string()), None
    is_text = pa.types.is_string(values.type) and raw.restore is None
    field = reading.column.field
    if is_text and reading.is_plain and not field.many and field.kind in _CHECKED_BY_ARROW:
        return _checked(reading, values)
    return _by_distinct_values(reading, values, raw.restore)


def _as_array(values: pa.Array | Sequence[object]) -> pa.Array | Sequence[object]:
    """Return values as an array where that keeps them as they are."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return values if _is_sound(values) else _bytes_or_texts(values)
    try:
        array = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError, OverflowError):
        return values
    return array if pa.types.is_string(array.type) or pa.types.is_null(array.type) else values


def _is_sound(values: pa.Array) -> bool:
    """Whether all texts are UTF-8; drivers pass on what a server sends."""
    if not pa.types.is_string(values.type):
        return True
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _bytes_or_texts(values: pa.Array) -> list[object]:
    """Return texts, and bytes where they are no text."""
    return [text_or_bytes(value) for value in values.view(pa.binary()).to_pylist()]


def text_or_bytes(value: object) -> object:
    """Return bytes as text, or as they are where they are not UTF-8: nothing reads bytes."""
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return value


def _listed(column: RawColumn) -> list[object]:
    values = _as_array(column.values)
    listed = values.to_pylist() if isinstance(values, pa.Array) else list(values)
    return [_restored(value, column.restore) for value in listed]


def _checked(reading: _ColumnReading, values: pa.Array) -> tuple[pa.Array, pa.Array | None]:
    """Return texts as they are; those that are not in order go to the codec."""
    if reading.column.field.kind is Kind.PERSON_NUMBER:
        fine = pc.and_(
            pc.is_in(pc.binary_length(values), pa.array([9, 12], pa.int32())),
            pc.ascii_is_decimal(values),
        )
    else:
        fine = pc.invert(pc.match_substring(values, "\0"))
    offending = pc.fill_null(pc.invert(fine), False)
    if not offending.true_count:
        return values, None
    texts, faulty = _arrays(reading.texts(values.filter(offending).to_pylist(), None))
    none = pa.repeat(pa.scalar(False), len(values))
    if faulty is not None:
        faulty = pc.replace_with_mask(none, offending, faulty)
    return pc.replace_with_mask(values, offending, texts), faulty


def _by_distinct_values(
    reading: _ColumnReading, values: pa.Array, restore: _Convert | None
) -> tuple[pa.Array, pa.Array | None]:
    """Return the texts of values, made of the distinct ones."""
    try:
        coded = values.dictionary_encode()
        distinct = coded.dictionary.to_pylist()
    except (pa.ArrowNotImplementedError, ValueError, OverflowError):
        return _arrays(reading.texts(_python_values(values), restore))
    texts, faulty = _arrays(reading.texts(distinct, restore))
    return (
        texts.take(coded.indices),
        None if faulty is None else pc.fill_null(faulty.take(coded.indices), False),
    )


def _python_values(values: pa.Array) -> list[object]:
    """Return values as Python has them; those beyond its types are of a type that nothing reads."""
    listed: list[object] = []
    for value in values:
        try:
            listed.append(value.as_py())
        except (ValueError, OverflowError):
            listed.append(_UNREADABLE)
    return listed


def _arrays(texts: Sequence[_Text]) -> tuple[pa.Array, pa.Array | None]:
    """Return texts as an array, and which are unreadable, None where all are readable."""
    array = pa.array([None if isinstance(text, _Unreadable) else text for text in texts], _STRING)
    faulty = [isinstance(text, _Unreadable) for text in texts]
    return array, pa.array(faulty, pa.bool_()) if any(faulty) else None


_STRING = pa.string()


def _or(first: pa.Array | None, second: pa.Array | None) -> Any:
    if first is None or second is None:
        return second if first is None else first
    return pc.or_(first, second)
