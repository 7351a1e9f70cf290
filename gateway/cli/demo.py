"""The demo: a folder with databases, keys, settings, operations, tokens and personas.

Everything in it is synthetic. Each start issues new tokens and keeps the databases. Remove the
folder to build everything again.
"""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connectors.changes.outbox_tables import outbox_statements
from connectors.description import Database, Group
from connectors.registry import installed_databases
from connectors.synthetic import PopulationOptions, clusters, personas, write
from gateway.access.tokens import issue
from gateway.catalogue.checks import SCOPE as CHECK
from gateway.catalogue.life_events import SCOPE as EVENTS
from gateway.derived.view import PERSON
from gateway.keys.files import create_missing
from gateway.keys.keyring import load_signing
from gateway.procedures.registry import ALL
from gateway.settings import Settings, load

DEMO_CITIZENS = 2_000

#: The folder of published operations within the demo's folder, and the operations it starts with.
_OPERATIONS = "operations"
FIRST_SET = Path(__file__).parents[1] / "operations" / "first_set"

#: The folder of tokens within the demo's folder: a file for each caller.
_TOKENS = "tokens"
#: What the printed command asks.
_EXAMPLE = "{ me { id population { identity { item { fullName } source { state } } } } }"

#: Purposes of the civil status desk (design section 10).
_DESK = ("1.000894", "1.004873", "1.001193", "1.000656", "2.000635")

_ALL = (
    "population",
    "civil_status",
    "security_measures",
    "legal_aid",
    "civil_enforcement",
    "administrative_violations",
    "notary",
)
_DEBTORS_MEANS = ("population", "civil_status", "security_measures", "notary", "civil_enforcement")


@dataclass(frozen=True, slots=True)
class _Caller:
    """A demo caller: the agency it stands for, its scopes and its purposes."""

    agency: str
    scopes: tuple[str, ...]
    purposes: tuple[str, ...] = ()


def _reading(*databases: str) -> tuple[str, ...]:
    return tuple(f"{name}:read" for name in databases)


CALLERS: dict[str, _Caller] = {
    "officer": _Caller(
        "UBND phường (dữ liệu thử)",
        (
            *_reading("population", "civil_status", PERSON),
            "civil_status:sensitive",
            f"{PERSON}:sensitive",
            CHECK,
            EVENTS,
        ),
        _DESK,
    ),
    "enforcement_officer": _Caller(
        "THADS tỉnh (dữ liệu thử)",
        (*_reading(*_DEBTORS_MEANS, PERSON), "civil_enforcement:sensitive", CHECK, EVENTS),
        ("enforcement-verification",),
    ),
    "one_stop_desk": _Caller(
        "Bộ phận một cửa (dữ liệu thử)",
        (*_reading("population"), CHECK),
        tuple(procedure.codes[0] for procedure in ALL if procedure.check is not None),
    ),
    "analyst": _Caller("Phân tích (dữ liệu thử)", ("introspect", "plans", "statistics")),
    "partner": _Caller("Văn phòng công chứng (dữ liệu thử)", (), ("notarised-transfer",)),
    "auditor": _Caller("Kiểm toán (dữ liệu thử)", ("audit:read",), ("access-log-review",)),
    "operator": _Caller("Vận hành (dữ liệu thử)", ("introspect", "operate", "plans")),
    "bench": _Caller(
        "Đo hiệu năng (dữ liệu thử)",
        (
            *_reading(*_ALL, PERSON),
            *(f"{name}:sensitive" for name in (*_ALL, PERSON)),
            "plans",
        ),
        ("bench-unified",),
    ),
}


@dataclass(frozen=True, slots=True)
class Demo:
    """A prepared demo folder. ``callers``: the names of the callers that have a token."""

    folder: Path
    settings: Settings
    callers: tuple[str, ...]


