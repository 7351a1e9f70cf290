"""The form of a published operation: derived from its variables, whatever they are.

A variable of a type that has no control of its own is typed as JSON. What is typed is sent as it
stands; after a refusal this module says which field it is about, by the schema's own types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    ObjectFieldNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Undefined,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_required_input_field,
    print_ast,
    type_from_ast,
    validate_input_value,
    visit,
)

from connectors.description import Text
from gateway.errors import CODES
from gateway.operations.operation import PublishedOperation
from gateway.pages.form import Control, FormField
from gateway.shape.response import gateway_error

#: What the names of variables begin with in the form.
VARIABLES = "v."
_MOST_INNER = 12
_SCALARS = {
    "PersonNumber": Control.PERSON,
    "CitizenID": Control.PERSON,
    "Date": Control.DAY,
    "Boolean": Control.YES_NO,
    "Int": Control.AMOUNT,
    "Float": Control.AMOUNT,
    "Decimal": Control.AMOUNT,
}
_TITLES = {
    "PersonNumber": Text("số định danh", "number of the person"),
    "CitizenID": Text("số định danh", "number of the person"),
    "ThingKey": Text("số hoặc mã", "number or code"),
}


@lru_cache(maxsize=256)
def variable_fields(schema: GraphQLSchema, published: PublishedOperation) -> tuple[FormField, ...]:
    """Return a field for each variable. Costs a parse of the document, once."""
    titles = _titles(schema, published)
    return tuple(
        _field(
            definition.variable.name.value,
            kind,
            titles.get(definition.variable.name.value, ""),
            is_required=definition.default_value is None and kind is not get_nullable_type(kind),
            note=_note(definition),
        )
        for definition, kind in _variables(schema, published)
    )


def variable_faults(
    schema: GraphQLSchema, published: PublishedOperation, values: Mapping[str, object]
) -> dict[str, Text]:
    """Return what is wrong with each variable in ``values``, by its path in the form."""
    faults: dict[str, Text] = {}
    for definition, kind in _variables(schema, published):
        name = definition.variable.name.value
        if name not in values:
            continue

        def note(error: GraphQLError, path: list[str | int], name: str = name) -> None:
            cause = gateway_error(error)
            code = CODES["INVALID_VALUE"] if cause is None else cause.code
            inner = [str(part) for part in path if isinstance(part, str)]
            faults[VARIABLES + ".".join([name, *inner])] = Text(code.vi, code.en)

        validate_input_value(values[name], kind, note)
    return faults


def _variables(
    schema: GraphQLSchema, published: PublishedOperation
) -> Iterator[tuple[VariableDefinitionNode, GraphQLInputType]]:
    for definition in published.operation.variables:
        kind = type_from_ast(schema, definition.type)
        assert kind is not None  # the document was validated
        yield definition, kind  # type: ignore[misc]


def _titles(schema: GraphQLSchema, published: PublishedOperation) -> dict[str, str]:
    """Return what the schema says of the places where each variable stands."""
    titles: dict[str, str] = {}
    info = TypeInfo(schema)

    class FindTitles(Visitor):
        def enter_variable(self, node: VariableNode, _key: object, parent: object, *_: object
                           ) -> None:  # fmt: skip
            argument = info.get_argument()
            description = argument.description if argument else None
            above = info.get_parent_input_type()
            if isinstance(parent, ObjectFieldNode):
                holder = get_named_type(above) if above is not None else None
                inner = (
                    holder.fields.get(parent.name.value)
                    if isinstance(holder, GraphQLInputObjectType)
                    else None
                )
                description = inner.description if inner else None
            if description:
                titles.setdefault(node.name.value, description)

    for part in published.document.tree().definitions:
        if isinstance(part, OperationDefinitionNode):
            visit(part.selection_set, TypeInfoVisitor(info, FindTitles()))
    return titles


def _note(definition: VariableDefinitionNode) -> str:
    default = definition.default_value
    default_text = "" if default is None else f" = {print_ast(default)}"
    return f"${definition.variable.name.value}: {print_ast(definition.type)}{default_text}"


def _field(
    name: str, kind: GraphQLInputType, description: str, is_required: bool, note: str = ""
) -> FormField:
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        description = description or named.description or ""
    title = _text(description) or _TITLES.get(named.name) or Text(name, name)
    is_list = is_list_type(get_nullable_type(kind))

    def make(control: Control, **more: object) -> FormField:
        return FormField(name, title, control, is_required, key=name, note=note, **more)  # type: ignore[arg-type]

    if isinstance(named, GraphQLInputObjectType):
        if is_list or not _is_flat(named):
            return make(Control.JSON)
        inner = tuple(
            _field(
                key,
                input_field.type,
                input_field.description or "",
                is_required_input_field(input_field),
            )
            for key, input_field in named.fields.items()
        )
        return make(Control.GROUP, inner=inner)
    if is_list:
        is_people = _SCALARS.get(named.name) is Control.PERSON
        return make(Control.PEOPLE if is_people else Control.LINES)
    if isinstance(named, GraphQLEnumType):
        options = tuple(
            (code, _text(value.description or "") or Text(code, code))
            for code, value in named.values.items()
        )
        return make(Control.CHOICE, options=options)
    return make(_SCALARS.get(named.name, Control.TEXT))


def _is_flat(kind: GraphQLInputObjectType) -> bool:
    return len(kind.fields) <= _MOST_INNER and not any(
        isinstance(get_named_type(input_field.type), GraphQLInputObjectType)
        for input_field in kind.fields.values()
    )


def _text(description: str) -> Text | None:
    """Return a description of the schema (``vi / en``) as a text; None: there is none."""
    vi, _, en = description.partition(" / ")
    return Text(vi, en or vi) if vi else None


def example_fields(
    declared: tuple[FormField, ...], example: Mapping[str, object]
) -> dict[str, str]:
    """Return the fields of a form that is filled with the variables of an example."""
    return dict(_example(declared, example, VARIABLES))


def _example(
    declared: tuple[FormField, ...], example: Mapping[str, object], above: str
) -> Iterator[tuple[str, str]]:
    for form_field in declared:
        value = example.get(form_field.key or form_field.name, Undefined)
        if isinstance(value, Mapping) and form_field.control is Control.GROUP:
            yield from _example(form_field.inner, value, f"{above}{form_field.name}.")
        elif value is not Undefined and not isinstance(value, Mapping | list):
            yield f"{above}{form_field.name}", str(value)
