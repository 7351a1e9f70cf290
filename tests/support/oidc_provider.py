"""A real OpenID Connect issuer: the npm package oidc-provider."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

FOLDER = Path("tests/acceptance/oidc").resolve()
AUDIENCE = "urn:justice-gateway"


def require_provider() -> None:
    """Skip where Node.js or the package is missing; fail if REQUIRE_SERVICES says so."""
    missing = [
        name
        for name, is_found in (
            ("node", shutil.which("node") is not None),
            ("npm packages (npm ci in tests/acceptance/oidc)", (FOLDER / "node_modules").is_dir()),
        )
        if not is_found
    ]
    if missing and os.environ.get("REQUIRE_SERVICES"):
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")


def private_keys(algorithm: str, kid: str) -> str:
    """Return a new JWK set with a key for ``algorithm``; RS256 too, which ID tokens need."""
    parameters: Any = {"kid": kid, "use": "sig"}
    keys: list[Any] = [RSAKey.generate_key(2048, parameters=parameters)]
    if algorithm == "ES256":
        keys = [ECKey.generate_key("P-256", parameters=parameters)]
    elif algorithm == "EdDSA":
        keys = [OKPKey.generate_key("Ed25519", parameters=parameters)]
    if algorithm != "RS256":
        keys.append(RSAKey.generate_key(2048, parameters={"kid": f"{kid}-id", "use": "sig"}))
    return json.dumps({"keys": [key.as_dict(private=True) for key in keys]})


@contextmanager
def oidc_provider(
    algorithm: str, keys: str, port: str = "0", gateway: str = "", life: int = 3600
) -> Iterator[str]:
    """Run an issuer until the block ends; gives its URL.

    ``gateway``: to which people come back who sign in. ``life``: of access tokens, in seconds.
    """
    require_provider()
    node = shutil.which("node")
    assert node is not None
    command = [node, "provider.mjs", algorithm, AUDIENCE, keys, port, gateway, str(life)]
    process = subprocess.Popen(
        command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        url = next((line.strip() for line in process.stdout if line.startswith("http")), None)
        assert url is not None, "the issuer ended before it listened"
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()
