"""Encodings that have one form each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.receipts.canonical import (
    decode_base64url,
    decode_json,
    encode_base64url,
    encode_json,
)

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.binary())
def test_bytes_come_back(data: bytes) -> None:
    assert decode_base64url(encode_base64url(data)) == data


@given(_JSON)
def test_json_comes_back(value: object) -> None:
    assert decode_json(encode_json(value)) == value


@pytest.mark.parametrize(
    "text", ["QQ==", "QR", "QUJ", "A", "QQ\n", " QQ", "Q+", "Q/", "QQ.", "ＱＱ"]
)
def test_another_form_of_base64url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_base64url(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"b":1,"a":2}',
        '{"a":1,"a":1}',
        '{"a":1,"a":2}',
        '{"a": 1}',
        '{"a":1} ',
        '{"a":1}\n',
        '{"a":"\\u0061"}',
        '{"a":"\\/"}',
        '{"a":1e0}',
        '{"a":NaN}',
        '{"a":1}{}',
        "",
        "[1,]",
    ],
)
def test_another_form_of_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_json(text.encode())


def test_a_byte_order_mark_and_text_of_another_encoding_are_refused() -> None:
    for data in ('\ufeff{"a":1}'.encode(), '{"a":1}'.encode("utf-16"), b'{"a":"\xff"}'):
        with pytest.raises(ValueError, match=r"."):
            decode_json(data)
