"""JSON Schema (2020-12, as OpenAPI 3.1 has it) of what an operation takes and answers.

Both follow from the document and the schema: what is not selected is not there, what a variable may
leave out is not required, and what the schema lets be null may be null.
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
_SCALARS: Mapping[str, Schema] = {
    "Boolean": {"type": "boolean"},
    "CitizenID": {"type": "string", "pattern": "^[0-9]{12}$"},
    "Date": {"type": "string", "format": "date"},
    "DateTime": {"type": "string", "format": "date-time"},
    "Decimal": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
    "Float": {"type": "number"},
    "ID": {"type": "string"},
    "Int": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "PartialDate": {"type": "string", "pattern": "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$"},
    "PersonNumber": {"type": "string", "pattern": "^([0-9]{12}|[0-9]{9})$"},
    "String": {"type": "string"},
    "ThingKey": {"type": "string", "minLength": 1, "maxLength": 100},
}


@dataclass(slots=True)
class Components:
    """The named schemas of an OpenAPI document; what is the same has one name.

    Objects are named for their type, after a prefix for the operation in whose answer they are, so
    that the names in one client's code do not depend on what else is published. A type that is
    selected in several ways has a number behind its name for each but the first.
    """

    schema: GraphQLSchema
    schemas: dict[str, Schema] = field(default_factory=dict)
    _prefix: str = ""
    _known: dict[tuple[str, bytes], str] = field(default_factory=dict)

    def variables(self, document: DocumentNode) -> Schema:
        """Return the schema of a document's variables."""
        (operation,) = _operations(document)
        properties: Schema = {}
        required = []
        for one in operation.variable_definitions or ():
            name, kind = one.variable.name.value, _type(self.schema, one.type)
            properties[name] = self._input(kind)
            if one.default_value is not None:
                default = value_from_ast_untyped(one.default_value)
                properties[name] = {**self._input(kind), "default": default}
            elif is_non_null_type(kind):
                required.append(name)
        return _object(properties, required)

    def data(self, document: DocumentNode, prefix: str = "") -> Schema:
        """Return the schema of ``data`` in the answer to a document's only operation."""
        self._prefix = prefix
        (operation,) = _operations(document)
        query = self.schema.query_type
        assert query is not None
        fragments = {
            one.name.value: one
            for one in document.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        return self._selected(query, [(operation.selection_set, True)], fragments)

    def named(self, name: str, schema: Schema) -> Schema:
        """Return a reference to ``schema``, under ``name`` or one like it."""
        known = (name, orjson.dumps(schema, option=orjson.OPT_SORT_KEYS))
        if known not in self._known:
            count = sum(one == name for one, _ in self._known)
            self._known[known] = name if count == 0 else f"{name}{count + 1}"
            self.schemas[self._known[known]] = schema
        return {"$ref": f"#/components/schemas/{self._known[known]}"}

    def _input(self, kind: GraphQLType) -> Schema:
        if is_non_null_type(kind):
            return self._wanted(kind.of_type)
        return _nullable(self._wanted(kind))

    def _wanted(self, kind: GraphQLType) -> Schema:
        if is_list_type(kind):
            return {"type": "array", "items": self._input(kind.of_type)}
        if isinstance(kind, GraphQLInputObjectType):
            fields = kind.fields.items()
            properties = {name: self._input(one.type) for name, one in fields}
            required = [
                name
                for name, one in fields
                if is_non_null_type(one.type) and one.default_value is Undefined
            ]
            return self.named(kind.name, _described(_object(properties, required), kind))
        return self._leaf(kind)

    def _leaf(self, kind: GraphQLType) -> Schema:
        if isinstance(kind, GraphQLEnumType):
            meanings = "\n".join(
                f"- {name}: {value.description}" for name, value in kind.values.items()
            )
            said = f"{kind.description or kind.name}\n\n{meanings}"
            values: Schema = {"type": "string", "enum": list(kind.values), "description": said}
            return self.named(kind.name, values)
        name = get_named_type(kind).name
        return dict(_SCALARS[name])

    def _selected(
        self,
        kind: GraphQLObjectType,
        sets: list[tuple[SelectionSetNode, bool]],
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> Schema:
        """Return the schema of an object with all that is selected of it in ``sets``."""
        groups: dict[str, list[tuple[FieldNode, bool]]] = {}
        for selections, always in sets:
            for node, surely in _fields(selections, always, fragments):
                key = node.alias.value if node.alias else node.name.value
                groups.setdefault(key, []).append((node, surely))
        properties: Schema = {}
        required = []
        for key, group in groups.items():
            node = group[0][0]
            if node.name.value == _TYPENAME:
                properties[key] = {"type": "string", "const": kind.name}
            else:
                below = [(one.selection_set, sure) for one, sure in group if one.selection_set]
                made = self._output(kind.fields[node.name.value].type, below, fragments)
                properties[key] = _described(made, kind.fields[node.name.value])
            if any(surely for _, surely in group):
                required.append(key)
        return _described(_object(properties, required), kind)

    def _output(
        self,
        kind: GraphQLOutputType,
        below: list[tuple[SelectionSetNode, bool]],
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> Schema:
        if is_non_null_type(kind):
            return self._shown(kind.of_type, below, fragments)
        return _nullable(self._shown(kind, below, fragments))

    def _shown(
        self,
        kind: GraphQLOutputType,
        below: list[tuple[SelectionSetNode, bool]],
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> Schema:
        if is_list_type(kind):
            return {"type": "array", "items": self._output(kind.of_type, below, fragments)}
        if isinstance(kind, GraphQLObjectType):
            # Where it is there at all, what it is selected by is there; of several we cannot say.
            sets = [(one, sure or len(below) == 1) for one, sure in below]
            return self.named(self._prefix + kind.name, self._selected(kind, sets, fragments))
        return self._leaf(kind)


def _operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]


def _type(schema: GraphQLSchema, node: TypeNode) -> GraphQLInputType:
    # Of a validated document: its variables have input types that the schema knows.
    found: GraphQLInputType = type_from_ast(schema, node)  # type: ignore[assignment]
    return found


def _fields(
    selections: SelectionSetNode, always: bool, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[tuple[FieldNode, bool]]:
    """Yield the fields selected, and whether each surely is, whatever the variables."""
    for one in selections.selections:
        surely = always and not _decides(one.directives or ())
        if isinstance(one, FieldNode):
            yield one, surely
        elif isinstance(one, FragmentSpreadNode):
            yield from _fields(fragments[one.name.value].selection_set, surely, fragments)
        elif isinstance(one, InlineFragmentNode):
            yield from _fields(one.selection_set, surely, fragments)


def _decides(directives: tuple[DirectiveNode, ...]) -> bool:
    return any(one.name.value in {"include", "skip"} for one in directives)


def _object(properties: Mapping[str, object], required: list[str]) -> Schema:
    made: Schema = {"type": "object", "properties": dict(properties)}
    if required:
        made["required"] = required
    return {**made, "additionalProperties": False}


def _nullable(schema: Schema) -> Schema:
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"oneOf": [schema, {"type": "null"}]}


def _described(schema: Schema, of: object) -> Schema:
    said = getattr(of, "description", None)
    return schema if said is None else {**schema, "description": said}
