"""What the journal says of an answer: who, when, why, about whom, from where; never the content.

Persons are written as keyed hashes, so that the journal by itself names nobody (design section 7).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime

from connectors.values import person_number
from gateway.access.caller import Caller


def person_hash(secret: bytes, number: str) -> str:
    """Return the keyed hash (HMAC-SHA256, hex) that stands for a person's number."""
    return hmac.new(secret, number.encode(), hashlib.sha256).hexdigest()


def _nameless(secret: bytes, subject: str | None) -> str | None:
    """Return a token's subject; hashed where it is a person's number, an officer's own too."""
    if subject is None:
        return None
    try:
        return person_hash(secret, person_number(subject))
    except ValueError:
        return subject


def entry(
    secret: bytes,
    at: datetime,
    request_id: str,
    caller: Caller,
    document: str,
    persons: Iterable[str],
    sections: Mapping[str, str],
    codes: Iterable[str],
) -> dict[str, object]:
    """Return one journal entry.

    ``document``: hash of the document's text (names chosen by clients could hold anything).
    ``persons``: every number the answer touched. ``sections``: list of records -> state.
    ``codes``: error codes in the answer.
    """
    return {
        "at": at.isoformat(),
        "requestId": request_id,
        "client": caller.client,
        "agency": caller.agency,
        "subject": _nameless(secret, caller.subject),
        "tokenId": caller.token_id,
        "purpose": caller.purpose,
        "caseNumber": caller.case_number,
        "document": document,
        "persons": sorted({person_hash(secret, number) for number in persons}),
        "sections": dict(sorted(sections.items())),
        "codes": sorted(set(codes)),
    }
