"""A file system for a test, small enough to fill."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(path: Path, size: int) -> Iterator[Path]:
    """Mount ``size`` bytes at ``path``, and unmount them in the end.

    Skips where this user may not mount; fails there if REQUIRE_SERVICES says so.
    """
    path.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        missing = "missing: leave to mount a file system"
        (pytest.fail if os.environ.get("REQUIRE_SERVICES") else pytest.skip)(missing)
    yield path
    subprocess.run(["umount", str(path)], check=True)
