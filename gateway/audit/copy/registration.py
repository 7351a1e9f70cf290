"""Whether the copy has the row of a journal, which holds access logs back (decision 99).

A journal without a row in the copy is unknown to whoever reads an access log: it would be complete
without the entries of that journal. Once there is a row, it says up to when they are there.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import orjson

from gateway.audit.journal.files import new_file, write_all

#: The file in the journal's folder that remembers it.
REGISTRATION = "copy.json"


@dataclass(frozen=True, slots=True)
class CopyRegistration:
    """The row of ``journal``, whose folder is ``folder``, in the copy at ``place``."""

    folder: Path
    journal: str
    place: str

    def is_remembered(self) -> bool:
        """Return whether the row was there once. A file that cannot be read remembers nothing."""
        with contextlib.suppress(OSError):
            return (self.folder / REGISTRATION).read_bytes() == self._content()
        return False

    def remember(self) -> None:
        """Write that the row is there; if that fails, the next start has to find it again."""
        path = self.folder / REGISTRATION
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
            descriptor = new_file(path)
            try:
                write_all(descriptor, self._content())
            finally:
                os.close(descriptor)

    def _content(self) -> bytes:
        return orjson.dumps({"journal": self.journal, "copy": self.place}) + b"\n"
