"""CPU time by verb of the way of a request, sampled from inside the process at little cost.

A signal arrives at every millisecond of CPU time, and its handler reads the stack of the main
thread: the sample goes to the innermost function that belongs to a verb. A profiler that counts
calls would make functions with many calls look slower than they are. Other threads (the journal's)
are not sampled: the kernel counts their time (``bench.load``). The time of a C function is its
caller's.
"""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

_INTERVAL_SECONDS = 0.001

#: End of the file's path, name of the function (empty: any) -> verb. The first that fits counts.
_VERBS: tuple[tuple[str, str, str], ...] = (
    ("<plan", "", "shape"),
    ("connectors/values.py", "__str__", "shape"),
    ("gateway/http/endpoint.py", "", "JSON and response"),
    ("gateway/request.py", "_record", "audit"),
    ("gateway/request.py", "", "way of a request"),
    ("gateway/audit/", "", "audit"),
    ("gateway/keys/keyring.py", "", "audit"),
    ("gateway/limits/", "", "limits: rates, admission"),
    ("gateway/shape/", "", "JSON and response"),
    ("gateway/access/authenticate.py", "", "caller"),
    ("gateway/access/case_number.py", "", "caller"),
    ("gateway/access/tokens.py", "", "caller"),
    ("gateway/access/caller.py", "lacks", "permission"),
    ("gateway/access/", "", "permission"),
    ("gateway/people/representation.py", "", "permission"),
    ("gateway/permission/", "", "permission"),
    ("gateway/http/parameters.py", "", "HTTP: reading the request"),
    ("gateway/http/envelope.py", "", "HTTP: envelope"),
    ("gateway/plan/cost.py", "", "limits: cost"),
    ("gateway/plan/list_arguments.py", "", "running: choosing rows"),
    ("gateway/plan/document_limits.py", "", "limits: rates, admission"),
    ("gateway/plan/", "", "plan: found, variables"),
    ("gateway/execution/plan_cache.py", "", "plan: found, variables"),
    ("gateway/execution/prepare.py", "", "plan: found, variables"),
    ("gateway/execution/execute.py", "", "plan: found, variables"),
    ("connectors/codec.py", "", "fetch: decoding rows"),
    ("connectors/backends/base.py", "", "fetch: decoding rows"),
    ("bench/world.py", "", "fetch: backend"),
    ("connectors/backends/", "", "fetch: backend"),
    ("gateway/fetch/source.py", "", "fetch: Source"),
    ("gateway/fetch/reads.py", "", "fetch: Reads"),
    ("gateway/fetch/loaders.py", "", "fetch: Loaders"),
    ("gateway/people/numbers.py", "", "resolving the number"),
    ("gateway/people/notices.py", "", "resolving the number"),
    ("gateway/people/matching.py", "", "resolving the number"),
    ("gateway/protection/", "", "protection, merging"),
    ("gateway/execution/decisions.py", "decide", "permission"),
    ("gateway/execution/decisions.py", "missing", "permission"),
    ("gateway/catalogue/own_view.py", "", "permission"),
    ("gateway/procedures/", "", "permission"),
    ("gateway/execution/decisions.py", "", "protection, merging"),
    ("gateway/execution/state.py", "decide", "permission"),
    ("gateway/execution/state.py", "", "running: steps"),
    ("gateway/execution/gather.py", "", "running: gathering"),
    ("gateway/execution/emit.py", "", "running: emitting"),
    ("gateway/execution/", "", "running: steps"),
    ("gateway/audit/touched.py", "", "running: steps"),
    ("gateway/schema/", "", "plan: found, variables"),
    ("graphql/", "", "plan: found, variables"),
    ("strawberry/", "", "plan: found, variables"),
    ("starlette/", "", "HTTP: server and loop"),
    ("uvicorn/", "", "HTTP: server and loop"),
    ("asyncio/runners.py", "", "HTTP: server and loop"),
)
_OTHER_VERB = "HTTP: server and loop"


def verb_of(file: str, function: str) -> str | None:
    """Return the verb that a function belongs to, None if its caller's counts."""
    for end, name, verb in _VERBS:
        if end in file and name in {"", function}:
            return verb
    return None


@contextmanager
def sampling(name_of: Callable[[str, str], str | None] = verb_of) -> Iterator[Counter[str]]:
    """Count samples by verb while the block runs; for the main thread only.

    ``name_of``: gets file and function of a frame and returns the name under which a sample counts,
    None if that of its caller's frame does.
    """
    samples: Counter[str] = Counter()
    verb_by_place: dict[tuple[str, str], str | None] = {}

    def look(_number: int, frame: FrameType | None) -> None:
        while frame is not None:
            place = (frame.f_code.co_filename, frame.f_code.co_name)
            if place not in verb_by_place:
                verb_by_place[place] = name_of(*place)
            verb = verb_by_place[place]
            if verb is not None:
                samples[verb] += 1
                return
            frame = frame.f_back
        samples[_OTHER_VERB] += 1

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _INTERVAL_SECONDS, _INTERVAL_SECONDS)
    try:
        yield samples
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def write(samples: Counter[str], path: Path) -> None:
    """Write the samples as JSON."""
    path.write_text(json.dumps(samples, indent=1) + "\n", "utf-8")


def shares(samples: Counter[str]) -> dict[str, float]:
    """Return the share of each verb, the largest first."""
    total = samples.total() or 1
    return {verb: round(count / total, 4) for verb, count in samples.most_common()}
