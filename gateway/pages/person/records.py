"""Records as a page shows them: titles from the declarations, codes and dates in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from strawberry.utils.str_converters import to_camel_case

from connectors.description import Column, Field, Kind, Record
from gateway.pages.languages import Language
from gateway.pages.person.selection import ChosenList
from gateway.pages.phrases.frame import FRAME

_Json = Mapping[str, Any]
_MONTH = re.compile(r"(\d{4})-(\d\d)")
#: Fields by which people know a record, best first; not those of whoever registered it.
_NAMES = ("full_name", "name", "as_recorded", "description")
_ROLES_OF_OFFICE = frozenset({"registration_office", "signatory", "requester"})
_NUMBER = re.compile(r"(?<!\d)(\d{12}|\d{9})(?!\d)")
_LAST_YEAR = "9999-"
#: Digits of a masked number that are shown.
_SHOWN_DIGITS = 3


@dataclass(frozen=True, slots=True)
class RecordField:
    """A field that a record states: its title and value; of a struct its fields, ``inner``."""

    title: str
    text: str = ""
    inner: tuple[RecordField, ...] = ()
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class ValueWriter:
    """Writes values in a language. ``masks``: numbers of people, so that nobody reads them."""

    language: Language
    masks: bool = False

    def field(self, declared: Field, value: Any) -> str:
        """Return a value of a declared field, as answers have it, in words."""
        if isinstance(value, list):
            return ", ".join(self.leaf(declared, item) for item in value)
        return self.leaf(declared, value)

    def leaf(self, declared: Field, value: Any) -> str:
        """Return a single value in words; what cannot be read as its kind stands as it is."""
        text = str(value)
        match declared.kind:
            case Kind.BOOLEAN:
                text = self.language.choose(FRAME["yes" if value else "no"])
            case Kind.ENUM if declared.enumeration and text in declared.enumeration.__members__:
                text = self.language.choose(declared.enumeration[text].title)
            case Kind.DATETIME if not text.startswith(_LAST_YEAR):  # its day here has no date
                text = self.language.moment(text)
            case Kind.DATE | Kind.PARTIAL_DATE:
                text = say_date(self.language, text)
            case Kind.DECIMAL | Kind.INTEGER if re.fullmatch(r"-?\d+(\.\d+)?", text):
                text = self.language.number(text)
            case Kind.PERSON_NUMBER | Kind.STRING if self.masks:
                text = mask_numbers(text)
        return text


def mask_numbers(text: str) -> str:
    """Return ``text`` with the last digits alone of each number of a person, or of a card, in it.

    Cards stand in fields of text: an identity card has its holder's number.
    """
    return _NUMBER.sub(lambda match: _mask(match[0]), text)


def _mask(number: str) -> str:
    return "•" * (len(number) - _SHOWN_DIGITS) + number[-_SHOWN_DIGITS:]


def say_date(language: Language, text: str) -> str:
    """Return a date as far as it is known: the year, month and year, or the day."""
    month = _MONTH.fullmatch(text)
    if month is not None:
        first = language.day(f"{text}-01")
        return first.removeprefix("01/") if language.code == "vi" else first.removeprefix("1 ")
    return language.day(text) if len(text) == len("2026-11-30") else text


def view_fields(
    columns: Sequence[Column], item: _Json, record: Record, writer: ValueWriter
) -> tuple[tuple[RecordField, ...], tuple[str, ...]]:
    """Return the fields that a record states, and the titles of those that it leaves empty.

    ``columns``: those that were selected. A struct that states nothing is left empty as a whole.
    """
    chosen = {column.path for column in columns}
    stated: list[RecordField] = []
    empty: list[str] = []
    for declared in record.fields:
        title = writer.language.sentence(declared.title)
        value = item.get(to_camel_case(declared.name))
        if declared.struct is None:
            if (declared.name,) not in chosen:
                continue
            if value is None or value == []:
                empty.append(writer.language.choose(declared.title))
            else:
                text = writer.field(declared, value)
                stated.append(RecordField(title, text, (), declared.kind is Kind.PERSON_NUMBER))
            continue
        if not any(path[0] == declared.name for path in chosen):
            continue
        inner = tuple(_struct_fields(declared, value or {}, writer))
        if inner:
            stated.append(RecordField(title, "", inner))
        else:
            empty.append(writer.language.choose(declared.title))
    return tuple(stated), tuple(empty)


def _struct_fields(declared: Field, value: _Json, writer: ValueWriter) -> Iterator[RecordField]:
    """Yield what a struct states; structs in it are laid open."""
    assert declared.struct is not None
    for inner in declared.struct.fields:
        content = value.get(to_camel_case(inner.name))
        if content is None or content == []:
            continue
        if inner.struct is not None:
            yield from _struct_fields(inner, content, writer)
        else:
            title = writer.language.choose(inner.title)
            text = writer.field(inner, content)
            yield RecordField(title, text, (), inner.kind is Kind.PERSON_NUMBER)


def head_record(chosen: ChosenList, item: _Json, writer: ValueWriter) -> tuple[str, ...]:
    """Return what tells a record from the others of its list.

    Its date and status, the first of its codes, and the first name, as far as it states them.
    """
    record = chosen.record
    columns = {column.name: column for column in chosen.columns}
    coded = [column for column in chosen.columns if column.field.kind is Kind.ENUM]
    named = [
        column
        for name in _NAMES
        for column in chosen.columns
        if column.path[-1] == name and column.path[0] not in _ROLES_OF_OFFICE
    ]
    heads = [
        *(columns[name] for name in (record.date, record.status) if name in columns),
        *(column for column in coded[:1] if column.name != record.status),
        *named[:1],
    ]
    values = ((column.field, _value(item, column)) for column in heads)
    return tuple(writer.field(declared, value) for declared, value in values if value is not None)


def _value(item: _Json, column: Column) -> Any:
    value: Any = item
    for step in column.path:
        value = (value or {}).get(to_camel_case(step))
    return value


def column_title(record: Record, column: Column, language: Language) -> str:
    """Return the title of a column, with those of the structs that it is in."""
    titles, fields = [], record.fields
    for name in column.path:
        declared = next(inner for inner in fields if inner.name == name)
        titles.append(language.choose(declared.title))
        fields = declared.struct.fields if declared.struct else ()
    return ", ".join(reversed(titles))


def split_statement(record: Record, says: str) -> list[tuple[Column, str]]:
    """Return the columns and values of what a side of a conflict says.

    ``says``: ``birthDate: 1990-02-03; sex: MALE``. Only names of columns part it, since a value may
    hold a semicolon.
    """
    columns = {to_camel_case(column.name): column for column in record.columns}
    names = "|".join(sorted(map(re.escape, columns), key=len, reverse=True))
    parts = re.split(rf"(?:^|; )({names}): ", says)
    return [(columns[name], value) for name, value in zip(parts[1::2], parts[2::2], strict=True)]
