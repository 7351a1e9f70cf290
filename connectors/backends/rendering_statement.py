"""Rows that PostgreSQL writes as JSON: the rendered form of a list.

The statement of a lookup is wrapped: of each row it gives the key that found it, its identity and
date, and the object that a template describes, as text. The text is null for a row that PostgreSQL
might write in another way than the gateway does, or that the gateway could not read at all: its key
is then read again as rows (``docs/decisions``, 63). So a condition here may be too strict, never
too loose. It concerns all columns of the record, selected or not, since one value that cannot be
read makes the whole row unreadable (``connectors.codec``).

What a value looks like depends on the type of its column; a column of any other type than those
here is not written by this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connectors.backends.base import SourceRefused
from connectors.backends.postgresql_statements import quote, unsorted_text
from connectors.backends.record_maps import StoredTable
from connectors.backends.statement import MATCHED, LookupStatement
from connectors.description import Column, Kind
from connectors.row_decoder import StoredValue
from connectors.row_template import (
    Constant,
    RowCondition,
    RowTemplate,
    StructTemplate,
    TemplateEntries,
)

#: The longest name of a column (PostgreSQL's NAMEDATALEN); a longer one would be cut.
_LONGEST_NAME = 63

_ROWS = "_rows"
_OBJECT = "_object"


class NotRenderable(SourceRefused):
    """The rows of a lookup cannot be written as JSON by their source."""


@dataclass(frozen=True, slots=True)
class _Writing:
    """How a value is written. ``{0}`` stands for its column, ``{1}`` for the names of its codes.

    ``value``: what becomes JSON. ``condition``: true of values that are written as the gateway
    does; "" for all.
    """

    value: str = "{0}"
    condition: str = ""


_DAYS = "{0} BETWEEN '0001-01-01' AND '9999-12-31'"
#: Days that exist in every year; 29 February is left to the gateway.
_DAY = "(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31"
#: The gateway writes six digits of a fraction of a second, or none; PostgreSQL as few as suffice.
_MOMENT = (
    "{0} = date_trunc('second', {0}) AND {0} >= '0001-01-01 00:00Z' AND {0} < '10000-01-01 00:00Z'"
)
#: What is true of the texts of each kind of field that are written as they are.
_TEXTS = {
    Kind.STRING: "",
    Kind.ENTERPRISE_CODE: "",
    # A column may compare by another collation, to which MALE is male.
    Kind.ENUM: '{0} COLLATE "C" IN ({1})',
    Kind.PERSON_NUMBER: "{0} ~ '^([0-9]{{9}}|[0-9]{{12}})$'",
    Kind.PARTIAL_DATE: f"{{0}} ~ '^(?!0000)[0-9]{{{{4}}}}(-(0[1-9]|1[0-2])|-({_DAY}))?$'",
}
#: By kind of field and type of column. CHAR(n) is read without its padding. Decimals become text;
#: those of more than six decimal places could get an exponent in Python.
_WRITINGS: Mapping[tuple[Kind, str], _Writing] = {
    **{(kind, name): _Writing(condition=condition)
       for kind, condition in _TEXTS.items() for name in ("text", "varchar")},
    **{(kind, "bpchar"): _Writing("{0}::text", condition.replace("{0}", "{0}::text"))
       for kind, condition in _TEXTS.items()},
    (Kind.PARTIAL_DATE, "date"): _Writing(condition=_DAYS),
    (Kind.DATE, "date"): _Writing(condition=_DAYS),
    (Kind.DATETIME, "timestamptz"): _Writing(condition=_MOMENT),
    (Kind.BOOLEAN, "bool"): _Writing(),
    (Kind.INTEGER, "int2"): _Writing(),
    (Kind.INTEGER, "int4"): _Writing(),
    (Kind.INTEGER, "int8"): _Writing(condition="{0} BETWEEN -2147483648 AND 2147483647"),
    **{(Kind.DECIMAL, name): _Writing("{0}::text") for name in ("int2", "int4", "int8")},
    (Kind.DECIMAL, "numeric"): _Writing("{0}::text", "scale({0}) <= 6"),
}  # fmt: skip


def may_be_rendered(statement: LookupStatement, template: RowTemplate) -> bool:
    """Say whether rows of a lookup are stored so that a template may be filled from them.

    The types of columns, which only the server knows, decide the rest.
    """
    stored, columns = statement.stored, statement.stored.record.columns
    # What converts a single value changes none of the types that are written here.
    is_plain = (
        statement.sorts
        and not stored.normalised
        and all(value is None or isinstance(value, StoredValue) for value in stored.layout.values)
    )
    return is_plain and all(
        len(key) <= _LONGEST_NAME and not (type(entry) is int and columns[entry].field.many)
        for key, entry in _every_entry(template.entries)
    )


def rendering_text(
    statement: LookupStatement, template: RowTemplate, types: Mapping[str, str]
) -> str:
    """Return the text of the statement that fills ``template``, for columns of these ``types``.

    A row of it: the key that found it, identity, date (null where records have none), the numbers
    that are mentioned, and the object as text, "" for a row that the template leaves out. Its
    parameters are those of the lookup with rows in any order. Raises NotRenderable.
    """
    writer = _Writer(statement.stored, types)
    select = writer.select(template.entries)
    names = [writer.name_of(position) for position in template.mentions]
    stored = statement.stored
    identity = f"{_ROWS}.{quote(stored.at(stored.record.identity))}"
    date = "NULL" if stored.date is None else f"{_ROWS}.{quote(stored.date)}"
    columns = [f"{_ROWS}.{MATCHED}", identity, date, *(name or "NULL" for name in names)]
    written = f"row_to_json({_OBJECT})::text"
    for condition in template.hidden:
        written = f"CASE WHEN {writer.hides(condition)} THEN '' ELSE {written} END"
    written = f"CASE WHEN {writer.condition()} THEN {written} END"
    structs = "".join(writer.structs)
    return unsorted_text(
        statement, [*columns, written], f" {_ROWS}{structs} CROSS JOIN LATERAL ({select}) {_OBJECT}"
    )


@dataclass(slots=True)
class _Writer:
    """Writes expressions over the columns of ``stored``, which have ``types`` by their names.

    ``structs``: the joined subqueries of structs, innermost first.
    """

    stored: StoredTable
    types: Mapping[str, str]
    structs: list[str] = field(default_factory=list)

    def name_of(self, position: int) -> str | None:
        """Return the column of a declared one as it is named here; None: the source has none."""
        value = self.stored.layout.values[position]
        if value is None:
            return None
        assert isinstance(value, StoredValue)
        return f"{_ROWS}.{quote(self.stored.names[value.place])}"

    def writing_of(self, position: int) -> _Writing:
        """Return how a column is written; raises NotRenderable."""
        value = self.stored.layout.values[position]
        assert isinstance(value, StoredValue)
        kind = self.stored.record.columns[position].field.kind
        sql_type = self.types[self.stored.names[value.place]]
        writing = _WRITINGS.get((kind, sql_type))
        if writing is None:
            raise NotRenderable(f"a {kind.value} is stored as {sql_type}")
        return writing

    def select(self, entries: TemplateEntries) -> str:
        """Return the subquery that gives one row with the values of ``entries`` by their keys."""
        values = [f"{self.value_of(entry)} AS {quote(key)}" for key, entry in entries]
        return f"SELECT {', '.join(values)}"

    def value_of(self, entry: int | Constant | StructTemplate) -> str:
        if isinstance(entry, Constant):
            return f"{_literal(entry.text)}::text"
        if isinstance(entry, StructTemplate):
            return self.struct(entry)
        name = self.name_of(entry)
        return "NULL" if name is None else self.writing_of(entry).value.format(name)

    def struct(self, struct: StructTemplate) -> str:
        select = self.select(struct.entries)
        alias = f"_struct{len(self.structs)}"
        self.structs.append(f" CROSS JOIN LATERAL ({select}) {alias}")
        names = map(self.name_of, range(struct.first, struct.last))
        empty = [f"{name} IS NULL" for name in names if name is not None]
        return f"CASE WHEN {' AND '.join(empty)} THEN NULL ELSE {alias} END" if empty else "NULL"

    def hides(self, condition: RowCondition) -> str:
        """Return what is true of the rows for which ``condition`` holds, if they can be read."""
        position = self.stored.record.positions[condition.column]
        name = self.name_of(position)
        if name is None:
            return "false"
        if condition.values is None:
            return f"{name} IS NOT NULL"
        value = self.writing_of(position).value.format(name)
        return f'{value} COLLATE "C" IN ({", ".join(map(_literal, sorted(condition.values)))})'

    def condition(self) -> str:
        """Return what is true of rows whose every value is read, and written as here."""
        conditions = list(self._conditions())
        return " AND ".join(conditions) if conditions else "true"

    def _conditions(self) -> Iterator[str]:
        for position, column in enumerate(self.stored.record.columns):
            name = self.name_of(position)
            if name is None:
                if column.required:
                    raise NotRenderable(f"{column.name} is missing")
                continue
            if column.field.many:
                if column.required:
                    raise NotRenderable(f"{column.name} is a list")
                yield f"{name} IS NULL"
                continue
            condition = self.writing_of(position).condition.format(name, _codes(column))
            if column.required:
                yield f"{name} IS NOT NULL"
            if condition:
                yield f"({condition})" if column.required else f"({name} IS NULL OR {condition})"


def _every_entry(
    entries: TemplateEntries,
) -> Iterator[tuple[str, int | Constant | StructTemplate]]:
    for key, entry in entries:
        yield key, entry
        if isinstance(entry, StructTemplate):
            yield from _every_entry(entry.entries)


def _codes(column: Column) -> str:
    enumeration = column.field.enumeration
    return "" if enumeration is None else ", ".join(map(_literal, enumeration.__members__))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
