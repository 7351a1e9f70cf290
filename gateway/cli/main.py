"""The command line: ``justice-gateway --help``."""

from __future__ import annotations

import json
import sys
from functools import partial
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, NoReturn

import structlog
import typer
from rich.console import Console
from sqlalchemy import create_engine

from connectors.registry import installed_databases
from connectors.tables import metadata_of
from gateway.app import build_app
from gateway.cli.audit import audit_app
from gateway.cli.cache import cache_app
from gateway.cli.changes import changes_app
from gateway.cli.checkout import needs_checkout
from gateway.cli.command_host import CommandHost
from gateway.cli.command_plugins import add_command_plugins
from gateway.cli.doctor import doctor
from gateway.cli.generate import generate
from gateway.cli.keys import keys_app
from gateway.cli.maintenance import maintenance_app
from gateway.cli.operations import operations_app
from gateway.cli.plan import explain_lines
from gateway.cli.receipt import receipt_app
from gateway.cli.start_checks import free_port, port_fault, start_faults
from gateway.cli.statistics import statistics_app
from gateway.cli.token import Config, token_app
from gateway.cli.token import load_settings as _load
from gateway.cli.xroad_stand_in import stand_in
from gateway.errors import GatewayError
from gateway.http.server import serve_app
from gateway.plan.document import InvalidDocument
from gateway.procedures.procedure import UNIFIED
from gateway.runtime.clock import SystemClock
from gateway.runtime.garbage import tune_process
from gateway.schema.build import build_schema
from gateway.schema.texts import schema_text, subgraph_text
from gateway.settings import Settings, file_of, load
from gateway.settings.faults import explained
from gateway.telemetry.logs import configure

