"""The data contract of a database, by the Open Data Contract Standard 3.1.0 (bitol.io).

The contract is about what the gateway serves: names and types are those of the schema. It states
what is declared or configured, and nothing else. Of servers it says nothing, since an address is
for the operator to give.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from graphql import GraphQLSchema
from strawberry.utils.str_converters import to_camel_case

from connectors.description import Coverage, Database, Field, Group, Kind, Record, Text
from gateway.catalogue.scopes import scope
from gateway.fetch.source import Source
from gateway.pages.dictionary import column_name

_Json = dict[str, Any]

#: The version of the standard.
API_VERSION = "v3.1.0"

_STATUS = {
    Group.OPERATING: "active",
    Group.UNDER_CONSTRUCTION: "draft",
    Group.BUILT_NOT_OPERATING: "draft",
    Group.PLANNED: "proposed",
}
_LOGICAL_TYPES = {
    Kind.STRING: "string",
    Kind.INTEGER: "integer",
    Kind.BOOLEAN: "boolean",
    Kind.DECIMAL: "number",
    Kind.DATE: "date",
    Kind.PARTIAL_DATE: "string",  # it may be a year, or a year and a month
    Kind.DATETIME: "timestamp",
    Kind.PERSON_NUMBER: "string",
    Kind.ENTERPRISE_CODE: "string",
    Kind.ENUM: "string",
}


def make_contract(source: Source, schema: GraphQLSchema, gateway_version: str) -> _Json:
    """Return the contract of the database of ``source``, ready to be written as YAML.

    ``gateway_version``: the first part of its version; the rest is a hash of what it says, so that
    a contract that says something else has another version.
    """
    database = source.database
    records = [record for record in database.records if record.type_name in schema.type_map]
    contract: _Json = {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": f"justice-gateway.{database.name}",
        "name": database.title.vi,
        "status": _STATUS[database.group],
        "domain": "justice",
        "dataProduct": "justice-gateway",
        "description": {
            "purpose": str(database.title),
            "limitations": " ".join(_limitations(database.coverage)),
        },
        "team": {"name": database.owner.vi, "description": str(database.owner)},
        "schema": [_schema_object(database, record, schema) for record in records],
        "roles": _roles(database, records),
        "slaProperties": list(_service_levels(source, records)),
        "customProperties": _custom_properties(source),
    }
    if database.contact is not None:
        contract["support"] = [{"channel": database.contact, "tool": "other", "scope": "issues"}]
    contract = {name: value for name, value in contract.items() if value not in ([], {}, "")}
    digest = hashlib.sha256(repr(contract).encode()).hexdigest()[:12]
    return {"version": f"{gateway_version}+{digest}", **contract}


def write_contract(contract: Mapping[str, Any]) -> bytes:
    """Return ``contract`` as YAML in UTF-8. The library is loaded with the first contract."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # ten times as fast, where it was built
    text = yaml.dump(
        dict(contract), Dumper=dumper, allow_unicode=True, sort_keys=False, width=1_000
    )
    return bytes(text, "utf-8")


def _limitations(coverage: Coverage) -> Iterable[str]:
    """Yield what the coverage says, each as a sentence in both languages."""
    if coverage.includes:
        yield _listed(Text("Bao gồm", "Included"), coverage.includes)
    if coverage.excludes:
        yield _listed(Text("Không bao gồm", "Not included"), coverage.excludes)
    if coverage.since is not None:
        yield f"Có dữ liệu từ {coverage.since} / Covered since {coverage.since}."
    if coverage.unnumbered is None:
        yield (
            "Chưa rõ có bản ghi không ghi số định danh hay không / Whether some records lack the "
            "number of the person is not stated."
        )
    if coverage.unnumbered:
        yield (
            "Có bản ghi không ghi số định danh, tra theo số không thấy / There are records "
            "without a number of the person, which no look-up by number finds."
        )


def _listed(head: Text, texts: Iterable[Text]) -> str:
    texts = tuple(texts)
    vi, en = "; ".join(text.vi for text in texts), "; ".join(text.en for text in texts)
    return f"{head.vi}: {vi} / {head.en}: {en}."


def _schema_object(database: Database, record: Record, schema: GraphQLSchema) -> _Json:
    relationships = list(_relationships(database, record))
    properties = [
        _property(record, (field.name,), field, record.type_name, schema) for field in record.fields
    ]
    shown: _Json = {
        "name": record.name,
        "physicalName": record.type_name,
        "physicalType": "GraphQL object",
        "logicalType": "object",
        "businessName": record.title.vi,
        "description": str(record.title),
        "properties": properties,
    }
    if relationships:
        shown["relationships"] = relationships
    if record.coverage is not None:
        shown["customProperties"] = [
            {"property": "coverage", "value": " ".join(_limitations(record.coverage))}
        ]
    return shown


