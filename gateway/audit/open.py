"""The audit log of a gateway: its journal, the copy for queries, and witnesses, if any."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.audit.copy.database import Copy
from gateway.audit.copy.shipper import Shipper
from gateway.audit.journal.journal import Journal
from gateway.audit.journal.segments import JournalOptions
from gateway.audit.witnesses import CopyWitness, FolderWitness, Forwarder, Witness
from gateway.keys.keyring import load_ring, load_signing, private_half
from gateway.runtime.clock import Clock
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class AuditLog:
    """The parts of the audit log. ``copy`` and ``shipper``: None if settings name no copy.

    ``forwarders``: bring checkpoints to the witnesses that settings name.
    """

    journal: Journal
    copy: Copy | None
    shipper: Shipper | None
    forwarders: tuple[Forwarder, ...] = ()

    @classmethod
    def from_settings(cls, settings: Settings, clock: Clock) -> AuditLog:
        """Return the log for ``settings``; raises what loading its keys raises."""
        audit = settings.audit
        journal = Journal(
            settings.path(audit.folder),
            load_ring(settings, "audit_chain"),
            private_half(load_signing(settings, "audit_sign")[0]),
            JournalOptions(
                audit.segment_bytes,
                audit.checkpoint_entries,
                audit.checkpoint_seconds,
                audit.timeout,
            ),
            clock,
        )
        copy = Copy.from_settings(settings)
        forwarders = tuple(Forwarder(journal, witness) for witness in witnesses(settings, copy))
        if copy is None:
            return cls(journal, None, None, forwarders)
        shipper = Shipper(journal, copy, clock, audit.commit == "copy")
        return cls(journal, copy, shipper, forwarders)

    def open(self) -> None:
        """Open the journal and start shipping, in a running event loop; see ``Writer.open``."""
        self.journal.open()
        if self.shipper is not None:
            self.shipper.open()
        for forwarder in self.forwarders:
            forwarder.open()
        self.journal.checkpointed = self._checkpointed

    async def close(self) -> None:
        """Write and ship what is left, and close files and connections."""
        await self.journal.close()
        if self.shipper is not None:
            await self.shipper.close()
        for forwarder in self.forwarders:
            await forwarder.close()
        if self.copy is not None:
            await self.copy.close()

    def _checkpointed(self) -> None:
        for forwarder in self.forwarders:
            forwarder.wake()


def witnesses(settings: Settings, copy: Copy | None) -> list[Witness]:
    """Return the places that keep checkpoints: the copy, and the folder that settings name."""
    places: list[Witness] = [] if copy is None else [CopyWitness(copy)]
    if settings.audit.checkpoint_folder is not None:
        places.append(FolderWitness(settings.path(settings.audit.checkpoint_folder)))
    return places
