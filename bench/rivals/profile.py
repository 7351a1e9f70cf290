"""Where the CPU time of our gateway goes, by file and by function, sampled from inside.

As in ``bench.verbs``, the time of a C function (uvloop's, asyncpg's, orjson's) is that of the
Python function that calls it, and other threads than the main one are counted by the kernel only.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections import Counter
from pathlib import Path

from bench.measure import Figures

#: What is called by nothing but the event loop.
_LOOP = "event loop"
_THREADS = "other threads"
_FILES_SHOWN, _FUNCTIONS_SHOWN = 50, 40
_WRITE_WITHIN = 10.0
_OURS = re.compile(r"/((?:gateway|connectors)/.*\.py)$")
_LIBRARY = re.compile(r"/site-packages/(\w+)")


def function_of(file: str, function: str) -> str | None:
    """Return "file: function" for what is ours, a library's name, None for the standard library."""
    if file.startswith("<plan"):
        return "generated code: " + function
    ours = _OURS.search(file)
    if ours is not None and "site-packages" not in file:
        return f"{ours[1]}: {function}"
    library = _LIBRARY.search(file)
    if library is not None:
        return library[1]
    return _LOOP if file.endswith("bench/rivals/serve.py") else None


def write_samples(samples: Counter[str], path: Path) -> None:
    """Write what was counted; ``path`` is there when all of it is."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(samples), "utf-8")
    part.rename(path)


def read_samples(pid: int, path: Path) -> Counter[str]:
    """Return what the process ``pid`` has counted so far; it writes its samples to ``path``."""
    path.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    deadline = time.monotonic() + _WRITE_WITHIN
    while not path.exists():
        if time.monotonic() > deadline:
            raise RuntimeError("the server does not write its samples")
        time.sleep(0.02)  # between two looks, not instead of one
    return Counter(json.loads(path.read_text("utf-8")))


def summarise(samples: Counter[str], cpu_ms: float, threads_ms: float) -> Figures:
    """Return microseconds a request by file, and for the functions that take most.

    ``cpu_ms``: what a request took of the process, ``threads_ms`` of its other threads, which are
    not in the samples.
    """
    files: Counter[str] = Counter()
    for place, count in samples.items():
        files[place.partition(": ")[0]] += count
    microseconds = (cpu_ms - threads_ms) * 1e3 / (samples.total() or 1)
    threads = {_THREADS: round(threads_ms * 1e3, 1)}
    return {
        "files": threads
        | {name: round(count * microseconds, 1) for name, count in files.most_common()},
        "functions": {
            name: round(count * microseconds, 1)
            for name, count in samples.most_common(_FUNCTIONS_SHOWN)
        },
    }
