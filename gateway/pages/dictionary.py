"""The data dictionary of a database: its records, fields, structures and enumerations.

Names and types are those of the schema, since this is what callers see: tables and columns of the
database itself stay out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from graphql import GraphQLSchema
from strawberry.utils.str_converters import to_camel_case

from connectors.description import (
    Coded,
    Coverage,
    Field,
    Lookup,
    Record,
    Sensitivity,
    Struct,
    Text,
)
from gateway.catalogue.organisations import FIELD as ORGANISATION
from gateway.catalogue.scopes import scope
from gateway.fetch.source import Source
from gateway.procedures.procedure import Procedure
from gateway.procedures.registry import ALL
from gateway.settings.freshness import Freshness


@dataclass(frozen=True, slots=True)
class FieldEntry:
    """A field. ``type``: in the schema; ``anchor``: of the structure or enumeration behind it.

    ``person``: the field that leads to the person whose number it holds, None where there is none.
    ``identifies``: it tells the records of this kind apart.
    """

    name: str
    title: Text
    type: str
    anchor: str | None
    sensitivity: Sensitivity
    required: bool
    identifies: bool
    person: str | None
    dimension: bool


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A list of records and what leads to it. ``kind``: person, organisation, thing or record.

    ``field``: of the schema; ``parent``: the type that has the list, None for people, organisations
    and things. ``by``: the fields that may hold the key; () where they may not be shown.
    """

    kind: str
    field: str
    title: Text
    parent: str | None
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PurposeEntry:
    """A procedure that needs a record: ``covered`` of its fields, of ``total``.

    ``closer``: the SENSITIVE and RESTRICTED fields among them.
    """

    codes: tuple[str, ...]
    title: Text
    covered: int
    total: int
    closer: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """A kind of record. ``fields``: () where they may not be shown.

    ``is_in_schema`` False: the gateway alone uses it, and its fields are shown to nobody.
    ``coverage`` None: that of the database. ``freshness``: how old its rows may be.
    """

    record: Record
    anchor: str
    is_in_schema: bool
    keys: tuple[KeyEntry, ...]
    fields: tuple[FieldEntry, ...]
    purposes: tuple[PurposeEntry, ...]
    coverage: Coverage | None
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class StructEntry:
    """A structure: a group of fields that records share."""

    name: str
    anchor: str
    title: Text
    fields: tuple[FieldEntry, ...]


@dataclass(frozen=True, slots=True)
class EnumerationEntry:
    """An enumeration, with the code and the title of each value."""

    name: str
    anchor: str
    values: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class Dictionary:
    """The data dictionary of a database. ``scopes``: what each sensitivity needs."""

    records: tuple[RecordEntry, ...]
    structs: tuple[StructEntry, ...]
    enumerations: tuple[EnumerationEntry, ...]
    scopes: Mapping[Sensitivity, str]


def make_dictionary(
    source: Source, schema: GraphQLSchema, *, with_fields: bool, is_demo: bool
) -> Dictionary:
    """Return the dictionary of the database of ``source``.

    ``with_fields`` False: only what everybody sees, the kinds of record and their lists. Pure; some
    5 ms for the largest database.
    """
    database = source.database
    records = tuple(
        _record_entry(source, record, schema, with_fields, is_demo) for record in database.records
    )
    fields = [field for entry in records if entry.is_in_schema for field in entry.record.fields]
    structs = tuple(dict.fromkeys(_structs_of(fields))) if with_fields else ()
    shared = [*fields, *(field for struct in structs for field in struct.fields)]
    enumerations = dict.fromkeys(
        field.enumeration for field in shared if field.enumeration is not None
    )
    return Dictionary(
        records,
        tuple(
            StructEntry(
                struct.name,
                _anchor(struct.name),
                struct.title,
                _fields_of(struct.name, struct.fields, schema),
            )
            for struct in structs
        ),
        tuple(_enumeration_entry(coded) for coded in enumerations) if with_fields else (),
        {level: scope(database.name, level) for level in Sensitivity},
    )


def column_name(record: Record, column: str) -> str:
    """Return the name of a column as the schema has it: ``mother.citizenId``."""
    return ".".join(map(to_camel_case, record.column(column).path))


