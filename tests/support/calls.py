"""Counts how often functions are called, as a profiler does: nothing takes their place."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any


@dataclass
class Calls:
    """The names of the functions that were called, in order, and the threads that called them."""

    names: list[str] = field(default_factory=list)
    threads: set[threading.Thread] = field(default_factory=set)

    def clear(self) -> None:
        """Forget the calls so far."""
        self.names.clear()
        self.threads.clear()


@contextmanager
def calls_of(*functions: Callable[..., Any]) -> Iterator[Calls]:
    """Note the calls of ``functions``, on this thread and on threads that start meanwhile.

    A generator or coroutine counts each time that it is resumed.
    """
    codes: dict[CodeType, str] = {function.__code__: function.__name__ for function in functions}
    calls = Calls()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in codes:
            calls.names.append(codes[frame.f_code])
            calls.threads.add(threading.current_thread())

    with _profiled(note):
        yield calls


@dataclass
class Count:
    """How many Python functions were called: what work costs, on any machine."""

    calls: int = 0


@contextmanager
def count_calls(most: int) -> Iterator[Count]:
    """Count all calls of Python functions, on this thread and on threads that start meanwhile.

    Beyond ``most`` the work is ended: AssertionError is raised in the midst of it, once.
    """
    count = Count()

    def note(_: FrameType, event: str, __: object) -> None:
        if event == "call":
            count.calls += 1
            # Once: what then answers and closes, on other threads too, must not fail as well.
            assert count.calls != most + 1, f"more than {most} calls"

    with _profiled(note):
        yield count


@contextmanager
def _profiled(note: Callable[[FrameType, str, object], None]) -> Iterator[None]:
    before, before_of_threads = sys.getprofile(), threading.getprofile()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)
        threading.setprofile(before_of_threads)
