"""Sealed values open under their id, for their use, with a key of the ring, and no other way."""

from __future__ import annotations

import pytest

from gateway.keys.keyring import Keyring, Secret
from gateway.storage.sealing import Sealing

OLD, NEW = (Secret.of(byte * 32) for byte in (b"o", b"n"))
SEALING = Sealing(Keyring(OLD), b"tests")


def test_a_value_opens_under_its_id() -> None:
    sealed = SEALING.seal("a", b"content")
    assert b"content" not in sealed
    assert SEALING.open("a", sealed) == b"content"
    assert SEALING.seal("a", b"content") != sealed


def test_a_value_opens_after_a_rotation_and_not_after_its_key_is_gone() -> None:
    sealed = SEALING.seal("a", b"content")
    assert Sealing(Keyring(NEW, (OLD,)), b"tests").open("a", sealed) == b"content"
    assert Sealing(Keyring(NEW), b"tests").open("a", sealed) is None


def test_a_value_opens_neither_under_another_id_nor_for_another_use() -> None:
    sealed = SEALING.seal("a", b"content")
    assert SEALING.open("b", sealed) is None
    assert Sealing(Keyring(OLD), b"others").open("a", sealed) is None


@pytest.mark.parametrize("place", [0, 1, 9, 21, -1], ids=str)
def test_a_changed_value_does_not_open(place: int) -> None:
    sealed = bytearray(SEALING.seal("a", b"content"))
    sealed[place] ^= 1
    assert SEALING.open("a", bytes(sealed)) is None


@pytest.mark.parametrize("value", [b"", b"1", b"1" + OLD.id.encode(), b"\xff" * 40], ids=repr)
def test_what_was_never_sealed_does_not_open(value: bytes) -> None:
    assert SEALING.open("a", value) is None
