"""A gateway with sign-in, in a process of its own, before a real issuer; and who signs in."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.oidc_provider import AUDIENCE, oidc_provider, private_keys
from tests.support.process import Process, free_port, serve_process

CODE = "no-sanction-check"
_SCOPES = ["openid", "profile", "offline_access", "procedures:check"]


@contextmanager
def sign_in_process(folder: Path, demo: Process, *, life: int = 3600) -> Iterator[Process]:
    """Run a gateway in production over the demo's databases, with an issuer, until the block ends.

    ``life``: of access tokens, in seconds.
    """
    port = free_port()
    gateway = f"http://127.0.0.1:{port}"
    with oidc_provider("RS256", private_keys("RS256", "k"), gateway=gateway, life=life) as issuer:
        folder.mkdir()
        config = folder / "gateway.toml"
        config.write_text(_settings(demo.folder, issuer, gateway), "utf-8")
        (folder / "client-secret").write_text("pages-secret\n", "utf-8")
        keys = [sys.executable, "-m", "gateway", "keys", "--config", str(config)]
        subprocess.run(keys, check=True, capture_output=True)
        with serve_process(config, port, demo.personas) as process:
            yield process


def _settings(demo: Path, issuer: str, gateway: str) -> str:
    lines = [
        "[access]",
        "timeout = 20",
        "cool_down = 0",
        "[access.issuers.ministry]",
        f'issuer = "{issuer}"',
        f'audience = "{AUDIENCE}"',
        "[sign_in]",
        'issuer = "ministry"',
        'client_id = "gateway-pages"',
        'client_secret_file = "client-secret"',
        f'address = "{gateway}"',
        f"scopes = {json.dumps(_SCOPES)}",
        f'resource = "{AUDIENCE}"',
    ]
    declared = tomllib.loads((demo / "gateway.toml").read_text("utf-8"))["databases"]
    for name, settings in declared.items():
        path = demo / settings["url"].removeprefix("sqlite:///")
        lines += [f"[databases.{name}]", f'url = "sqlite:///{path}"', 'group = "OPERATING"']
        if settings.get("unnumbered"):
            lines.append("unnumbered = true")
    return "\n".join(lines) + "\n"


def give_password(page: Page, name: str) -> None:
    """Sign in at the issuer, whose page is open; people's passwords are their names."""
    expect(page.get_by_role("heading", name="Nơi xác thực")).to_be_visible()
    page.get_by_label("Tên").fill(name)
    page.get_by_label("Mật khẩu").fill(name)
    page.get_by_role("button", name="Vào").click()