def sensitivity_of(record: Record, field: Field) -> Sensitivity:
    """Return the sensitivity of a field of ``record``: of a structure, the least within it."""
    return min(column.sensitivity for column in record.columns if column.path[0] == field.name)


def _record_entry(
    source: Source, record: Record, schema: GraphQLSchema, with_fields: bool, is_demo: bool
) -> RecordEntry:
    procedures = [procedure for procedure in ALL if is_demo or not procedure.unlimited]
    is_in_schema = record.type_name in schema.type_map
    with_fields = with_fields and is_in_schema
    name = f"{record.database}.{record.name}"
    return RecordEntry(
        record,
        _anchor(record.type_name),
        is_in_schema,
        tuple(_keys(record, source, with_fields)),
        _fields_of(record.type_name, record.fields, schema, record) if with_fields else (),
        tuple(
            _purpose(procedure, record, with_fields)
            for procedure in procedures
            if procedure.unlimited or name in procedure.fields
        ),
        record.coverage,
        Freshness() if source.cache is None else source.settings.freshness(record.name),
    )


def _keys(record: Record, source: Source, with_fields: bool) -> Iterable[KeyEntry]:
    for lookup in record.lookups:
        by = _columns_of(lookup, record, source) if with_fields else ()
        if lookup.organisation is not None:
            field = to_camel_case(lookup.organisation)
            yield KeyEntry("organisation", f"{ORGANISATION}.{field}", lookup.title, None, by)
        elif lookup.entry is not None:
            argument = to_camel_case(lookup.entry.argument)
            field = f"{to_camel_case(lookup.entry.field)}({argument})"
            yield KeyEntry("thing", field, lookup.title, None, by)
        elif not lookup.hidden:
            parent = None if lookup.on is None else source.database.by_name[lookup.on[0]]
            kind, above = ("person", None) if parent is None else ("record", parent.type_name)
            yield KeyEntry(kind, to_camel_case(lookup.name), lookup.title, above, by)


def _columns_of(lookup: Lookup, record: Record, source: Source) -> tuple[str, ...]:
    holder = record if lookup.through is None else source.database.by_name[lookup.through[0]]
    prefix = "" if holder is record else f"{holder.type_name}."
    return tuple(f"{prefix}{column_name(holder, column)}" for column in lookup.by)


def _fields_of(
    type_name: str, fields: Sequence[Field], schema: GraphQLSchema, record: Record | None = None
) -> tuple[FieldEntry, ...]:
    kind = schema.type_map[type_name]
    return tuple(
        FieldEntry(
            to_camel_case(field.name),
            field.title,
            str(kind.fields[to_camel_case(field.name)].type),  # type: ignore[attr-defined]
            _anchor_of(field),
            field.sensitivity if record is None else sensitivity_of(record, field),
            field.required,
            record is not None and record.identity == field.name,
            None if field.person is None else to_camel_case(field.person),
            field.dimension,
        )
        for field in fields
    )


def _purpose(procedure: Procedure, record: Record, with_fields: bool) -> PurposeEntry:
    covered = [column for column in record.columns if procedure.covers(record, column)]
    closer = tuple(
        column_name(record, column.name)
        for column in covered
        if column.sensitivity > Sensitivity.BASIC
    )
    return PurposeEntry(
        procedure.codes,
        procedure.title,
        len(covered),
        len(record.columns),
        closer if with_fields else (),
    )


def _structs_of(fields: Iterable[Field]) -> Iterable[Struct]:
    """Yield the structures of ``fields``, and those within them after each."""
    for field in fields:
        if field.struct is not None:
            yield field.struct
            yield from _structs_of(field.struct.fields)


def _enumeration_entry(coded: type[Coded]) -> EnumerationEntry:
    values = tuple((member.name, member.title) for member in coded)
    return EnumerationEntry(coded.__name__, _anchor(coded.__name__), values)


def _anchor_of(field: Field) -> str | None:
    if field.struct is not None:
        return _anchor(field.struct.name)
    return None if field.enumeration is None else _anchor(field.enumeration.__name__)


def _anchor(type_name: str) -> str:
    return f"type-{type_name}"
