"""Python's garbage collector, tuned for a process that serves. No other module tunes it.

CPython collects by generation, on the thread that answers: requests wait for every pass. Three
figures, measured on the reference machine, say what is done here and why:

- A full pass takes a third of a second with a built schema. The schema is some hundred thousand
  objects that live as long as the process. ``tune_process`` freezes them, so that no pass visits
  them, and makes full passes rare: requests leave no cycles behind.
- A pass visits every object that none has visited before, and every value of a row: 0.3 us an
  object where nothing else runs. 24 MiB of cached rows are some 50,000. CPython starts a pass when
  allocations exceed deallocations, and that difference stands still while each new cache entry
  evicts another one: it comes late, and visits all that has come since the last. ``YoungRows`` runs
  one before that would take too long. A smaller cache needs none: most of its rows are gone before
  a pass visits them. A pass every 2,500 evictions cost each request that missed some 20 us.
- A thread that compiles plans holds the interpreter for 5 ms at a time by default, which every
  request in flight waits for. ``tune_process`` makes it 0.5 ms.
"""

from __future__ import annotations

import gc
import sys

#: Thresholds of the three generations. Python's own are 700, 10 and 10.
_THRESHOLDS = (50_000, 20, 500)
#: Seconds after which a thread gives way to the event loop. Python's own are 0.005.
_SWITCH_INTERVAL = 0.0005
#: Bytes of cached rows that no pass has visited yet, before one is started.
_YOUNG_BYTES = 48 * 2**20
#: The oldest generation that counts as young.
_YOUNG = 1


def tune_process() -> None:
    """Freeze what exists now and make full passes rare; call once, before the first request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    sys.setswitchinterval(_SWITCH_INTERVAL)


class YoungRows:
    """Runs a young collection before more than ``most`` bytes of cached rows are young."""

    def __init__(self, most: int = _YOUNG_BYTES) -> None:
        self._most = most
        self._young = 0

    def count(self, added: int, total: int) -> None:
        """Count ``added`` bytes of ``total`` that are cached now; collect if it is time to.

        The oldest are evicted first: so at most all that are cached are young.
        """
        self._young += added
        if min(self._young, total) > self._most:
            self._young = 0
            gc.collect(_YOUNG)
