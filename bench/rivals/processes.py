"""CPU time and memory of processes, as the kernel counts them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
#: Positions in /proc/PID/stat, counted from behind the name: own time, and that of ended children.
_OWN, _ENDED = (11, 12), (13, 14)


def process_tree(pid: int) -> list[int]:
    """Return ``pid`` and all its descendants, parents first."""
    tree = [pid]
    for parent in tree:
        tree += _children(parent)
    return tree


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU seconds of processes, all their threads included; 0 for those that ended."""
    return sum(_ticks(pid, _OWN) for pid in pids) / _TICK


def other_threads_seconds(pid: int) -> float:
    """Return the CPU seconds of the threads of a process that still run, but for the main one."""
    tasks = (_PROC / str(pid) / "task").iterdir()
    return sum(_ticks(f"{pid}/task/{task.name}", _OWN) for task in tasks
               if task.name != str(pid)) / _TICK  # fmt: skip


def megabytes(pids: Iterable[int]) -> float:
    """Return the memory that processes hold."""
    return sum(_resident_kilobytes(pid) for pid in pids) / 1024


class Postgres:
    """The PostgreSQL server whose data is in ``data``."""

    def __init__(self, data: Path) -> None:
        self._pid = int((data / "postmaster.pid").read_text("utf-8").split()[0])

    def cpu_seconds(self) -> float:
        """Return the CPU seconds of all its backends: those that run and those that ended."""
        backends = _children(self._pid)
        return cpu_seconds(backends) + _ticks(self._pid, _ENDED) / _TICK

    def set_nice(self, value: int) -> None:
        """Give it, and the backends that it starts from now on, another priority."""
        set_nice(process_tree(self._pid), value)


def set_nice(pids: Iterable[int], value: int) -> None:
    """Give processes another priority, and their sessions, between which Linux shares first."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, pid, value)
        with suppress(OSError):  # it ended, or the kernel does not group by session
            (_PROC / str(pid) / "autogroup").write_text(str(value))


def _children(pid: int) -> list[int]:
    try:
        threads = list((_PROC / str(pid) / "task").iterdir())
        return [int(child) for thread in threads
                for child in (thread / "children").read_text("utf-8").split()]  # fmt: skip
    except OSError:
        return []


def _ticks(pid: int | str, positions: tuple[int, int]) -> int:
    try:
        fields = (_PROC / str(pid) / "stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(fields[position]) for position in positions)


def _resident_kilobytes(pid: int) -> int:
    try:
        match = re.search(r"VmRSS:\s+(\d+)", (_PROC / str(pid) / "status").read_text("utf-8"))
    except OSError:
        return 0
    return 0 if match is None else int(match[1])
