"""Keyed hashes: what the message is, and that hashes of one kind are none of another."""

from __future__ import annotations

import hashlib
import hmac

from reconcile.findings.hashes import KeyedHashes

KEY = bytes(range(32))
HASHES = KeyedHashes(KEY)


def test_a_hash_is_hmac_sha256_of_netstrings() -> None:
    message = b"6:person,12:001099000001,"
    expected = hmac.new(KEY, message, hashlib.sha256).hexdigest()
    assert HASHES.person("001099000001") == expected


def test_lengths_are_those_of_utf_8() -> None:
    message = "3:row,12:civil_status,6:births,8:Đậu 1,".encode()
    assert len("Đậu 1".encode()) == 8
    assert (
        HASHES.row("civil_status", "births", "Đậu 1") == hmac.digest(KEY, message, "sha256").hex()
    )


def test_kinds_and_parts_are_told_apart() -> None:
    rows = [("a", "b", "c")]
    hashes = {
        HASHES.person("1"),
        HASHES.row("1", "", ""),
        HASHES.row("", "1", ""),
        HASHES.finding("R", 0, "1", rows),
        HASHES.finding("R", 1, "1", rows),
        HASHES.finding("R", 0, "2", rows),
        HASHES.finding("R", 0, "1", [("a", "b", "d")]),
        HASHES.finding("R", 0, "1", [*rows, *rows]),
        HASHES.finding("R", 0, "1a", [("", "b", "c")]),
    }
    assert len(hashes) == 9


def test_another_key_gives_other_hashes() -> None:
    assert KeyedHashes(bytes(32)).person("1") != HASHES.person("1")
