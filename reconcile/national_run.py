"""A run under way: what its stages share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconcile.findings.hashes import KeyedHashes
from reconcile.findings.key_files import open_hash_key
from reconcile.host import DatabaseAccess, Host
from reconcile.layout import ReconcileFolder, RunFolder
from reconcile.manifest import Manifest, write_manifest
from reconcile.progress import RunProgress
from reconcile.run_entries import RunOperator, run_entry
from reconcile.settings import ReconcileSettings
from reconcile.stop import StopRequest


@dataclass(slots=True)
class NationalRun:
    """A run under way. ``manifest``: as it is on disk; ``save`` replaces both.

    ``config``: the gateway's settings. ``databases``: all that are declared.
    """

    host: Host
    config: Path | None
    settings: ReconcileSettings
    folder: ReconcileFolder
    files: RunFolder
    manifest: Manifest
    databases: Sequence[DatabaseAccess]
    operator: RunOperator
    stop: StopRequest
    progress: RunProgress

    @property
    def hashes(self) -> KeyedHashes:
        """The hashes under the key of the folder; raises KeyRefused, OSError."""
        return KeyedHashes(open_hash_key(self.folder.hash_key))

    def save(self, manifest: Manifest) -> None:
        """Write the manifest: what it says is done need not be done again. Raises OSError."""
        write_manifest(self.files.manifest, manifest)
        self.manifest = manifest

    def record(self, event: str) -> None:
        """Write an entry to the journal; raises OSError."""
        entry = run_entry(event, self.manifest, self.operator)
        self.host.record(self.config, self.folder.audit, entry)
