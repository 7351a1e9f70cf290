r"""Numbers of people as spreadsheets leave them: with blanks or line ends, or without their zeros.

A number that was typed into a cell, exported and loaded may be stored as `` 001090000001``,
``001090000001\r``, ``1090000001`` or ``'001090000001``: a lookup of the number itself misses it.
"""

from __future__ import annotations

import re

#: Characters around and within digits that do not belong to a number: blanks of every width, line
#: ends, zero-width and soft characters, dots, hyphens, and the apostrophe that makes a cell text.
_BESIDE = re.compile("[\\s\u00ad\u200b-\u200d\u2060\ufeff.'\u2019\u2010-\u2015-]+")
#: A number that was a decimal number for a while.
_DECIMAL = re.compile(r"\s*([0-9]+)\.0\s*")
_DIGITS = re.compile(r"[0-9]{8,12}")
#: Digits where one or two leading zeros are lost -> digits of the whole number.
_LOST = {11: 12, 10: 12, 8: 9}
_WHOLE = {9, 12}
#: What lookups match around a number: before it, after it.
_AROUND = (
    ("", ""),
    ("", " "),
    ("", "\r"),
    ("", "\n"),
    ("", "\r\n"),
    ("", "\t"),
    ("", "\u00a0"),
    ("", ".0"),
    (" ", ""),
    ("\u00a0", ""),
    ("'", ""),
)


def normalise_number(text: str) -> str:
    """Return the number that ``text`` stands for; other text is returned unchanged."""
    decimal = _DECIMAL.fullmatch(text)
    digits = _BESIDE.sub("", text) if decimal is None else decimal[1]
    if _DIGITS.fullmatch(digits) is None:
        return text
    lost = len(digits) in _LOST and not digits.startswith("0")  # else another digit is missing
    if not lost and len(digits) not in _WHOLE:
        return text
    return digits.zfill(_LOST.get(len(digits), 0))


def spellings(number: str) -> tuple[str, ...]:
    """Return the texts by which a lookup finds ``number``, itself first: 11, or 22 with zeros.

    It is a list, so that the column's own index finds each. Blanks in other places, or several of
    them, are missed; ``justice-gateway doctor`` counts those.
    """
    stripped = number.lstrip("0")
    forms = [number]
    if stripped != number and _LOST.get(len(stripped)) == len(number):
        forms.append(stripped)
    return tuple(before + form + after for form in forms for before, after in _AROUND)
