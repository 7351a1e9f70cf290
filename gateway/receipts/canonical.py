"""Encodings that have one form each: base64url without padding (RFC 7515), and JSON.

A receipt is evidence: nobody may have two texts of the same one. What is not exactly what encoding
it again gives is refused: padding, bits beyond the last byte, white space, keys out of order or
there twice, numbers and escapes in another form.
"""

from __future__ import annotations

import base64
import binascii
import re

import orjson

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def encode_base64url(data: bytes) -> str:
    """Return ``data`` as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """Return the bytes that ``text`` encodes; raises ValueError for anything but the one form."""
    if not _ALPHABET.fullmatch(text):
        raise ValueError("it holds something else than the alphabet of base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("it has no length of base64url") from None
    if encode_base64url(data) != text:
        raise ValueError("its last character has bits that mean nothing")
    return data


def encode_json(value: object) -> bytes:
    """Return ``value`` as JSON: UTF-8, keys in order, no white space."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def decode_json(data: bytes) -> object:
    """Return what ``data`` says; raises ValueError for anything but the form of ``encode_json``."""
    value: object = orjson.loads(data)
    if encode_json(value) != data:
        raise ValueError("it is not in the one form of JSON")
    return value
