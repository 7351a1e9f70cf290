"""The chain: each line authenticates the line before it."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.journal.chain import (
    START,
    ChainLink,
    SegmentHeader,
    expected_mac,
    parse_header,
    seal_entries,
    stated_at,
    stated_mac,
    stated_seq,
)
from gateway.keys.keyring import Secret

SECRET = Secret.of(b"k" * 32)
HEADER = SegmentHeader("00aa", 3, 7, "f" * 64, SECRET.id, "2026-11-01T00:00:00+00:00", "full")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ENTRIES = st.lists(st.dictionaries(st.text(min_size=4), JSON, max_size=4), max_size=5)


@given(ENTRIES, st.integers(0, 2**40))
def test_every_entry_is_one_line_that_follows_the_one_before(
    entries: list[dict[str, Any]], seq: int
) -> None:
    text, link = seal_entries(
        SECRET, ChainLink(seq, START), [orjson.dumps(entry) for entry in entries]
    )
    lines = text.split(b"\n")
    assert lines.pop() == b"", "the last line is ended too"
    assert len(lines) == len(entries)
    previous = START
    for number, (line, entry) in enumerate(zip(lines, entries, strict=True), seq + 1):
        assert stated_seq(line) == number
        assert stated_mac(line) == expected_mac(SECRET, previous, line)
        previous = stated_mac(line) or ""
        assert orjson.loads(line) == {**entry, "seq": number, "mac": previous}
    assert link == ChainLink(seq + len(entries), previous)


def test_a_mac_is_what_the_reference_says() -> None:
    """Whoever checks with tools of their own needs no more than this."""
    text, _ = seal_entries(SECRET, ChainLink(0, START), [b'{"id":"a"}'])
    mac = hmac.new(b"k" * 32, START.encode() + b'{"seq":1,"id":"a"', hashlib.sha256).hexdigest()
    assert text.decode() == f'{{"seq":1,"id":"a","mac":"{mac}"}}\n'


def test_a_header_is_read_as_it_was_written() -> None:
    line, mac = HEADER.line(SECRET)
    assert parse_header(line) == HEADER
    assert stated_mac(line) == mac == expected_mac(SECRET, HEADER.previous, line)
    assert stated_seq(line) is None, "it is no entry"


@pytest.mark.parametrize(
    "change",
    [
        (b'"version":2', b'"version":3'),
        (b'"segment":3', b'"segment":"3"'),
        (b'"seq":7', b'"seq":true'),
        (b'"journal"', b'"diary"'),
        (b'"mac"', b'"mark"'),
        (b"{", b"["),
        (b'"full"', b"null"),
    ],
)
def test_what_is_no_header_is_not_taken_for_one(change: tuple[bytes, bytes]) -> None:
    line, _ = HEADER.line(SECRET)
    with pytest.raises(ValueError, match=r"."):
        parse_header(line.replace(*change))


@given(st.binary(max_size=200))
def test_anything_can_be_asked_for_its_number_and_mac(line: bytes) -> None:
    assert stated_mac(line) is None or len(line) > 64
    assert stated_seq(line) is None or line.startswith(b'{"seq":')
    assert stated_at(line) is None
