"""The looks that a reader takes at files, and what somebody else does between two of them.

A reader of a folder that changes has a race between every two of its calls to the system. Here each
of these calls happens after something else, so that a test can try them all.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


class Looks:
    """Calls ``meanwhile`` before each look below ``folder``, but for its own looks.

    A look lists a folder, asks for the size of a file, opens it, or reads some of it. ``names``:
    the looks up to the present one, as ``open head.json``.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, folder: Path, meanwhile: Callable[[], object]
    ) -> None:
        self.names: list[str] = []
        self._folder = str(folder)
        self._meanwhile = meanwhile
        self._is_looking = True
        for module, name in ((io, "open"), (os, "listdir"), (os, "stat")):
            monkeypatch.setattr(module, name, self._around(name, getattr(module, name)))

    def look(self, name: str) -> None:
        """Do what happens before a look."""
        if self._is_looking:
            self.names.append(name)
            self._is_looking = False
            try:
                self._meanwhile()
            finally:
                self._is_looking = True

    def _around(self, call: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def look(path: Any = ".", *arguments: Any, **options: Any) -> Any:
            if not self._is_looking or not str(path).startswith(self._folder):
                return real(path, *arguments, **options)
            self.look(f"{call} {Path(path).name}")
            if call == "open" and arguments[:1] == ("rb",):
                return io.BufferedReader(_File(path, self))
            return real(path, *arguments, **options)

        return look


class _File(io.FileIO):
    """A file each of whose reads is a look."""

    def __init__(self, path: Path, looks: Looks) -> None:
        super().__init__(path)
        self._looks = looks
        self._look = f"read {path.name}"

    def readinto(self, buffer: Any) -> int | None:
        self._looks.look(self._look)
        return super().readinto(buffer)

    def readall(self) -> bytes:
        self._looks.look(self._look)
        return super().readall()
