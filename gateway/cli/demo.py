"""The demo: a folder with databases, keys, settings, operations, tokens, personas, made once.

Everything in it is synthetic. Tokens are made anew at each start; the databases only when one is
missing: remove the folder to have everything made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connectors.description import Database, Group
from connectors.registry import installed_databases
from connectors.synthetic import PopulationOptions, clusters, personas, write
from gateway.access.tokens import issue
from gateway.keys.files import create_missing
from gateway.keys.keyring import load_signing
from gateway.settings import Settings, load

DEMO_CITIZENS = 2_000

#: Where published operations are, in the demo's folder, and those that it begins with.
_OPERATIONS = "operations"
FIRST_SET = Path(__file__).parents[1] / "operations" / "first_set"

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
    """A demo caller: who it stands for, what it may see and for which purposes."""

    agency: str
    scopes: tuple[str, ...]
    purposes: tuple[str, ...] = ()


def _reading(*databases: str) -> tuple[str, ...]:
    return tuple(f"{name}:read" for name in databases)


CALLERS: dict[str, _Caller] = {
    "officer": _Caller(
        "UBND phường (dữ liệu thử)",
        (*_reading("population", "civil_status"), "civil_status:sensitive"),
        _DESK,
    ),
    "enforcement_officer": _Caller(
        "THADS tỉnh (dữ liệu thử)",
        (*_reading(*_DEBTORS_MEANS), "civil_enforcement:sensitive"),
        ("enforcement-verification",),
    ),
    "analyst": _Caller("Phân tích (dữ liệu thử)", ("introspect", "plans")),
    "partner": _Caller("Văn phòng công chứng (dữ liệu thử)", (), ("notarised-transfer",)),
    "auditor": _Caller("Kiểm toán (dữ liệu thử)", ("audit:read",), ("access-log-review",)),
    "operator": _Caller("Vận hành (dữ liệu thử)", ("introspect", "operate", "plans")),
    "bench": _Caller(
        "Đo hiệu năng (dữ liệu thử)",
        (*_reading(*_ALL), *(f"{name}:sensitive" for name in _ALL)),
        ("bench-unified",),
    ),
}


@dataclass(frozen=True, slots=True)
class Demo:
    """A prepared demo folder."""

    folder: Path
    settings: Settings
    tokens: dict[str, object]


#: Databases in which some synthetic records hold no number of a person.
_UNNUMBERED = frozenset({"administrative_violations"})


def prepare(folder: Path, now: datetime, say: Callable[[str], None]) -> Demo:
    """Make ``folder`` ready to serve and return what is in it.

    The first time takes some seconds for 2,000 citizens; later ones only renew the tokens.
    """
    folder.mkdir(parents=True, exist_ok=True)
    databases = [one for one in installed_databases() if one.records]
    paths = {one.name: folder / "databases" / f"{one.name}.sqlite" for one in databases}
    config = folder / "gateway.toml"
    cast_file = folder / "personas.json"
    if not all(path.exists() for path in (*paths.values(), cast_file)):
        say(f"building the demo databases ({DEMO_CITIZENS} synthetic citizens)")
        _build(databases, paths, cast_file)
    _write(config, _toml(databases, {name: one.relative_to(folder) for name, one in paths.items()}))
    _publish_first_set(folder / _OPERATIONS)
    settings = load(config)
    create_missing(settings, demo=True)
    tokens = _tokens(settings, now, json.loads(cast_file.read_text("utf-8")))
    _write(folder / "tokens.json", json.dumps(tokens, indent=1) + "\n")
    return Demo(folder, settings, tokens)


def _build(databases: list[Database], paths: dict[str, Path], cast_file: Path) -> None:
    """Write the databases, then the cast: as long as that is missing, all is built anew."""
    options = PopulationOptions(people=DEMO_CITIZENS)
    write(databases, paths, options, cast_file.with_name("truth.jsonl"))
    cast = personas(person for cluster in clusters(options) for person in cluster.truth)
    _write(cast_file, json.dumps(cast, ensure_ascii=False, indent=1) + "\n")


def _publish_first_set(folder: Path) -> None:
    """Publish the first set of operations; files that are there already stay as they are."""
    folder.mkdir(exist_ok=True)
    for file in sorted(FIRST_SET.glob("*.graphql")):
        if not (folder / file.name).exists():
            _write(folder / file.name, file.read_text("utf-8"))


def _toml(databases: list[Database], paths: dict[str, Path]) -> str:
    """Return settings in which all databases operate, also those that are still being built."""
    lines = ["# Written by justice-gateway demo; every value here is for show only.", "demo = true"]
    lines.append("public_metrics = true")
    # Whoever tries the demo out under load measures the gateway, not the allowance.
    lines += ["", "[rates]", "requests_per_minute = 1_000_000", "cost_per_minute = 1_000_000_000"]
    lines += ["", "[operations]", f'folder = "{_OPERATIONS}"', 'personas = "personas.json"']
    lines += ["public_catalogue = true"]
    lines += ["", "[audit]", 'copy_url = "sqlite:///journal/copy.sqlite"']
    for one in databases:
        lines += ["", f"[databases.{one.name}]", f'url = "sqlite:///{paths[one.name].as_posix()}"']
        if one.group is not Group.OPERATING:
            lines.append(f'group = "OPERATING"  # in truth {one.group.name}')
        if one.name in _UNNUMBERED:
            lines.append("unnumbered = true  # some offenders show no identity card")
    return "\n".join(lines) + "\n"


def _tokens(settings: Settings, now: datetime, cast: list[dict[str, object]]) -> dict[str, object]:
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

    citizens = {
        str(one["id"]): token(str(one["id"]), "demo-portal", ("me",), (), "Cổng dịch vụ công (thử)")
        for one in cast
        if not {"deceased", "minor"} & set(_tags(one))
    }
    return {
        "citizen": next(iter(citizens.values())),
        "citizens": citizens,
        **{
            name: token(f"demo-{name}", f"demo-{name}", one.scopes, one.purposes, one.agency)
            for name, one in CALLERS.items()
        },
    }


def _tags(persona: dict[str, object]) -> list[str]:
    tags = persona["tags"]
    assert isinstance(tags, list)
    return tags


def _write(path: Path, content: str) -> None:
    """Replace ``path`` in one step; what holds tokens is for its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    fresh.replace(path)
