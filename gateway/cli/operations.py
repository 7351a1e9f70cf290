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
from gateway.catalogue.sections import bind_sections
from gateway.cli.token import Config, load_settings
from gateway.operations.compare import compare_operations
from gateway.operations.library import OperationSet, read_operations
from gateway.operations.operation import PublishedOperation
from gateway.operations.publish import publish, withheld_paths
from gateway.schema.build import build_schema
from gateway.settings import Settings

operations_app = typer.Typer(no_args_is_help=True, help="Check published operations.")
console = Console(emoji=False)  # line 100 of a file, ":100:", is no emoji


@operations_app.callback()
def operations() -> None:
    """Check published operations."""


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
    """Report for each file whether it can be published, and what changed since its last version.

    A version is compared with the one before it, in the folder or in --against. Exit status 1 when
    a file is refused, or changed without a new version.
    """
    settings = load_settings(config)
    chosen = folder or settings.operations.folder
    if chosen is None:
        raise typer.BadParameter("the settings name no operations.folder: give --folder")
    schema, read = _reader(settings)
    operations = read(settings.path(chosen) if folder is None else folder)
    before = OperationSet() if against is None else read(against)
    for line in report(schema, operations, before):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if operations.refused or any(
        _edited(operation, before.by_id) for operation in operations.published
    ):
        raise typer.Exit(1)


def _reader(settings: Settings) -> tuple[GraphQLSchema, partial[OperationSet]]:
    databases = installed_databases()
    schema = build_schema(databases)
    make = partial(publish, schema, bind_sections(databases), settings.limits, settings.demo)
    return schema, partial(read_operations, publish=make, before=OperationSet())


def report(schema: GraphQLSchema, operations: OperationSet, before: OperationSet) -> Iterator[str]:
    """Yield the report of each file, line by line."""
    for operation in sorted(
        operations.published,
        key=lambda operation: (operation.header.name, operation.header.version),
    ):
        yield from _describe(operation)
        if _edited(operation, before.by_id):
            yield "  changed without a new version: count it on"
        yield from _describe_changes(schema, operation, {**before.by_id, **operations.by_id})
    for refused in operations.refused:
        yield f"{refused}"
    yield f"{len(operations.published)} published, {len(operations.refused)} refused"


def _describe(operation: PublishedOperation) -> Iterator[str]:
    header = operation.header
    yield f"{header.id}  {header.title}"
    yield f"  file      {operation.file.name}"
    yield f"  document  {operation.document_id}"
    yield f"  purposes  {' '.join(header.purposes) or 'none: the own view of the citizen'}"
    yield f"  clients   {' '.join(sorted(header.clients))}"
    yield f"  cost      at most {operation.cost:,} of {header.cost:,}"
    yield f"  lends     {' '.join(sorted(operation.lends)) or 'nothing'}"
    for path in withheld_paths(operation):
        yield f"  withheld  {path}, from every caller"


def _edited(operation: PublishedOperation, before: Mapping[str, PublishedOperation]) -> bool:
    earlier = before.get(operation.header.id)
    return earlier is not None and earlier.document.digest != operation.document.digest


def _describe_changes(
    schema: GraphQLSchema,
    operation: PublishedOperation,
    published: Mapping[str, PublishedOperation],
) -> Iterator[str]:
    """Yield the differences of an operation from the newest version before it."""
    name, version = operation.header.name, operation.header.version
    earlier = (published.get(f"{name}.v{number}") for number in range(version - 1, 0, -1))
    last = next((differences for differences in earlier if differences is not None), None)
    if last is None:
        yield "  changes   none to compare with: the first version"
        return
    differences = compare_operations(schema, last, operation)
    for change in differences:
        yield f"  {'breaking' if change.breaking else 'changed '}  {change.description}"
    if not differences:
        yield f"  changes   none since {last.header.id}"
