"""The manifest of a run: what it is over, how far it has come, what it could not read.

One JSON file, replaced atomically after each unit of work, so that a run that was killed goes on
where it was. A unit is in the manifest only once its files are complete and synchronised.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from reconcile.layout import VERSION, OtherVersion


@dataclass(frozen=True, slots=True)
class ExtractProgress:
    """How far a record is extracted.

    ``parts``: complete files. ``rows``: in them. ``checkpoint``: where the next part begins, as
    the source understands it; None at the beginning. ``complete``: there is no next part.
    ``unreadable``: values that could not be read, by column; the value is null in the extract, and
    the row is in ``<extract>/unreadable.parquet``. ``failure``: why the record could not be read to
    its end, where the run went on without it.
    """

    parts: int = 0
    rows: int = 0
    checkpoint: str | None = None
    complete: bool = False
    unreadable: Mapping[str, int] = field(default_factory=dict)
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a run is over, and how far it has come.

    ``run``: its name, which begins with the moment of its start (UTC). ``day``: the legal day on
    which the rules are checked, ISO 8601. ``rules``: digest of the rules; a run is resumed under
    the same rules only. ``databases``: names. ``engine``: ``duckdb`` or ``spark``. ``extracts``: by
    ``<database>.<record>``. ``units``: units of work of the engine that are done, with the number
    of their findings. ``finished``: when all was written (ISO 8601, UTC).
    """

    run: str
    started: str
    day: str
    rules: str
    databases: tuple[str, ...]
    engine: str
    options: Mapping[str, Any] = field(default_factory=dict)
    extracts: Mapping[str, ExtractProgress] = field(default_factory=dict)
    units: Mapping[str, int] = field(default_factory=dict)
    finished: str | None = None

    def with_extract(self, name: str, progress: ExtractProgress) -> Manifest:
        """Return the manifest with the progress of a record."""
        return replace(self, extracts={**self.extracts, name: progress})

    def with_unit(self, name: str, findings: int) -> Manifest:
        """Return the manifest with a unit of work that is done."""
        return replace(self, units={**self.units, name: findings})


def write_manifest(file: Path, manifest: Manifest) -> None:
    """Replace the file atomically; on return it is on disk. Raises OSError."""
    temporary = file.with_suffix(".tmp")
    text = json.dumps({"version": VERSION, **asdict(manifest)}, ensure_ascii=False, indent=1)
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_manifest(file: Path) -> Manifest:
    """Return the manifest; raises OtherVersion, or ValueError for a file that is no manifest."""
    content = json.loads(file.read_text("utf-8"))
    if not isinstance(content, dict) or content.pop("version", None) != VERSION:
        raise OtherVersion(f"{file}: it is of another version than {VERSION}")
    try:
        content["databases"] = tuple(content["databases"])
        extracts = content.pop("extracts")
        return Manifest(
            **content, extracts={name: ExtractProgress(**of) for name, of in extracts.items()}
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{file}: it is no manifest of a run ({error})") from None
