"""The audit log of a gateway: its journal, and the copy that is asked, where there is one."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.audit.copy import Copy
from gateway.audit.journal import Journal
from gateway.audit.segments import Options
from gateway.audit.shipping import Shipper
from gateway.clock import Clock
from gateway.keys import load_ring, load_signing, private_half
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class AuditLog:
    """``copy`` and ``shipper`` are None where settings name no copy."""

    journal: Journal
    copy: Copy | None
    shipper: Shipper | None

    @classmethod
    def configured(cls, settings: Settings, clock: Clock) -> AuditLog:
        """Return the log that settings describe; raises what loading its keys raises."""
        audit = settings.audit
        journal = Journal(
            settings.path(audit.folder),
            load_ring(settings, "audit_chain"),
            private_half(load_signing(settings, "audit_sign")[0]),
            Options(audit.segment_bytes, audit.checkpoint_entries, audit.timeout),
            clock,
        )
        copy = Copy.configured(settings)
        if copy is None:
            return cls(journal, None, None)
        return cls(journal, copy, Shipper(journal, copy, clock, audit.commit == "copy"))

    def open(self) -> None:
        """Open the journal and begin to ship, in a running event loop; see ``Writer.open``."""
        self.journal.open()
        if self.shipper is not None:
            self.shipper.open()

    async def close(self) -> None:
        """Write and ship what is left, and let go of files and connections."""
        await self.journal.close()
        if self.shipper is not None:
            await self.shipper.close()
        if self.copy is not None:
            await self.copy.close()
