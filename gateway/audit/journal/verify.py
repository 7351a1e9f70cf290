"""Verification of a journal: reads it to the first line that is not what was written.

A gateway may write meanwhile, and an archiver take segments away. So what counts entries (the head,
checkpoints) is read before the segments are listed: an entry is counted after it was written, and
so is in a segment that is listed. A fault counts once a second pass shows it too: then it is none
of a file that was being written, or taken to an archive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.audit.journal import checkpoints
from gateway.audit.journal.archive import journal_of_archives
from gateway.audit.journal.checkpoints import CHECKPOINTS
from gateway.audit.journal.faults import Fault, FaultKind, JournalBroken
from gateway.audit.journal.files import segment_files
from gateway.audit.journal.reading import (
    ExternalCheckpoints,
    JournalReading,
    VerificationReport,
    journal_of_segments,
)
from gateway.keys.keyring import Keyring

#: Passes that may each show another fault; the last one counts.
_PASSES = 5


def verify(
    folder: Path,
    chain: Keyring,
    public: Sequence[Ed25519PublicKey],
    external: Sequence[ExternalCheckpoints] = (),
) -> VerificationReport:
    """Read the journal or archive in ``folder`` from its first line to the first fault.

    ``chain``: the keys that it was written with. ``public``: the keys that may have signed
    checkpoints and archives. ``external``: further checkpoints, besides those in the folder; they
    are read first. A journal with archived segments is read from where the last archive ends. Works
    while a gateway writes: an unfinished line is left out. Raises OSError for a file that cannot be
    read. Memory grows with the checkpoints only; takes about 6 us an entry, and twice as long up to
    a fault.
    """
    try:
        sources = [_load_checkpoints(source) for source in external]
    except JournalBroken as broken:
        return VerificationReport(fault=broken.fault)
    reading = JournalReading(folder, chain)
    fault = reading.verify(public, sources).fault
    for _ in range(1, _PASSES):
        if fault is None:
            break
        earlier, reading = fault, JournalReading(folder, chain, reading.counted)
        fault = reading.verify(public, sources).fault
        if fault is not None and _is_same_place(fault, earlier):
            break
    return reading.report


def _load_checkpoints(source: ExternalCheckpoints) -> ExternalCheckpoints:
    """Return checkpoints with all of them read; raises JournalBroken if they cannot be."""
    try:
        return ExternalCheckpoints(source.name, list(source.checkpoints))
    except ValueError as error:
        raise JournalBroken(FaultKind.CHECKPOINT, source.name, 0, None, str(error)) from None


def _is_same_place(fault: Fault, earlier: Fault) -> bool:
    """Return whether two passes found the same; a gateway that writes on may count more entries."""
    return replace(fault, message="") == replace(earlier, message="")


def journal_in(folder: Path) -> str | None:
    """Return the id of the journal in ``folder``; None if nothing there tells it.

    By the first readable header; where the segments are gone, by what is left beside them: the
    checkpoints kept elsewhere have to be compared with that journal all the same.
    """
    journal = journal_of_segments(segment_files(folder)) or journal_of_archives(folder)
    if journal is not None:
        return journal
    checkpoint = checkpoints.last(folder / CHECKPOINTS, None, None)
    return None if checkpoint is None else checkpoint.journal
