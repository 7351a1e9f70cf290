"""docker-compose.yml, read by a parser: there is no engine where these tests run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from connectors.registry import installed_databases
from gateway.cli import app
from gateway.settings import load

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
#: Services that do one thing and end.
ONCE = {"keys", "files", "loader", "certificates"}
OURS = {name for name, one in SERVICES.items() if one["image"] == "justice-gateway"}


def test_the_topology_is_whole() -> None:
    images = {one["image"].split(":")[0] for one in SERVICES.values()}
    assert images == {
        "justice-gateway", "nginx", "postgres", "mariadb", "redis", "alpine/openssl",
    }  # fmt: skip
    assert {"gateway-1", "gateway-2", "population-xroad", "violations-xroad"} <= OURS


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_to_a_version(name: str) -> None:
    assert name in OURS or re.search(r":\d+[\w.\-]*$", SERVICES[name]["image"])


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONCE))
def test_what_keeps_running_has_a_health_check_and_is_restarted(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_nothing_is_reached_from_outside_but_nginx_on_this_machine() -> None:
    assert {name for name, one in SERVICES.items() if "ports" in one} == {"nginx"}
    assert SERVICES["nginx"]["ports"] == ["127.0.0.1:8000:8080"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    outside = {name for name, one in SERVICES.items() if "outside" in one["networks"]}
    assert outside == {"nginx"}


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_names_is_there(name: str) -> None:
    service = SERVICES[name]
    for other, on in (service.get("depends_on") or {}).items():
        assert other in SERVICES
        ends = on["condition"] == "service_completed_successfully"
        assert ends == (other in ONCE)
    for volume in service.get("volumes", ()):
        assert volume.split(":")[0] in COMPOSE["volumes"]
    for config in service.get("configs", ()):
        assert config["source"] in COMPOSE["configs"]
    assert set(service["networks"]) <= COMPOSE["networks"].keys()


def test_files_that_are_mounted_are_there() -> None:
    for one in COMPOSE["configs"].values():
        assert "content" in one or (ROOT / one["file"]).is_file()


@pytest.mark.parametrize("name", sorted(OURS))
def test_commands_are_commands_of_ours(name: str) -> None:
    command = [str(one) for one in SERVICES[name].get("command", ["serve"])]
    shown = CliRunner(env={"COLUMNS": "300"}).invoke(app, [command[0], "--help"]).output
    for option in (one for one in command if one.startswith("--")):
        assert option in shown


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_services_cannot_write_but_where_they_must(name: str) -> None:
    assert SERVICES[name]["read_only"] is True
    made = re.search(r"mkdir (.+?) \\", (ROOT / "deploy" / "Dockerfile").read_text("utf-8"))
    assert made is not None
    written = [one.split(":") for one in SERVICES[name].get("volumes", ())]
    for _, place, *mode in written:
        assert mode == ["ro"] or place in made[1].split()


def test_the_image_does_not_run_as_root() -> None:
    lines = (ROOT / "deploy" / "Dockerfile").read_text("utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users[-1:] == ["gateway"]
    assert lines.index("USER gateway") < lines.index('ENTRYPOINT ["justice-gateway"]')


def test_its_settings_are_of_the_same_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUSTICE_GATEWAY_REDIS__URL", raising=False)  # it would win
    settings = load(ROOT / "deploy" / "compose" / "gateway.toml")
    declared = {one.name for one in installed_databases()}
    assert settings.databases.keys() == declared
    hosts = {re.sub(r".*@(\w+)/.*", r"\1", one.url) for one in settings.databases.values()
             if one.url and "@" in one.url}  # fmt: skip
    assert hosts == {"postgres", "mariadb"}
    over_xroad = {name for name, one in settings.databases.items() if one.xroad}
    assert over_xroad == {"population", "administrative_violations"}
    for one in settings.databases.values():
        assert one.xroad is None or re.fullmatch(r"https://(\S+):8443", one.xroad.server)
    assert settings.redis.url == "redis://redis:6379/0"


def test_passwords_open_nothing_but_what_is_inside() -> None:
    text = "".join(
        path.read_text("utf-8")
        for path in (ROOT / "docker-compose.yml", *(ROOT / "deploy" / "compose").iterdir())
    )
    given = re.findall(r"(?:PASSWORD:?|BY|content:)\s+'?([\w\-]+)", text)
    assert given
    assert all(one.endswith("-inside-only") for one in given)
