"""Root fields that find records by the key of a thing: a registration, an asset, a paper."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from connectors.values import ThingKey
from gateway.catalogue.entry_points import EntryPoint, keys_of
from gateway.catalogue.own_view import OPEN_BY_KEY
from gateway.catalogue.read import Read
from gateway.errors import GatewayError
from gateway.execution.reference import ReferenceContext
from gateway.plan.list_arguments import DEFAULT_FIRST
from gateway.schema.factory import TypeFactory
from gateway.schema.field_definitions import DeferredType, resolved_field
from gateway.schema.record_lists import (
    ListSubject,
    answer_list,
    list_argument_types,
    list_type,
    parse_resolver_arguments,
)
from gateway.schema.requires_scopes import require_any_scope

#: Names that the key argument of a lookup must not have.
_RESERVED_ARGUMENTS = frozenset(
    {
        "first",
        "after",
        "order",
        "since",
        "until",
        "from",
        "to",
        "status",
        "fresh",
        "self",
        "info",
        "root",
    }
)


def lookup_field(types: TypeFactory, entry: EntryPoint, person: DeferredType) -> StrawberryField:
    """Return the root field of ``entry``.

    Raises ValueError if its argument is called as one of lists.
    """
    record, lookup = entry.record, entry.lookup
    read = Read(record, lookup)

    async def find_records(self: Any, info: strawberry.Info, **arguments: Any) -> object:
        context: ReferenceContext = info.context
        missing = context.rules.caller.missing_for(entry, None)
        if missing:
            raise GatewayError("FORBIDDEN", details={"missing": list(missing)})
        keys = keys_of(arguments[entry.argument])
        parsed = parse_resolver_arguments(record, arguments)
        answer = await context.rules.read(
            read.with_freshness(parsed.fresh), keys, OPEN_BY_KEY, None
        )
        context.state.note(record, answer.report.state)
        subject = ListSubject(set(), (), context.shortfall(info._raw_info))
        return answer_list(info, read, answer, OPEN_BY_KEY, parsed, subject)

    kind = list_type(types, record, person)
    if entry.argument in _RESERVED_ARGUMENTS:
        raise ValueError(f"{record.where}: {entry.argument} is an argument of lists already")
    arguments = {entry.argument: ThingKey, **list_argument_types(types, record)}
    defaults = {"first": DEFAULT_FIRST}
    field = resolved_field(
        entry.field, kind | None, find_records, arguments, lookup.title, defaults
    )
    return require_any_scope(field, (entry.scope,))