#: The database whose changes are followed: a death that is inserted by SQL becomes an event.
_FOLLOWED = "civil_status"
#: Which events may be followed, by purpose.
_INTERESTS = {
    "1.000894": ("DEATH", "MARRIAGE", "DIVORCE"),
    "enforcement-verification": (
        "DEATH",
        "BLOCK_PLACED",
        "BLOCK_LIFTED",
        "CASE_OPENED",
        "CASE_CLOSED",
    ),
}
#: The networks to which webhooks may send events beside public ones.
_THIS_MACHINE = ("127.0.0.0/8", "::1/128")
#: Databases in which some synthetic records hold no number of a person.
_UNNUMBERED = frozenset({"administrative_violations"})


def prepare_demo(folder: Path, now: datetime, say: Callable[[str], None]) -> Demo:
    """Make ``folder`` ready to serve and return what is in it.

    Takes some seconds the first time, for 2,000 citizens. Later starts only issue new tokens, valid
    for 24 hours from ``now``. ``say`` prints progress.
    """
    folder.mkdir(parents=True, exist_ok=True)
    databases = [database for database in installed_databases() if database.records]
    paths = {
        database.name: folder / "databases" / f"{database.name}.sqlite" for database in databases
    }
    personas_file = folder / "personas.json"
    if not all(path.exists() for path in (*paths.values(), personas_file)):
        say(f"building the demo databases ({DEMO_CITIZENS} synthetic citizens)")
        _build(databases, paths, personas_file)
    _make_outbox(
        next(database for database in databases if database.name == _FOLLOWED), paths[_FOLLOWED]
    )
    config = folder / "gateway.toml"
    relative_paths = {name: path.relative_to(folder) for name, path in paths.items()}
    _write(config, _toml(databases, relative_paths))
    _publish_first_set(folder / _OPERATIONS)
    settings = load(config)
    create_missing(settings, demo=True)
    tokens = _issue_tokens(settings, now, json.loads(personas_file.read_text("utf-8")))
    return Demo(folder, settings, _write_tokens(folder, tokens))


def welcome(demo: Demo, port: int) -> list[str]:
    """Return the lines to print before the demo serves on ``port``.

    They name the addresses, the callers that have a token, and a command that asks a question.
    Tokens are not printed: some 700 characters each, they would push the rest off the screen.
    """
    address = f"http://127.0.0.1:{port}"
    token = shlex.quote(str(demo.folder / _TOKENS / "citizen"))
    body = shlex.quote(json.dumps({"query": _EXAMPLE}))
    return [
        "",
        f"GraphiQL   {address}/graphql (in a browser)",
        f"Pages      {address}/ (in a browser: procedures, catalogue, service status)",
        f"           {address}/person (what is recorded of a person, as an officer)",
        f"           {address}/me (the same of yourself, as a citizen)",
        f"GraphQL    {address}/graphql (POST; the schema is {address}/schema.graphql)",
        f"Catalogue  {address}/openapi.json (published operations)",
        f"Health     {address}/health/ready",
        f"Metrics    {address}/metrics",
        "",
        f"Personas   {demo.folder / 'personas.json'}",
        f"Tokens     {demo.folder / _TOKENS / 'NAME'} (new at each start, valid for 24 hours)",
        f"           NAME is {', '.join(demo.callers)}",
        "",
        "Ask as a citizen:",
        "",
        f'  curl -s {address}/graphql -H "Authorization: Bearer $(cat {token})" \\',
        f"    -H 'Content-Type: application/json' -d {body}",
        "",
    ]


def _build(databases: list[Database], paths: dict[str, Path], personas_file: Path) -> None:
    """Write the databases, then the personas: while those are missing, all is built again."""
    options = PopulationOptions(people=DEMO_CITIZENS)
    write(databases, paths, options, personas_file.with_name("truth.jsonl"))
    cast = personas(person for cluster in clusters(options) for person in cluster.truth)
    _write(personas_file, json.dumps(cast, ensure_ascii=False, indent=1) + "\n")


def _make_outbox(database: Database, path: Path) -> None:
    """Make the outbox of a database, with its triggers, unless it is there."""
    with closing(sqlite3.connect(path)) as file:
        tables = "SELECT 1 FROM sqlite_master WHERE name = 'justice_gateway_outbox'"
        if file.execute(tables).fetchone() is None:
            file.executescript(";\n".join(outbox_statements(database, "sqlite")) + ";")


