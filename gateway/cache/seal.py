"""Sealed entries in Redis: encrypted, and bound to their key (design section 7).

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. The key in Redis (which names source,
lookup and a hash of the person) and the epoch of the log are authenticated too: an entry that was
changed, moved to another key, sealed with another secret, or written before a restart of Redis is
rejected.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connectors.backends.base import MessageEvidence
from connectors.codec import Unreadable, decode, encode_text
from connectors.description import Record
from gateway.answer import Answer, State
from gateway.cache.invalidations import Position
from gateway.cache.memory import CacheEntry, Reports, entry_weight
from gateway.keys.keyring import Secret

_NONCE = 12
_FORMAT = b"1"


class EntryRejected(Exception):
    """A value in Redis is not a valid entry. The message is one word, for the metrics."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals and opens entries with the current secret of the cache."""

    cipher: AESGCM
    mark: bytes

    @classmethod
    def of(cls, secret: Secret) -> Seal:
        """Return the seal of ``secret``; its key is derived from it."""
        key = hashlib.blake2b(secret.key, person=b"cache entries", digest_size=32).digest()
        return cls(AESGCM(key), _FORMAT + secret.id.encode())

    def close(self, key: str, entry: CacheEntry) -> bytes:
        """Return ``entry`` sealed for ``key``. Some 15 us for a row of 40 values."""
        answer, report = entry.answer, entry.answer.report
        evidence = report.evidence
        content = {
            "rows": [[encode_text(value) for value in row] for row in answer.rows or ()],
            "unreadable": answer.unreadable,
            "truncated": answer.truncated,
            "as_of": None if report.as_of is None else report.as_of.isoformat(),
            "read_at": entry.read_at,
            "at": str(entry.position.at),  # more than 64 bits
            "evidence": evidence and [evidence.id, evidence.request_id, evidence.request_hash],
        }
        nonce = os.urandom(_NONCE)
        bound = _bound(key, entry.position.epoch)
        return self.mark + nonce + self.cipher.encrypt(nonce, orjson.dumps(content), bound)

    def open(
        self, key: str, value: bytes, epoch: str, record: Record, reports: Reports
    ) -> CacheEntry:
        """Return the entry in ``value``, which was read under ``key``; raises EntryRejected.

        ``reports``: makes the report of the answer. Some 30 us for a row of 40 values.
        """
        start = len(self.mark)
        if value[:start] != self.mark:
            raise EntryRejected("key" if value[:1] == _FORMAT else "corrupt")
        nonce, sealed = value[start : start + _NONCE], value[start + _NONCE :]
        try:
            content = orjson.loads(self.cipher.decrypt(nonce, sealed, _bound(key, epoch)))
            return _entry(content, epoch, record, reports)
        except (InvalidTag, ValueError):
            raise EntryRejected("foreign") from None
        except (Unreadable, KeyError, TypeError, LookupError):
            raise EntryRejected("unreadable") from None


def _bound(key: str, epoch: str) -> bytes:
    return f"{epoch} {key}".encode()


def _entry(content: dict[str, Any], epoch: str, record: Record, reports: Reports) -> CacheEntry:
    rows = tuple(decode(record, raw) for raw in content["rows"])
    as_of, evidence = content["as_of"], content["evidence"]
    report = reports(
        record,
        State.PARTIAL if content["unreadable"] else State.ANSWERED,
        as_of=None if as_of is None else datetime.fromisoformat(as_of),
        fetched_at=datetime.fromtimestamp(content["read_at"], UTC),
        from_cache=True,
        evidence=None if evidence is None else MessageEvidence(*evidence),
    )
    answer = Answer(report, rows, content["unreadable"], content["truncated"])
    position = Position(epoch, int(content["at"]))
    return CacheEntry(answer, position, content["read_at"], entry_weight(rows), shared=True)
