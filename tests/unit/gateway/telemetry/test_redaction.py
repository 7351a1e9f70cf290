"""Redaction removes whatever may be a person number, and keeps the names of files."""

from __future__ import annotations

import os
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.telemetry.redaction import holds_number, random_id, redact
from tests.support.generated import PATIENT
from tests.support.people import HOA, OLD_NUMBER

NUMBER = st.from_regex(r"[0-9]{12}|[0-9]{9}", fullmatch=True)
AROUND = st.text(st.characters(exclude_categories=["Nd"], exclude_characters=".·_-/:,"), max_size=5)

NUMBERS_IN_TEXT = [
    HOA,
    OLD_NUMBER,
    f"HS{HOA}",
    f"CMND{OLD_NUMBER}",
    f"{HOA}x{HOA}",
    f"req{HOA}",
    f"{HOA}01",
    "001.183.274.301",
    "001 183 274 301",
    "HS 001 183 274 301",
    "HS-001.183.274.301/2026",
    "001-183-274-301",
    "0011 8327 4301",
    "0011-8327-4301",
    "001 1 83 274301",
    "001/1/83/274301",
    "001 183274301",
    "012.345.678",
    "012 345 678",
    "12.34.56.789",
    "001. 183. 274. 301",
    "001\u00a0183\u00a0274\u00a0301",
    "٠٠١١٨٣٢٧٤٣٠١",
    "００１１８３２７４３０１",
]  # fmt: skip

FILES = [
    "",
    "HSĐ-12/2026/QĐ-UBND",
    "000.00.11.H29-261123-0001",
    "000.00.01.G06-230405-0001",
    "H26.12-230915-0012",
    "HS-2026-000123",
    "CC-2026-00012",
    "123/2024/HSST",
    "20261123-00012",
    "1.000894.H29",
    "2026-11-29T16:47:29.123456Z",
    "127.0.0.1:50000",
    "12345678",
]  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS_IN_TEXT)
def test_no_digit_of_a_number_is_left(text: str) -> None:
    assert holds_number(text)
    redacted = redact(text)
    assert not holds_number(redacted)
    assert sum(character.isdecimal() for character in redacted) <= 4, "a year may stand beside it"


@pytest.mark.parametrize("text", FILES)
def test_what_files_and_moments_are_called_stays(text: str) -> None:
    assert not holds_number(text)
    assert redact(text) == text


@PATIENT
@given(st.text(st.sampled_from("0123456789aF٣")))
def test_letters_and_digits_hold_a_number_where_nine_digits_stand_together(text: str) -> None:
    runs = "".join(character if character.isdecimal() else " " for character in text).split()
    assert holds_number(text) == any(len(run) >= 9 for run in runs)


def test_what_stands_around_a_number_stays() -> None:
    assert redact(f"HS{HOA}/2026 of CMND{OLD_NUMBER}.") == "HS…/2026 of CMND…."


def test_a_replacement_is_made_of_the_digits_alone() -> None:
    assert redact("HS 001.183.274.301", str.lower) == "HS 001183274301"
    assert redact("００１１８３２７４３０１", str.lower) == "001183274301"


@PATIENT
@given(AROUND, NUMBER, AROUND)
def test_whatever_stands_around_a_number_it_is_found(before: str, number: str, after: str) -> None:
    redacted = redact(f"{before}{number}{after}")
    assert number not in redacted
    assert redacted == f"{before}…{after}"


@PATIENT
@given(NUMBER, st.sampled_from(". \u00a0·"), st.sets(st.integers(1, 8)))
def test_however_a_number_is_grouped_with_dots_or_blanks_it_is_found(
    number: str, gap: str, places: set[int]
) -> None:
    cuts = [0, *sorted(places), len(number)]
    text = gap.join(number[start:end] for start, end in pairwise(cuts))
    assert redact(f"HS{text}.") == "HS…."


def test_random_ids_differ_and_never_read_like_a_number() -> None:
    ids = [random_id() for _ in range(2_000)]
    assert len({*ids}) == len(ids)
    assert all(re.fullmatch("[0-9a-f]{32}", identifier) for identifier in ids)
    assert not any(holds_number(identifier) for identifier in ids)


def test_a_forked_process_draws_ids_of_its_own() -> None:
    random_id()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, random_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 32).decode() not in {random_id() for _ in range(100)}
    os.close(reading)
    os.close(writing)