app = typer.Typer(
    no_args_is_help=True,
    help="One GraphQL endpoint over the databases of a ministry of justice.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(token_app, name="token")
app.add_typer(audit_app, name="audit")
app.add_typer(keys_app, name="keys")
app.add_typer(receipt_app, name="receipt")
app.add_typer(operations_app, name="operations")
app.add_typer(maintenance_app, name="maintenance")
app.add_typer(cache_app, name="cache")
app.add_typer(changes_app, name="changes")
app.add_typer(statistics_app, name="statistics")
app.command("doctor")(doctor)
app.command("generate")(generate)
app.command("xroad-stand-in")(stand_in)
console = Console()


def _print_version(prints: bool) -> None:
    if prints:
        sys.stdout.write(f"justice-gateway {installed_version('justice-gateway')}\n")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and exit.",
            callback=_print_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line, with the commands of other packages."""
    add_command_plugins(app, CommandHost())
    app()


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8000,
    folder: Annotated[Path, typer.Option(help="The folder of the demo.")] = Path(".demo"),
) -> None:
    """Build the demo databases once and serve them on this machine, until interrupted.

    Needs a checkout: the synthetic people are not in the wheel.
    """
    with needs_checkout("demo"):
        from gateway.cli import demo as demo_folder
    port = port or free_port("127.0.0.1")
    _require_port("127.0.0.1", port)
    prepared = demo_folder.prepare_demo(folder, SystemClock().now(), console.print)
    for line in demo_folder.welcome(prepared, port):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    _serve(prepared.settings, prepared.folder / "gateway.toml", "127.0.0.1", port)


@app.command()
def serve(
    config: Config = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
) -> None:
    """Serve with the given settings."""
    settings = _load(config)
    if settings.demo:
        raise typer.BadParameter("these are demo settings: use `justice-gateway demo`")
    address = host or settings.host, settings.port if port is None else port
    _require_port(*address)
    _serve(settings, file_of(config), *address)


@app.command()
def schema(
    check: Annotated[bool, typer.Option("--check", help="Fail if the file differs.")] = False,
    write_file: Annotated[bool, typer.Option("--write", help="Write the file.")] = False,
    federation: Annotated[
        bool, typer.Option("--federation", help="As a subgraph, for `rover supergraph compose`.")
    ] = False,
    path: Annotated[Path, typer.Option(help="The file.")] = Path("schema.graphql"),
) -> None:
    """Print the schema of all installed databases, or check or write the file that holds it."""
    built = build_schema(installed_databases())
    text = subgraph_text(built) if federation else schema_text(built)
    if check:
        if not path.exists() or path.read_text("utf-8") != text:
            console.print(f"{path} differs from the code: run `make schema`", style="red")
            raise typer.Exit(1)
    elif write_file:
        path.write_text(text, "utf-8")
    else:
        sys.stdout.write(text)


@app.command()
def plan(
    query: Annotated[
        str, typer.Argument(help="A document, the body of a POST, or the path of a file of either.")
    ],
    operation: Annotated[str | None, typer.Option(help="Of several operations, which.")] = None,
    variables: Annotated[str, typer.Option(help="Values of variables, as JSON.")] = "{}",
    scope: Annotated[
        list[str] | None, typer.Option(help="A scope that the caller has; repeat. None: all.")
    ] = None,
    purpose: Annotated[
        str, typer.Option(help="The procedure for which they ask; left out: one that needs all.")
    ] = UNIFIED,
    code: Annotated[bool, typer.Option("--code", help="Show the generated code too.")] = False,
    config: Config = None,
) -> None:
    """Show how an operation would be answered: waves, reads, cost, permissions. Reads nothing."""
    if "{" not in query and not Path(query).is_file():
        raise typer.BadParameter(f"{query} is neither a document nor a file")
    text = query if "{" in query else Path(query).read_text("utf-8")
    body = _request_body(text)
    if body is not None:
        text, variables = body
    try:
        lines = explain_lines(
            installed_databases(), _load(config), text, operation, variables, scope, purpose, code
        )
    except InvalidDocument as error:
        _refuse(error.code, "; ".join(fault.message for fault in error.errors))
    except GatewayError as error:
        _refuse(error.code.name, error.message)
    sys.stdout.write("\n".join(lines) + "\n")


def _request_body(text: str) -> tuple[str, str] | None:
    """Return query and variables of the body of a POST, None where ``text`` is a document."""
    try:
        body = json.loads(text)
    except ValueError:
        return None
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise typer.BadParameter("the JSON has no query")
    return body["query"], json.dumps(body.get("variables") or {})


def _refuse(code: str, message: str) -> NoReturn:
    console.print(f"{code}: {message}", style="red", markup=False)
    raise typer.Exit(1)


@app.command()
def tables(
    name: Annotated[str, typer.Argument(help="A declared database.")],
    file: Annotated[Path, typer.Argument(help="The SQLite file to create.")],
) -> None:
    """Create an empty SQLite file with the tables of a database; never touches an old one."""
    declared = {database.name: database for database in installed_databases()}
    if name not in declared:
        raise typer.BadParameter(f"nobody declares {name}; there are {', '.join(declared)}")
    if file.exists():
        raise typer.BadParameter(f"{file} is there already")
    file.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{file}")
    metadata_of(declared[name]).create_all(engine)
    engine.dispose()
    console.print(f"created {file}")


def _require_port(host: str, port: int) -> None:
    fault = port_fault(host, port)
    if fault is not None:
        raise typer.BadParameter(fault)


def _serve(settings: Settings, config: Path | None, host: str, port: int) -> None:
    configure("WARNING" if settings.demo else "INFO")
    for deprecation in settings.deprecations():
        structlog.get_logger(__name__).warning("deprecated setting", detail=deprecation)
    faults = start_faults(settings, config)
    if faults:
        raise typer.BadParameter("\n".join(faults))
    try:
        application = build_app(
            settings, installed_databases(), read=partial(load, config), file=config
        )
    except (OSError, ValueError) as error:
        raise typer.BadParameter("\n".join(explained(error, config))) from None
    tune_process()
    serve_app(application, settings, host, port)
