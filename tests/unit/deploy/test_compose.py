"""docker-compose.yml, checked by a parser, since tests run without a container engine."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from connectors.registry import installed_databases
from gateway.cli.main import app
from gateway.settings import load

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
#: Services that do one thing and end.
ONE_SHOT_SERVICES = {"keys", "files", "loader", "certificates", "tls"}
OUR_IMAGES = ("justice-gateway", "justice-gateway-demo")
OWN_SERVICES = {name for name, service in SERVICES.items() if service["image"] in OUR_IMAGES}


def test_the_topology_is_whole() -> None:
    images = {service["image"].split(":")[0] for service in SERVICES.values()}
    assert images == {*OUR_IMAGES, "nginx", "postgres", "mariadb", "redis"}
    assert {"gateway-1", "gateway-2", "population-xroad", "violations-xroad"} <= OWN_SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_to_a_version(name: str) -> None:
    assert name in OWN_SERVICES or re.search(r":\d+\.\d+[\w.\-]*$", SERVICES[name]["image"])


def test_the_image_is_made_from_a_pinned_version() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
    stages = re.findall(r"^FROM \S+ AS (\S+)$", text, re.MULTILINE)
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert [base for base in bases if base not in stages] == ["python:3.13.7-slim"]
    assert bases[-1] == "production"


@pytest.mark.parametrize("name", sorted(OWN_SERVICES))
def test_what_needs_synthetic_people_or_a_stand_in_has_the_image_that_holds_them(name: str) -> None:
    demo = (SERVICES[name].get("command") or ["serve"])[0] in {"generate", "xroad-stand-in"}
    assert SERVICES[name]["image"] == ("justice-gateway-demo" if demo else "justice-gateway")
    assert SERVICES[name].get("build", {}).get("target") in {
        "demo" if demo else "production",
        None,
    }


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONE_SHOT_SERVICES))
def test_what_keeps_running_has_a_health_check_and_is_restarted(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_nothing_is_reached_from_outside_but_nginx_on_this_machine() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"nginx"}
    assert SERVICES["nginx"]["ports"] == ["127.0.0.1:8443:8443"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    reachable = {name for name, service in SERVICES.items() if "outside" in service["networks"]}
    assert reachable == {"nginx"}


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_names_is_there(name: str) -> None:
    service = SERVICES[name]
    for other, on in (service.get("depends_on") or {}).items():
        assert other in SERVICES
        ends = on["condition"] == "service_completed_successfully"
        assert ends == (other in ONE_SHOT_SERVICES)
    for volume in service.get("volumes", ()):
        assert volume.split(":")[0] in COMPOSE["volumes"]
    for config in service.get("configs", ()):
        assert config["source"] in COMPOSE["configs"]
    assert set(service["networks"]) <= COMPOSE["networks"].keys()


def test_files_that_are_mounted_are_there() -> None:
    for config in COMPOSE["configs"].values():
        assert "content" in config or (ROOT / config["file"]).is_file()


@pytest.mark.parametrize("name", sorted(OWN_SERVICES))
def test_commands_are_commands_of_ours(name: str) -> None:
    command = [str(argument) for argument in SERVICES[name].get("command", ["serve"])]
    if "entrypoint" in SERVICES[name]:
        assert SERVICES[name]["entrypoint"] == ["python", "/certificates.py"]
        return
    help_text = CliRunner(env={"COLUMNS": "300"}).invoke(app, [command[0], "--help"]).output
    for option in (argument for argument in command if argument.startswith("--")):
        assert option in help_text


@pytest.mark.parametrize("name", sorted(OWN_SERVICES))
def test_our_services_cannot_write_but_where_they_must(name: str) -> None:
    assert SERVICES[name]["read_only"] is True
    folders = re.search(r"mkdir (.+?) \\", (ROOT / "deploy" / "Dockerfile").read_text("utf-8"))
    assert folders is not None
    mounts = [volume.split(":") for volume in SERVICES[name].get("volumes", ())]
    for _, place, *mode in mounts:
        assert mode == ["ro"] or place in folders[1].split()


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_held(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert {"mem_limit", "cpus", "pids_limit"} <= service.keys()


#: Where private keys are -> whose they are.
HOLDERS = {
    "keys": {"gateway-1", "gateway-2"},
    "tls": {"nginx"},
    "certificates-gateway": {"gateway-1", "gateway-2"},
    "certificates-population": {"population-xroad"},
    "certificates-violations": {"violations-xroad"},
}


@pytest.mark.parametrize("volume", HOLDERS)
def test_private_keys_have_a_volume_for_each_holder(volume: str) -> None:
    mounted = {
        (name, place.split(":")[-1] == "ro")
        for name, service in SERVICES.items()
        for place in service.get("volumes", ())
        if place.split(":")[0] == volume
    }
    assert {name for name, read_only in mounted if read_only} == HOLDERS[volume]
    assert {name for name, read_only in mounted if not read_only} <= {"keys", "tls", "certificates"}
    makers = {SERVICES[name]["user"] for name, _ in mounted}
    assert len(makers) == 1, "whoever makes a key for its owner alone must be that owner"


def test_clients_are_known_by_what_nginx_says_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUSTICE_GATEWAY_REDIS__URL", raising=False)  # it would win
    address = SERVICES["nginx"]["networks"]["inside"]["ipv4_address"]
    (network,) = COMPOSE["networks"]["inside"]["ipam"]["config"]
    assert ip_address(address) in ip_network(network["subnet"])
    settings = load(ROOT / "deploy" / "compose" / "gateway.toml")
    assert settings.connections.proxies == (f"{address}/32",)


def test_gateways_outlive_their_grace_and_nginx_lets_go_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("JUSTICE_GATEWAY_REDIS__URL", raising=False)  # it would win
    connections = load(ROOT / "deploy" / "compose" / "gateway.toml").connections
    assert connections.grace < int(SERVICES["gateway-1"]["stop_grace_period"].removesuffix("s"))
    text = (ROOT / "deploy" / "compose" / "nginx.conf").read_text("utf-8")
    upstream = re.search(r"keepalive 32;.*?keepalive_timeout (\d+)s;", text, re.DOTALL)
    assert upstream is not None
    assert int(upstream[1]) < connections.idle_timeout
    assert SERVICES["gateway-1"]["ulimits"]["nofile"] > connections.total


def test_redis_wants_a_password() -> None:
    (own_config,) = (config for config in SERVICES["redis"]["configs"])
    text = (ROOT / COMPOSE["configs"][own_config["source"]]["file"]).read_text("utf-8")
    assert "requirepass redis-inside-only" in text.splitlines()
    assert COMPOSE["configs"]["redis-password"]["content"] == "redis-inside-only"
    targets = {config["target"] for config in SERVICES["gateway-1"]["configs"]}
    assert "/secrets/redis" in targets


def test_the_image_does_not_run_as_root() -> None:
    lines = (ROOT / "deploy" / "Dockerfile").read_text("utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users[-1:] == ["gateway"]
    assert lines.index("USER gateway") < lines.index('ENTRYPOINT ["justice-gateway"]')


def test_its_settings_are_of_the_same_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUSTICE_GATEWAY_REDIS__URL", raising=False)  # it would win
    settings = load(ROOT / "deploy" / "compose" / "gateway.toml")
    declared = {database.name for database in installed_databases()}
    assert settings.databases.keys() == declared
    hosts = {re.sub(r".*@(\w+)/.*", r"\1", database.url) for database in settings.databases.values()
             if database.url and "@" in database.url}  # fmt: skip
    assert hosts == {"postgres", "mariadb"}
    over_xroad = {name for name, database in settings.databases.items() if database.xroad}
    assert over_xroad == {"population", "administrative_violations"}
    for database in settings.databases.values():
        assert database.xroad is None or re.fullmatch(r"https://(\S+):8443", database.xroad.server)
    assert settings.redis.url == "redis://redis:6379/0"


def test_passwords_open_nothing_but_what_is_inside() -> None:
    text = "".join(
        path.read_text("utf-8")
        for path in (ROOT / "docker-compose.yml", *(ROOT / "deploy" / "compose").glob("*.*[!y]"))
    )
    passwords = re.findall(r"(?:PASSWORD:?|AUTH:|BY|requirepass|content:)\s+'?([\w\-]+)", text)
    assert passwords
    assert all(network.endswith("-inside-only") for network in passwords)
