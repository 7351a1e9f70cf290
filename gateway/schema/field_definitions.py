"""Fields of types that are made at run time, as strawberry wants them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature
from types import FunctionType
from typing import Any, get_args

from strawberry import UNSET, Info
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver
from strawberry.types.lazy_type import LazyType

from connectors.description import Text


@dataclass(frozen=True)
class DeferredType(LazyType[Any, Any]):
    """A type that does not exist yet while the types that lead to it are made."""

    find: Callable[[], type] | None = None

    def resolve_type(self) -> type[Any]:
        """Return the type; strawberry calls this once all types exist."""
        assert self.find is not None
        return self.find()


def list_annotation(kind: Any) -> Any:
    """Return the annotation of a list of ``kind``, a type made at run time."""
    return list[kind]


def attribute_field(
    name: str, annotation: object, title: Text | str | None = None
) -> StrawberryField:
    """Return a field that is read from its source by name (snake case here, camel case there)."""
    return StrawberryField(
        python_name=name,
        type_annotation=StrawberryAnnotation(annotation),
        description=str(title) if title is not None else None,
    )


def resolved_field(
    name: str,
    annotation: object,
    resolver: Callable[..., object],
    arguments: Mapping[str, object] | None = None,
    title: Text | str | None = None,
    defaults: Mapping[str, object] | None = None,
) -> StrawberryField:
    """Return a field with a resolver.

    ``arguments``: types of the resolver's parameters beyond ``self`` and ``info``. An argument that
    may be null can be left out. ``defaults``: shown in the schema.
    """
    assert isinstance(resolver, FunctionType)
    signature = Signature(
        _parameters(arguments or {}, defaults or {}), return_annotation=annotation
    )
    return StrawberryField(
        python_name=name,
        type_annotation=StrawberryAnnotation(annotation),
        description=str(title) if title is not None else None,
        base_resolver=StrawberryResolver(_with_signature(resolver, signature)),
    )


def _parameters(arguments: Mapping[str, object], defaults: Mapping[str, object]) -> list[Parameter]:
    parameters = [
        Parameter("self", Parameter.POSITIONAL_OR_KEYWORD),
        Parameter("info", Parameter.POSITIONAL_OR_KEYWORD, annotation=Info),
    ]
    for name, kind in arguments.items():
        bare = get_args(kind)[0] if hasattr(kind, "__metadata__") else kind
        is_optional = type(None) in get_args(bare)
        default = defaults.get(name, UNSET if is_optional else Parameter.empty)
        parameters.append(Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=kind))
    return parameters


def _with_signature(function: FunctionType, signature: Signature) -> FunctionType:
    """Return a copy of ``function`` with another signature, which is what strawberry reads.

    Argument types are known only once the databases are, so they cannot be annotations.
    """
    copy = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    # Functions may carry a signature (PEP 362); typeshed's class does not say so.
    copy.__signature__ = signature  # type: ignore[attr-defined]
    return copy
