"""The timeout of sockets that clients of Redis are given: none.

Whoever sends a command bounds it with ``asyncio.timeout``. With a timeout of its own, redis-py 8.1
sends each command in ``asyncio.wait_for``, and that of Python 3.11 swallows a cancellation where
the command was sent in the same round of the event loop
(https://github.com/python/cpython/issues/86296): who was cancelled went on, and who was out of time
waited for 5 seconds.
"""

from __future__ import annotations

SOCKET_TIMEOUT = None
