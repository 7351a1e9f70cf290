"""Two processes never run in one folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconcile.layout import ReconcileFolder
from reconcile.lock import FolderLocked, folder_lock

HOLDER = """
import sys
from pathlib import Path
from reconcile.layout import ReconcileFolder
from reconcile.lock import folder_lock
with folder_lock(ReconcileFolder(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_who_runs(tmp_path: Path) -> None:
    folder = ReconcileFolder(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        message = f"process {holder.pid} runs in {tmp_path} since 20"
        with pytest.raises(FolderLocked, match=message), folder_lock(folder):
            pass
        holder.kill()
    with folder_lock(folder):
        assert json.loads(folder.lock.read_text())["pid"] == os.getpid()


def test_a_lock_whose_file_says_nothing_is_a_lock_too(tmp_path: Path) -> None:
    folder = ReconcileFolder(tmp_path)
    with folder_lock(folder):
        folder.lock.write_text("")
        with pytest.raises(FolderLocked, match="another process runs in"), folder_lock(folder):
            pass


def test_the_file_is_its_owners_only(tmp_path: Path) -> None:
    folder = ReconcileFolder(tmp_path)
    with folder_lock(folder):
        assert folder.lock.stat().st_mode & 0o777 == 0o600
