"""The process that serves: what is set once for all of it, before the first request."""

from __future__ import annotations

import gc
import sys

#: Seconds after which a thread that compiles gives way to the event loop; Python's own are 0.005.
_GIVES_WAY = 0.0005


def tune_process() -> None:
    """Keep the event loop from standing still.

    The schema is some hundred thousand objects that live as long as the process: frozen, they are
    not visited by every full collection of garbage (a third of a second each). Full ones are rare:
    requests leave no cycles behind, and what a cache holds is visited by each.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 500)
    sys.setswitchinterval(_GIVES_WAY)
