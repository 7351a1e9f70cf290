"""A real browser without a window: Chromium from Debian, driven by Playwright."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
#: Milliseconds until what is expected must be there: time enough for a busy machine.
_PATIENCE = 30_000
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Run Chromium until the block ends; without it tests are skipped, or fail if they must."""
    require_file(CHROMIUM, "Debian's package chromium")
    expect.set_options(timeout=_PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


def require_file(path: Path, origin: str) -> None:
    """Skip a test that needs a file that is not there; fail where services are required."""
    if path.exists():
        return
    missing = f"missing: {path} ({origin})"
    if os.environ.get("REQUIRE_SERVICES"):
        pytest.fail(missing)
    pytest.skip(missing)
