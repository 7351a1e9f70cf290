"""Comparing names and dates that a caller gives with those a record holds.

Vietnamese names are written with different tone-mark placement (Hòa, Hoà) and Unicode forms in
different places (domain.md section 5); none of that makes them different names.
"""

from __future__ import annotations

import unicodedata

from connectors.values import PartialDate

#: Grave, acute, tilde, hook above, dot below: the five tone marks.
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")


def canonical_name(name: str) -> str:
    """Return ``name`` in a form in which equal names are equal text.

    Case, Unicode form, spacing and the place of the tone mark within a syllable do not count; which
    tone it is does.
    """
    return " ".join(_syllable(one) for one in unicodedata.normalize("NFD", name).casefold().split())


def _syllable(text: str) -> str:
    letters = "".join(mark for mark in text if mark not in _TONES)
    return letters + "".join(sorted(mark for mark in text if mark in _TONES))


def same_name(one: str, other: str) -> bool:
    """Say whether two ways of writing mean the same name."""
    return canonical_name(one) == canonical_name(other)


def dates_agree(one: PartialDate, other: PartialDate) -> bool:
    """Say whether two dates can be the same day, as far as each is known."""
    return one.first <= other.last and other.first <= one.last