def _relationships(database: Database, record: Record) -> Iterable[_Json]:
    """Yield the keys by which lists of ``record`` hang on another record of the database."""
    for lookup in record.lookups:
        if lookup.on is None or lookup.hidden or lookup.through is not None:
            continue
        parent = database.by_name[lookup.on[0]]
        target = f"{parent.name}.{column_name(parent, lookup.on[1])}"
        for column in lookup.by:
            yield {
                "type": "foreignKey",
                "from": f"{record.name}.{column_name(record, column)}",
                "to": target,
            }


def _property(
    record: Record, path: tuple[str, ...], field: Field, type_name: str, schema: GraphQLSchema
) -> _Json:
    """Return the field at ``path`` of ``record``. ``type_name``: of the type that has it.

    A structure is classified as what is most sensitive in it.
    """
    name = to_camel_case(field.name)
    level = max(column.sensitivity for column in record.columns if column.path[: len(path)] == path)
    kind: Any = schema.type_map[type_name]
    shown: _Json = {
        "name": name,
        "physicalType": str(kind.fields[name].type),
        "businessName": field.title.vi,
        "description": str(field.title),
        "classification": level.name.lower(),
        "required": field.required,
    }
    if path == (record.identity,):
        shown |= {"primaryKey": True, "primaryKeyPosition": 1, "unique": True}
    if field.struct is not None:
        struct = field.struct
        inner = [
            _property(record, (*path, field.name), field, struct.name, schema)
            for field in struct.fields
        ]
        return {**shown, "logicalType": "object", "properties": inner}
    quality = list(_quality(field))
    if quality:
        shown["quality"] = quality
    logical_type = _LOGICAL_TYPES[field.kind]
    if field.many:
        return {**shown, "logicalType": "array", "items": {"logicalType": logical_type}}
    return {**shown, "logicalType": logical_type}


def _quality(field: Field) -> Iterable[_Json]:
    """Yield the rules by which the gateway tells a row that it cannot read (BAD_RECORD)."""
    if field.required:
        yield {
            "metric": "nullValues",
            "mustBe": 0,
            "dimension": "completeness",
            "description": "A row without this value is not shown, and counted as unreadable.",
        }
    if field.enumeration is not None:
        yield {
            "metric": "invalidValues",
            "arguments": {"validValues": list(field.enumeration.__members__)},
            "mustBe": 0,
            "dimension": "conformity",
            "description": "A row with another value is not shown, and counted as unreadable.",
        }


def _roles(database: Database, records: Iterable[Record]) -> list[_Json]:
    """Return the scopes that open the fields, for each sensitivity that there is."""
    levels = {column.sensitivity for record in records for column in record.columns}
    by_scope: dict[str, list[str]] = {}
    for level in sorted(levels):
        by_scope.setdefault(scope(database.name, level), []).append(level.name)
    return [
        {
            "role": name,
            "access": "read",
            "description": f"Opens {' and '.join(names)} fields, for a purpose that covers them.",
        }
        for name, names in by_scope.items()
    ]


def _service_levels(source: Source, records: Iterable[Record]) -> Iterable[_Json]:
    """Yield how old the rows of each record may be, where settings let the cache keep them."""
    for record in records:
        freshness = source.settings.freshness(record.name)
        age = max(freshness.fresh, freshness.revalidated)
        if source.cache is not None and age > 0:
            yield {
                "property": "latency",
                "value": age,
                "unit": "s",
                "element": record.name,
                "description": "Rows served from the cache are at most this old.",
            }
        if source.cache is not None and freshness.if_error > 0:
            yield {
                "property": "latencyOnFailure",
                "value": freshness.if_error,
                "unit": "s",
                "element": record.name,
                "description": "The same while the database fails; such rows are marked STALE.",
            }


def _custom_properties(source: Source) -> list[_Json]:
    database = source.database
    values: _Json = {
        "lifecycleGroup": database.group.name,
        "owner": database.owner.en,
        "legalBasis": list(database.legal_basis),
        "coveredProvinces": "all" if database.coverage.provinces is None
        else list(database.coverage.provinces),
    }  # fmt: skip
    return [{"property": name, "value": value} for name, value in values.items()]
