"""Identifiers: parts between slashes, each encoded separately."""

from __future__ import annotations

import pytest

from connectors.xroad.identifiers import header_value, identifier


def test_each_part_is_encoded_by_itself() -> None:
    encoded = identifier("VN/GOV/Bộ Tư pháp/cổng", (4,))
    assert str(encoded) == "VN/GOV/B%E1%BB%99%20T%C6%B0%20ph%C3%A1p/c%E1%BB%95ng"
    assert identifier(str(encoded), (4,), encoded=True) == encoded


def test_the_owner_of_a_service_is_its_subsystem() -> None:
    assert str(identifier("VN/GOV/MPS/people/records", (5,)).owner) == "VN/GOV/MPS/people"


@pytest.mark.parametrize(
    "text",
    ["", "VN/GOV", "VN/GOV/MPS/a/b/c", "VN//MPS/a", "VN/../MPS/a", "VN/G:V/MPS/a", "VN/a\n/b/c"],
)
def test_what_can_be_no_identifier_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"parts between slashes|no part of it"):
        identifier(text, (3, 4))


@pytest.mark.parametrize("text", ["VN/GOV/a%2Fb/c", "VN/GOV/a%00/c", "VN/GOV/%FF/c"])
def test_what_is_hidden_by_encoding_is_refused_too(text: str) -> None:
    with pytest.raises(ValueError, match=r"no part of it|decode"):
        identifier(text, (4,), encoded=True)


def test_headers_hold_plain_characters_only() -> None:
    assert header_value("000.00.11.H29-261123-0001") == "000.00.11.H29-261123-0001"
    assert header_value("Nguyễn\r\nX-Evil: 1") == "Nguy%E1%BB%85n%0D%0AX-Evil: 1"
    assert header_value("100%") == "100%25"