def _publish_first_set(folder: Path) -> None:
    """Publish the first set of operations. A file that exists already is kept as it is."""
    folder.mkdir(exist_ok=True)
    for file in sorted(FIRST_SET.glob("*.graphql")):
        if not (folder / file.name).exists():
            _write(folder / file.name, file.read_text("utf-8"))


def _toml(databases: list[Database], paths: dict[str, Path]) -> str:
    """Return settings in which every database is OPERATING, whatever its declaration says."""
    lines = ["# Written by justice-gateway demo; every value here is for show only.", "demo = true"]
    lines.append("public_metrics = true")
    # A load test of the demo must measure the gateway, not the rate limits.
    lines += ["", "[rates]", "requests_per_minute = 1_000_000", "cost_per_minute = 1_000_000_000"]
    lines += ["", "[operations]", f'folder = "{_OPERATIONS}"', 'personas = "personas.json"']
    lines += ["public_catalogue = true"]
    lines += ["", "[audit]", 'copy_url = "sqlite:///journal/copy.sqlite"']
    lines += ["", "[changes.webhooks]  # endpoints on this machine, without TLS", "enabled = true"]
    lines += ["plain_http = true", f"allowed_networks = {json.dumps(_THIS_MACHINE)}"]
    for purpose, kinds in _INTERESTS.items():
        lines += ["", f'[purposes."{purpose}".interests]', f"kinds = {json.dumps(kinds)}"]
    for database in databases:
        path = paths[database.name].as_posix()
        lines += ["", f"[databases.{database.name}]", f'url = "sqlite:///{path}"']
        if database.group is not Group.OPERATING:
            lines.append(f'group = "OPERATING"  # in truth {database.group.name}')
        if database.name in _UNNUMBERED:
            lines.append("unnumbered = true  # some offenders show no identity card")
        if database.name == _FOLLOWED:
            lines.append('changes = { source = "outbox" }')
    return "\n".join(lines) + "\n"


def _issue_tokens(
    settings: Settings, now: datetime, cast: Sequence[dict[str, object]]
) -> dict[str, object]:
    """Return a token for each caller by name; under ``citizens``, by number, for living adults."""
    key = load_signing(settings, "token")[0]

    def token(
        subject: str, client: str, scopes: tuple[str, ...], purposes: tuple[str, ...], agency: str
    ) -> str:
        return issue(
            key,
            settings.access,
            now,
            subject=subject,
            client=client,
            scopes=scopes,
            purposes=purposes,
            agency=agency,
        )

    numbers = (
        str(persona["id"]) for persona in cast if not {"deceased", "minor"} & set(_tags(persona))
    )
    citizens = {
        number: token(number, "demo-portal", ("me",), (), "Cổng dịch vụ công (thử)")
        for number in numbers
    }
    return {
        "citizen": next(iter(citizens.values())),
        "citizens": citizens,
        **{
            name: token(
                f"demo-{name}", f"demo-{name}", caller.scopes, caller.purposes, caller.agency
            )
            for name, caller in CALLERS.items()
        },
    }


def _write_tokens(folder: Path, tokens: dict[str, object]) -> tuple[str, ...]:
    """Write all tokens to one file, which GraphiQL reads, and each to its own; return the names."""
    _write(folder / "tokens.json", json.dumps(tokens, indent=1) + "\n")
    by_caller = {name: token for name, token in tokens.items() if isinstance(token, str)}
    for name, token in by_caller.items():
        _write(folder / _TOKENS / name, token + "\n")
    return tuple(by_caller)


def _tags(persona: dict[str, object]) -> list[str]:
    tags = persona["tags"]
    assert isinstance(tags, list)
    return tags


def _write(path: Path, content: str) -> None:
    """Replace ``path`` in one step. Only its owner may read it: it may hold tokens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    fresh.replace(path)
