"""Write the types that a client's cache must know of: ``clients/typescript/client-types.ts``.

A client is not told by an answer which types implement an interface; introspection is for few. With
``--check`` nothing is written: the status is 1 where the file is not what it would be.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from graphql import GraphQLInterfaceType, GraphQLSchema

from connectors.description import Database, Field
from connectors.registry import installed_databases
from gateway.derived.registry import derived_of
from gateway.derived.view import PERSON
from gateway.schema.build import build_schema

FILE = Path(__file__).parents[1] / "clients" / "typescript" / "client-types.ts"
_HEAD = "/** Written by tools/client_types.py from the schema: which types are of which kind. */\n"


def client_types(schema: GraphQLSchema, databases: Sequence[Database]) -> str:
    """Return the file for ``schema`` over ``databases``."""
    possible = {
        name: sorted(member.name for member in schema.get_implementations(interface).objects)
        for name, interface in sorted(schema.type_map.items())
        if isinstance(interface, GraphQLInterfaceType)
    }
    parts = {
        name
        for database in databases
        for record in database.records
        for name in _structs(record.fields)
    }
    places = [PERSON, *(database.name for database in databases)]
    views = {view.type_name for place in places for view in derived_of(place)}
    return (
        f"{_HEAD}\n/** Implementations of each interface, for Apollo's `possibleTypes`. */\n"
        f"export const possibleTypes: Record<string, string[]> = "
        f"{json.dumps(possible, indent=2)};\n\n"
        f"/** Groups of fields within a record. */\nexport const parts: string[] = "
        f"{json.dumps(sorted(parts), indent=2)};\n\n"
        f"/** Values that are worked out of lists. */\nexport const views: string[] = "
        f"{json.dumps(sorted(views), indent=2)};\n"
    )


def _structs(fields: Iterable[Field]) -> Iterator[str]:
    for field in fields:
        if field.struct is not None:
            yield field.struct.name
            yield from _structs(field.struct.fields)


def main() -> int:
    """Write the file, or hold it against what it would be."""
    databases = installed_databases()
    text = client_types(build_schema(databases), databases)
    if "--check" not in sys.argv[1:]:
        FILE.write_text(text, "utf-8")
        return 0
    if FILE.read_text("utf-8") != text:
        print("clients/typescript/client-types.ts is not up to date: run `make schema`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
