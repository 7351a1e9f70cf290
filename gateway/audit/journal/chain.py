"""The chain: each line has an authentication code that depends on all lines before it.

A line is one JSON object that ends in its ``mac``: HMAC-SHA256 (RFC 2104, FIPS 198-1), under the
chain key, of the mac of the line before and of the line's own bytes up to ``,"mac"``. Without the
key, a line cannot be changed, removed, inserted or moved: the next line would not match.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import orjson

from gateway.keys.keyring import Secret

#: The mac before the first header of a journal.
START = "0" * 64

_BEFORE_MAC, _AFTER_MAC = b',"mac":"', b'"}'
_TAIL = len(_BEFORE_MAC) + 64 + len(_AFTER_MAC)
_SEQ = b'{"seq":'
_VERSIONS = frozenset({1, 2})


@dataclass(frozen=True, slots=True)
class ChainLink:
    """The end of a chain: number of the last entry (0: none yet) and mac of the last line."""

    seq: int
    mac: str


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """The first line of a segment, which is a line of the chain itself.

    ``seq`` and ``previous``: number of the last entry, and mac of the last line, of the segment
    before. ``key``: id of the chain key of this segment. ``after``: why the segment before ended.
    ``version``: 2 with a head beside the segment, 1 for segments written before there were heads.
    """

    journal: str
    segment: int
    seq: int
    previous: str
    key: str
    at: str
    after: str
    version: int = 2

    def line(self, secret: Secret) -> tuple[bytes, str]:
        """Return the header as a line without its end, and its mac."""
        shown = {
            "version": self.version,
            "journal": self.journal,
            "segment": self.segment,
            "seq": self.seq,
            "previous": self.previous,
            "key": self.key,
            "at": self.at,
            "after": self.after,
        }
        return seal_line(secret, self.previous, orjson.dumps(shown)[:-1])


def parse_header(line: bytes) -> SegmentHeader:
    """Return a header; raises ValueError for anything else. The mac is not verified."""
    read = orjson.loads(line)
    try:
        mac = read.pop("mac")
        header = SegmentHeader(**read)
    except (TypeError, AttributeError, KeyError):
        raise ValueError("it is no header of a segment") from None
    texts = (mac, header.journal, header.previous, header.key, header.at, header.after)
    numbers = (header.version, header.segment, header.seq)
    if not all(isinstance(value, str) for value in texts) or any(
        type(value) is not int for value in numbers
    ):
        raise ValueError("it is no header of a segment")
    if header.version not in _VERSIONS:
        raise ValueError(f"it is of version {header.version}, which is not known here")
    return header


def seal_entries(
    secret: Secret, link: ChainLink, bodies: Iterable[bytes]
) -> tuple[bytes, ChainLink]:
    """Return entries (JSON objects) as lines after ``link``, and the new end of the chain.

    Costs about 2 us an entry.
    """
    seq, mac = link.seq, link.mac
    lines = []
    for body in bodies:
        seq += 1
        rest = body[1:-1]
        unsealed = b'{"seq":%d,%b' % (seq, rest) if rest else b'{"seq":%d' % seq
        line, mac = seal_line(secret, mac, unsealed)
        lines.append(line)
    lines.append(b"")
    return b"\n".join(lines), ChainLink(seq, mac)


def seal_line(secret: Secret, previous: str, unsealed: bytes) -> tuple[bytes, str]:
    """Return a JSON object (without its last brace) as a line after ``previous``, and its mac."""
    mac = secret.mac(previous.encode() + unsealed)
    return b"%b%b%b%b" % (unsealed, _BEFORE_MAC, mac.encode(), _AFTER_MAC), mac


def expected_mac(secret: Secret, previous: str, line: bytes) -> str:
    """Return the mac that ``line`` (without its end) must have after a line with ``previous``."""
    return secret.mac(previous.encode() + line[:-_TAIL])


def stated_mac(line: bytes) -> str | None:
    """Return the mac that ``line`` (without its end) states, None if it states none."""
    tail = line[-_TAIL:]
    if len(line) <= _TAIL or not tail.startswith(_BEFORE_MAC) or not tail.endswith(_AFTER_MAC):
        return None
    return tail[len(_BEFORE_MAC) : -len(_AFTER_MAC)].decode("latin-1")


def stated_seq(line: bytes) -> int | None:
    """Return the number that ``line`` states, None if it is not an entry."""
    digits = line[len(_SEQ) : line.find(b",")]
    return int(digits) if line.startswith(_SEQ) and digits.isdigit() else None


def stated_at(line: bytes) -> str | None:
    """Return the time that ``line`` states, None if it states none."""
    try:
        at = orjson.loads(line)["at"]
        return at if isinstance(at, str) else None
    except (ValueError, TypeError, KeyError):
        return None


def format_moment(moment: datetime) -> str:
    """Return a moment in the format of headers and checkpoints."""
    return moment.isoformat(timespec="microseconds")
