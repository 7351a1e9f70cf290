"""JSON Schema (2020-12, the dialect of OpenAPI 3.1) of the variables and answer of an operation.

Both follow from the document and the schema: fields that are not selected are not there, optional
variables are not required, and nullable types may be null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import orjson
from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeNode,
    Undefined,
    get_named_type,
    is_list_type,
    is_non_null_type,
    type_from_ast,
    value_from_ast_untyped,
)

Schema = dict[str, object]

_TYPENAME = "__typename"
#: The scalars by name; their forms are those of ``gateway.schema.scalars`` and of strawberry.
SCALARS: Mapping[str, Schema] = {
    "Boolean": {"type": "boolean"},
    "CitizenID": {"type": "string", "pattern": "^[0-9]{12}$"},
    "Date": {"type": "string", "format": "date"},
    "DateTime": {"type": "string", "format": "date-time"},
    "Decimal": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
    "Float": {"type": "number"},
    "ID": {"type": "string"},
    "Int": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "OrganizationCode": {"type": "string", "minLength": 1, "maxLength": 100},
    "PartialDate": {"type": "string", "pattern": "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"},
    "PersonNumber": {"type": "string", "pattern": "^([0-9]{12}|[0-9]{9})$"},
    "String": {"type": "string"},
    "ThingKey": {"type": "string", "minLength": 1, "maxLength": 100},
}


@dataclass(slots=True)
class Components:
    """The named schemas of an OpenAPI document; equal schemas share one name.

    Objects are named after their type, with a prefix for the operation that answers them, so that
    the names in a client's code do not depend on other operations. A type that is selected in
    several ways has a number after its name for each but the first.
    """

    schema: GraphQLSchema
    schemas: dict[str, Schema] = field(default_factory=dict)
    _prefix: str = ""
    _names: dict[tuple[str, bytes], str] = field(default_factory=dict)

    def variables(self, document: DocumentNode) -> Schema:
        """Return the schema of a document's variables."""
        (operation,) = _operations_of(document)
        properties: Schema = {}
        required = []
        for definition in operation.variable_definitions or ():
            name, kind = definition.variable.name.value, _type(self.schema, definition.type)
            properties[name] = self._input(kind)
            if definition.default_value is not None:
                default = value_from_ast_untyped(definition.default_value)
                properties[name] = {**self._input(kind), "default": default}
            elif is_non_null_type(kind):
                required.append(name)
        return _object(properties, required)

    def data(self, document: DocumentNode, prefix: str = "") -> Schema:
        """Return the schema of ``data`` in the answer to a document's only operation."""
        self._prefix = prefix
        (operation,) = _operations_of(document)
        query = self.schema.query_type
        assert query is not None
        fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        return self._selected_object(query, [(operation.selection_set, True)], fragments)

    def named(self, name: str, schema: Schema) -> Schema:
        """Return a reference to ``schema``, under ``name`` or one like it."""
        identity = (name, orjson.dumps(schema, option=orjson.OPT_SORT_KEYS))
        if identity not in self._names:
            count = sum(existing_name == name for existing_name, _ in self._names)
            self._names[identity] = name if count == 0 else f"{name}{count + 1}"
            self.schemas[self._names[identity]] = schema
        return {"$ref": f"#/components/schemas/{self._names[identity]}"}

    def _input(self, kind: GraphQLType) -> Schema:
        if is_non_null_type(kind):
            return self._non_null_input(kind.of_type)
        return _nullable(self._non_null_input(kind))

    def _non_null_input(self, kind: GraphQLType) -> Schema:
        if is_list_type(kind):
            return {"type": "array", "items": self._input(kind.of_type)}
        if isinstance(kind, GraphQLInputObjectType):
            fields = kind.fields.items()
            properties = {name: self._input(input_field.type) for name, input_field in fields}
            required = [
                name
                for name, input_field in fields
                if is_non_null_type(input_field.type) and input_field.default_value is Undefined
            ]
            return self.named(kind.name, _described(_object(properties, required), kind))
        return self._leaf(kind)

    def _leaf(self, kind: GraphQLType) -> Schema:
        if isinstance(kind, GraphQLEnumType):
            meanings = "\n".join(
                f"- {name}: {value.description}" for name, value in kind.values.items()
            )
            description = f"{kind.description or kind.name}\n\n{meanings}"
            values: Schema = {
                "type": "string",
                "enum": list(kind.values),
                "description": description,
            }
            return self.named(kind.name, values)
        name = get_named_type(kind).name
        return dict(SCALARS[name])

    def _selected_object(
        self,
        kind: GraphQLObjectType,
        sets: list[tuple[SelectionSetNode, bool]],
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> Schema:
        """Return the schema of an object with all fields that ``sets`` select of it."""
        groups: dict[str, list[tuple[FieldNode, bool]]] = {}
        for selections, always in sets:
            for node, is_sure in _fields(selections, always, fragments):
                key = node.alias.value if node.alias else node.name.value
                groups.setdefault(key, []).append((node, is_sure))
        properties: Schema = {}
        required = []
        for key, group in groups.items():
            node = group[0][0]
            if node.name.value == _TYPENAME:
                properties[key] = {"type": "string", "const": kind.name}
            else:
                below = [
                    (field_node.selection_set, sure)
                    for field_node, sure in group
                    if field_node.selection_set
                ]
                field_schema = self._output(kind.fields[node.name.value].type, below, fragments)
                properties[key] = _described(field_schema, kind.fields[node.name.value])
            if any(is_sure for _, is_sure in group):
                required.append(key)
        return _described(_object(properties, required), kind)

    def _output(
        self,
        kind: GraphQLOutputType,
        below: list[tuple[SelectionSetNode, bool]],
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> Schema:
        if is_non_null_type(kind):
            return self._non_null_output(kind.of_type, below, fragments)
        return _nullable(self._non_null_output(kind, below, fragments))

    def _non_null_output(
        self,
        kind: GraphQLOutputType,
        below: list[tuple[SelectionSetNode, bool]],
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> Schema:
        if is_list_type(kind):
            return {"type": "array", "items": self._output(kind.of_type, below, fragments)}
        if isinstance(kind, GraphQLObjectType):
            # An object has the fields of its only selection; of several, perhaps not all.
            sets = [(selections, sure or len(below) == 1) for selections, sure in below]
            return self.named(
                self._prefix + kind.name, self._selected_object(kind, sets, fragments)
            )
        return self._leaf(kind)


def _operations_of(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [
        definition
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
    ]


def _type(schema: GraphQLSchema, node: TypeNode) -> GraphQLInputType:
    # Of a validated document: its variables have input types that the schema knows.
    kind: GraphQLInputType = type_from_ast(schema, node)  # type: ignore[assignment]
    return kind


def _fields(
    selections: SelectionSetNode, always: bool, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[tuple[FieldNode, bool]]:
    """Yield the selected fields, and whether each is selected whatever the variables."""
    for selection in selections.selections:
        is_sure = always and not _is_conditional(selection.directives or ())
        if isinstance(selection, FieldNode):
            yield selection, is_sure
        elif isinstance(selection, FragmentSpreadNode):
            yield from _fields(fragments[selection.name.value].selection_set, is_sure, fragments)
        elif isinstance(selection, InlineFragmentNode):
            yield from _fields(selection.selection_set, is_sure, fragments)


def _is_conditional(directives: tuple[DirectiveNode, ...]) -> bool:
    return any(directive.name.value in {"include", "skip"} for directive in directives)


def _object(properties: Mapping[str, object], required: list[str]) -> Schema:
    schema: Schema = {"type": "object", "properties": dict(properties)}
    if required:
        schema["required"] = required
    return {**schema, "additionalProperties": False}


def _nullable(schema: Schema) -> Schema:
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"oneOf": [schema, {"type": "null"}]}


def _described(schema: Schema, described: object) -> Schema:
    description = getattr(described, "description", None)
    return schema if description is None else {**schema, "description": description}
