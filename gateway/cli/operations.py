"""The command line: ``justice-gateway operations --help``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from graphql import GraphQLSchema
from rich.console import Console

from connectors.registry import installed_databases
from gateway.catalogue.sections import bind
from gateway.cli.token import Config, loaded
from gateway.operations.compare import compare_operations
from gateway.operations.library import OperationSet, read_operations
from gateway.operations.operation import PublishedOperation
from gateway.operations.publish import publish, withheld_paths
from gateway.schema.build import build_schema
from gateway.settings import Settings

operations_app = typer.Typer(no_args_is_help=True, help="Look after published operations.")
console = Console(emoji=False)  # line 100 of a file, ":100:", is no emoji


@operations_app.callback()
def operations() -> None:
    """Look after published operations."""


@operations_app.command()
def check(
    config: Config = None,
    folder: Annotated[
        Path | None, typer.Option(help="The folder of files, not the one of the settings.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="A folder of what is published now, to compare with.")
    ] = None,
) -> None:
    """Say of each file whether it can be published, and what changed since the version before.

    A version is compared with the one before it, in the folder or in --against. Exit status 1 when
    a file is refused, or changed without a new version.
    """
    settings = loaded(config)
    wanted = folder or settings.operations.folder
    if wanted is None:
        raise typer.BadParameter("the settings name no operations.folder: give --folder")
    schema, read = _reader(settings)
    operations = read(settings.path(wanted) if folder is None else folder)
    before = OperationSet() if against is None else read(against)
    for line in report(schema, operations, before):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if operations.refused or any(_edited(one, before.by_id) for one in operations.published):
        raise typer.Exit(1)


def _reader(settings: Settings) -> tuple[GraphQLSchema, partial[OperationSet]]:
    databases = installed_databases()
    schema = build_schema(databases)
    make = partial(publish, schema, bind(databases), settings.limits, settings.demo)
    return schema, partial(read_operations, publish=make, before=OperationSet())


def report(schema: GraphQLSchema, operations: OperationSet, before: OperationSet) -> Iterator[str]:
    """Yield what there is to say of each file, line by line."""
    for one in sorted(operations.published, key=lambda one: (one.header.name, one.header.version)):
        yield from _about(one)
        if _edited(one, before.by_id):
            yield "  changed without a new version: count it on"
        yield from _changed(schema, one, {**before.by_id, **operations.by_id})
    for refused in operations.refused:
        yield f"{refused}"
    yield f"{len(operations.published)} published, {len(operations.refused)} refused"


def _about(one: PublishedOperation) -> Iterator[str]:
    header = one.header
    yield f"{header.id}  {header.title}"
    yield f"  file      {one.file.name}"
    yield f"  document  {one.document_id}"
    yield f"  purposes  {' '.join(header.purposes) or 'none: the own view of the citizen'}"
    yield f"  clients   {' '.join(sorted(header.clients))}"
    yield f"  cost      at most {one.cost:,} of {header.cost:,}"
    yield f"  lends     {' '.join(sorted(one.lends)) or 'nothing'}"
    for path in withheld_paths(one):
        yield f"  withheld  {path}, from every caller"


def _edited(one: PublishedOperation, before: Mapping[str, PublishedOperation]) -> bool:
    known = before.get(one.header.id)
    return known is not None and known.document.digest != one.document.digest


def _changed(
    schema: GraphQLSchema, one: PublishedOperation, known: Mapping[str, PublishedOperation]
) -> Iterator[str]:
    """Yield how an operation differs from the newest version before it."""
    name, version = one.header.name, one.header.version
    earlier = (known.get(f"{name}.v{number}") for number in range(version - 1, 0, -1))
    last = next((found for found in earlier if found is not None), None)
    if last is None:
        yield "  changes   none to compare with: the first version"
        return
    found = compare_operations(schema, last, one)
    for change in found:
        yield f"  {'breaking' if change.breaking else 'changed '}  {change.description}"
    if not found:
        yield f"  changes   none since {last.header.id}"
