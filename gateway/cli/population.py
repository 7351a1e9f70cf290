"""Loads a synthetic population into files and servers, for ``justice-gateway generate``.

The population is not in the wheel (``gateway.cli.checkout``).
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from connectors.description import Database
from connectors.registry import installed_databases
from connectors.synthetic import PopulationOptions, Summary, write
from connectors.synthetic.loading import LOADERS, NotLoaded, ServerTarget, load
from gateway.cli.token import load_settings
from gateway.databases.backends import server_options
from gateway.settings import LOADER_VARIABLE, DatabaseSettings, RecordSettings, Settings

_EVERY = 2_000

console = Console()


@dataclass(frozen=True, slots=True)
class _Places:
    """Where rows go: files, and servers; and what is left out, with the reason."""

    files: dict[str, Path]
    servers: list[ServerTarget]
    left_out: list[str]


def generate_population(
    options: PopulationOptions,
    folder: Path | None,
    user: str | None,
    replace_tables: bool,
    keep: bool,
    config: Path | None,
) -> None:
    """Run ``justice-gateway generate``; see there for what its options mean."""
    databases = [database for database in installed_databases() if database.records]
    settings = Settings() if folder is not None else load_settings(config)
    places = _in_folder(databases, folder) if folder else _configured(databases, settings, user)
    if keep:
        places = _without_existing(places)
    for database in places.left_out:
        console.print(f"left out: {database}", markup=False)
    if not places.files and not places.servers and not keep:
        raise typer.BadParameter("no database has a URL: give --folder, or --config with URLs")
    truth = (folder or settings.folder) / "truth.jsonl"
    if places.files:
        with _progress(options.people) as shown:
            summary = write(databases, places.files, options, truth, lambda done: shown(done, 0))
        _print_summary(summary, len(places.files))
    if places.servers:
        _load(places.servers, options, truth, replace_tables, keep)
    console.print(f"most memory used: {_peak_memory_mib():,.0f} MiB")


def _without_existing(places: _Places) -> _Places:
    """Return the places without existing files; servers are checked when they are loaded."""
    existing = {name for name, file in places.files.items() if file.exists()}
    files = {name: file for name, file in places.files.items() if name not in existing}
    notes = [f"{name}: its file is there" for name in sorted(existing)]
    return _Places(files, places.servers, [*places.left_out, *notes])


def _load(
    servers: list[ServerTarget], options: PopulationOptions, truth: Path, replaces: bool, keep: bool
) -> None:
    try:
        with _progress(options.people) as shown:
            summary, notices = asyncio.run(
                load(servers, options, truth, replace=replaces, keep=keep, progress=shown)
            )
    except NotLoaded as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
    for notice in notices:
        console.print(notice, style="yellow", markup=False)
    _print_summary(summary, len(servers))


class _ShowProgress(Protocol):
    def __call__(self, people: int, rows: int, /) -> None: ...


@contextmanager
def _progress(people: int) -> Iterator[_ShowProgress]:
    """Show the progress: a bar on a terminal, elsewhere a line every few thousand citizens."""
    if not console.is_terminal:
        reported = 0

        def line(done: int, rows: int) -> None:
            nonlocal reported
            if done - reported >= _EVERY:
                reported = done
                loaded_rows = f", {rows:,} rows" * bool(rows)
                console.print(f"{done:,} citizens{loaded_rows}; at least {people:,} are wanted")

        yield line
        return
    columns = (TextColumn("{task.completed:,} citizens"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=people)
        yield lambda people, rows: progress.update(task, completed=people)


def _print_summary(summary: Summary, count: int) -> None:
    rows = sum(summary.rows.values())
    console.print(
        f"{summary.people:,} citizens, {rows:,} rows in {count} databases, "
        f"{summary.seconds:.1f} s: {summary.rows_per_second:,.0f} rows/s"
    )


def _in_folder(databases: list[Database], folder: Path) -> _Places:
    return _Places(
        {database.name: folder / f"{database.name}.sqlite" for database in databases}, [], []
    )


def _configured(databases: list[Database], settings: Settings, user: str | None) -> _Places:
    """Return the places that settings name; raises BadParameter for one that cannot be loaded."""
    places = _Places({}, [], [])
    for database in databases:
        database_settings = settings.databases.get(database.name, DatabaseSettings())
        if database_settings.url is None:
            why = (
                "it is reached over X-Road"
                if database_settings.xroad is not None
                else "it has no url"
            )
            places.left_out.append(f"{database.name}: {why}")
            continue
        _place(places, database, settings, database_settings, user)
    return places


def _tables(database: Database, database_settings: DatabaseSettings) -> dict[str, str] | None:
    """Return the table of each record that is written; None: all as declared.

    Raises BadParameter for settings of columns and values: rows have the declared ones.
    """
    unfit = {"columns", "values", "constants", "missing", "dates", "join"}
    for name, record in database_settings.records.items():
        if names := sorted(unfit & record.model_fields_set):
            raise typer.BadParameter(
                f"databases.{database.name}.records.{name}: {', '.join(names)}: rows are made in "
                "declared columns only. Load with settings that give tables at most (table, "
                "mapped), and map columns in views over them"
            )
    if not any(
        {"table", "mapped"} & record.model_fields_set
        for record in database_settings.records.values()
    ):
        return None
    record_settings = {
        declared.name: database_settings.records.get(declared.name, RecordSettings())
        for declared in database.records
    }
    return {
        declared.name: record_settings[declared.name].table or declared.table
        for declared in database.records
        if record_settings[declared.name].mapped
    }


def _place(
    places: _Places,
    database: Database,
    settings: Settings,
    database_settings: DatabaseSettings,
    user: str | None,
) -> None:
    try:
        url = make_url(database_settings.url or "")
    except ArgumentError:
        raise typer.BadParameter(f"{database.name}: its url cannot be read") from None
    make, named = url.get_backend_name(), _tables(database, database_settings)
    if make == "sqlite" and url.database:
        _place_file(places, database, settings.path(Path(url.database)), named)
    elif make in LOADERS:
        password = os.environ.get(LOADER_VARIABLE)
        options = server_options(settings, database_settings)
        if user is not None:
            options = replace(options, password=lambda: password or "")
        target = url if user is None else url.set(username=user)
        places.servers.append(ServerTarget(database, target, options, url.username or "", named))
    else:
        raise typer.BadParameter(f"{database.name}: {make} databases cannot be loaded")


def _place_file(
    places: _Places, database: Database, file: Path, named: dict[str, str] | None
) -> None:
    """Assign a file to ``database`` alone, because it is replaced as a whole."""
    for other, other_file in places.files.items():
        if other_file.resolve() == file.resolve():
            raise typer.BadParameter(
                f"{database.name} and {other} have the same file: give each a file of its own"
            )
    if named is not None:
        raise typer.BadParameter(
            f"{database.name}: files are made with the declared tables: take table and mapped out "
            "of the settings that you generate with, or load a server"
        )
    places.files[database.name] = file


def _peak_memory_mib() -> float:
    """Return the most memory that this process has held (kibibytes on Linux, bytes on macOS)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
