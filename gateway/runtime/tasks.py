"""Ends tasks, also where a library swallows their cancellation.

``asyncio.wait_for`` of Python 3.11 swallows one where what it waits for is done in the same round
of the event loop (https://github.com/python/cpython/issues/86296); nats-py waits for each reply
with it. A task that loops then goes on as if nobody had cancelled it.
"""

from __future__ import annotations

import asyncio
from typing import Any

#: Seconds for a task to end in, before it is cancelled again.
_PATIENCE = 1.0


async def end_tasks(*tasks: asyncio.Task[Any], patience: float = _PATIENCE) -> None:
    """Cancel tasks until they have ended. Raises nothing that they raise.

    ``patience``: seconds after which a task that has not ended is cancelled again, which breaks off
    what it still tidies up. Where the caller is cancelled meanwhile, it is so afterwards.
    """
    is_cancelled = False
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        try:
            await asyncio.wait(pending, timeout=patience)
        except asyncio.CancelledError:
            is_cancelled = True
    for task in tasks:
        if not task.cancelled():
            task.exception()  # taken, so that nothing is logged of it
    if is_cancelled:
        raise asyncio.CancelledError
